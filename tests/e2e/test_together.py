"""Two readers on one study, each in a real browser: faces, cursors in millimetres, following, drawing together."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.drawing import Editing
from tests.e2e.site import PEOPLE, Site
from tests.e2e.viewer import eventually, imported, open_desk
from tests.e2e.watch import Watch

SPACING = 2.5
TEACH = """{
  under: (room, name, pixel) => room.session.views[name].pointAt(pixel),
  windows: (room) => room.store.get().view.windows,
  zooms: (room) => Object.values(room.store.get().view.viewing).map(({ zoom }) => Number(zoom.toFixed(2))),
  camera: (room) => {
    const { target, ...stand } = room.session.space.orbit;
    return [...target, ...Object.values(stand)].map((value) => Number(value.toFixed(1)));
  },
  place: (room) => room.store.get().view.point.map((value) => Number(value.toFixed(2))),
  hash: async (room) => {
    if (room.store.get().edits.waiting > 0) return "waiting";
    const digest = await crypto.subtle.digest("SHA-256", room.session.desk.labels.labels);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  },
  working: (room) => room.session.desk?.segmentation.id ?? null,
  rings: (room) => room.together.store.get().strokes,
}"""


class Reader(Editing):
    """A reader's page, and what it shows of the other one."""

    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self.teach(TEACH)

    def here(self) -> None:
        self.page.wait_for_selector('#live[data-state="live"]')

    def faces(self) -> list[str]:
        return [one.get_attribute("aria-label") for one in self.page.locator(".people__face").all()]

    def point_at(self, viewport: str, point: tuple[float, ...]) -> list[float]:
        """Put the pointer on the whole pixel next to a place; the place under it, LPS mm."""
        x, y = (round(value) for value in self.pixel(viewport, point))
        box = self.box(viewport)
        self.page.mouse.move(x, y)
        return self.ask("under", viewport, [x - box["x"], y - box["y"]])

    def cursor(self, viewport: str) -> Any:
        return self.page.locator(f'[data-viewport="{viewport}"] .cursor')

    def cursor_at(self, viewport: str) -> tuple[float, float]:
        """Where the tip of the other's arrow is on the page."""
        x, y = self.cursor(viewport).evaluate("(one) => [one.getBoundingClientRect().x, one.getBoundingClientRect().y]")
        return x, y

    def strength(self, viewport: str) -> float:
        cursor = self.cursor(viewport)
        return float(cursor.evaluate("(one) => one.hidden ? 0 : Number(getComputedStyle(one).opacity)"))

    def following(self) -> str:
        pill = self.page.locator(".follow:visible")
        return pill.inner_text() if pill.count() else ""


@dataclass
class Two:
    """Rae and Sam on the same study."""

    rae: Reader
    sam: Reader
    watching: list[Watch]
    missing: list[str]  # paths that answered 404


@pytest.fixture(scope="module")
def both(
    site: Site, browser: Any, signed_in: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Two]:
    from recon_engine.phantoms.calibrated import calibrated_phantom
    from recon_engine.phantoms.series import write_ct_series

    folder = tmp_path_factory.mktemp("together")
    write_ct_series(calibrated_phantom(SPACING).ct, folder, "calibrated-together", "Calibrated phantom, CT")
    path = f"/studies/{imported(site, folder)}/"
    with ExitStack() as pages:
        rae, seen = pages.enter_context(open_desk(site, browser, signed_in("reader"), path))
        sam, seen_too = pages.enter_context(open_desk(site, browser, signed_in("second"), path, (1600, 1000)))
        two = Two(Reader(rae), Reader(sam), [seen, seen_too], [])
        for page, watching in ((rae, seen), (sam, seen_too)):
            # A surface may be gone when it is fetched: somebody took the stroke back. Nothing else may be missing.
            watching.allow.append("status of 404")
            page.on("response", lambda answer: answer.status == 404 and two.missing.append(answer.url.split("?")[0]))
        for reader in (two.rae, two.sam):
            reader.ready()
            reader.here()
        yield two


@pytest.fixture
def two(both: Two) -> Iterator[Two]:
    for reader in (both.rae, both.sam):
        reader.ask("handed")
    yield both
    for watching in both.watching:
        assert watching.left() == []
    assert [path for path in both.missing if not re.search(r"/segments/\d+/surface/$", path)] == []


def near(wanted: tuple[float, float]) -> Any:
    return pytest.approx(wanted, abs=1.0)


def test_each_sees_the_others_face_and_cursor_at_the_same_millimetres(two: Two) -> None:
    rae, sam = two.rae, two.sam
    eventually(rae.faces, [f"Follow {PEOPLE['second']['name']}"])
    eventually(sam.faces, [f"Follow {PEOPLE['reader']['name']}"])
    eventually(lambda: sam.page.locator(".people-count").inner_text(), "2 people here")
    # 30 mm from the sagittal plane, 4 mm from the coronal one, on the axial one.
    x, y, z = sam.point
    at = rae.point_at("axial", (x + 30, y + 4, z))
    eventually(lambda: sam.cursor_at("axial"), lambda: near(sam.pixel("axial", at)))
    assert sam.cursor("axial").locator(".cursor__name").inner_text() == PEOPLE["reader"]["name"]
    eventually(lambda: [sam.strength(name) for name in ("coronal", "sagittal")], [0.5, 0.0])
    for viewport in ("coronal", "surfaces"):
        eventually(lambda name=viewport: sam.cursor_at(name), lambda name=viewport: near(sam.pixel(name, at)))
    # The picture moves under a cursor at rest: it stays at its millimetres, and off its slice it goes.
    sam.page.mouse.move(*sam.pixel("axial", sam.point))
    sam.page.keyboard.press("z")
    sam.page.keyboard.press("+")
    eventually(lambda: sam.cursor_at("axial"), lambda: near(sam.pixel("axial", at)))
    for _ in range(3):
        sam.page.keyboard.press("ArrowUp")
    eventually(lambda: sam.strength("axial"), 0.0)
    # And the other way round, from a plane into the other's 3D.
    back = sam.point_at("coronal", (x, sam.point[1], z + 20))
    eventually(lambda: rae.cursor_at("surfaces"), lambda: near(rae.pixel("surfaces", back)))


def test_following_and_every_own_move_leaves(two: Two) -> None:
    rae, sam = two.rae, two.sam
    sam.page.locator(".people__face").click()
    eventually(sam.following, f"Following {PEOPLE['reader']['name']} · Esc leaves")
    eventually(rae.faces, [f"{PEOPLE['second']['name']} follows you. Follow them instead"])
    rae.page.mouse.move(*rae.pixel("axial", rae.point))
    rae.page.mouse.wheel(0, 300)
    rae.page.keyboard.press("4")
    rae.page.keyboard.press("+")
    x, y = rae.pixel("surfaces", rae.point)
    rae.page.mouse.move(x, y)
    rae.page.mouse.down()
    rae.page.mouse.move(x + 60, y - 30, steps=3)
    rae.page.mouse.up()
    for question in ("place", "windows", "zooms", "camera"):
        eventually(lambda question=question: sam.ask(question), lambda question=question: rae.ask(question))
    sam.page.keyboard.press("Escape")
    eventually(sam.following, "")
    eventually(rae.faces, [f"Follow {PEOPLE['second']['name']}"])
    held = sam.ask("place")
    rae.page.mouse.move(*rae.pixel("axial", rae.point))
    rae.page.mouse.wheel(0, 500)
    eventually(lambda: rae.ask("place") != held, True)
    # Following again brings the other's place at once; the own wheel leaves it.
    sam.page.locator(".people__face").click()
    eventually(lambda: sam.ask("place"), lambda: rae.ask("place"))
    sam.page.mouse.move(*sam.pixel("axial", sam.point))
    sam.page.mouse.wheel(0, 200)
    eventually(sam.following, "")
    eventually(lambda: sam.ask("place") != rae.ask("place"), True)
    # Rae has not moved since: who follows again is told all the same.
    sam.page.locator(".people__face").click()
    eventually(lambda: sam.ask("place"), lambda: rae.ask("place"))
    sam.page.keyboard.press("Escape")
    eventually(sam.following, "")


def test_both_paint_and_each_takes_back_only_the_own_stroke(two: Two) -> None:
    rae, sam = two.rae, two.sam
    for reader in (rae, sam):
        reader.page.keyboard.press("Space")  # planes to the middle
    rae.new_segment("Left part")
    sam.row("Left part").wait_for()
    sam.new_segment("Right part")
    rae.row("Right part").wait_for()
    for reader, name in ((rae, "Left part"), (sam, "Right part")):
        if reader.row(name).get_attribute("data-active") is None:
            reader.row(name).locator(".segment__name").click()
        reader.page.keyboard.press("b")
        reader.option("Ball")
        reader.size(30)
    same(two)
    empty = rae.ask("hash")
    # Rae's stroke under way: Sam sees the ring as wide as the brush, and the pencil in the row.
    at = sam.point
    rae.page.mouse.move(*rae.pixel("axial", at))
    rae.page.mouse.down()
    ring = sam.cursor("axial").locator(".cursor__ring")
    ring.wait_for()
    thirty = abs(sam.pixel("axial", (at[0] + 30, *at[1:]))[0] - sam.pixel("axial", at)[0])
    eventually(lambda: ring.bounding_box()["width"], pytest.approx(thirty, abs=2.0))
    pencil = sam.row("Left part").locator(".segment__drawers")
    eventually(pencil.inner_text, PEOPLE["reader"]["name"])
    # Sam draws over it meanwhile.
    sam.press((at[0] + 10, *at[1:]), (at[0] + 30, *at[1:]))
    rae.page.mouse.up()
    eventually(lambda: sam.ask("rings"), {})
    ring.wait_for(state="hidden")
    same(two)
    both_drawn = rae.ask("hash")
    assert both_drawn != empty
    left, right = rae.ask("labels", 1), rae.ask("labels", 2)
    rae.page.keyboard.press("Control+z")
    eventually(lambda: rae.ask("labels", 1), 0)
    same(two)
    assert sam.ask("labels", 2) >= right
    sam.page.keyboard.press("Control+z")
    eventually(lambda: sam.ask("labels", 2), 0)
    same(two)
    assert rae.ask("hash") == empty
    for reader, number in ((rae, 1), (sam, 2)):
        reader.page.keyboard.press("Control+y")
        eventually(lambda reader=reader, number=number: reader.ask("labels", number) > 0, True)
    same(two)
    assert (left > 0, rae.ask("labels", 1) > 0, rae.ask("labels", 2) > 0) == (True, True, True)


def same(two: Two) -> None:
    """Both browsers and the server hold the same labelmap, byte for byte."""
    rae, sam = two.rae, two.sam
    eventually(lambda: rae.ask("hash") == sam.ask("hash") != "waiting", True)
    eventually(lambda: stored(rae.page, rae.ask("working")), lambda: rae.ask("hash"))


def stored(page: Any, segmentation: str) -> str:
    body = page.request.get(f"/api/segmentations/{segmentation}/labelmap/").body()
    plain = gzip.decompress(body) if re.match(rb"\x1f\x8b", body) else body
    return hashlib.sha256(plain).hexdigest()
