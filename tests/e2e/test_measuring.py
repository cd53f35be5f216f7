"""Measuring with a real mouse and real keys against the calibrated phantom: 50.0 mm, 30.0 degrees, known HU."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.site import Site
from tests.e2e.viewer import Study, answered, eventually, open_desk, spaces
from tests.e2e.watch import Watch

TEACH = """{
  marks: (room) => room.marks.state.list,
  pending: (room) => room.marks.state.pending.length,
  emptied: async (room) => {
    room.marks.cancel();
    for (const { id } of room.marks.state.list) room.marks.bring(id, "delete");
    room.marks.set({ selected: null, hovered: null });
    room.undo.filter(() => false);
    while (room.marks.state.pending.length) await new Promise((done) => setTimeout(done, 30));
    room.store.dispatch({ type: "view.set", values: { layout: "2x2", large: null, active: "axial", tool: "window" } });
    room.session.reset();
  },
}"""


class Measuring(Study):
    """The study page with hands that measure."""

    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self.teach(TEACH)

    def drag(self, *points: tuple[float, ...], viewport: str = "axial") -> None:
        pixels = [self.pixel(viewport, point) for point in points]
        self.page.mouse.move(*pixels[0])
        self.page.mouse.down()
        for x, y in pixels[1:]:
            self.page.mouse.move(x, y, steps=3)
        self.page.mouse.up()

    def click(self, point: tuple[float, ...], viewport: str = "axial") -> None:
        self.page.mouse.click(*self.pixel(viewport, point))

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(name, value) of each row, as they stand in the panel."""
        # Read in one go: rows come and go by themselves.
        texts = self.page.locator(".measurement").evaluate_all(
            """rows => rows.map((row) => [".measurement__text strong", ".measurement__value"]
                 .map((part) => row.querySelector(part).textContent))"""
        )
        return [(spaces(name), spaces(value)) for name, value in texts]

    def marks(self, count: int) -> list[dict[str, Any]]:
        """The marks themselves, as soon as there are so many."""
        eventually(lambda: len(self.ask("marks")), count)
        return self.ask("marks")

    def row(self, name: str) -> Any:
        return self.page.locator(".measurement").filter(has=self.page.get_by_text(name, exact=True))

    def sent(self) -> None:
        eventually(lambda: self.ask("pending"), 0)


@pytest.fixture(scope="module")
def bench(
    site: Site, browser: Any, signed_in: Callable[[str], Any], calibrated: tuple[str, Any]
) -> Iterator[tuple[Measuring, Watch]]:
    with open_desk(site, browser, signed_in("reader"), f"/studies/{calibrated[0]}/") as (page, watching):
        yield Measuring(page).loaded("whole", "surfaces", "labelmap"), watching
        Measuring(page).ask("emptied")


@pytest.fixture
def study(bench: tuple[Measuring, Watch]) -> Iterator[Measuring]:
    opened, watching = bench
    opened.ask("emptied")
    opened.ask("settled")
    yield opened
    assert watching.left() == []


def test_a_drag_over_the_beads_reads_fifty_millimetres(study: Measuring, calibrated: tuple[str, Any]) -> None:
    truth = calibrated[1]
    study.page.keyboard.press("d")
    study.drag(truth.points_mm["Bead 1"], truth.points_mm["Bead 2"])
    eventually(lambda: study.rows, [("Length 1", "50.0 mm")])
    # The rows show a piece of the image itself, and who made it.
    study.page.wait_for_selector(".measurement[data-pictured]")
    assert study.page.locator(".measurement__person").get_attribute("aria-label") == "Rae Reader"


def test_clicks_from_point_to_point_read_thirty_degrees(study: Measuring, calibrated: tuple[str, Any]) -> None:
    points = calibrated[1].points_mm
    study.page.keyboard.press("g")
    for name in ("Arm 1", "Apex", "Arm 2"):
        study.page.mouse.move(*study.pixel("axial", points[name]))
        study.click(points[name])
    eventually(lambda: study.rows, [("Angle 1", "30.0°")])


def test_regions_read_the_true_values_of_the_voxels_inside(study: Measuring, calibrated: tuple[str, Any]) -> None:
    from recon_engine.phantoms.calibrated import INSERTS

    points = calibrated[1].points_mm
    for number, name in enumerate(("Air", "Liver"), start=1):
        x, y, z = points[name]
        study.page.keyboard.press("o")
        study.drag((x, y, z), (x + 5, y + 5, z))
        value = INSERTS[name]
        text = f"{'−' if value < 0 else ''}{abs(value):,.0f} ± 0 HU"
        eventually(lambda: study.rows[-1], (f"Ellipse {number}", text))
    area = study.row("Ellipse 2").locator(".measurement__text .second")
    eventually(lambda: spaces(area.inner_text()), f"{math.pi * 25:.1f} mm²")
    # Half water, half air: the mean lies between, the deviation says that they differ.
    study.page.keyboard.press("q")
    study.drag((-10, -70, 0), (10, -60, 0))
    statistics = study.marks(3)[-1]["statistics"]
    assert (statistics["min"], statistics["max"]) == (-1000, 0)
    assert statistics["sd"] == pytest.approx(
        math.sqrt(-statistics["mean"] * (1000 + statistics["mean"])), abs=1e-6
    )  # of a mixture of two values
    assert statistics["count"] == pytest.approx(200, abs=25)
    study.page.keyboard.press("t")
    study.click(points["Bone"])
    eventually(lambda: study.rows[-1], ("Probe 1", "1,000 HU"))


def test_polygons_close_and_freehand_lines_too(study: Measuring) -> None:
    corners = [(20, 12, 0), (44, 12, 0), (44, 20, 0), (20, 20, 0)]
    study.page.keyboard.press("y")
    for corner in corners:
        study.click(corner)
    study.click(corners[0])
    assert study.marks(1)[-1]["value"] == pytest.approx(24 * 8, rel=0.02)
    ring = [(-30 + 8 * math.cos(turn / 12 * math.pi), 8 * math.sin(turn / 12 * math.pi) - 2, 0) for turn in range(25)]
    study.drag(*ring)
    freehand = study.marks(2)[-1]
    assert (freehand["kind"], freehand["statistics"]["mean"]) == ("freehand", 0)
    assert freehand["value"] == pytest.approx(math.pi * 64, rel=0.04)
    # A double click ends a polygon and leaves the viewport as it is.
    wide = study.box("axial")["width"]
    for corner in corners[:2]:
        study.click((corner[0], corner[1] + 20, 0))
    study.page.mouse.dblclick(*study.pixel("axial", (44, 40, 0)))
    study.marks(3)
    assert study.box("axial")["width"] == wide


def test_a_cobb_angle_between_two_lines_in_the_coronal_plane(study: Measuring) -> None:
    study.page.keyboard.press("Shift+G")
    study.drag((-30, 0, 20), (30, 0, 20), viewport="coronal")
    rise = 60 * math.tan(math.radians(20))
    study.drag((30, 0, -20), (-30, 0, -20 + rise), viewport="coronal")
    [mark] = study.marks(1)
    [(name, value)] = study.rows
    assert (name, float(value.rstrip("°"))) == ("Cobb angle 1", pytest.approx(20, abs=0.3))
    assert [abs(part) for part in mark["plane_normal"]] == pytest.approx([0, 1, 0], abs=1e-6)


def test_points_on_surfaces_and_the_distance_between_them(study: Measuring) -> None:
    study.page.get_by_role("button", name="More measuring tools").click()
    study.page.get_by_role("menuitemradio", name="Distance on a surface").click()
    # Two places on the drum's side towards the front, 65 mm from its axis.
    ends = [(x, -math.sqrt(65**2 - x**2), 10.0) for x in (-20.0, 20.0)]
    for end in ends:
        study.click(end, viewport="surfaces")
    [mark] = study.marks(1)
    for place, truth in zip((mark["points"][0], mark["points"][-1]), ends, strict=True):
        assert math.dist(place, truth) <= 1.0
    arc = 2 * 65 * math.asin(20 / 65)
    assert mark["value"] == pytest.approx(arc, rel=0.02)
    assert study.rows[0][0] == "Surface distance 1"


def test_dragging_an_end_changes_the_number_and_undo_brings_it_back(study: Measuring) -> None:
    study.page.keyboard.press("d")
    study.drag((-25, -20, 0), (25, -20, 0))
    study.page.keyboard.press("w")
    study.drag((25, -20, 0), (15, -20, 0))
    eventually(lambda: study.rows, [("Length 1", "40.0 mm")])
    status = study.page.locator(".status__undo")
    eventually(status.inner_text, "Undo brings back: Length 1, changed")
    study.page.keyboard.press("Control+z")
    eventually(lambda: study.rows, [("Length 1", "50.0 mm")])
    eventually(status.inner_text, "Undo brings back: Length 1, drawn")
    study.page.keyboard.press("Control+z")
    eventually(lambda: study.rows, [])
    study.page.keyboard.press("Control+y")
    study.page.keyboard.press("Control+Shift+z")
    eventually(lambda: study.rows, [("Length 1", "40.0 mm")])
    study.sent()
    # Deleted by key, back by undo, with its own number.
    study.click((0, -20, 0))
    study.page.keyboard.press("Backspace")
    eventually(lambda: study.rows, [])
    study.page.locator('[data-act="undo"]').click()
    eventually(lambda: len(study.rows), 1)
    study.sent()


def test_a_row_goes_there_renames_colours_and_codes(study: Measuring) -> None:
    study.page.keyboard.press("d")
    study.drag((-25, -20, 0), (25, -20, 0))
    for _ in range(9):
        study.page.keyboard.press("ArrowDown")
    eventually(lambda: study.slice("axial"), 50)
    study.page.keyboard.press("Escape")
    study.row("Length 1").locator(".measurement__head").click()
    eventually(lambda: study.slice("axial"), 41)
    field = study.page.get_by_role("textbox", name="Name")
    field.fill("Bead to bead")
    field.press("Enter")
    eventually(lambda: study.rows[0][0], "Bead to bead")
    study.page.get_by_label("Finding", exact=True).select_option(label="Nodule")
    study.page.get_by_label("Side", exact=True).select_option(label="Left")
    study.page.get_by_role("button", name="Colour 3").click()
    study.sent()
    [mark] = study.marks(1)
    assert (mark["name"], mark["colour"], mark["finding"]["value"]) == ("Bead to bead", "#78FFE2", "27925004")
    eventually(lambda: "Left, Nodule" in study.row("Bead to bead").inner_text(), True)
    study.row("Bead to bead").get_by_role("button", name="Hide Bead to bead").click()
    eventually(study.page.locator(".measurement[data-hidden]").count, 1)


def test_another_browser_sees_it_without_a_reload(
    study: Measuring, open_as: Callable[..., Any], calibrated: Any
) -> None:
    page = open_as("second", f"/studies/{calibrated[0]}/", (1280, 720))
    other = Measuring(page).loaded("preview")
    page.wait_for_selector('#live[data-state="live"]')
    study.page.keyboard.press("d")
    study.drag((-25, -20, 0), (25, -20, 0))
    eventually(lambda: other.rows, [("Length 1", "50.0 mm")])
    study.page.get_by_role("textbox", name="Name").fill("Margin")
    study.page.keyboard.press("Enter")
    eventually(lambda: other.rows[0][0], "Margin")
    # Not theirs to delete; theirs to change, and the conflict of two changes is shown, not decided.
    other.row("Margin").locator(".measurement__head").click()
    assert page.get_by_role("button", name="Delete").count() == 0
    study.sent()
    assert page.locator(".measurement__person").get_attribute("aria-label") == "Rae Reader"


def test_what_is_not_sent_stays_in_sight_and_survives_a_reload(
    open_as: Callable[..., Any], study: Measuring, calibrated: tuple[str, Any], watch: Watch
) -> None:
    watch.allow = ["ERR_", "Failed to load"]
    page = open_as("second", f"/studies/{calibrated[0]}/", (1280, 720))
    desk = Measuring(page).loaded("whole")
    lost = answered(lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    page.route("**/annotations/", lost)
    page.keyboard.press("d")
    desk.drag((-25, 0, 0), (5, 0, 0))
    page.get_by_text("not sent", exact=True).wait_for()
    eventually(lambda: desk.rows, [("Length 1", "30.0 mm")])
    page.reload()
    desk = Measuring(page).loaded("whole")
    page.get_by_text("not sent", exact=True).wait_for()
    assert study.rows == []
    page.unroute("**/annotations/")
    eventually(lambda: study.rows, [("Length 1", "30.0 mm")])
    eventually(lambda: desk.ask("pending"), 0)
    # Nothing of it lies open in the browser's storage.
    assert "points" not in str(page.evaluate("JSON.stringify({...localStorage})"))
    desk.ask("emptied")


def test_a_viewer_sees_and_cannot_draw(study: Measuring, open_as: Callable[..., Any], calibrated: Any) -> None:
    study.page.keyboard.press("d")
    study.drag((-25, -20, 0), (25, -20, 0))
    page = open_as("viewer", f"/studies/{calibrated[0]}/", (1280, 720))
    desk = Measuring(page).loaded("whole")
    eventually(lambda: desk.rows, [("Length 1", "50.0 mm")])
    page.keyboard.press("d")
    desk.drag((-20, 30, 0), (10, 40, 0))
    page.get_by_text("Measuring needs the reader role").wait_for()
    assert len(desk.rows) == 1
