"""What the server's engine does to segments, asked for with a real mouse and real keys, against counted voxels."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.e2e.drawing import Editing
from tests.e2e.site import Site
from tests.e2e.viewer import eventually, imported, open_desk, spaces
from tests.e2e.watch import Watch

SPACING = 1.25
CENTRES = ((-25.0, 0.0, 0.0), (25.0, 0.0, 0.0))
RADII = (12.5, 8.0)
VALUES = (300, 60)


def two_balls() -> Any:
    """A Volume in HU: water with two balls of their own values; a voxel belongs to a ball when its middle does."""
    from recon_engine.volume import Volume

    shape = (41, 57, 89)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])[[2, 1, 0, 3]]
    affine[:3, 3] = [-SPACING * (n // 2) for n in shape[::-1]]
    z, y, x = np.ix_(*[(np.arange(n) - n // 2) * SPACING for n in shape])
    values = np.zeros(shape, np.int16)
    for (cx, cy, cz), radius, value in zip(CENTRES, RADII, VALUES, strict=True):
        values[(x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 <= radius**2] = value
    return Volume(values, affine, None, "CT", "HU")


def widened(mask: NDArray, mm: float) -> NDArray:
    """Every voxel whose middle lies within `mm` of one of the mask's, found by moving the mask about."""
    reach = int(mm / SPACING)
    out = mask.copy()
    for step in product(range(-reach, reach + 1), repeat=3):
        if np.hypot.reduce(step) * SPACING <= mm:
            out |= np.roll(mask, step, (0, 1, 2))
    return out


class Refining(Editing):
    def refine(self, name: str, what: str, amount: float | None = None) -> None:
        self.page.get_by_label(f"Refine {name}").select_option(label=what)
        if amount is not None:
            self.page.get_by_label("Amount").fill(str(amount))
        self.row(name).get_by_role("button", name="Do it").click()

    def open_row(self, name: str) -> None:
        if self.row(name).locator(".segment__details").count() == 0:
            self.row(name).locator(".segment__name").click()
        self.page.get_by_label(f"Refine {name}").wait_for()

    def says(self, words: str) -> None:
        self.page.locator(".toast").filter(has_text=words).wait_for()

    def names(self) -> list[str]:
        return self.page.locator(".segment__name span:last-child").all_inner_texts()


@pytest.fixture(scope="module")
def volume() -> Any:
    return two_balls()


@pytest.fixture(scope="module")
def opened(
    site: Site, browser: Any, signed_in: Callable[[str], Any], volume: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Refining, Watch]]:
    from recon_engine.phantoms.series import write_ct_series

    folder = tmp_path_factory.mktemp("balls")
    write_ct_series(volume, folder, "two-balls", "Two balls, CT")
    study = imported(site, folder)
    with open_desk(site, browser, signed_in("reader"), f"/studies/{study}/") as (page, watching):
        refining = Refining(page)
        refining.ready()
        yield refining, watching


@pytest.fixture
def desk_(opened: tuple[Refining, Watch]) -> Iterator[Refining]:
    refining, watching = opened
    refining.ask("handed")
    yield refining
    assert watching.left() == []


def voxels_of(volume: Any, value: int) -> NDArray:
    return np.asarray(volume.voxels == value)


def test_grow_from_a_click(desk_: Refining, volume: Any) -> None:
    truth = int(voxels_of(volume, VALUES[0]).sum())
    desk_.new_segment("Large")
    desk_.page.keyboard.press("k")
    began = time.monotonic()
    desk_.page.mouse.click(*desk_.pixel("axial", CENTRES[0]))
    accept = desk_.page.get_by_role("button", name="Accept")
    accept.wait_for()
    shown = time.monotonic()
    assert desk_.ask("labels", 1) == pytest.approx(truth, rel=0.02)
    text = spaces(desk_.page.locator(".editing-bar__preview strong").inner_text())
    assert float(text.removeprefix("+").removesuffix(" mL")) == pytest.approx(truth * SPACING**3 / 1000, rel=0.02)
    desk_.page.keyboard.press("Enter")
    desk_.saved()
    eventually(lambda: desk_.ask("extent", 1) is not None, True)
    print(f"grow: {shown - began:.2f} s to the labelmap, {time.monotonic() - began:.2f} s to the surface")
    assert desk_.ask("extent", 1) == pytest.approx([25, 25, 25], abs=SPACING)
    desk_.holds("Large", truth * SPACING**3 / 1000)
    assert desk_.undo_names() == "Large, grow"
