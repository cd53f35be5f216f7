"""An adjudicator at two columns: A and B beside one another over the same images, everything linked, no names.

Two boxes of 2000 voxels of 8 mm3 whose Dice is 0.79 (the limit is 0.80): each column says 16.0 mL. Real mouse and keys;
geometry of the page against SCREENS.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.sealed import BOSS, bone_ball, boxes_with_dice, open_cases, read_all, sealed_project, sign_in
from tests.e2e.site import PASSWORD, Site
from tests.e2e.viewer import Study, eventually, open_desk, spaces
from tests.e2e.watch import Watch

NAME = "Two columns"
PEOPLE = [
    ("alma@columns.example", "Alma Column", False),
    ("bruno@columns.example", "Bruno Column", False),
    ("juno@columns.example", "Juno Column", True),
]
A, B = "#78FFE2", "#FB9202"
# Somebody who reads in the project and had no part in its case.
JOIN = """
import django, json, sys
django.setup()
from server.accounts.models import Project, User
from server.accounts.services import add_member, create_user
given = json.load(sys.stdin)
boss = User.objects.get(email=given["boss"])
kim = create_user(email="kim@columns.example", display_name="Kim Column", password=given["password"])
add_member(project=Project.objects.get(slug=given["slug"]), user=kim, role="reader", by=boss)
"""
TEACH = """{
  orbits: (room) => [room.session, room.columns.twin.session].map(({ space: { orbit } }) =>
    [orbit.azimuth, orbit.elevation, orbit.distance].map((one) => one.toFixed(3)).join()),
  inks: (room, hex) => {
    const wanted = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    return [room.frames, room.columns.twin.room.frames].map(({ axial: { lines } }) => {
      const { data } = lines.getContext("2d").getImageData(0, 0, lines.width, lines.height);
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 3] > 250 && wanted.every((one, n) => Math.abs(one - data[at + n]) < 3)) return true;
      return false;
    });
  },
  surfaces: (room) => [room.session, room.columns.twin.session].map(({ space }) =>
    [...(space.surfaces?.meshes.values() ?? [])].filter((mesh) => mesh.visible)
      .map(({ material }) => `#${material.uniforms.uColour.value.getHexString().toUpperCase()}`).join()),
}"""


class Columns(Study):
    """Both columns as one sees them."""

    project = ""  # its slug

    def __init__(self, page: Any) -> None:
        super().__init__(page)
        self.teach(TEACH)

    def text(self, selector: str) -> str:
        return spaces(self.page.locator(selector).first.inner_text())

    def shown(self, viewport: str) -> bool:
        return self.page.locator(f'.viewport[data-viewport="{viewport}"]').is_visible()

    def middle(self, viewport: str) -> tuple[float, float]:
        box = self.box(viewport)
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, viewport: str, dx: float, dy: float) -> None:
        x, y = self.middle(viewport)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx, y + dy, steps=4)
        self.page.mouse.up()

    def window(self, viewport: str) -> str:
        return next(line for line in self.corner(viewport, "bottom-left").splitlines() if line.startswith("W "))


@pytest.fixture(scope="module")
def opened(site: Site, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Columns, Watch]]:
    project = sealed_project(site, NAME, PEOPLE, algorithm="")
    study = bone_ball(site, tmp_path_factory.mktemp("columns") / "ball", "Columns", radius=23.0, project=NAME)
    open_cases(site, project["project"], study)
    state = sign_in(site, browser, PEOPLE[2][0])
    with open_desk(site, browser, state, "/", (1600, 1000)) as (page, watching):
        shape = tuple(page.request.get(f"/api/studies/{study}/").json()["series"][0]["shape"])
        one, two = boxes_with_dice(shape, 0.79)
        read_all(site, study, (PEOPLE[0][0], one), (PEOPLE[1][0], two))
        page.goto(f"/studies/{study}/")
        columns = Columns(page).loaded("whole", "compared")
        columns.project = project["slug"]
        yield columns, watching


@pytest.fixture
def page(opened: tuple[Columns, Watch]) -> Iterator[Columns]:
    columns, watching = opened
    yield columns
    assert watching.left() == []


def test_columns_stand_as_drawn_and_say_no_names(page: Columns) -> None:
    grid = page.page.locator("#viewports").bounding_box()
    heads = [page.page.locator(f'.column-head[data-head="{side}"]').bounding_box() for side in "ab"]
    assert [round(head["height"]) for head in heads] == [44, 44]
    pictures = grid["height"] - 44 - 2 * 2
    for left, right, share in (("axial", "twin-axial", 0.59), ("surfaces", "twin-surfaces", 0.41)):
        a, b = page.box(left), page.box(right)
        assert a["width"] == pytest.approx((grid["width"] - 2) / 2, abs=1)
        assert (b["width"], b["y"], b["height"]) == pytest.approx((a["width"], a["y"], a["height"]), abs=1)
        assert b["x"] == pytest.approx(a["x"] + a["width"] + 2, abs=1)
        assert a["height"] == pytest.approx(share * pictures, abs=1.5)
    assert page.page.locator(".panel").bounding_box()["width"] == pytest.approx(340, abs=0.5)
    for side, name in (("a", "Reader A"), ("b", "Reader B")):
        assert name in page.text(f'.column-head[data-head="{side}"]')
        assert "16.0 mL" in page.text(f'.column-head[data-head="{side}"]')
    content = page.page.content()
    assert not [name for _, name, judge in PEOPLE if not judge and name in content]


def test_each_column_has_its_own_colour_and_the_other_one_dotted(page: Columns) -> None:
    eventually(lambda: page.ask("inks", A), [True, False])
    eventually(lambda: page.ask("inks", B), [False, True])
    eventually(lambda: page.ask("inks", "#FFFFFF"), [True, True])
    eventually(lambda: page.ask("surfaces"), [A, B])


def test_slices_windows_and_cameras_are_one(page: Columns) -> None:
    before, window = page.slice("axial"), page.window("axial")
    page.page.mouse.move(*page.middle("twin-axial"))
    page.page.mouse.wheel(0, 200)
    eventually(lambda: page.slice("axial") != before, True)
    eventually(lambda: page.slice("twin-axial"), lambda: page.slice("axial"))
    page.drag("twin-axial", 60, 20)
    eventually(lambda: page.window("axial") != window, True)
    eventually(lambda: page.window("twin-axial"), lambda: page.window("axial"))
    eventually(lambda: page.ask("resting"), True)
    for viewport in ("twin-surfaces", "surfaces"):
        stood = page.ask("orbits")[0]
        page.drag(viewport, 70, 30)
        eventually(lambda stood=stood: page.ask("orbits")[0] != stood, True)
        eventually(lambda: page.ask("orbits")[1], lambda: page.ask("orbits")[0])
    page.page.get_by_role("button", name="Coronal", exact=True).click()
    eventually(
        lambda: (page.shown("coronal"), page.shown("twin-coronal"), page.shown("twin-axial")), (True, True, False)
    )
    page.page.get_by_role("button", name="Axial", exact=True).click()
    eventually(lambda: page.shown("twin-axial"), True)


def test_the_case_then_each_place_and_submit_says_what_is_missing(page: Columns) -> None:
    panel = page.page.locator("#adjudication")
    panel.locator('[data-base="B"]').click()
    page.page.wait_for_selector("#adjudication [data-choice]")
    eventually(lambda: "16.0 mL" in page.text("#segments"), True)
    count = panel.locator(".place").count()
    assert count >= 2
    eventually(lambda: f"{count} places to decide" in page.text("#ruling-foot"), True)
    assert page.page.locator("[data-act=rule]").get_attribute("aria-disabled") == "true"
    first = panel.locator(".place").first
    further = "A" if "Reader A" in spaces(first.locator(".place__side").inner_text()) else "B"
    drawn = float(spaces(first.locator(".place__size span").inner_text()).removesuffix(" mL"))
    first.locator('.place__acts [data-choice="A"]').click()
    eventually(lambda: first.get_attribute("data-choice"), "A")
    # What A has beyond B comes to B's outline; what only B has goes from it.
    wanted = 16.0 + (drawn if further == "A" else -drawn)
    eventually(lambda: f"{wanted:.1f} mL" in page.text("#segments"), True)
    eventually(lambda: f"decided 1 / {count}" in page.text("#adjudication .ruling__places"), True)
    for n in range(1, count):
        card = panel.locator(".place").nth(n)
        card.locator('.place__acts [data-choice="B"]').click()
        eventually(lambda card=card: card.get_attribute("data-choice"), "B")
    eventually(lambda: "Questions of the form are open" in page.text("#ruling-foot"), True)
    page.page.get_by_role("button", name="Sharp").click()
    eventually(lambda: "Say in a few words why" in page.text("#ruling-foot"), True)
    page.page.get_by_label("Reason of the ruling").fill("A has the edge.")
    eventually(lambda: page.page.locator("[data-act=rule]").get_attribute("aria-disabled"), "false")
    # The own outline is over both: neither of the two readers' colours.
    eventually(lambda: page.ask("inks", "#90A6FF"), [True, True])


def test_below_1100_one_column_and_a_key_shows_the_other(page: Columns) -> None:
    page.page.set_viewport_size({"width": 1024, "height": 768})
    head = page.page.locator('[data-column="b"]')
    eventually(lambda: (page.shown("axial"), page.shown("twin-axial")), (True, False))
    page.page.locator('.viewport[data-viewport="axial"]').focus()
    page.page.keyboard.down("Backquote")
    eventually(
        lambda: (page.shown("axial"), page.shown("twin-axial"), page.shown("twin-surfaces")), (False, True, True)
    )
    assert page.box("twin-axial")["width"] == pytest.approx(1024 - 48, abs=1)
    page.page.keyboard.up("Backquote")
    eventually(lambda: (page.shown("axial"), page.shown("twin-axial")), (True, False))
    head.click()
    eventually(lambda: (page.shown("axial"), page.shown("twin-axial")), (False, True))
    assert head.get_attribute("aria-pressed") == "true"
    page.page.set_viewport_size({"width": 1600, "height": 1000})
    eventually(lambda: (page.shown("axial"), page.shown("twin-axial")), (True, True))


def test_a_viewport_of_the_right_column_made_large(page: Columns) -> None:
    x, y = page.middle("twin-axial")
    page.page.mouse.dblclick(x, y + 120)
    eventually(lambda: [page.shown(one) for one in ("axial", "twin-axial", "twin-surfaces")], [False, True, False])
    page.page.keyboard.press("Escape")
    eventually(lambda: [page.shown(one) for one in ("axial", "twin-axial", "twin-surfaces")], [True, True, True])
    page.page.set_viewport_size({"width": 700, "height": 900})
    eventually(lambda: [page.shown(one) for one in ("axial", "twin-axial")], [False, True])
    page.page.locator('[data-column="a"]').click()
    eventually(lambda: [page.shown(one) for one in ("axial", "twin-axial")], [True, False])
    page.page.set_viewport_size({"width": 1600, "height": 1000})
    eventually(lambda: [page.shown(one) for one in ("axial", "twin-axial")], [True, True])


def test_one_picture_and_back(page: Columns) -> None:
    """Overlaid: both in every plane, the distances painted; nothing of the right column is left."""
    page.page.get_by_role("button", name="Overlaid").click()
    eventually(page.page.locator('.viewport[data-viewport^="twin-"]').count, 0)
    eventually(lambda: page.shown("sagittal"), True)
    eventually(lambda: page.page.locator(".legend").is_visible(), True)
    page.page.get_by_role("button", name="Side by side").click()
    eventually(lambda: page.shown("twin-axial"), True)
    eventually(lambda: page.ask("surfaces"), [A, B])
    assert not page.page.locator(".legend").is_visible()


@pytest.mark.parametrize("width", [1600, 1280])
def test_a_word_after_an_act_never_covers_the_panel(page: Columns, width: int) -> None:
    page.page.set_viewport_size({"width": width, "height": 800})
    page.page.locator("#copy-link").click()
    toast = page.page.locator(".toast")
    toast.wait_for()
    panel = page.page.locator(".panel").bounding_box()
    eventually(lambda: toast.bounding_box()["x"] + toast.bounding_box()["width"] <= panel["x"], True)
    toast.get_by_role("button", name="Close").click()
    eventually(toast.count, 0)


def test_an_admin_gives_the_case_to_another_adjudicator(site: Site, page: Columns, open_as: Callable[..., Any]) -> None:
    site.python(JOIN, json.dumps({"boss": BOSS, "password": PASSWORD, "slug": page.project}))
    admin = open_as("admin", f"/projects/{page.project}/reading/", size=(1280, 720))
    readers = admin.locator(".case-readers")
    eventually(lambda: "Juno Column" in readers.inner_text(), True)
    admin.get_by_role("button", name="Another adjudicator").click()
    dialog = admin.locator("wa-dialog")
    choice = dialog.get_by_label("Adjudicator", exact=True)
    # Whoever read the case, or settles it now, is not among them.
    eventually(choice.locator("option").all_inner_texts, ["Kim Column"])
    assert "Juno Column hands the case over" in dialog.inner_text()
    dialog.get_by_role("button", name="Give the case").click()
    eventually(lambda: "Kim Column" in readers.inner_text(), True)
    # What was theirs is no longer: the page of who had it says so by itself.
    eventually(lambda: page.page.locator("#adjudication").is_visible(), False)
