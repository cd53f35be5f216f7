"""A sealed case in the browser: begin, draw, commit, the places where one differs, decisions, submit, the next one.

The algorithm outlines a ball of 20 mm radius; the reader paints the same ball about 6 mm beside it. What the page says
is held against the voxels of both labelmaps.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.e2e.drawing import Editing
from tests.e2e.sealed import RADIUS, READERS, SPACING, bone_ball, open_cases, sealed_project, sign_in
from tests.e2e.site import Site
from tests.e2e.viewer import eventually, open_desk, spaces
from tests.e2e.watch import Watch

SHIFT = 6.0
# What lies in the browser's storage for the next case: [[key, sealed bytes in base64], ...]
KEPT = """async () => {
  const names = (await indexedDB.databases()).map(({ name }) => name);
  if (!names.includes("lamina-ahead")) return null;
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await done(indexedDB.open("lamina-ahead"));
  const store = database.transaction("pieces").objectStore("pieces");
  const [keys, rows] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
  database.close();
  const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return keys.map((key, n) => [key, text(rows[n].sealed)]);
}"""
BALL = 4 / 3 * np.pi * RADIUS**3 / 1000
VOXEL = SPACING**3 / 1000


@pytest.fixture(scope="module")
def cases(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two sealed cases of two readers: one with a result, one to read next."""
    project = sealed_project(site)
    folder = tmp_path_factory.mktemp("sealed")
    first = bone_ball(site, folder / "first", "Ball of bone", "--reconstruct", "bone-ct", "--wait")
    second = bone_ball(site, folder / "second", "Another ball", radius=16.0)
    return {**project, "first": first, "second": second, "ids": open_cases(site, project["project"], first, second)}


@pytest.fixture(scope="module")
def signed(site: Site, browser: Any, cases: dict[str, Any]) -> dict[str, Any]:
    return {name: sign_in(site, browser, email) for name, (email, _, _) in zip("abj", READERS, strict=True)}


@pytest.fixture(scope="module")
def opened(site: Site, browser: Any, signed: dict[str, Any]) -> Iterator[tuple[Any, Watch]]:
    with open_desk(site, browser, signed["a"], "/", (1600, 1000)) as (page, watching):
        yield page, watching


@pytest.fixture
def page(opened: tuple[Any, Watch]) -> Iterator[Any]:
    found, watching = opened
    yield found
    assert watching.left() == []


@pytest.fixture(scope="module")
def images(opened: tuple[Any, Watch]) -> list[str]:
    """Every request for the voxels or the preview of a series, as it is sent; from a worker, too."""
    sent: list[str] = []
    is_image = re.compile(r"/api/series/[^/]+/(voxels|preview|packed|slices)").search
    opened[0].on("request", lambda request: is_image(request.url) and sent.append(request.url))
    return sent


def fetched_ahead(page: Any, study: str) -> None:
    """The next case's images are kept, sealed: nothing of them can be read in the browser's storage."""
    page.wait_for_selector(f'html[data-ahead="{study}"]')
    pieces = page.evaluate(KEPT)
    assert len(pieces) == 2
    urls = page.request.get(f"/api/studies/{study}/").json()["series"][0]["urls"]
    for key, sealed in pieces:
        assert study in key
        address = urls["preview"] if urls["preview"] in key else urls["voxels"]
        plain, stored = page.request.get(address).body(), base64.b64decode(sealed)
        assert len(stored) == len(plain) + 16  # with its seal
        assert plain[:32] != stored[:32]


def text(page: Any, selector: str) -> str:
    return spaces(page.locator(selector).first.inner_text())


def places(page: Any) -> list[tuple[str, str]]:
    """(which side goes further, how far) of every place in the list."""
    cards = page.locator(".place")
    sides = [cards.nth(n).get_attribute("data-side") for n in range(cards.count())]
    return list(zip(sides, map(spaces, page.locator(".place__size b").all_inner_texts()), strict=True))


def both(page: Any, study: str) -> tuple[np.ndarray, np.ndarray]:
    """Voxels (k, j, i) of the reader's own outline and of the algorithm's."""
    rows = page.request.get(f"/api/studies/{study}/").json()["segmentations"]
    kinds = {row["kind"]: row["urls"]["labelmap"] for row in rows}
    flat = [np.frombuffer(page.request.get(kinds[kind]).body(), np.uint8) for kind in ("edited", "algorithm")]
    side = round(len(flat[0]) ** (1 / 3))
    return tuple(one.reshape(side, side, side) == 1 for one in flat)


def reasons(page: Any) -> list[str]:
    """Reasons that stand in the list, in a field or behind a decision."""
    fields = [field.input_value() for field in page.locator(".place input").all()]
    return fields + [line.split(" · ")[-1] for line in page.locator(".place__decided").all_inner_texts()]


def test_the_own_case_comes_first_and_says_that_it_is_sealed(page: Any, cases: dict[str, Any]) -> None:
    rows = page.locator("lam-reading-table tr[data-id]")
    eventually(rows.count, 2)
    first = page.locator(f'tr[data-study="{cases["first"]}"]')
    assert "Result sealed" in first.inner_text()
    assert "Other reads sealed" in page.locator(f'tr[data-study="{cases["second"]}"]').inner_text()
    assert page.get_by_role("button", name="Mine").get_attribute("aria-pressed") == "true"
    first.click()
    assert "Result ready, sealed" in text(page, "lam-next-reading")
    # Nothing of the result: neither its segment nor its size stands anywhere on the page.
    assert not re.search(r"33\.\d mL|Bone", page.content())


def test_one_key_starts_and_the_result_stays_closed(page: Any, cases: dict[str, Any], images: list[str]) -> None:
    fetched_ahead(page, cases["first"])
    assert not any("labelmap" in key or "surfaces" in key for key, _ in page.evaluate(KEPT))
    images.clear()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/studies/{cases['first']}/**")
    page.wait_for_selector("html[data-whole]")
    # Its images were here before the page was: not one was asked for, and they left the storage.
    assert images == []
    assert [key for key, _ in page.evaluate(KEPT) if cases["first"] in key] == []
    eventually(lambda: text(page, ".stages [data-state=now]"), "First read")
    assert "Result ready, sealed until your first read" in text(page, "#case-head")
    assert page.locator(".sealed-pane").is_visible()
    page.wait_for_selector(".segment__name")
    assert page.locator(".segment__name").all_inner_texts() == ["Bone"]
    # Committing waits for the required answer and says so beside the button.
    commit = page.locator("[data-act=commit]")
    assert commit.get_attribute("aria-disabled") == "true"
    assert "To answer first: Margin" in text(page, "#case-foot")


def test_reading_commits_after_the_dialog_said_what_it_costs(page: Any) -> None:
    editing = Editing(page).ready()
    page.wait_for_selector("html[data-labelmap]")
    page.locator(".segment__name").click()
    page.keyboard.press("b")
    editing.option("Ball")
    editing.size(2 * RADIUS)
    editing.press((SHIFT, 0.0, 0.0))
    editing.holds("Bone", BALL)
    page.get_by_role("button", name="Blurred").click()
    editing.saved()
    eventually(lambda: "1 segment, 1 answer" in text(page, "#case-foot"), True)
    page.locator("[data-act=commit]").click()
    dialog = page.locator("wa-dialog")
    dialog.get_by_text("nobody changes it").wait_for()
    dialog.get_by_role("button", name="Commit first read").click()
    eventually(lambda: text(page, ".stages [data-state=now]"), "Compare")


def test_the_places_are_as_large_as_the_shift_of_the_balls(page: Any, cases: dict[str, Any]) -> None:
    eventually(lambda: text(page, "#case-places h2"), "2 places where you differ")
    eventually(lambda: sorted(side for side, _ in places(page)), ["a_only", "b_only"])
    mine, theirs = both(page, cases["first"])
    shift = np.linalg.norm(np.argwhere(mine).mean(0) - np.argwhere(theirs).mean(0)) * SPACING
    assert shift == pytest.approx(SHIFT, abs=SPACING)
    for _, far in places(page):
        assert float(far.removesuffix(" mm")) == pytest.approx(shift, abs=SPACING / 2)
    dice = 2 * (mine & theirs).sum() / (mine.sum() + theirs.sum())
    assert float(text(page, '[data-measure="dice"] dd')) == pytest.approx(dice, abs=0.0051)
    assert f"{'above' if dice >= 0.8 else 'below'} limit 0.80" in text(page, '[data-measure="dice"]')
    for which, voxels in (("a", mine), ("b", theirs)):
        volume = text(page, f'[data-measure="volume-{which}"] dd').removesuffix(" mL")
        assert float(volume) == pytest.approx(voxels.sum() * VOXEL, abs=0.051)
    eventually(page.locator(".kept code").count, 2)
    assert "0 of 2 decided" in text(page, "#case-foot")
    assert page.locator("[data-act=submit]").get_attribute("aria-disabled") == "true"


def test_taking_theirs_is_one_step_and_undo_gives_it_back(page: Any, cases: dict[str, Any]) -> None:
    editing = Editing(page)
    mine, theirs = both(page, cases["first"])
    place = page.locator('.place[data-side="b_only"]')
    place.locator(".place__head").click()
    before = mine.sum() * VOXEL
    eventually(lambda: editing.ml("Bone"), pytest.approx(before, abs=0.051))
    page.keyboard.press("Shift+Digit2")
    eventually(lambda: place.get_attribute("data-verdict"), "take")
    # The place holds every voxel that only the algorithm has, but for crumbs less than a voxel apart.
    grown = (mine | theirs).sum() * VOXEL
    eventually(lambda: editing.ml("Bone"), pytest.approx(grown, rel=0.01))
    page.keyboard.press("Control+z")
    eventually(lambda: place.get_attribute("data-verdict"), "")
    eventually(lambda: editing.ml("Bone"), pytest.approx(before, abs=0.051))
    page.keyboard.press("Control+y")
    eventually(lambda: place.get_attribute("data-verdict"), "take")


def test_keeping_mine_needs_a_reason_and_opens_submit(page: Any, images: list[str]) -> None:
    mine = page.locator('.place[data-side="a_only"]')
    mine.locator(".place__head").click()
    page.keyboard.press("Shift+Digit1")
    reason = mine.get_by_role("textbox")
    eventually(lambda: reason.get_attribute("aria-invalid"), "true")
    reason.fill("Partial volume")
    reason.press("Enter")
    eventually(lambda: mine.get_attribute("data-verdict"), "keep")
    eventually(lambda: "All 2 places decided" in text(page, "#case-foot"), True)
    # What was decided is kept by the server, not by the page.
    images.clear()
    page.reload()
    page.wait_for_selector("html[data-labelmap]")
    page.wait_for_selector("html[data-whole]")
    assert images  # pieces are for one opening
    eventually(lambda: [card.get_attribute("data-verdict") for card in page.locator(".place").all()].count("keep"), 1)
    eventually(lambda: "Partial volume" in reasons(page), True)
    page.locator("[data-act=submit]").click()
    page.locator("wa-dialog").get_by_role("button", name="Submit").click()
    eventually(lambda: "other reads are still on their way" in text(page, "#case-foot"), True)
    page.locator("[data-act=next]").wait_for()
    # Read-only from here on.
    assert page.locator("#study").get_attribute("data-may-edit") is None


def test_the_next_case_opens_with_the_same_key(page: Any, cases: dict[str, Any], images: list[str]) -> None:
    fetched_ahead(page, cases["second"])
    images.clear()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/studies/{cases['second']}/**")
    page.wait_for_selector("html[data-whole]")
    assert images == []
    eventually(lambda: text(page, ".stages [data-state=now]"), "First read")


def test_a_link_to_what_is_sealed_is_refused_politely(
    site: Site, browser: Any, signed: dict[str, Any], page: Any, cases: dict[str, Any]
) -> None:
    page.goto(f"/studies/{cases['first']}/")
    page.wait_for_selector("html[data-labelmap]")
    page.locator("#copy-link").click()
    eventually(lambda: "result" in page.evaluate("decodeURIComponent(location.hash)") or "r=" in page.url, True)
    with open_desk(site, browser, signed["b"], page.url) as (other, watching):
        other.wait_for_selector("html[data-whole]")
        other.get_by_text("What this link shows is sealed for you").wait_for()
        assert "Alma" not in other.content()
        assert other.locator(".segment__name").count() == 0
        assert watching.left() == []


def test_signing_out_leaves_nothing_behind(page: Any, cases: dict[str, Any]) -> None:
    page.goto("/")
    page.locator(f'tr[data-study="{cases["second"]}"]').click()
    page.wait_for_selector(f'html[data-ahead="{cases["second"]}"]')
    key = page.evaluate("JSON.parse(document.getElementById('shell-data').textContent).ahead_key")
    assert len(base64.b64decode(key)) == 32
    assert key not in str(page.evaluate("[{ ...localStorage }, { ...sessionStorage }, document.cookie]"))
    page.locator('[data-menu="person"]').click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    eventually(lambda: page.evaluate(KEPT), None)
