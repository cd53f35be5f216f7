"""The viewer as people get it: static files collected, hashed, its modules in two files, under the strict policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import PASSWORD, PEOPLE, Site
from tests.e2e.viewer import Study, eventually, imported
from tests.e2e.watch import REPORT, WAIT_MS, Watch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def collected() -> Iterator[Site]:
    running = Site(collected=True)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def test_the_bundled_viewer_opens_and_is_worked_with(collected: Site, browser: Any, phantom_folder: Path) -> None:
    study_id = imported(collected, phantom_folder, "--reconstruct", "bone-ct", "--wait", "--description", "Ball")
    watch = Watch(collected)
    context = browser.new_context(base_url=collected.url, viewport={"width": 1600, "height": 1000})
    try:
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(REPORT)
        page = context.new_page()
        watch.page(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.rsplit("/static/", 1)[-1]))
        page.goto("/accounts/login/")
        page.fill("#id_login", PEOPLE["reader"]["email"])
        page.fill("#id_password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector('body[data-page="worklist"]')
        asked.clear()
        page.goto(f"/studies/{study_id}/")
        study = Study(page).loaded("drawn", "whole", "labelmap", "surfaces")
        scripts = [name for name in asked if name.startswith("lamina/") and name.endswith(".js")]
        assert len(scripts) < 15, scripts
        assert {re.sub(r"\.\w{12}\.", ".", name) for name in scripts} >= {
            "lamina/bundles/study.js",
            "lamina/bundles/study-later.js",
            "lamina/i18n.js",
        }
        # Singletons are one: the socket of the frame is the study's, the acts of the keys reach the planes.
        eventually(lambda: page.locator("#live").get_attribute("data-state"), "live")
        before = study.slice("axial")
        page.locator('.viewport[data-viewport="axial"]').hover()
        page.keyboard.press("ArrowDown")
        eventually(lambda: abs(study.slice("axial") - before), 1, what="slices scrolled by a key")
        page.keyboard.press("?")
        page.wait_for_selector("wa-dialog[open]", state="attached")
        assert watch.left() == []
    finally:
        context.close()
