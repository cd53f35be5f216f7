"""The study page in a real browser, against phantoms whose every point and value is known."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.site import Site
from tests.e2e.viewer import Study, answered, eventually, imported, spaces
from tests.e2e.watch import Watch


def test_a_study_shows_three_planes_with_letters_scale_and_surfaces(study: Study) -> None:
    letters = {
        name: "".join(study.page.locator(f'[data-viewport="{name}"] .edge').all_inner_texts())
        for name in ("axial", "coronal", "sagittal")
    }
    assert letters == {"axial": "RLAP", "coronal": "RLSI", "sagittal": "APSI"}
    assert study.corner("axial", "top-right").splitlines() == ["Axial", "41 / 81"]
    assert "LAM-" in study.corner("axial", "top-left")
    assert (
        study.page.locator('[data-viewport="axial"] .scale__text').inner_text().replace("\u202f", " ").endswith(" mm")
    )
    assert study.page.locator(".segment").count() == 2
    assert "mL" in study.page.locator(".segment__size").first.inner_text()
    assert study.page.locator(".status .not-clinical").is_visible()


def test_wheel_arrows_home_and_end_go_through_the_slices(study: Study) -> None:
    box = study.box("axial")
    study.page.mouse.move(box["x"] + 100, box["y"] + 100)
    study.page.mouse.wheel(0, 100)
    eventually(lambda: study.slice("axial"), 42)
    for key, expected in (("ArrowDown", 43), ("ArrowUp", 42), ("Home", 1), ("End", 81)):
        study.page.keyboard.press(key)
        eventually(lambda: study.slice("axial"), expected)
    assert (study.slice("coronal"), study.slice("sagittal")) == (71, 71)


def test_a_crosshair_click_takes_the_other_planes_there(study: Study, calibrated: tuple[str, Any]) -> None:
    bead = calibrated[1].points_mm["Bead 1"]
    study.page.keyboard.press("x")
    study.page.mouse.click(*study.pixel("axial", bead))
    index = [round(value) for value in calibrated[1].ct.to_index(np.asarray(bead))]
    eventually(lambda: [study.slice(name) - 1 for name in ("axial", "coronal", "sagittal")], index)
    assert study.is_near(bead, 0.5)
    study.page.mouse.move(*study.pixel("coronal", bead))
    eventually(lambda: "1,500 HU" in study.corner("coronal", "bottom-right"), True)
    assert re.match(r"[LR] [\d.]+ [AP] [\d.]+ [SI] [\d.]+ mm", study.corner("coronal", "bottom-right"))


def test_the_readout_says_the_known_value_and_the_label(study: Study, calibrated: tuple[str, Any]) -> None:
    from recon_engine.phantoms.calibrated import INSERTS

    for name, value in INSERTS.items():
        study.page.mouse.move(*study.pixel("axial", calibrated[1].points_mm[name]))
        number = f"\u2212{abs(value):,.0f} HU" if value < 0 else f"{value:,.0f} HU"
        eventually(lambda: study.line("axial", "bottom-right", -1).split(" · ")[0], number)
    study.page.mouse.move(*study.pixel("axial", (60.0, 0.0, 0.0)))
    eventually(lambda: study.line("axial", "bottom-right", -1), "0 HU · Skin")


def test_windows_by_key_and_by_drag(study: Study) -> None:
    for key, text in (("4", "W 2,500 L 480 HU"), ("2", "W 1,500 L \u2212600 HU"), ("1", "W 400 L 40 HU")):
        study.page.keyboard.press(key)
        eventually(lambda: study.line("coronal", "bottom-left"), text)
    box = study.box("axial")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    study.page.mouse.move(*middle)
    study.page.mouse.down()
    # One pixel is width / 400, so 40 px right and 10 px down are 40 HU wider and 10 HU higher.
    study.page.mouse.move(middle[0] + 40, middle[1] + 10, steps=4)
    study.page.mouse.up()
    eventually(lambda: study.line("axial", "bottom-left"), "W 440 L 50 HU")


def test_zoom_pan_and_reset(study: Study, calibrated: tuple[str, Any]) -> None:
    before = study.pixel("axial", (20, 10, 0))
    study.page.keyboard.press("p")
    study.page.mouse.move(*before)
    study.page.mouse.down()
    study.page.mouse.move(before[0] + 30, before[1] - 20, steps=3)
    study.page.mouse.up()
    now = functools.partial(study.pixel, "axial", (20, 10, 0))
    eventually(lambda: [round(b - a) for a, b in zip(before, now(), strict=True)], [30, -20])
    zoom = study.zoom
    study.page.keyboard.press("+")
    eventually(lambda: study.zoom, pytest.approx(zoom * 1.25, abs=0.11))
    study.page.keyboard.press(" ")
    eventually(now, pytest.approx(before, abs=1))


def test_a_click_on_a_surface_moves_the_planes_within_one_voxel(study: Study) -> None:
    study.page.set_viewport_size({"width": 1600, "height": 1000})
    study.ask("settled")
    eventually(lambda: study.ask("resting"), True)
    # The drum is a cylinder of radius 65 mm along z; from the front we see its side towards the front.
    for x, z in ((20.0, 10.0), (-35.0, -18.0), (0.0, 25.0)):
        truth = (x, -math.sqrt(65**2 - x**2), z)
        study.page.mouse.click(*study.pixel("surfaces", truth))
        eventually(functools.partial(study.is_near, truth, 1.0), True)


def test_segments_hide_and_show_from_the_list(study: Study) -> None:
    assert len(study.ask("shown")) == 2
    study.page.locator(".segment__eye").first.click()
    eventually(lambda: len(study.ask("shown")), 1)
    eventually(lambda: "1 of 2 shown" in study.corner("surfaces", "top-left"), True)
    study.page.locator(".segment__name").first.click()
    study.page.get_by_role("button", name="Centre").wait_for()


INK = """{
  ink: (room, name) => {
    const canvas = room.frames[name].element.querySelector("canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 3; at < data.length; at += 4) count += data[at] > 0;
    return count;
  },
}"""


def test_outlines_go_while_a_key_is_held(study: Study) -> None:
    study.teach(INK)
    study.page.mouse.move(5, 5)
    study.ask("settled")
    before = study.ask("ink", "axial")
    study.page.keyboard.down("u")
    try:
        # The letters, lines and numbers stay: they are thin, the outlined body is not.
        eventually(lambda: study.ask("ink", "axial") < 0.5 * before, True)
    finally:
        study.page.keyboard.up("u")
    eventually(lambda: study.ask("ink", "axial"), lambda: pytest.approx(before, rel=0.02))


def test_clipping_hides_a_half_and_is_not_picked(study: Study) -> None:
    study.page.set_viewport_size({"width": 1600, "height": 1000})
    study.ask("settled")
    study.page.locator('[data-act="clip"]').click()
    study.page.locator('.pane-card [data-plane="coronal"]').click()
    before = study.point
    # The front half is gone: the same pixel now meets the back of the drum, or what lies behind the cut.
    study.page.mouse.click(*study.pixel("surfaces", (20.0, -math.sqrt(65**2 - 400), 10.0)))
    eventually(lambda: study.point != before, True)
    assert study.point[1] > -1


def test_layouts_and_double_click(study: Study) -> None:
    wide = study.box("axial")["width"]
    study.page.locator('[data-layout="3d"]').first.click()
    eventually(lambda: study.box("surfaces")["width"] > 1.5 * study.box("axial")["width"], True)
    study.page.locator('button[data-layout="2x2"]').click()
    study.page.mouse.dblclick(*study.pixel("coronal", (0, 0, 0)))
    eventually(lambda: study.box("coronal")["width"] > 1.8 * wide, True)
    study.page.keyboard.press("Escape")
    eventually(lambda: study.box("coronal")["width"], pytest.approx(wide, abs=2))


def test_failed_slices_are_tried_again_and_then_named(
    open_as: Callable[..., Any], watch: Watch, calibrated: tuple[str, Any]
) -> None:
    watch.allow = ["500"]
    page = open_as("reader", "/")
    tries: list[str] = []

    def refuse(route: Any) -> None:
        if route.request.headers.get("range", "").startswith("bytes=0-"):
            tries.append(route.request.url)
            route.fulfill(status=500, body="")
        else:
            route.continue_()

    page.route("**/voxels/", answered(refuse))
    page.goto(f"/studies/{calibrated[0]}/")
    notice = page.locator('[data-viewport="axial"] .viewport__notice')
    notice.wait_for()
    # One that the browser itself broke off was a try, too, and never came by here.
    assert len(tries) in (2, 3)
    assert re.search(r"Slices 1 to \d+ did not arrive", notice.inner_text())
    page.unroute("**/voxels/")
    notice.get_by_role("button", name="Retry").click()
    page.wait_for_selector("html[data-whole]")
    notice.wait_for(state="hidden")


def test_a_picture_without_spacing_shows_no_millimetres(
    site: Site, open_as: Callable[..., Any], tmp_path: Path
) -> None:
    from PIL import Image

    Image.fromarray(np.tile(np.arange(200, dtype=np.uint8), (150, 1))).save(tmp_path / "picture.png")
    picture = imported(site, tmp_path / "picture.png", "--as-stack", "--modality", "CR")
    study = Study(open_as("reader", f"/studies/{picture}/", (1280, 720))).loaded("whole")
    text = spaces(study.page.locator("#study").inner_text())
    assert "Spacing unknown" in text
    assert not re.search(r"\bmm\b|\bmL\b", text)
    assert study.page.locator('.viewport[data-viewport="coronal"]').is_hidden()
    box = study.box("axial")
    study.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wanted = re.compile(r"x 10[01] y 7[56]\n(99|100)$")
    eventually(lambda: bool(wanted.match(study.corner("axial", "bottom-right"))), True)


def test_the_surfaces_appear_for_everybody_without_a_reload(
    site: Site, open_as: Callable[..., Any], tmp_path: Path
) -> None:
    from recon_engine.phantoms import write_phantom

    write_phantom(tmp_path, "sphere", spacing_mm=2.3)  # images no other test imports
    study = imported(site, tmp_path)
    pages = [open_as(who, f"/studies/{study}/", (1280, 720)) for who in ("reader", "second")]
    for page in pages:
        page.wait_for_selector("html[data-whole]")
        page.wait_for_selector('#live[data-state="live"]')
        page.evaluate("window.__same = true")
    pages[0].get_by_role("button", name="Start reconstruction").click()
    for page in pages:
        page.wait_for_selector("html[data-surfaces]", timeout=150_000)
        page.wait_for_selector(".segment")
        assert page.evaluate("window.__same") is True
        page.locator("#jobs").wait_for(state="hidden")


def test_a_viewer_may_look_and_may_not_start(open_as: Callable[..., Any], calibrated: tuple[str, Any]) -> None:
    page = open_as("viewer", f"/studies/{calibrated[0]}/")
    page.wait_for_selector("html[data-surfaces]")
    page.locator("#reconstruction summary").first.click()
    page.get_by_text("needs the reader role").wait_for()
    assert page.get_by_role("button", name="Start reconstruction").count() == 0


def test_leaving_a_series_frees_what_it_took(study: Study) -> None:
    first = study.ask("reopened")
    for _ in range(3):
        assert study.ask("reopened") == first
