"""Layouts, hanging protocols, views as links, another study of the patient beside the open one."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.site import Site
from tests.e2e.viewer import Study, eventually, imported, open_desk
from tests.e2e.watch import Watch

QUESTIONS = """{
  prior: (room) => room.beside.other?.room.store.get().view.point ?? null,
  held: async (room) => {
    await room.stage.settled();
    return room.stage.memory();
  },
  offset: (room) => room.beside.relation.offset,
  bothPixels: (room, name, points) => [room.session, room.beside.other.session].map(({ views }) =>
    points.map((point) => views[name].pixelOf(point).map(Math.round))),
  bothCameras: (room) => [room.session, room.beside.other.session].map(({ space }) =>
    [...space.orbit.target, ...["azimuth", "elevation", "distance"].map((name) => space.orbit[name])].map(Math.round)),
  goTo: (room, point) => room.session.goTo(point),
  isYellow: (room, name, point) => {
    const { views, room: { frames } } = room.beside.other.session;
    const [x, y] = views[name].pixelOf(point);
    const { data } = frames[name].lines.getContext("2d").getImageData(Math.round(x) - 2, Math.round(y) - 2, 5, 5);
    const pixels = Array.from({ length: 25 }, (_, at) => data.slice(4 * at, 4 * at + 3));
    return pixels.some(([red, green, blue]) => red > 150 && green > 140 && blue < red / 2);
  },
}"""
SENT = """async ([study, body]) => {
  const { post } = await import("/static/lamina/api/client.js");
  return (await post(`/api/studies/${study}/annotations/`, body)).kind;
}"""


def address(page: Any) -> str:
    """Asked of the page itself: what the driver knows is older while nobody asks it anything."""
    return page.evaluate("location.href")


def shown(study: Study) -> list[str]:
    """Names of the viewports in sight, asked in one question: between two the layout may change."""
    names = "(panes) => panes.filter((pane) => pane.offsetParent !== null).map((pane) => pane.dataset.viewport)"
    return study.page.eval_on_selector_all(".viewport", names)


@pytest.fixture(scope="module")
def prior(site: Site, calibrated: tuple[str, Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    """An earlier CT of the calibrated phantom's patient in the same frame of reference: 4 mm slices, voxel centres at
    odd multiples of 2 mm. The study's id."""
    import pydicom

    from recon_engine.phantoms import write_phantom
    from recon_engine.phantoms.series import fixed_uid

    folder = tmp_path_factory.mktemp("prior")
    write_phantom(folder, "sphere", spacing_mm=4.0)
    frame = calibrated[1].ct.frame_of_reference_uid or fixed_uid("calibrated/frame")
    for path in folder.glob("*.dcm"):
        slice_ = pydicom.dcmread(path)
        slice_.PatientID, slice_.FrameOfReferenceUID, slice_.StudyDate = "PHANTOM-CALIBRATED", frame, "20240101"
        slice_.save_as(path, enforce_file_format=True)
    return imported(site, folder)


@pytest.fixture(scope="module")
def pair(
    site: Site, browser: Any, signed_in: Callable[[str], Any], calibrated: tuple[str, Any], prior: str
) -> Iterator[tuple[Study, Watch]]:
    """The calibrated phantom opened when its earlier study is there."""
    with open_desk(site, browser, signed_in("reader"), f"/studies/{calibrated[0]}/", (1600, 1000)) as (page, watching):
        yield Study(page).loaded("whole", "surfaces", "labelmap").teach(QUESTIONS), watching


def corners(study: Study) -> list[str]:
    return [study.corner(name, place) for name in ("axial", "coronal") for place in ("top-right", "bottom-left")]


def test_every_layout_shows_its_viewports(study: Study) -> None:
    page = study.page
    panes = {
        "1x3": ["axial", "coronal", "sagittal"],
        "1+3": ["axial", "coronal", "sagittal", "surfaces"],
        "3d": ["axial", "coronal", "sagittal", "surfaces"],
        "1x1": ["axial"],
    }
    for layout, expected in panes.items():
        page.click(f'button[data-layout="{layout}"]')
        eventually(lambda: sorted(shown(study)), expected)
        assert page.locator(f'button[data-layout="{layout}"]').get_attribute("aria-pressed") == "true"
        assert page.locator("#hanging").input_value() == ""  # the reader's own, no protocol
    grid = page.locator("#viewports").bounding_box()
    eventually(lambda: study.box("axial")["width"], pytest.approx(grid["width"], abs=1))
    page.keyboard.press("ArrowRight")
    eventually(lambda: shown(study), ["coronal"])
    eventually(lambda: "LAM-" in study.corner("coronal", "top-left"), True)
    page.click('button[data-layout="1x3"]')
    third = pytest.approx(grid["width"] / 3, abs=3)
    eventually(lambda: [study.box(name)["width"] for name in ("axial", "coronal", "sagittal")], [third] * 3)
    page.select_option("#hanging", "four")
    eventually(lambda: len(shown(study)), 4)
    kept = "Object.entries(localStorage).find(([key]) => key.startsWith('lamina.hanging.'))?.[1]"
    eventually(lambda: json.loads(page.evaluate(kept)), {"CT": "four"})


def test_a_link_opens_the_same_view(study: Study, open_as: Callable[..., Any]) -> None:
    page = study.page
    box = study.box("axial")
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    slice_ = study.slice("axial")
    page.mouse.wheel(0, 300)
    eventually(lambda: study.slice("axial") != slice_, True)
    page.keyboard.press("2")
    page.keyboard.press("+")
    page.keyboard.press("i")
    page.click('button[data-layout="1x3"]')
    page.keyboard.press("x")
    page.locator(".segment__eye").first.click()
    parts = ("segments=", "layout=1x3", "inverted=1", "tool=crosshair")
    eventually(lambda: [part for part in parts if part not in address(page)], [])
    link = address(page)
    assert "LAM-" not in link
    eventually(lambda: study.line("axial", "bottom-left"), "W 1,500 L \u2212600 HU")
    texts = corners(study)

    other = Study(open_as("second", link, (1280, 720))).loaded("surfaces")
    eventually(lambda: len(other.ask("shown")), 1)
    eventually(lambda: corners(other), texts)
    eventually(lambda: shown(other), ["axial", "coronal", "sagittal"])
    assert other.page.locator('[data-tool="crosshair"]').get_attribute("aria-pressed") == "true"
    eventually(lambda: address(other.page).split("#")[1], link.split("#")[1])


def test_a_link_with_nonsense_says_so_once_and_shows_the_rest(study: Study) -> None:
    page = study.page
    page.evaluate("location.hash = 'v=1&layout=9x9&at=10,-20,5&window=axial:80,40&later=1'")
    eventually(lambda: study.point, (10, -20, 5))
    eventually(lambda: study.line("axial", "bottom-left"), "W 80 L 40 HU")
    notice = page.locator(".toast", has_text="not understood")
    eventually(notice.count, 1)
    assert "layout" in notice.inner_text()
    eventually(lambda: len(shown(study)), 4)
    notice.get_by_role("button", name="Close").click()
    eventually(lambda: "layout=2x2" in address(page) and "9x9" not in address(page), True)


def test_a_prior_stands_beside_and_scrolls_along_by_position(pair: tuple[Study, Watch]) -> None:
    study, watching = pair
    page = study.page
    held = study.ask("held")
    page.locator("[data-beside-series]").first.drag_to(page.locator('.viewport[data-viewport="coronal"]'))
    eventually(lambda: sorted(shown(study)), ["axial", "prior-axial"])
    eventually(lambda: page.locator(".beside-bar__from").inner_text(), "Same frame of reference.")
    named = re.compile(r"LAM-\d+\n\d{4}-\d\d-\d\d")
    eventually(lambda: bool(named.search(study.corner("prior-axial", "top-left"))), True)

    box = study.box("axial")
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    for steps in (8, -20, 5):
        slice_ = study.slice("axial")
        page.mouse.wheel(0, 100 * steps)
        eventually(lambda was=slice_: study.slice("axial") != was, True)
        # Half of its 4 mm voxel is the farthest the nearest slice of the prior may be away.
        eventually(lambda: study.is_near(study.ask("prior"), 2.0), True)
    slice_ = study.slice("axial")

    box = study.box("prior-axial")
    page.mouse.click(box["x"] + 100, box["y"] + 100)
    page.keyboard.press("4")
    eventually(lambda: study.line("prior-axial", "bottom-left"), "W 2,500 L 480 HU")
    assert study.line("axial", "bottom-left") == "W 400 L 40 HU"
    before = study.ask("prior")[2]
    page.keyboard.press("ArrowDown")
    eventually(lambda: study.ask("prior")[2], before + 4)
    eventually(lambda: study.slice("axial") != slice_, True)

    # Lined up by hand: unlinked it stays, linked again it keeps the distance.
    page.click("#beside-link")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    eventually(lambda: study.ask("prior")[2], before + 12)
    apart = study.ask("prior")[2] - study.point[2]
    page.click("#beside-link")
    eventually(lambda: study.ask("offset")[2], pytest.approx(apart))
    page.mouse.move(*[study.box("axial")[side] + 100 for side in ("x", "y")])
    slice_ = study.slice("axial")
    page.mouse.wheel(0, 400)
    eventually(lambda: study.slice("axial") != slice_, True)
    eventually(lambda: study.ask("prior")[2] - study.point[2], pytest.approx(apart, abs=2.0))

    page.click('[data-beside-plane="coronal"]')
    eventually(lambda: sorted(shown(study)), ["coronal", "prior-coronal"])
    eventually(lambda: "layout=beside&main=coronal" in address(page) and "2500,480" in address(page), True)
    page.click('button[data-layout="2x2"]')
    eventually(page.locator('[data-viewport^="prior-"]').count, 0)
    eventually(lambda: study.ask("held"), held)
    assert watching.left() == []


def test_all_planes_and_the_3d_of_both_move_together(pair: tuple[Study, Watch], prior: str) -> None:
    study, watching = pair
    page = study.page
    study.ask("asFirstShown")
    series = page.locator("[data-beside-series]").first.get_attribute("data-beside-series")
    # A length that a reader drew in the prior, from 20 mm right to 20 mm left, on the slice through its middle.
    line = {"points": [[-20, 2, 2], [20, 2, 2]], "plane_normal": [0, 0, 1], "value": 40, "unit": "mm"}
    body = {"id": str(uuid.uuid4()), "annotation": str(uuid.uuid4()), "act": "add", "base_version": 0, "series": series}
    mark = {"kind": "length", "number": 1, "values": {**line, "statistics": None, "colour": "#FEEE3E"}}
    assert page.evaluate(SENT, [prior, {**body, **mark}]) == "length"

    page.select_option("#hanging", "prior")
    page.click('[data-beside-plane="planes"]')
    planes = ["axial", "coronal", "sagittal"]
    eventually(lambda: sorted(shown(study)), sorted([*planes, *(f"prior-{name}" for name in planes)]))
    eventually(lambda: page.locator(".beside-bar__from").inner_text(), "Same frame of reference.")
    # Each says whose and when: the same patient, another date.
    dated = re.compile(r"\d{4}-\d\d-\d\d")
    for name in ("axial", "prior-axial"):
        eventually(lambda pane=name: bool(dated.fullmatch(study.line(pane, "top-left", 1))), True)
    assert study.line("axial", "top-left") == study.line("prior-axial", "top-left")
    assert study.line("axial", "top-left", 1) != study.line("prior-axial", "top-left", 1)
    # The prior's measurement stands on its slice and ends where it ends.
    study.ask("goTo", [0, 0, 2])
    eventually(lambda: [study.ask("isYellow", "axial", [x, 2, 2]) for x in (-30, -19, 10)], [False, True, True])

    # The same part of each plane at the same scale, also after this study was zoomed.
    points = [[0, 0, 0], [30, -20, 10]]
    zoom = study.zoom
    page.mouse.move(*[study.box("coronal")[side] + 60 for side in ("x", "y")])
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    eventually(lambda: study.zoom > zoom, True)
    for name in planes:
        eventually(lambda pane=name: len({json.dumps(one) for one in study.ask("bothPixels", pane, points)}), 1)

    page.click('[data-beside-plane="surfaces"]')
    eventually(lambda: sorted(shown(study)), ["prior-surfaces", "surfaces"])
    before = study.ask("bothCameras")[0]
    box = study.box("prior-surfaces")
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 220, steps=3)
    page.mouse.up()
    eventually(lambda: study.ask("bothCameras")[0] != before, True)
    eventually(lambda: len({json.dumps(one) for one in study.ask("bothCameras")}), 1)
    eventually(lambda: "layout=beside-3d" in address(page), True)
    page.click('button[data-layout="2x2"]')
    eventually(page.locator('[data-viewport^="prior-"]').count, 0)
    assert watching.left() == []


def test_a_link_brings_the_prior_back(pair: tuple[Study, Watch]) -> None:
    study, watching = pair
    page = study.page
    study.ask("asFirstShown")
    page.select_option("#hanging", "prior")
    eventually(lambda: sorted(shown(study)), ["axial", "prior-axial"])
    page.click('button[data-layout="1x1"]')
    eventually(lambda: "layout=1x1" in address(page), True)
    series = page.locator("[data-beside-series]").first.get_attribute("data-beside-series")[:8]
    study_id = page.locator(".series-others__name").first.get_attribute("href").split("/")[2][:8]
    page.evaluate(f"location.hash = 'v=1&layout=beside&main=sagittal&beside={study_id},{series},1,0,0,12,80,40'")
    eventually(lambda: sorted(shown(study)), ["prior-sagittal", "sagittal"])
    eventually(lambda: study.ask("offset"), [0, 0, 12])
    eventually(lambda: study.corner("prior-sagittal", "bottom-left").splitlines()[0], "W 80 L 40 HU")
    assert watching.left() == []


def test_the_study_takes_the_whole_screen(study: Study) -> None:
    page = study.page
    page.click("#full-screen")
    page.wait_for_selector("html[data-full]")
    page.locator(".bar").wait_for(state="hidden")
    assert page.locator(".status .not-clinical").is_visible()
    page.keyboard.press("Shift+F")
    page.wait_for_selector("html:not([data-full])")
