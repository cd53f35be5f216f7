"""Planes turned, tilted and thick, and a second series over the first: real hands, values known before."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e import fused
from tests.e2e.site import Site
from tests.e2e.viewer import Study, eventually, imported, open_desk, spaces
from tests.e2e.watch import Watch

QUESTIONS = """{
  grips: (room, name) => room.session.views[name].grips(),
  plain: (room) => {
    const { store, session } = room;
    const values = { layout: "2x2", large: null, active: "axial", tool: "window", linked: true };
    store.dispatch({ type: "view.set", values });
    store.dispatch({ type: "fusion.chosen", seriesId: null });
    store.dispatch({ type: "planes.slab", planes: ["axial", "coronal", "sagittal"], slab: { mode: "max", mm: 0 } });
    session.phases?.show(session.phases.first);
    session.reset();
    // A button that was pressed would take the next Space.
    document.activeElement?.blur();
  },
  shade: (room, name, point) => {
    const { canvas, renderer } = room.stage;
    const [x, y] = room.session.views[name].pixelOf(point);
    const [pane, whole] = [room.frames[name].element, canvas].map((one) => one.getBoundingClientRect());
    const gl = renderer.getContext();
    const rgba = new Uint8Array(4);
    const [across, up] = [pane.left - whole.left + x, whole.bottom - pane.top - y];
    gl.readPixels(Math.round(across), Math.round(up), 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, rgba);
    return [...rgba.slice(0, 3)];
  },
  goTo: (room, point) => room.session.goTo(point),
  held: async (room) => {
    await room.stage.settled();
    return room.stage.memory();
  },
  elsewhere: (room) => {
    const { series } = room.store.get().study;
    const frame = series.find((one) => one.modality === "CT").frame_of_reference_uid;
    return series.find((one) => one.modality === "PT" && one.frame_of_reference_uid !== frame).id;
  },
  ct: (room) => room.store.get().study.series.find((one) => one.modality === "CT" && one.number === 1).id,
  pet: (room) => {
    const { series } = room.store.get().study;
    const frame = series.find((one) => one.modality === "CT").frame_of_reference_uid;
    return series.find((one) => one.modality === "PT" && one.frame_of_reference_uid === frame).id;
  },
}"""


@pytest.fixture(scope="module")
def body(
    site: Site, browser: Any, signed_in: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Study, Watch]]:
    """A small CT with a PET of the same frame of reference and one of another."""
    folder = tmp_path_factory.mktemp("body")
    fused.write_body_ct(folder / "ct")
    fused.write_later_ct(folder / "later")
    fused.write_body_pet(folder / "pet")
    fused.write_body_pet(folder / "other", "planes-other", frame="2.25.4711", spot=5.0)
    path = f"/studies/{imported(site, folder)}/"
    with open_desk(site, browser, signed_in("reader"), path) as (page, watching):
        study = Study(page).loaded("whole").teach(QUESTIONS)
        if "CT · Series 1" not in study.corner("axial", "top-left"):
            page.evaluate("delete document.documentElement.dataset.whole")
            page.locator(f'[data-series="{study.ask("ct")}"]').first.click()
            study.loaded("whole")
        yield study, watching


@pytest.fixture
def planes(body: tuple[Study, Watch]) -> Iterator[Study]:
    study, watching = body
    study.ask("plain")
    study.ask("settled")
    yield study
    assert watching.left() == []


def letters(study: Study, viewport: str) -> str:
    """Left, right, top, bottom."""
    return " ".join(study.page.locator(f'[data-viewport="{viewport}"] .edge').all_inner_texts())


def colour(study: Study, viewport: str, point: tuple[float, ...]) -> list[int]:
    """Red, green, blue that the card drew at a point of a plane."""
    study.ask("settled")
    return study.ask("shade", viewport, list(point))


def tilted(study: Study, viewport: str) -> Callable[[], list[str]]:
    """Asks for the degrees that the corner names; none of a straight plane."""
    return lambda: re.findall(r"tilted ([\d.]+)°", study.corner(viewport, "top-right"))


def value(study: Study, viewport: str, point: tuple[float, ...]) -> str:
    """The readout's last line with the pointer over a point."""
    study.page.mouse.move(*study.pixel(viewport, point))
    return study.corner(viewport, "bottom-right").splitlines()[-1]


def turn_grip(study: Study, viewport: str, line: str, degrees: float, about: tuple[float, ...]) -> None:
    """Drag the ring of a line clockwise on the screen."""
    box = study.box(viewport)
    grip = [one["pixel"] for one in study.ask("grips", viewport) if one["name"] == line][1]
    x, y = box["x"] + grip[0], box["y"] + grip[1]
    cx, cy = study.pixel(viewport, about)
    reach, start = math.hypot(x - cx, y - cy), math.atan2(y - cy, x - cx)
    study.page.mouse.move(x, y)
    study.page.mouse.down()
    for part in (0.5, 1.0):
        to = start + math.radians(degrees * part)
        study.page.mouse.move(cx + reach * math.cos(to), cy + reach * math.sin(to))
    study.page.mouse.up()


def test_turning_and_mirroring_by_key_takes_the_letters_along(planes: Study) -> None:
    eventually(lambda: letters(planes, "axial"), "R L A P")
    for key, shown in (("r", "P A R L"), ("h", "A P R L"), ("v", "A P L R"), ("l", "L R P A")):
        planes.page.keyboard.press(key)
        eventually(lambda: letters(planes, "axial"), shown)
    planes.page.keyboard.press("r")
    # The voxel is still found under the pointer, and the other planes stay as they were.
    eventually(lambda: value(planes, "axial", fused.SPOT), f"{fused.BODY_HU} HU")
    assert letters(planes, "coronal") == "R L S I"
    planes.page.keyboard.press(" ")
    eventually(lambda: letters(planes, "axial"), "R L A P")


def test_a_slab_shows_the_largest_the_smallest_and_the_mean(planes: Study) -> None:
    column = (fused.PEAK[0], fused.PEAK[1], 0.0)
    planes.page.locator('[data-act="plane-menu"]').click()
    thickness = planes.page.locator('input[data-act="slab"]')
    # Slices of 2 mm: the bright voxel 4 mm off joins at 8 mm, as one of five. 900 HU is white, the others grey.
    low, mean = f"{fused.BODY_HU} HU", f"{(4 * fused.BODY_HU + fused.PEAK_HU) / 5:.0f} HU"

    def shown() -> tuple[str, bool]:
        return value(planes, "axial", column), colour(planes, "axial", column)[0] == 255

    for mode, mm, wanted in (
        ("max", "7", (low, False)),
        ("max", "8", ("900 HU", True)),
        ("min", "8", (low, False)),
        ("mean", "8", (mean, False)),
    ):
        planes.page.locator(f'[data-slab="{mode}"]').click()
        thickness.fill(mm)
        eventually(shown, wanted)
    assert "Mean 8.0 mm" in planes.corner("axial", "top-right")
    planes.page.keyboard.press("Escape")


def test_a_tilted_plane_says_its_angle_letters_values_and_millimetres(planes: Study) -> None:
    planes.ask("goTo", fused.SPOT)
    planes.page.keyboard.press("x")
    turn_grip(planes, "axial", "coronal", 30, fused.SPOT)
    for name in ("coronal", "sagittal"):
        eventually(tilted(planes, name), ["30.0"])
        assert "oblique" in planes.corner(name, "top-right")
    assert letters(planes, "axial") == "R L A P"
    # Clockwise on the screen: the coronal plane's left end of the patient goes to the back.
    eventually(lambda: letters(planes, "coronal"), "RA LP S I")
    eventually(lambda: value(planes, "coronal", fused.SPOT), f"{fused.SPOT_HU} HU")
    # 20 mm along the tilted line, in the plane and on the screen.
    way = (math.cos(math.radians(30)), math.sin(math.radians(30)))
    far = (fused.SPOT[0] - 20 * way[0], fused.SPOT[1] - 20 * way[1], fused.SPOT[2])
    a, b = planes.pixel("coronal", fused.SPOT), planes.pixel("coronal", far)
    bar = planes.page.locator('[data-viewport="coronal"] .scale')
    mm_per_px = float(re.findall(r"[\d.]+", bar.inner_text())[0]) / bar.locator(".scale__rule").bounding_box()["width"]
    assert math.dist(a, b) * mm_per_px == pytest.approx(20, rel=0.02)
    planes.page.mouse.move(*b)
    read = re.compile(r"[\d.]+")
    wanted = pytest.approx([abs(one) for one in far], abs=0.4)
    eventually(lambda: [float(one) for one in read.findall(planes.line("coronal", "bottom-right"))], wanted)
    # Ctrl turns one plane alone; "Straighten all" takes everything back.
    planes.page.keyboard.down("Control")
    turn_grip(planes, "axial", "coronal", -30, fused.SPOT)
    planes.page.keyboard.up("Control")
    eventually(tilted(planes, "coronal"), [])
    assert tilted(planes, "sagittal")() == ["30.0"]
    planes.page.locator('[data-act="plane-menu"]').click()
    planes.page.locator('[data-act="straighten"]').click()
    eventually(tilted(planes, "sagittal"), [])
    planes.page.keyboard.press("Escape")


def test_a_tilted_plane_scrolls_along_its_normal(planes: Study) -> None:
    planes.page.locator('[data-act="plane-menu"]').click()
    planes.page.locator('[data-tilt="up"]').click()
    planes.page.locator('[data-tilt="up"]').click()
    planes.page.keyboard.press("Escape")
    eventually(tilted(planes, "axial"), ["10.0"])
    before, start = planes.slice("axial"), planes.point
    box = planes.box("axial")
    planes.page.mouse.move(box["x"] + 60, box["y"] + 60)
    for _ in range(3):
        planes.page.mouse.wheel(0, 100)
    eventually(lambda: planes.slice("axial"), before + 3)
    moved = [b - a for a, b in zip(start, planes.point, strict=True)]
    assert moved[0] == pytest.approx(0, abs=1e-6)
    assert abs(moved[1] / moved[2]) == pytest.approx(math.tan(math.radians(10)), rel=1e-3)


def test_the_cine_runs_and_stops_by_key(planes: Study) -> None:
    start = planes.slice("axial")
    planes.page.keyboard.press("c")
    eventually(lambda: planes.slice("axial") != start, True)
    planes.page.keyboard.press("c")
    planes.ask("settled")
    stopped = planes.slice("axial")
    planes.ask("settled")
    assert planes.slice("axial") == stopped


def test_phases_of_one_grid_take_turns_in_the_same_planes(planes: Study) -> None:
    middle = (0.0, 0.0, 0.0)
    eventually(lambda: value(planes, "axial", middle), f"{fused.BODY_HU} HU")
    planes.page.locator('[data-act="plane-menu"]').click()
    slider = planes.page.locator('[data-act="phase"]')
    assert (slider.get_attribute("max"), slider.input_value()) == ("2", "1")
    slider.fill("2")
    eventually(lambda: value(planes, "axial", middle), f"{fused.LATER_HU} HU")
    # W 400 L 40: 90 HU is 63 % of white.
    eventually(lambda: colour(planes, "axial", middle), pytest.approx([160] * 3, abs=2))
    assert "Phase 2 of 2" in planes.corner("axial", "top-left")
    slider.fill("1")
    eventually(lambda: value(planes, "axial", middle), f"{fused.BODY_HU} HU")
    planes.page.keyboard.press("Escape")


def test_a_pet_lies_over_the_ct_with_its_colours_and_both_values(planes: Study) -> None:
    held = planes.ask("held")
    planes.ask("goTo", fused.SPOT)
    beside = (-16.0, 12.0, fused.SPOT[2])
    page = planes.page
    page.evaluate("delete document.documentElement.dataset.fused")
    page.locator(".fusion__choice").select_option(planes.ask("pet"))
    page.wait_for_selector("html[data-fused]")
    eventually(lambda: "Same frame of reference" in page.locator(".fusion__fit").inner_text(), True)
    eventually(lambda: "Same frame of reference" in planes.corner("axial", "bottom-left"), True)
    eventually(lambda: value(planes, "axial", fused.SPOT), "500 HU · SUV 6.0")
    eventually(lambda: value(planes, "coronal", beside), f"{fused.BODY_HU} HU · SUV 0.5")
    page.locator('[data-act="fusion-preset"]').select_option("suv-10")
    eventually(lambda: "SUV 0.0 – 10.0" in planes.corner("axial", "bottom-left"), True)
    # SUV 6 of 10: orange on its way to yellow (0.6), seven tenths of it over the white of 500 HU.
    top = [0xF0 + 0.4 * (0xFE - 0xF0), 0x84 + 0.4 * (0xEE - 0x84), 0x18 + 0.4 * (0x3E - 0x18)]
    over_white = pytest.approx([0.28 * 255 + 0.72 * one for one in top], abs=6)
    spot = functools.partial(colour, planes, "axial", fused.SPOT)
    eventually(spot, over_white)
    # SUV 0.5 is nearly see-through: the CT's grey stays.
    eventually(lambda: colour(planes, "axial", beside), pytest.approx([127] * 3, abs=12))
    page.locator('[data-fusing="swipe"]').click()
    page.locator('[data-act="fusion-place"]').fill("95")
    eventually(spot, [255, 255, 255])
    page.locator('[data-act="fusion-place"]').fill("5")
    eventually(spot, pytest.approx(top, abs=6))
    page.locator('[data-fusing="checker"]').click()
    x, y = planes.pixel("axial", fused.SPOT)
    box = planes.box("axial")
    # Tiles of 64 px from the viewport's corner; the first one shows what lies below.
    on_top = (int((x - box["x"]) / 64) + int((y - box["y"]) / 64)) % 2 == 1
    eventually(spot, pytest.approx(top if on_top else [255] * 3, abs=6))
    # A slab of both: at the middle slice neither is at the spot, within 8 mm both are.
    page.locator('[data-fusing="blend"]').click()
    planes.ask("goTo", (0.0, 0.0, 0.0))
    page.locator('[data-act="plane-menu"]').click()
    page.locator('[data-slab="max"]').click()
    page.locator('input[data-act="slab"]').fill("16")
    eventually(lambda: value(planes, "axial", fused.SPOT), "500 HU · SUV 6.0")
    eventually(spot, over_white)
    page.locator('input[data-act="slab"]').fill("0")
    page.keyboard.press("Escape")
    planes.ask("goTo", fused.SPOT)
    page.locator(".fusion__choice").select_option("")
    eventually(lambda: value(planes, "axial", fused.SPOT), "500 HU")
    planes.ask("settled")
    eventually(lambda: planes.ask("held")["textures"], held["textures"])


def test_another_frame_of_reference_is_refused_with_the_reason(planes: Study) -> None:
    choice = planes.page.locator(".fusion__choice")
    refused = choice.locator("option", has_text="cannot")
    choice.select_option(refused.first.get_attribute("value"))
    eventually(lambda: "frame of reference" in planes.page.locator(".fusion__fit").inner_text(), True)
    planes.page.locator(".fusion__controls").wait_for(state="hidden")
    eventually(lambda: value(planes, "axial", (0.0, 0.0, 0.0)), f"{fused.BODY_HU} HU")


def test_a_stored_transform_lays_it_where_it_belongs_and_is_named(planes: Study) -> None:
    page = planes.page
    elsewhere = planes.ask("elsewhere")
    page.locator(".fusion__choice").select_option(elsewhere)
    # Moves what lies on top by 4 mm to the patient's left. The open page hears of it and asks again.
    matrix = [[1, 0, 0, 4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    body = {"moving_series": elsewhere, "fixed_series": planes.ask("ct"), "matrix": matrix, "method": "landmarks"}
    page.evaluate("delete document.documentElement.dataset.fused")
    page.evaluate(
        """async ([body, address]) => (await import("/static/lamina/api/client.js")).post(address, body)""",
        [
            {**body, "landmark_error_mm": 1.2},
            f"/api/studies/{page.url.split('/studies/')[1].split('/')[0]}/transforms/",
        ],
    )
    page.wait_for_selector("html[data-fused]")
    eventually(lambda: "landmark error 1.2" in spaces(page.locator(".fusion__fit").inner_text()), True)
    planes.ask("goTo", fused.SPOT)
    x, y, z = fused.SPOT
    # The spot reaches from 6 to 18 mm where it was made, so from 10 to 22 mm here.
    eventually(lambda: value(planes, "axial", (x + 8.5, y, z)).endswith("SUV 5.0"), True)
    eventually(lambda: value(planes, "axial", (x - 4.5, y, z)).endswith("SUV 0.5"), True)
