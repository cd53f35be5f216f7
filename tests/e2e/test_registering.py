"""Landmarks clicked in two series of different frames of reference, against a known motion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.site import Site
from tests.e2e.viewer import Study, eventually, imported, open_desk, spaces
from tests.e2e.watch import Watch

SHAPE, SPACING = (21, 31, 31), 2.0
MIDDLE = [10, 15, 15]
# A quarter turn round z and a shift: fixed = TRUTH @ moving.
TRUTH = np.array([[0, -1, 0, 4], [1, 0, 0, -6], [0, 0, 1, 2], [0, 0, 0, 1]], float)
MOVING = ((0.0, 0.0, 0.0), (10.0, 0.0, 0.0), (0.0, 8.0, -6.0), (-10.0, 4.0, 6.0))
SPOT_HU = 500  # at the second of them, in the moving series only


def write_both(folder: Path) -> None:
    import pydicom

    from recon_engine.phantoms.series import fixed_uid, write_ct_series
    from recon_engine.volume import Volume

    affine = np.diag([SPACING, SPACING, SPACING, 1.0])[[2, 1, 0, 3]]
    affine[:3, 3] = [-SPACING * n for n in MIDDLE[::-1]]
    for name, number in (("fixed", 1), ("moving", 2)):
        voxels = np.full(SHAPE, 40, np.int16)
        if name == "moving":
            x, y, z = (int(v / SPACING) for v in MOVING[1])
            voxels[9 + z : 12 + z, 14 + y : 17 + y, 14 + x : 17 + x] = SPOT_HU
        volume = Volume(voxels, affine, fixed_uid(f"landmarks/{name}"), "CT", "HU")
        for path in write_ct_series(volume, folder / name, f"landmarks-{name}", f"{name.title()} CT"):
            ds = pydicom.dcmread(path)
            ds.SeriesNumber, ds.StudyInstanceUID = number, fixed_uid("landmarks/study")
            ds.PatientID = "PHANTOM-LANDMARKS"
            ds.save_as(path)


@pytest.fixture(scope="module")
def desk_(
    site: Site, browser: Any, signed_in: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Study, Watch]]:
    folder = tmp_path_factory.mktemp("landmarks")
    write_both(folder)
    path = f"/studies/{imported(site, folder)}/"
    with open_desk(site, browser, signed_in("reader"), path) as (page, watching):
        yield Study(page).loaded("whole"), watching


def test_landmarks_clicked_in_both_series_give_the_motion(desk_: tuple[Study, Watch]) -> None:
    study, watching = desk_
    page = study.page
    choice = page.locator(".fusion__choice")
    choice.select_option(label=re.sub(r" \(cannot\)$", "", choice.locator("option").nth(1).inner_text()) + " (cannot)")
    page.get_by_role("button", name="Lay them over each other by landmarks").click()
    panes = page.locator(".landmarks__pane")
    told = page.locator(".landmarks__sum")

    def click(side: int, point: Any) -> None:
        """In the pane of the fixed (0) or moving (1) series, at a place in LPS mm."""
        x, y, z = (round(v / SPACING) for v in point)
        panes.nth(side).get_by_role("slider").fill(str(MIDDLE[0] + z + 1))
        canvas = panes.nth(side).locator("canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        step = (box["width"] / SHAPE[2], box["height"] / SHAPE[1])
        page.mouse.click(box["x"] + (MIDDLE[2] + x + 0.5) * step[0], box["y"] + (MIDDLE[1] + y + 0.5) * step[1])

    for side in (0, 1):
        marks = panes.nth(side).locator("canvas").bounding_box()
        eventually(lambda side=side: panes.nth(side).locator("img").bounding_box(), marks)
    for at, point in enumerate(MOVING):
        assert ("more pair" in told.inner_text()) == (at < 3)
        click(1, point)
        eventually(lambda: "in the series below" in told.inner_text(), True)
        click(0, (TRUTH @ [*point, 1])[:3])
    eventually(lambda: spaces(told.inner_text()).startswith("Landmark error 0."), True)
    error = float(re.findall(r"[\d.]+", spaces(told.inner_text()))[0])
    # A click is true to a pixel: about a sixth of a voxel of 2 mm.
    assert error <= 0.3
    page.get_by_role("button", name="Store the transform").click()
    page.get_by_text("The transform is stored").wait_for()
    eventually(lambda: "landmark error" in page.locator(".fusion__fit").inner_text().lower(), True)
    study.teach("{ stored: (room) => room.store.get().study.transforms[0].matrix }")
    eventually(lambda: np.abs(np.array(study.ask("stored")) - TRUTH)[:3, :3].max() < 0.02, True)
    assert np.abs(np.array(study.ask("stored")) - TRUTH)[:3, 3].max() < 0.3
    # The spot of the moving series lies where the motion takes it.
    study.teach("{ goTo: (room, point) => room.session.goTo(point) }")
    there = [float(v) for v in (TRUTH @ [*MOVING[1], 1])[:3]]
    study.ask("goTo", there)
    page.mouse.move(*study.pixel("axial", tuple(there)))
    eventually(lambda: f"40 HU · {SPOT_HU} HU" in study.corner("axial", "bottom-right"), True)
    assert watching.left() == []


def test_a_pasted_matrix_is_stored_as_it_is(desk_: tuple[Study, Watch]) -> None:
    study, watching = desk_
    page = study.page
    page.get_by_role("button", name="Lay them over each other by landmarks").click()
    page.get_by_text("Paste a matrix instead").click()
    field = page.get_by_label("4 by 4 matrix")
    field.fill("1 0 0")
    page.get_by_role("button", name="Store the transform").click()
    page.get_by_role("alert").filter(has_text="16 numbers").wait_for()
    field.fill("1 0 0 2.5\n0 1 0 -3\n0 0 1 4\n0 0 0 1")
    page.get_by_role("button", name="Store the transform").click()
    wanted = [[1, 0, 0, 2.5], [0, 1, 0, -3], [0, 0, 1, 4], [0, 0, 0, 1]]
    eventually(lambda: study.ask("stored"), wanted)
    assert watching.left() == []
