"""From a zip in the browser to a row in everybody's worklist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.viewer import eventually

JOB_MS = 180_000


def import_zip(page: Any, path: Path) -> None:
    """Through all four steps, as a person would."""
    page.set_input_files("#drop input[type=file]:not([webkitdirectory])", str(path))
    page.wait_for_selector("lam-findings tbody tr", timeout=JOB_MS)
    eventually(lambda: page.locator(".stages [aria-current=step]").inner_text()[0], "3")
    assert page.locator("lam-findings tr .finding").first.inner_text() == "Ready"
    page.wait_for_selector("lam-tags del")  # before and after are in sight before anybody agrees
    eventually(page.locator("#go").is_disabled, True)
    page.check("#consent")
    page.click("#go")
    page.wait_for_selector("text=Open study", timeout=JOB_MS)


def test_a_zip_becomes_a_study_that_a_colleague_sees(open_as: Callable[..., Any], phantom_zip: Path) -> None:
    colleague = open_as("second", "/")
    colleague.wait_for_selector("lam-study-table tbody tr:not([aria-hidden])")
    colleague.wait_for_selector('#live[data-state="live"]')
    page = open_as("reader", "/import/")
    import_zip(page, phantom_zip)
    address = page.locator("a:has-text('Open study')").first.get_attribute("href")
    assert re.fullmatch(r"/studies/[0-9a-f-]{36}/", address or "")

    identity = (address or "").split("/")[2]
    row = colleague.locator(f'tr[data-id="{identity}"]')
    colleague.wait_for_selector(f'#fresh:not([hidden]), tr[data-id="{identity}"]', timeout=JOB_MS)
    if row.count() == 0:  # it waits behind a button, so that no row moves under the pointer
        colleague.click("#fresh")
    row.wait_for()
    assert re.match(r"LAM-\d{4}", row.inner_text().strip())

    # The same files again are told apart from new ones, not stored twice in silence.
    page.goto("/")
    page.wait_for_selector(f'tr[data-id="{identity}"]')


def test_the_worklist_is_driven_by_keys(open_as: Callable[..., Any], imported_study: str) -> None:
    page = open_as("reader", "/")
    page.wait_for_selector(f'tr[data-id="{imported_study}"]')
    rows = page.locator("lam-study-table tbody tr[data-id]")
    page.keyboard.press("/")
    page.keyboard.type("ball phantom")
    page.wait_for_url("**/?q=ball+phantom")
    page.wait_for_selector(f'tr[data-id="{imported_study}"]')
    page.keyboard.press("ArrowDown")
    eventually(page.locator("tr[aria-selected=true]").count, 1)
    eventually(lambda: page.evaluate("() => document.activeElement.tagName"), "TR")
    assert rows.count() >= 1
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**/studies/*/")


def test_a_search_without_a_match_says_so(open_as: Callable[..., Any], imported_study: str) -> None:
    page = open_as("reader", "/?q=zzzzqqqq")
    page.wait_for_selector("text=Nothing matches")
    assert page.input_value("#search") == "zzzzqqqq"


def test_a_study_goes_to_the_bin_and_comes_back(open_as: Callable[..., Any], imported_study: str) -> None:
    page = open_as("admin", "/")
    row = page.locator(f'tr[data-id="{imported_study}"]')
    row.click()
    colleague = open_as("reader", "/")
    colleague.wait_for_selector(f'tr[data-id="{imported_study}"]')
    colleague.wait_for_selector('#live[data-state="live"]')
    page.locator("lam-next-case button:has-text('Move to the bin')").click()
    eventually(lambda: "Not for clinical use" in page.locator("wa-dialog").inner_text(), True)
    page.locator("wa-dialog button.button--bad").click()
    row.wait_for(state="detached")
    colleague.locator(f'tr[data-id="{imported_study}"]').wait_for(state="detached")
    page.locator(".toast button:has-text('Undo')").click()
    row.wait_for()


def test_a_viewer_may_not_import(open_as: Callable[..., Any], watch: Any) -> None:
    watch.allow.append("403")
    page = open_as("viewer", "/")
    assert page.locator(".navigation a[href='/import/']").count() == 0
    page.goto("/import/")
    assert "Only readers and admins" in page.locator("main").inner_text()


def test_files_that_are_no_images_stay_behind_with_a_reason(open_as: Callable[..., Any], tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no image")
    page = open_as("reader", "/import/")
    page.set_input_files("#drop input[type=file]:not([webkitdirectory])", str(notes))
    page.wait_for_selector("lam-findings tbody tr", timeout=JOB_MS)
    row = page.locator("lam-findings tbody tr")
    eventually(lambda: [part for part in ("notes.txt", "Refused") if part not in row.inner_text()], [])
    eventually(lambda: "neither DICOM" in page.locator("#series-message").inner_text(), True)
    page.check("#consent")
    eventually(page.locator(".import__why").inner_text, "Choose at least one series.")
    assert page.locator("#go").is_disabled()
    page.click("text=Other files")
    page.wait_for_selector("#drop")
