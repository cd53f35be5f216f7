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

TEACH = """{
  label: (room, point) => {
    const { geometry, desk } = room.session;
    const [, height, width] = geometry.shape;
    const [x, y, z] = geometry.shape.map((count, axis) => Math.round(point[2 - axis] / 1.25) + Math.floor(count / 2));
    return desk.labels.labels[(x * height + y) * width + z];
  },
  runs: (room, number) => {
    const { labels } = room.session.desk.labels;
    const runs = [];
    for (let at = 0; at < labels.length; at++) {
      if (labels[at] !== number) continue;
      const start = at;
      while (labels[at] === number) at++;
      runs.push([start, at - start]);
    }
    return runs;
  },
  locked: (room, number, locked) => room.store.dispatch({ type: "edits.lock", number, locked }),
}"""
# Each test goes on with what the last one drew: all of them are slow together, or none is.
pytestmark = pytest.mark.slow

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
    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self.teach(TEACH)

    def refine(self, name: str, what: str, amount: float | None = None) -> None:
        self.page.get_by_label(f"Refine {name}").select_option(label=what)
        if amount is not None:
            self.page.get_by_label("Amount").fill(str(amount))
        self.row(name).get_by_role("button", name="Do it").click()

    def refine_opened(self, name: str, what: str, amount: float | None = None) -> None:
        self.open_row(name)
        self.refine(name, what, amount)

    def mask(self, number: int, shape: tuple[int, ...]) -> NDArray:
        """Where the page's labelmap has this label, (k, j, i)."""
        out = np.zeros(int(np.prod(shape)), bool)
        for start, length in self.ask("runs", number):
            out[start : start + length] = True
        return out.reshape(shape)

    def open_row(self, name: str) -> None:
        if self.row(name).locator(".segment__details").count() == 0:
            self.row(name).locator(".segment__name").click()
        self.page.get_by_label(f"Refine {name}").wait_for()

    def says(self, words: str) -> None:
        """In the page, in words; read and closed."""
        said = self.page.locator(".toast").filter(has_text=words)
        said.wait_for()
        said.get_by_role("button", name="Close").click()
        said.wait_for(state="detached")

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
        # A surface that is fetched while its segment is undone is gone: the server says so, the page passes over it.
        watching.allow = ["404 (Not Found) /api/segmentations/"]
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
    """Nothing but the clicked ball, to half a per cent; shown before it is kept, kept by Enter."""
    truth = int(voxels_of(volume, VALUES[0]).sum())
    desk_.new_segment("Large")
    desk_.page.locator('[data-tool="brush"][aria-pressed="true"]').wait_for()
    desk_.page.keyboard.press("k")
    began = time.monotonic()
    desk_.page.mouse.click(*desk_.pixel("axial", CENTRES[0]))
    desk_.page.get_by_role("button", name="Accept").wait_for()
    shown = time.monotonic() - began
    eventually(lambda: desk_.ask("labels", 1), pytest.approx(truth, rel=0.005))
    text = spaces(desk_.page.locator(".editing-bar__preview strong").inner_text())
    assert float(text.removeprefix("+").removesuffix(" mL")) == pytest.approx(truth * SPACING**3 / 1000, rel=0.01)
    desk_.page.keyboard.press("Enter")
    began = time.monotonic()
    eventually(lambda: desk_.ask("extent", 1), pytest.approx([25, 25, 25], abs=SPACING))
    print(
        f"grow: {shown:.2f} s from the click to its voxels, {time.monotonic() - began:.2f} s from Enter to the surface"
    )
    desk_.saved()
    desk_.holds("Large", truth * SPACING**3 / 1000)
    eventually(desk_.undo_names, "Large, grow")


def test_grow_says_when_the_segment_holds_it_already(desk_: Refining) -> None:
    voxels = desk_.ask("labels", 1)
    desk_.page.keyboard.press("k")
    desk_.page.mouse.click(*desk_.pixel("axial", CENTRES[0]))
    desk_.says("in this segment already")
    assert desk_.ask("labels", 1) == voxels


def test_grow_follows_the_choice_what_to_paint_over(desk_: Refining) -> None:
    held = desk_.ask("labels", 1)
    desk_.new_segment("Other")
    desk_.page.locator('[data-tool="brush"][aria-pressed="true"]').wait_for()
    desk_.page.keyboard.press("k")
    desk_.option("Empty only")
    desk_.page.mouse.click(*desk_.pixel("axial", CENTRES[0]))
    desk_.says("may not be painted over")
    assert (desk_.ask("labels", 1), desk_.ask("labels", 2)) == (held, 0)
    # Locked ones stay whatever is chosen.
    desk_.option("Over all")
    desk_.ask("locked", 1, True)
    desk_.page.mouse.click(*desk_.pixel("axial", CENTRES[0]))
    desk_.says("may not be painted over")
    desk_.ask("locked", 1, False)
    desk_.page.mouse.click(*desk_.pixel("axial", CENTRES[0]))
    desk_.page.get_by_role("button", name="Accept").wait_for()
    eventually(lambda: desk_.ask("labels", 2), pytest.approx(held, rel=0.005))
    desk_.page.keyboard.press("Escape")
    eventually(lambda: (desk_.ask("labels", 1), desk_.ask("labels", 2)), (held, 0))


def test_margin_by_millimetres(desk_: Refining, volume: Any) -> None:
    """Grown and shrunk by whole voxels: exactly the voxels within that distance."""
    ball = voxels_of(volume, VALUES[1])
    desk_.row("Other").locator(".segment__name").click()
    desk_.page.keyboard.press("k")
    desk_.page.mouse.click(*desk_.pixel("axial", CENTRES[1]))
    desk_.page.get_by_role("button", name="Accept").click()
    eventually(lambda: desk_.ask("labels", 2), pytest.approx(int(ball.sum()), rel=0.01))
    desk_.saved()
    drawn = desk_.mask(2, ball.shape)
    desk_.open_row("Other")
    began = time.monotonic()
    desk_.refine("Other", "Grow by", 2.5)
    grown = widened(drawn, 2.5)
    eventually(lambda: desk_.ask("labels", 2), int(grown.sum()))
    seconds = time.monotonic() - began
    eventually(lambda: desk_.ask("extent", 2), pytest.approx([21, 21, 21], abs=2 * SPACING))
    print(f"margin: {seconds:.2f} s to the labelmap, {time.monotonic() - began:.2f} s to the surface")
    eventually(desk_.undo_names, "Other, grow by a margin")
    desk_.refine("Other", "Shrink by", 2.5)
    eventually(lambda: desk_.ask("labels", 2), int((~widened(~grown, 2.5)).sum()))
    desk_.refine("Other", "Shrink by", 0.5)
    desk_.says("less than a voxel")


def test_smooth_rounds_corners_and_keeps_the_volume(desk_: Refining) -> None:
    desk_.new_segment("Box")
    desk_.page.locator('[data-tool="brush"][aria-pressed="true"]').wait_for()
    desk_.page.keyboard.press("s")
    for name in ("Rectangle", "All slices", "Fill"):
        desk_.option(name)
    desk_.press((-10.1, -29.9, 0.0), (9.9, -15.1, 0.0))
    voxels = 16 * 11 * 41  # middles between -10 and 9 mm, between -29 and -16 mm, in every slice
    eventually(lambda: desk_.ask("labels", 3), voxels)
    eventually(lambda: desk_.ask("label", [-10.0, -28.75, 0.0]), 3)
    desk_.refine_opened("Box", "Smooth", 3)
    eventually(lambda: desk_.ask("label", [-10.0, -28.75, 0.0]), 0)
    eventually(lambda: desk_.ask("labels", 3), pytest.approx(voxels, rel=0.01))
    eventually(desk_.undo_names, "Box, smooth")
    desk_.page.keyboard.press("Control+z")
    eventually(lambda: desk_.ask("labels", 3), voxels)


def test_islands_split_and_merge(desk_: Refining) -> None:
    large, small = desk_.ask("labels", 1), desk_.ask("labels", 2)
    # Merged: one segment of two islands, the other's row is gone.
    desk_.open_row("Other")
    desk_.page.get_by_label("Merge Other into").select_option(label="Large")
    desk_.row("Other").wait_for(state="detached")
    eventually(lambda: (desk_.ask("labels", 1), desk_.ask("labels", 2)), (large + small, 0))
    # Split: the smaller one gets a row of its own.
    desk_.refine_opened("Large", "Split into islands")
    desk_.row("Large 2").wait_for()
    eventually(lambda: desk_.ask("labels", 1), large)
    eventually(lambda: desk_.ask("labels", 4), small)
    desk_.page.keyboard.press("Control+z")
    desk_.row("Large 2").wait_for(state="detached")
    eventually(lambda: desk_.ask("labels", 1), large + small)
    # Islands: everything but the largest, or what is too small.
    desk_.refine_opened("Large", "Remove islands below", small + 1)
    eventually(lambda: desk_.ask("labels", 1), large)
    desk_.refine_opened("Large", "Keep the largest island")
    desk_.says("no piece to remove")
    desk_.refine_opened("Large", "Split into islands")
    desk_.says("in one piece")


def test_segments_are_put_in_order(desk_: Refining) -> None:
    assert desk_.names() == ["Large", "Box"]
    desk_.open_row("Box")
    desk_.page.get_by_role("button", name="Move up").click()
    eventually(desk_.names, ["Box", "Large"])
    eventually(desk_.undo_names, "Box, moved in the list")
    desk_.page.keyboard.press("Control+z")
    eventually(desk_.names, ["Large", "Box"])
