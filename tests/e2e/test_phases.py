"""A 4D series in the browser: a beating ball of known radii, one phase after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.site import Site
from tests.e2e.viewer import Study, eventually, imported, open_desk
from tests.e2e.watch import Watch

# Along x from the middle of the ball: inside all phases, inside the three larger ones, in the largest only, outside.
POINTS = ((0.0, 0.0, 0.0), (8.0, 0.0, 0.0), (12.0, 0.0, 0.0), (16.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def heart(
    site: Site, browser: Any, signed_in: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Study, Watch]]:
    from recon_engine.phantoms.beating import write_beating

    folder = tmp_path_factory.mktemp("heart")
    write_beating(folder)
    path = f"/studies/{imported(site, folder)}/"
    with open_desk(site, browser, signed_in("reader"), path) as (page, watching):
        yield Study(page).loaded("whole"), watching


def test_each_phase_has_its_own_voxels(heart: tuple[Study, Watch]) -> None:
    from recon_engine.phantoms.beating import INSIDE, OUTSIDE, RADII_MM

    study, watching = heart
    study.teach("{ values: (room, points) => points.map((point) => room.session.sample(point)?.value) }")
    study.page.locator('[data-act="plane-menu"]').first.click()
    slider = study.page.get_by_label("Phase", exact=True)
    slider.wait_for()
    assert slider.get_attribute("max") == "4"
    words = study.page.locator(".plane-card__line").filter(has=slider).locator("output")
    for at, radius in enumerate(RADII_MM):
        slider.fill(str(at + 1))
        truth = [INSIDE if point[0] <= radius else OUTSIDE for point in POINTS]
        eventually(lambda: study.ask("values", [list(point) for point in POINTS]), truth)
        eventually(lambda: words.inner_text().replace("\u202f", " "), f"{at + 1} of 4 · {200 * at} ms")
    # Played to and fro they come back to the first.
    study.page.get_by_label("Play the phases instead of the slices").check()
    study.page.get_by_role("button", name="Play and stop").first.click()
    eventually(lambda: slider.input_value() in {"2", "3"}, True)
    study.page.get_by_role("button", name="Play and stop").first.click()
    assert watching.left() == []
