"""Editing segments with a real mouse and real keys: painted volumes against formulas and the phantom's voxels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.drawing import Editing, ball
from tests.e2e.site import Site
from tests.e2e.viewer import answered, eventually, imported, open_desk, spaces
from tests.e2e.watch import Watch

SPACING = 1.25


@pytest.fixture(scope="module")
def drawn(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """(study, phantom): the calibrated drum at 1.25 mm, without any result."""
    from recon_engine.phantoms.calibrated import calibrated_phantom
    from recon_engine.phantoms.series import write_ct_series

    folder = tmp_path_factory.mktemp("drawn")
    phantom = calibrated_phantom(SPACING)
    write_ct_series(phantom.ct, folder, "calibrated-drawn", "Calibrated phantom, CT")
    return imported(site, folder), phantom


@pytest.fixture(scope="module")
def opened(
    site: Site, browser: Any, signed_in: Callable[[str], Any], drawn: tuple[str, Any]
) -> Iterator[tuple[Editing, Watch]]:
    with open_desk(site, browser, signed_in("reader"), f"/studies/{drawn[0]}/") as (page, watching):
        yield Editing(page).ready(), watching


@pytest.fixture
def desk_(opened: tuple[Editing, Watch]) -> Iterator[Editing]:
    editing, watching = opened
    editing.ask("handed")
    yield editing
    assert watching.left() == []


def test_a_new_segment_and_a_painted_ball(desk_: Editing) -> None:
    desk_.page.get_by_text("or draw one: A").wait_for()
    desk_.new_segment("Lesion")
    # The row is there before the answer that hands over the brush is worked off.
    desk_.page.locator('[data-tool="brush"][aria-pressed="true"]').wait_for()
    desk_.option("Ball")
    desk_.size(30)
    desk_.press((0.0, 0.0, 0.0))
    desk_.holds("Lesion", ball(30))
    eventually(desk_.undo_names, "Lesion, brush stroke")
    desk_.saved()
    # The surface is the ball's, to a voxel, and came without a reload.
    eventually(lambda: desk_.ask("extent", 1), pytest.approx([30, 30, 30], abs=SPACING))


def test_brackets_and_alt_wheel_size_the_ring(desk_: Editing) -> None:
    desk_.page.keyboard.press("b")
    desk_.size(10)
    x, y = desk_.pixel("axial", (0.0, 0.0, 0.0))
    desk_.page.mouse.move(x, y)
    ring = desk_.page.locator(".brush-ring")
    ring.wait_for()
    # Ten millimetres on the screen are as wide as the way between two points ten millimetres apart.
    ten = abs(desk_.pixel("axial", (10.0, 0.0, 0.0))[0] - x)
    eventually(lambda: ring.bounding_box()["width"], pytest.approx(ten, abs=1.5))
    text = desk_.page.locator(".editing-bar .tool-range .tool-value").first
    for act, wanted in (("]", "11.0 mm"), ("[", "10.0 mm"), ("[", "9.0 mm")):
        desk_.page.keyboard.press(act)
        eventually(lambda: spaces(text.inner_text()), wanted)
    slice_before = desk_.slice("axial")
    desk_.page.keyboard.down("Alt")
    desk_.page.mouse.wheel(0, -100)
    desk_.page.keyboard.up("Alt")
    eventually(lambda: spaces(text.inner_text()), "10.0 mm")
    assert desk_.slice("axial") == slice_before


def test_erasing_and_undo_that_names_the_step(desk_: Editing) -> None:
    before, voxels = desk_.ml("Lesion"), desk_.ask("labels", 1)
    desk_.page.keyboard.press("e")
    desk_.option("Ball")
    desk_.size(20)
    desk_.press((0.0, 0.0, 0.0))
    desk_.holds("Lesion", ball(30) - ball(20))
    eventually(desk_.undo_names, "Lesion, eraser stroke")
    desk_.page.keyboard.press("Control+z")
    eventually(lambda: desk_.ml("Lesion"), before)
    eventually(lambda: desk_.ask("labels", 1), voxels)
    eventually(desk_.undo_names, "Lesion, brush stroke")
    desk_.page.keyboard.press("Control+y")
    eventually(lambda: desk_.ml("Lesion") < before, True)
    desk_.page.keyboard.press("Control+z")
    eventually(lambda: desk_.ask("labels", 1), voxels)


def test_limits_paint_only_inside(desk_: Editing, drawn: tuple[str, Any]) -> None:
    """A brush much larger than the fat ball of -100 HU paints that ball and nothing of the water around it."""
    phantom = drawn[1]
    truth = int(((phantom.ct.voxels >= -120) & (phantom.ct.voxels <= -80)).sum())
    desk_.new_segment("Fat")
    desk_.option("Ball")
    desk_.size(28)
    for label, value in (("Lowest value", "-120"), ("Highest value", "-80")):
        field = desk_.page.get_by_label(label)
        field.fill(value)
        field.press("Tab")
    eventually(desk_.page.get_by_label("Only").is_checked, True)
    desk_.press(phantom.points_mm["Fat"])
    eventually(lambda: desk_.ask("labels", 2), truth)
    desk_.page.get_by_label("Only").uncheck()
    desk_.holds("Fat", ball(18))
    desk_.saved()


def test_locked_segments_stay(desk_: Editing) -> None:
    lesion, fat = desk_.ask("labels", 1), desk_.ask("labels", 2)
    desk_.row("Fat").locator(".segment__name").click()
    desk_.page.get_by_role("button", name="Lock", exact=True).click()
    desk_.row("Fat").locator(".segment__lock").wait_for()
    desk_.page.keyboard.press("e")
    desk_.option("All unlocked")
    desk_.size(60)
    desk_.press((0.0, 0.0, 0.0), (-40.0, -30.0, 0.0))
    eventually(lambda: desk_.ask("labels", 1) < lesion, True)
    assert desk_.ask("labels", 2) == fat
    desk_.option("This segment")
    desk_.page.keyboard.press("Control+z")
    desk_.holds("Lesion", ball(30))
    desk_.page.get_by_role("button", name="Unlock", exact=True).click()
    desk_.row("Fat").locator(".segment__name").click()


def test_scissors_and_fill_between(desk_: Editing) -> None:
    desk_.new_segment("Rod")
    desk_.page.keyboard.press("s")
    for name in ("Rectangle", "This slice", "Fill"):
        desk_.option(name)
    for z in (-10, 10):
        desk_.page.keyboard.press("x")
        desk_.page.mouse.click(*desk_.pixel("coronal", (0.0, 0.0, float(z))))
        desk_.page.keyboard.press("s")
        desk_.press((20.1, 20.1, float(z)), (50.1, 40.1, float(z)))
    one = 24 * 16  # voxels of 1.25 mm whose middle lies in 30 by 20 mm
    eventually(lambda: desk_.ask("labels", 3), 2 * one)
    desk_.page.keyboard.press("f")
    # Two like rectangles 20 mm apart: a box through all slices between.
    eventually(lambda: desk_.ask("labels", 3), 17 * one)
    eventually(desk_.undo_names, "Rod, fill between")
    desk_.option("Erase")
    desk_.option("All slices")
    desk_.press((35.1, 10.0, 10.0), (60.0, 60.0, 10.0))
    eventually(lambda: desk_.ask("labels", 3), 17 * 12 * 16)
    desk_.saved()


def test_another_reader_sees_the_stroke(
    desk_: Editing, open_as: Callable[..., Any], drawn: tuple[str, Any], watch: Watch
) -> None:
    other = Editing(open_as("second", f"/studies/{drawn[0]}/", (1280, 720))).ready()
    other.loaded("labelmap")
    other.page.wait_for_selector('#live[data-state="live"]')
    same_voxels(desk_, other)
    voxels, size = desk_.ask("labels", 1), desk_.ml("Lesion")
    desk_.row("Lesion").locator(".segment__name").click()
    desk_.page.keyboard.press("b")
    desk_.size(16)
    desk_.press((0.0, -40.0, 0.0))
    # First here: sizes are written with the next picture, so what is read at once may still be the old one.
    eventually(lambda: desk_.ask("labels", 1) > voxels, True)
    eventually(lambda: desk_.ml("Lesion") > size, True)
    same_voxels(desk_, other)
    eventually(lambda: other.ml("Lesion"), lambda: desk_.ml("Lesion"))
    # The other's undo takes back the other's own last step only: there is none.
    assert other.page.locator(".status__undo").inner_text() == ""
    # Both draw; each undoes only the own stroke.
    other.row("Fat").locator(".segment__name").click()
    other.page.keyboard.press("b")
    other.option("Ball")
    other.size(12)
    fat = other.ask("labels", 2)
    other.press((0.0, 45.0, 0.0))
    eventually(lambda: other.ask("labels", 2) > fat, True)
    other.saved()
    eventually(lambda: desk_.ask("labels", 2) > fat, True)
    desk_.page.keyboard.press("Control+z")
    eventually(lambda: desk_.ask("labels", 1), voxels)
    desk_.holds("Lesion", ball(30))
    same_voxels(desk_, other)
    assert other.ask("labels", 2) > fat


def same_voxels(one: Editing, other: Editing) -> None:
    """Both hold as many voxels of the lesion; asked of both at each try, because both move."""
    eventually(lambda: other.ask("labels", 1), lambda: one.ask("labels", 1))


def test_strokes_wait_for_a_lost_connection_and_go_again(desk_: Editing, opened: tuple[Editing, Watch]) -> None:
    lost = answered(lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    desk_.page.route("**/operations/", lost)
    desk_.page.keyboard.press("b")
    desk_.size(14)
    before = desk_.ask("labels", 1)
    desk_.press((-30.0, 30.0, 0.0))
    desk_.page.get_by_text("1 change waits").wait_for()
    assert desk_.ask("labels", 1) > before
    desk_.page.unroute("**/operations/")
    desk_.saved()
    watching = opened[1]
    watching.allow = [*watching.allow, "operations", "ERR_FAILED"]
    desk_.page.keyboard.press("Control+z")
    eventually(lambda: desk_.ask("labels", 1), before)


def test_a_segment_is_renamed_deleted_and_comes_back(desk_: Editing) -> None:
    voxels = desk_.ask("labels", 3)
    desk_.row("Rod").locator(".segment__name").click()
    field = desk_.page.get_by_label("Name of Rod")
    field.fill("Plate")
    field.press("Enter")
    desk_.row("Plate").wait_for()
    desk_.page.get_by_role("button", name="Delete Plate").click()
    desk_.page.get_by_role("button", name="Delete the segment").click()
    desk_.row("Plate").wait_for(state="detached")
    eventually(lambda: desk_.ask("labels", 3), 0)
    desk_.page.keyboard.press("Control+z")
    desk_.row("Plate").wait_for()
    eventually(lambda: desk_.ask("labels", 3), voxels)


def test_versions_are_kept_compared_and_brought_back(desk_: Editing) -> None:
    desk_.page.locator("#history summary").first.click()
    desk_.page.get_by_label("Name of the version").fill("Before")
    desk_.page.get_by_role("button", name="Save version").click()
    kept = desk_.page.locator(".version").filter(has_text="Before")
    kept.wait_for()
    before = desk_.ask("labels", 1)
    desk_.row("Lesion").locator(".segment__name").click()
    desk_.page.keyboard.press("e")
    desk_.size(20)
    desk_.press((0.0, 0.0, 0.0))
    eventually(lambda: desk_.ask("labels", 1) < before, True)
    desk_.saved()
    after = desk_.ask("labels", 1)
    kept.get_by_role("button", name="Compare").click()
    row = kept.locator("tbody tr").filter(has_text="Lesion")
    # Dice of a part and the whole: 2 |part| / (|part| + |whole|).
    same = f"{2 * after / (after + before):.2f}"
    eventually(lambda: re.findall(r"[\d.]+", spaces(row.inner_text()).removeprefix("Lesion"))[-1], same)
    kept.get_by_role("button", name="Restore").click()
    eventually(lambda: desk_.ask("labels", 1), before)
    eventually(desk_.undo_names, "Restored Before")
    desk_.page.keyboard.press("Control+z")
    eventually(lambda: desk_.ask("labels", 1), after)


def test_who_may_only_look_gets_no_editing_tools(open_as: Callable[..., Any], drawn: tuple[str, Any]) -> None:
    page = open_as("viewer", f"/studies/{drawn[0]}/", (1280, 720))
    page.wait_for_selector("html[data-labelmap]")
    for tool in ("brush", "eraser", "scissors", "grow"):
        assert page.locator(f'#rail [data-tool="{tool}"]').is_hidden()
    page.locator('.viewport[data-viewport="axial"]').click(position={"x": 60, "y": 60})
    page.keyboard.press("b")
    assert page.locator('#rail [data-tool="window"]').get_attribute("aria-pressed") == "true"
    assert page.get_by_role("button", name="New segment").count() == 0
