"""Every page, every width, both themes: no sideways scrolling, no broken policy, no foreign request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.site import PASSWORD, PEOPLE
from tests.e2e.viewer import eventually

SIZES = [(1920, 1080), (1600, 1000), (1280, 720), (1024, 768), (768, 1024), (390, 844)]
PAGES = {
    "worklist": "/",
    "import": "/import/",
    "algorithms": "/algorithms/",
    "operations": "/operations/",
    "settings": "/settings/",
    "projects": "/projects/",
    "team": "/projects/browser-tests/team/",
    "components": "/components/",
}
WIDER = """
() => [document.documentElement, document.querySelector("main")].map((one) => one.scrollWidth - one.clientWidth)
"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_every_width_in_both_themes(name: str, open_as: Callable[..., Any]) -> None:
    page = open_as("admin", PAGES[name])
    page.wait_for_selector(f'body[data-page="{name}"]')
    page.wait_for_load_state("networkidle")
    for theme in ("light", "dark"):
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            eventually(lambda: page.evaluate(WIDER), [0, 0], what=f"{name} at {width}")
            assert page.locator("text=Not for clinical use").first.is_visible()
            assert page.locator(".bar .mark").is_visible()


def test_nothing_moves_when_the_menus_arrive(open_as: Callable[..., Any]) -> None:
    page = open_as("admin", "/settings/")
    before = page.locator(".bar__end .person").bounding_box()
    page.wait_for_selector("wa-dropdown")
    eventually(page.locator(".bar__end .person").bounding_box, before)


def test_signing_in_and_out(open_as: Callable[..., Any]) -> None:
    page = open_as(None, "/settings/")
    page.fill("#id_login", PEOPLE["viewer"]["email"])
    page.fill("#id_password", "not the password")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    page.fill("#id_login", PEOPLE["viewer"]["email"])
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector('body[data-page="settings"]')  # where the person wanted to go
    page.wait_for_load_state()  # until then its modules are not all there and nothing would hear the click
    page.click('[data-menu="person"]')
    page.click("wa-dropdown-item:has-text('Sign out')")
    page.wait_for_selector("#id_login")


def test_an_unknown_address_answers_in_our_look(open_as: Callable[..., Any], watch: Any) -> None:
    watch.allow.append("404")
    page = open_as("reader", "/studies/00000000-0000-4000-8000-000000000000/")
    assert page.locator("h1").inner_text() == "Not found"
    page.click("text=Open the worklist")
    page.wait_for_selector('body[data-page="worklist"]')


def test_operations_are_closed_to_readers(open_as: Callable[..., Any], watch: Any) -> None:
    watch.allow.append("403")
    page = open_as("reader", "/operations/")
    assert "site admin" in page.locator("main").inner_text()
    assert page.locator(".navigation a[href='/operations/']").count() == 0


def kept(page: Any, theme: str) -> None:
    """Choose a theme and wait until the server has it: leaving earlier would break the request off."""
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as answer:
        page.click(f'[data-theme-choice="{theme}"]')
    assert answer.value.ok


def test_the_theme_is_kept(open_as: Callable[..., Any]) -> None:
    page = open_as("second", "/settings/")
    kept(page, "light")
    page.goto("/algorithms/")
    assert page.locator("html").get_attribute("data-theme") == "light"
    page.goto("/settings/")
    kept(page, "dark")


def test_an_invitation_is_shown_once_and_makes_a_member(open_as: Callable[..., Any], watch: Any) -> None:
    watch.allow.append("410")  # the used link, opened again
    admin = open_as("admin", "/projects/browser-tests/team/")
    admin.click("#invite")
    admin.fill("#invite-email", "fresh@example.org")
    admin.keyboard.press("Enter")
    link = admin.locator(".link-once input").input_value()
    assert "/invitations/" in link
    fresh = open_as(None, link)
    fresh.fill("#display_name", "Fay Fresh")
    fresh.fill("#password", "a long enough passphrase")
    fresh.click("main button[type=submit]")
    fresh.wait_for_selector("#id_login")
    admin.reload()
    admin.wait_for_selector("#members :text('Fay Fresh')")
    fresh.goto(link)
    assert "was used" in fresh.locator("h1").inner_text()
