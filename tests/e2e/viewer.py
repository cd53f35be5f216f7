"""The open study page for browser tests: how to ask it things, and one loaded study that all files share.

`study` (fixture) is the calibrated phantom with its bone-ct result, open for the reader, put back to how it was first
shown before each test: for tests that look. A test that changes what is stored imports a study of its own
(`imported`) and keeps one page for its file with `open_desk`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import PEOPLE, PROJECT, Site
from tests.e2e.watch import PATIENCE, REPORT, WAIT_MS, Watch

# Questions to the page's own objects, answered through the event the study page listens to.
QUESTIONS = """
window.__questions = {
  planePixel: (room, name, point) => room.session.views[name].pixelOf(point),
  spacePixel: (room, name, point) => room.session.space.pixelOf(point),
  asFirstShown: (room) => {
    const { store, session } = room;
    const layout = { layout: "2x2", protocol: null, main: "axial", large: null, active: "axial" };
    const values = { ...layout, tool: "window", clip: null, linked: true, lit: null, inverted: false };
    store.dispatch({ type: "view.set", values });
    store.dispatch({ type: "view.allSegments", look: { shown: true } });
    store.dispatch({ type: "space.restored", space: {} });
    session.reset();
  },
  settled: async (room) => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    // A picture whose shaders are still on their way is drawn when they are there.
    await room.stage.settled?.();
    return room.stage.frames;
  },
  point: (room) => room.store.get().view.point,
  resting: (room) => !room.session.space.moving,
  reopened: async (room) => {
    const { id } = room.session.series;
    const { dataset } = document.documentElement;
    const all = ["whole", "surfaces", "labelmap"];
    room.closeSeries();
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    const held = room.stage.memory();
    for (const name of all) delete dataset[name];
    room.openSeries(id);
    while (!all.every((name) => dataset[name])) await new Promise((done) => setTimeout(done, 20));
    return held;
  },
  shown: (room) => [...(room.session.surfaces?.meshes ?? [])].filter(([, mesh]) => mesh.visible).map(([no]) => no),
};
"""
ASK = """([question, values]) => new Promise((resolve) => {
    const answer = window.__questions[question];
    document.querySelector("#study").dispatchEvent(
        new CustomEvent("lamina:room", { detail: (room) => resolve(answer(room, ...values)) }));
})"""


def eventually(read: Callable[[], Any], wanted: Any, seconds: float = PATIENCE, what: str = "") -> None:
    """Ask until the answer is `wanted`: a value, or a question of its own, asked anew at each try because it moves too.

    What cannot be read yet (a row that is not there, a size that is not written) is asked again, too. A strict policy
    refuses waiting on an expression in the page, so the waiting is done here.
    """
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() >= end
        try:
            seen, right = read(), wanted() if callable(wanted) else wanted
            if seen == right:
                return
            assert not late, f"{what} still {seen!r}, not {right!r}, after {seconds:.0f} s".strip()
        except (AssertionError, IndexError, KeyError, TypeError, ValueError):
            if late:
                raise
        time.sleep(0.05)


def answered(answer: Callable[[Any], None]) -> Callable[[Any], None]:
    """A route's handler for which a request that the page dropped in the meantime is over, and no failure."""
    from playwright.sync_api import Error

    def handle(route: Any) -> None:
        with suppress(Error):
            answer(route)

    return handle


def spaces(text: str) -> str:
    """The same text with plain spaces."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


class Study:
    """The study page as a reader uses it: what stands in the corners, where a point lies on the screen."""

    def __init__(self, page: Any) -> None:
        self.page = page
        page.evaluate(QUESTIONS)

    def loaded(self, *names: str) -> Study:
        for name in names:
            self.page.wait_for_selector(f"html[data-{name}]")
        return self

    def corner(self, viewport: str, place: str) -> str:
        return spaces(self.page.locator(f'[data-viewport="{viewport}"] .corner--{place}').inner_text())

    def slice(self, viewport: str) -> int:
        return int(self.corner(viewport, "top-right").splitlines()[-1].split("/")[0].replace(",", ""))

    def box(self, viewport: str) -> dict[str, float]:
        return self.page.locator(f'.viewport[data-viewport="{viewport}"]').bounding_box()

    def teach(self, questions: str) -> Study:
        """More questions of one file: JavaScript like `{ name: (room, value) => answer }`."""
        self.page.evaluate(f"Object.assign(window.__questions, {questions})")
        return self

    def ask(self, question: str, *values: Any) -> Any:
        return self.page.evaluate(ASK, [question, list(values)])

    def pixel(self, viewport: str, point: tuple[float, ...]) -> tuple[float, float]:
        question = "spacePixel" if viewport == "surfaces" else "planePixel"
        x, y = self.ask(question, viewport, [float(value) for value in point])
        box = self.box(viewport)
        return box["x"] + x, box["y"] + y

    def line(self, viewport: str, place: str, number: int = 0) -> str:
        """One line of a corner; IndexError, which `eventually` bears, while it is not there."""
        return self.corner(viewport, place).splitlines()[number]

    @property
    def zoom(self) -> float:
        return float(self.corner("axial", "bottom-left").split("Zoom ")[1].rstrip("×"))

    def is_near(self, point: tuple[float, ...], millimetres: float) -> bool:
        """All planes have gone there, to so many mm in each direction."""
        return max(abs(a - b) for a, b in zip(self.point, point, strict=True)) <= millimetres

    @property
    def point(self) -> tuple[float, ...]:
        return tuple(self.ask("point"))


def imported(site: Site, path: Path, *options: str) -> str:
    """Import as the admin; the new study's id."""
    site.manage("import_study", str(path), "--project", PROJECT, "--by", PEOPLE["admin"]["email"], *options)
    code = "import django; django.setup()\nfrom server.studies.models import Study\n"
    return site.python(code + "print(Study.objects.latest('created_at').pk)").strip().splitlines()[-1]


@pytest.fixture(scope="session")
def calibrated(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    """The calibrated phantom, imported and reconstructed: (study id, phantom with its truth)."""
    from recon_engine.phantoms import write_phantom

    folder = tmp_path_factory.mktemp("calibrated")
    phantom = write_phantom(folder, "calibrated", spacing_mm=1.0)
    return imported(site, folder, "--reconstruct", "bone-ct", "--wait"), phantom


@contextmanager
def open_desk(
    site: Site, browser: Any, state: Any, path: str, size: tuple[int, int] = (1280, 720), **more: Any
) -> Iterator[tuple[Any, Watch]]:
    """A watched page at `path` for as long as a file's tests need it: (page, watch)."""
    context = browser.new_context(
        base_url=site.url,
        storage_state=state,
        viewport={"width": size[0], "height": size[1]},
        reduced_motion="reduce",
        **more,
    )
    context.set_default_timeout(WAIT_MS)
    context.add_init_script(REPORT)
    watching = Watch(site)
    page = context.new_page()
    watching.page(page)
    page.goto(path)
    try:
        yield page, watching
    finally:
        context.close()


@pytest.fixture(scope="session")
def desk(
    site: Site, browser: Any, signed_in: Callable[[str], Any], calibrated: tuple[str, Any]
) -> Iterator[tuple[Study, Watch]]:
    """One page with the calibrated phantom open for all tests that only look: opening takes most of the time."""
    with open_desk(site, browser, signed_in("reader"), f"/studies/{calibrated[0]}/") as (page, watching):
        yield Study(page).loaded("whole", "surfaces", "labelmap"), watching


@pytest.fixture
def study(desk: tuple[Study, Watch]) -> Iterator[Study]:
    """The open study as it was first shown; nothing may go wrong on the page while the test runs."""
    opened, watching = desk
    opened.page.set_viewport_size({"width": 1280, "height": 720})
    opened.ask("settled")
    opened.ask("asFirstShown")
    opened.ask("settled")
    yield opened
    assert watching.left() == []
