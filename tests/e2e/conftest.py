"""Browser tests: one real site for all of them, one watched browser window per person and test.

`open_as("reader")` gives a signed-in page. Every page is watched: an error in the console, a broken policy, a request
to another address or an answer of 500 fails the test that caused it.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import PASSWORD, PEOPLE, Site
from tests.e2e.viewer import calibrated, desk, study  # noqa: F401  one loaded study for the tests of every file
from tests.e2e.watch import REPORT, WAIT_MS, Watch

CHROMIUMS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if chromium() is not None:
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="no Chromium here: browser tests were not run"))


def chromium() -> str | None:
    return next((path for path in CHROMIUMS if Path(path).exists()), None) or shutil.which("chromium")


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    running = Site()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def signed_in(site: Site, browser: Any) -> Callable[[str], Any]:
    """signed_in("reader") -> the cookies of that person, made once per run."""
    kept: dict[str, Any] = {}

    def state(person: str) -> Any:
        if person not in kept:
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{site.url}/accounts/login/")
            page.fill("#id_login", PEOPLE[person]["email"])
            page.fill("#id_password", PASSWORD)
            page.click("button[type=submit]")
            page.wait_for_selector('body[data-page="worklist"]', timeout=WAIT_MS)
            kept[person] = context.storage_state()
            context.close()
        return kept[person]

    return state


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    watching = Watch(site)
    yield watching
    assert watching.left() == []


@pytest.fixture
def open_as(site: Site, browser: Any, signed_in: Callable[[str], Any], watch: Watch) -> Iterator[Callable[..., Any]]:
    """open_as("reader", "/import/", size=(1280, 720)) -> a page; None as person opens it signed out."""
    contexts = []

    def open_page(
        person: str | None = "reader", path: str = "/", size: tuple[int, int] = (1600, 1000), **more: Any
    ) -> Any:
        state = signed_in(person) if person else None
        context = browser.new_context(
            base_url=site.url, storage_state=state, viewport={"width": size[0], "height": size[1]}, **more
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        context.add_init_script(REPORT)
        page = context.new_page()
        watch.page(page)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


# --- images that need no person ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def phantom_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ball of known size as a small DICOM CT series."""
    from recon_engine.phantoms import write_phantom

    folder = tmp_path_factory.mktemp("ball")
    write_phantom(folder, "sphere", spacing_mm=2.0)
    return folder


@pytest.fixture(scope="session")
def phantom_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another ball, coarser, as an archive: images the site does not hold yet."""
    from recon_engine.phantoms import write_phantom

    folder = tmp_path_factory.mktemp("zip")
    write_phantom(folder / "series", "sphere", spacing_mm=2.5)
    target = folder / "ball.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in (folder / "series").rglob("*") if path.is_file()):
            archive.write(file, file.relative_to(folder))
    return target


@pytest.fixture(scope="session")
def imported_study(site: Site, phantom_folder: Path) -> str:
    """The id of a study with the ball phantom, reconstructed by bone-ct."""
    from tests.e2e.site import PROJECT

    site.manage(
        "import_study", str(phantom_folder), "--project", PROJECT, "--by", PEOPLE["admin"]["email"],
        "--reconstruct", "bone-ct", "--wait", "--description", "Ball phantom",
    )  # fmt: skip
    code = (
        "import django; django.setup()\nfrom server.studies.models import Study\n"
        "print(Study.objects.filter(description='Ball phantom').latest('created_at').pk)"
    )
    return site.python(code).strip().splitlines()[-1]
