"""Keys, touch, language, and what a checker for WCAG 2.2 AA says of every page, in both themes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site
from tests.e2e.test_pages import PAGES, WIDER
from tests.e2e.viewer import Study, eventually, open_desk
from tests.e2e.watch import Watch

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
CHECKER = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
CHECK = """
async () => {
  const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((one) => one.html.slice(0, 160)).join(" | ")}`);
}
"""


@pytest.fixture(scope="module")
def checker() -> str:
    if not CHECKER.is_file():
        pytest.skip("npm's dev packages are not installed: the pages were not checked for accessibility")
    return CHECKER.read_text("utf-8")


@pytest.fixture(scope="module")
def office(site: Site, browser: Any, signed_in: Callable[[str], Any]) -> Iterator[tuple[Any, Watch]]:
    """One page of the admin for all pages but the study."""
    with open_desk(site, browser, signed_in("admin"), "/settings/") as desk:
        yield desk


def wrong(page: Any, checker: str) -> list[str]:
    """What breaks a rule of WCAG 2.2 AA, in both themes, each with its element."""
    page.evaluate(checker)
    found: list[str] = []
    for theme in ("light", "dark"):
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        found += [f"{theme}, {text}" for text in page.evaluate(CHECK)]
    return found


@pytest.mark.parametrize("name", [*PAGES, "reauthenticate"])
def test_a_page_breaks_no_rule_and_bears_200_percent(name: str, office: tuple[Any, Watch], checker: str) -> None:
    page, watching = office
    page.goto(PAGES.get(name, "/accounts/reauthenticate/"))
    page.wait_for_load_state("networkidle")
    assert wrong(page, checker) == []
    # 1600 x 1000 at 200 % is this many CSS pixels.
    page.set_viewport_size({"width": 800, "height": 500})
    eventually(lambda: page.evaluate(WIDER), [0, 0])
    page.set_viewport_size({"width": 1280, "height": 720})
    assert watching.left() == []


def test_the_doors_break_no_rule(open_as: Callable[..., Any], watch: Watch, checker: str) -> None:
    watch.allow.append("410")
    page = open_as(None, "/accounts/login/", (1280, 720), reduced_motion="reduce")
    assert wrong(page, checker) == []
    page.goto("/invitations/none/")
    assert wrong(page, checker) == []


def test_the_study_breaks_no_rule_with_its_dialog_and_at_200_percent(study: Study, checker: str) -> None:
    page = study.page
    assert wrong(page, checker) == []
    page.keyboard.press("?")
    page.locator(".key-sheet").wait_for()
    try:
        assert wrong(page, checker) == []
    finally:
        page.keyboard.press("Escape")
        page.locator(".key-sheet").wait_for(state="detached")
    page.set_viewport_size({"width": 800, "height": 500})
    try:
        eventually(lambda: page.evaluate(WIDER), [0, 0])
    finally:
        page.set_viewport_size({"width": 1280, "height": 720})


def test_tools_cards_and_dialogs_break_no_rule(study: Study, checker: str) -> None:
    page = study.page
    page.keyboard.press("b")
    page.locator(".editing-bar").first.wait_for()
    page.locator('.pane-button[data-act="volume"]').click()
    page.locator('.pane-card [data-preset]:not([data-preset=""])').first.click()
    page.locator('[data-act="transfer"]').click()
    page.locator(".transfer").wait_for()
    try:
        assert wrong(page, checker) == []
        page.keyboard.press("a")
        page.locator("wa-dialog[open] input").first.wait_for()
        assert wrong(page, checker) == []
        page.keyboard.press("Escape")
        page.locator("wa-dialog[open]").wait_for(state="detached")
    finally:
        page.keyboard.press("w")
        # The card went when the dialog came; where it did not, it goes now.
        for button in page.locator('.pane-button[aria-expanded="true"]').all():
            button.click()


def test_the_first_tab_leads_past_the_frame_and_nothing_moves_by_itself(office: tuple[Any, Watch]) -> None:
    page, _ = office
    page.goto("/settings/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Tab")
    eventually(lambda: page.evaluate("() => document.activeElement.className"), "skip")
    page.keyboard.press("Enter")
    eventually(lambda: page.evaluate("() => document.activeElement.id"), "main")
    page.keyboard.press("Tab")
    eventually(lambda: page.evaluate("() => document.activeElement.matches('main *')"), True)
    moving = "() => getComputedStyle(document.querySelector('.button')).transitionDuration"
    assert set(re.findall(r"[\d.]+", page.evaluate(moving))) == {"0"}


def x(part: Any) -> float:
    """px from the left edge of the page."""
    return part.bounding_box()["x"]


def chosen(study: Study) -> str:
    return study.page.locator('.rail [data-tool][aria-pressed="true"]').get_attribute("data-tool")


def open_sheet(study: Study) -> Any:
    study.page.keyboard.press("?")
    sheet = study.page.locator(".key-sheet")
    sheet.wait_for()
    return sheet


def close_sheet(study: Study) -> None:
    study.page.keyboard.press("Escape")
    study.page.locator(".key-sheet").wait_for(state="detached")


def test_another_preset_moves_keys_and_buttons(study: Study) -> None:
    page = study.page
    page.keyboard.press("p")
    eventually(lambda: chosen(study), "pan")
    sheet = open_sheet(study)
    sheet.locator('[data-preset="left"]').click()
    eventually(lambda: sheet.locator('[data-act="tool-window"] .key').inner_text(), "O")
    close_sheet(study)
    try:
        page.keyboard.press("o")
        eventually(lambda: chosen(study), "window")
        eventually(lambda: page.locator('[data-tool="window"]').get_attribute("title").endswith("(O)"), True)
        panel, grid, rail = (page.locator(name) for name in ("aside.panel", "#viewports", "#rail"))
        eventually(lambda: x(panel) < x(grid) < x(rail), True)
        # The left button zooms now: 200 px up is twice as near.
        box = study.box("axial")
        zoom = study.zoom
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 30)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 130, steps=4)
        page.mouse.up()
        eventually(lambda: study.zoom, pytest.approx(zoom * 2**0.5, abs=0.11))
        # Kept for this person: the page knows it after a reload.
        kept = "() => JSON.stringify({ ...localStorage })"
        eventually(lambda: '"left"' in page.evaluate(kept).replace("\\", ""), True)
    finally:
        sheet = open_sheet(study)
        sheet.locator('[data-preset="standard"]').click()
        close_sheet(study)
    eventually(lambda: x(page.locator("#rail")), 0)


def test_a_key_is_changed_and_a_conflict_is_named(study: Study) -> None:
    page = study.page
    sheet = open_sheet(study)
    try:
        sheet.locator('[data-act="tool-pan"] .key-sheet__keys').click()
        page.keyboard.press("w")
        conflict = sheet.locator('[data-act="tool-pan"] .key-sheet__conflict')
        eventually(lambda: "W is the key of: Window" in conflict.inner_text(), True)
        conflict.locator(".key-sheet__take").click()
        eventually(lambda: sheet.locator('[data-act="tool-window"] .key').count(), 0)
        close_sheet(study)
        page.keyboard.press("w")
        eventually(lambda: chosen(study), "pan")
    finally:
        if page.locator(".key-sheet").count() == 0:
            sheet = open_sheet(study)
        sheet.get_by_role("button", name="Undo own changes").click()
        close_sheet(study)
    page.keyboard.press("w")
    eventually(lambda: chosen(study), "window")


def test_fingers_zoom_and_scroll(study: Study) -> None:
    page = study.page
    box = study.box("axial")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hands = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        hands.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    hands.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 3})
    try:
        before, window = study.zoom, study.corner("axial", "bottom-left").splitlines()[0]
        touch("touchStart", (x - 40, y), (x + 40, y))
        touch("touchMove", (x - 80, y), (x + 80, y))
        touch("touchEnd")
        eventually(lambda: study.zoom, pytest.approx(2 * before, abs=0.11))
        assert study.corner("axial", "bottom-left").splitlines()[0] == window, "two fingers are not the window tool"
        first = study.slice("axial")
        touch("touchStart", (x - 40, y), (x, y), (x + 40, y))
        touch("touchMove", (x - 40, y + 60), (x, y + 60), (x + 40, y + 60))
        touch("touchEnd")
        eventually(lambda: study.slice("axial"), first + 5)
        touch("touchStart", (x, y))
        touch("touchMove", (x + 40, y))
        touch("touchEnd")
        eventually(lambda: study.line("axial", "bottom-left"), "W 440 L 40 HU")
    finally:
        hands.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        hands.detach()


def test_the_language_is_switched_and_kept(open_as: Callable[..., Any]) -> None:
    if not (FRONTEND / "static" / "lamina" / "catalogue" / "zh-hans.js").is_file():
        pytest.skip("the catalogues were not made: run python frontend/catalogue.py")
    page = open_as("second", "/settings/", (1280, 720))
    page.locator('[data-menu="language"]').click()
    page.locator("wa-dropdown-item:has-text('简体中文'), wa-dropdown-item:has-text('中文')").first.click()
    page.wait_for_selector('html[lang="zh-Hans"]')
    try:
        assert page.locator("h1").inner_text() == "设置"
        page.goto("/")
        assert page.locator("h1").inner_text() == "工作列表"
        page.wait_for_selector("lam-study-table tbody tr")
        assert "不可用于临床" in page.locator(".status").inner_text()
        assert page.evaluate(WIDER) == [0, 0]
        assert not re.search(r"\bOpen\b|\bStudies\b|\bNewest\b", page.locator("body").inner_text())
    finally:
        page.goto("/settings/")
        page.locator('[data-menu="language"]').click()
        page.locator("wa-dropdown-item:has-text('English')").click()
        page.wait_for_selector('html[lang="en"]')


def test_the_watch_sees_a_broken_policy_and_a_foreign_address(open_as: Callable[..., Any], watch: Watch) -> None:
    """The net that every browser test hangs over has no hole."""
    page = open_as("reader", "/settings/")
    page.wait_for_load_state("networkidle")
    assert watch.left() == []

    def heard(words: str) -> bool:
        page.evaluate("() => 1")  # what the page reports arrives while it is spoken with
        return any(words in trouble for trouble in watch.troubles)

    page.evaluate("() => document.body.setAttribute('style', 'color: red')")
    eventually(lambda: heard("policy: style-src"), True)
    page.evaluate("() => fetch('http://elsewhere.invalid/').catch(() => 0)")
    eventually(lambda: heard("policy: connect-src"), True)
    # Where no policy stops it, the request itself is seen.
    open_as("reader", "/settings/", bypass_csp=True).evaluate("() => fetch('http://elsewhere.invalid/').catch(() => 0)")
    eventually(lambda: heard("request to another address: elsewhere.invalid"), True)
    watch.allow.append("")  # all of it was meant


def test_both_buttons_zoom_as_in_a_pacs(study: Study) -> None:
    """Left and right held: 200 px up doubles, whatever the left button began; other presets know no such drag."""
    study.teach("{ keys: (room, preset) => room.keymap.choose(preset) }")
    mouse, (x, y) = study.page.mouse, study.pixel("axial", (0.0, 0.0, 0.0))

    def drag() -> None:
        mouse.move(x, y)
        mouse.down()
        mouse.down(button="right")
        mouse.move(x, y - 100, steps=4)
        mouse.up(button="right")
        mouse.up()

    zoom, slice_ = study.zoom, study.slice("axial")
    study.ask("keys", "pacs")
    try:
        drag()
        eventually(lambda: study.zoom, pytest.approx(zoom * 2**0.5, abs=0.11))
        assert study.slice("axial") == slice_
    finally:
        study.ask("keys", "standard")
    zoom = study.zoom
    drag()
    study.ask("settled")
    assert study.zoom == zoom
