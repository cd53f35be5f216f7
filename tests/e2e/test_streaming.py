"""Volumes on their way to the screen: fetched in a worker, damaged or lost and back, freed, cut by the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.site import Site
from tests.e2e.viewer import Study, answered, eventually, imported, open_desk, spaces
from tests.e2e.watch import Watch

QUESTIONS = """{
  lost: async (room) => {
    const gl = room.stage.renderer.getContext();
    window.__card = gl.getExtension("WEBGL_lose_context");
    delete document.documentElement.dataset.restored;
    window.__card.loseContext();
    await new Promise((done) => room.stage.canvas.addEventListener("webglcontextlost", done, { once: true }));
    return room.stage.lost;
  },
  restored: (room) => { window.__card.restoreContext(); return null; },
  greyAt: async (room, name, point) => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    await room.stage.settled();
    const { element } = room.frames[name];
    const [x, y] = room.session.views[name].pixelOf(point);
    const [box, base] = [element.getBoundingClientRect(), room.stage.canvas.getBoundingClientRect()];
    const gl = room.stage.renderer.getContext();
    const scale = gl.drawingBufferWidth / base.width;
    const seen = new Uint8Array(4);
    const [across, up] = [(box.left - base.left + x) * scale, (base.bottom - box.top - y) * scale];
    gl.readPixels(across, up, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, seen);
    return [...seen];
  },
  outlined: (room, name) => {
    const { outlines, planes, geometry } = room.session;
    const slice = Math.round((geometry.shape[planes[name].axis] - 1) / 2);
    return [...outlines.pathsOf(planes[name], slice).keys()].sort();
  },
  paintedAt: (room, name, point) => {
    const { lines } = room.frames[name];
    const [x, y] = room.session.views[name].pixelOf(point);
    const ratio = lines.width / lines.clientWidth;
    return [...lines.getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data];
  },
  reopen: (room) => {
    const { id } = room.session.series;
    room.closeSeries();
    delete document.documentElement.dataset.whole;
    room.openSeries(id);
  },
  // Study after study on one page, as often as there are ids: what the card holds between any two, and what came.
  cycle: async (room, ids) => {
    const { dataset } = document.documentElement;
    const held = [];
    const came = [];
    for (const id of ids) {
      const answer = await (await fetch(`/api/studies/${id}/`)).json();
      room.closeSeries();
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      held.push(room.stage.memory());
      for (const name of ["whole", "surfaces", "labelmap"]) delete dataset[name];
      room.store.dispatch({ type: "study.loaded", answer });
      room.openSeries(answer.series.find((one) => one.volume).id);
      const wanted = answer.segmentations.length > 0 ? ["whole", "surfaces", "labelmap"] : ["whole"];
      while (!wanted.every((name) => dataset[name])) await new Promise((done) => setTimeout(done, 10));
      came.push([room.session.geometry.shape.join(), room.session.surfaces?.meshes.size ?? 0].join(" "));
    }
    return [held, came];
  },
}"""


@pytest.fixture(scope="module")
def own(
    site: Site, browser: Any, signed_in: Callable[[str], Any], calibrated: tuple[str, Any]
) -> Iterator[tuple[Study, Watch]]:
    """A page of this file's own: it loses its graphics card and closes its series."""
    with open_desk(site, browser, signed_in("reader"), f"/studies/{calibrated[0]}/") as (page, watching):
        yield Study(page).teach(QUESTIONS).loaded("whole", "surfaces", "labelmap"), watching


def test_slices_come_through_the_worker(own: tuple[Study, Watch]) -> None:
    page = own[0].page
    assert [worker.url.endswith("volume-worker.js") for worker in page.workers] == [True]
    fetched = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/voxels/')).length"
    assert page.evaluate(fetched) == 0, "the page itself fetched voxels"
    assert " of 81" not in own[0].corner("axial", "top-left"), "the progress stays when all is there"


def test_a_lost_graphics_card_comes_back_by_itself(own: tuple[Study, Watch], calibrated: tuple[str, Any]) -> None:
    study, watching = own
    bead = [float(value) for value in calibrated[1].points_mm["Bead 1"]]
    study.page.keyboard.press("x")
    study.page.mouse.click(*study.pixel("axial", bead))
    study.page.keyboard.press("w")
    beside = [bead[0] + 12, bead[1] + 8, bead[2]]
    places = [("axial", bead), ("coronal", [bead[0] + 9, bead[1], bead[2] + 9]), ("axial", beside)]
    before = [study.ask("greyAt", *place) for place in places]
    assert study.ask("lost") is True
    notice = study.page.locator('[data-viewport="axial"] .viewport__notice')
    assert "graphics card was reset" in notice.inner_text()
    study.ask("restored")
    study.page.wait_for_selector("html[data-restored]")
    notice.wait_for(state="hidden")
    eventually(lambda: [study.ask("greyAt", *place) for place in places], before)
    assert len(study.ask("shown")) == 2
    watching.allow = ["CONTEXT_LOST", "context lost", "Context Lost"]
    assert watching.left() == []


@pytest.mark.slow
def test_opening_and_closing_twenty_studies_leaves_nothing(
    own: tuple[Study, Watch], site: Site, calibrated: tuple[str, Any], imported_study: str, tmp_path: Path
) -> None:
    """Three studies in turn on one page: leaving the page would let the browser itself take everything away."""
    from recon_engine.phantoms import write_phantom

    study, _ = own
    write_phantom(tmp_path, "sphere", spacing_mm=3.5)
    studies = [imported_study, imported(site, tmp_path), calibrated[0]]
    session = study.page.context.new_cdp_session(study.page)

    def memory() -> tuple[float, float]:
        """Bytes of objects, and of the arrays behind them, where the voxels are."""
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        used = session.send("Runtime.getHeapUsage")
        return used["usedSize"], used["backingStorageSize"]

    study.ask("cycle", studies)
    before = memory()
    held, came = study.ask("cycle", studies * 6)
    assert [one.endswith(" 0") for one in came[:3]] == [False, True, False]
    assert len(set(came)) == 3
    assert len(held) + 3 >= 20
    assert all(one == held[0] for one in held), held
    # Six times the calibrated volume's voxels and labels would be 29 MB; a few slabs on their way are not.
    objects, arrays = (now - then for now, then in zip(memory(), before, strict=True))
    assert objects < 4e6
    assert arrays < 8e6
    assert len(study.page.workers) == 1


def test_a_corrupt_chunk_is_fetched_again_then_named(own: tuple[Study, Watch]) -> None:
    study, _ = own
    page = study.page
    spoiled: list[str] = []

    def spoil(route: Any) -> None:
        answer = route.fetch()
        body = bytearray(answer.body())
        body[1000] ^= 255
        route.fulfill(response=answer, body=bytes(body))
        spoiled.append(route.request.headers["range"])

    page.route("**/voxels/", answered(spoil))
    study.ask("reopen")
    notice = page.locator('[data-viewport="axial"] .viewport__notice')
    notice.wait_for()

    def named() -> list[int]:
        """Slices that the notice says are missing."""
        ranges = re.findall(r"(\d+)(?: to (\d+))?", notice.inner_text().split("did not arrive")[0])
        return sorted(number for first, last in ranges for number in range(int(first), int(last or first) + 1))

    eventually(named, list(range(1, 82)))
    # Three tries each, then it is given up; one that the browser itself broke off was a try, too.
    assert max(spoiled.count(one) for one in spoiled) == 3
    page.unroute("**/voxels/")
    notice.get_by_role("button", name="Retry").click()
    page.wait_for_selector("html[data-whole]")
    notice.wait_for(state="hidden")


def small_machine(open_as: Callable[..., Any], study: str, script: str) -> Study:
    page = open_as("reader", "/", (1280, 720))
    page.add_init_script(script)
    page.goto(f"/studies/{study}/")
    opened = Study(page).teach(QUESTIONS)
    page.wait_for_selector("html[data-slices]")
    return opened


def check_slices(study: Study, phantom: Any) -> None:
    """Scroll, window and readout on server-made slices, by real hands, against the phantom."""
    assert study.slice("axial") == 41
    assert "Server-made slices" in study.corner("axial", "top-left")
    water, bead = ([float(v) for v in phantom.points_mm[name]] for name in ("Water", "Bead 1"))
    water[0] += 5  # beside the line of the sagittal plane
    eventually(lambda: study.ask("paintedAt", "axial", water)[0] > 0, True)
    # Bone and skin are outlined and filled here, too; without the fill the water is grey.
    eventually(lambda: study.ask("outlined", "axial"), [1, 2])
    eventually(lambda: len(set(study.ask("paintedAt", "axial", water)[:3])) > 1, True)
    study.page.get_by_label("Fill of the outlines").fill("0")
    # Soft tissue, W 400 L 40: water is (0 + 160) / 400 of white.
    eventually(lambda: abs(study.ask("paintedAt", "axial", water)[0] - 102) <= 2, True)
    study.page.keyboard.press("4")
    # Bone, W 2500 L 480: (0 + 770) / 2500 of white.
    eventually(lambda: abs(study.ask("paintedAt", "axial", water)[0] - 78.5) <= 2, True)
    study.page.keyboard.press("x")
    study.page.mouse.click(*study.pixel("axial", bead))
    study.page.mouse.move(*study.pixel("coronal", bead))
    # A bead is too small to be a bone: it belongs to what is round it.
    eventually(lambda: "1,500 HU · Skin" in study.corner("coronal", "bottom-right"), True)
    before = study.slice("coronal")
    study.page.mouse.wheel(0, 100)
    eventually(lambda: study.slice("coronal"), before + 1)
    voxels = "performance.getEntriesByType('resource').filter((one) => one.name.includes('/voxels/')).length"
    assert study.page.evaluate(voxels) == 0


def test_the_limit_of_memory_is_set_in_the_settings(open_as: Callable[..., Any]) -> None:
    page = open_as("reader", "/settings/", (1280, 720))
    field = page.get_by_label("Memory for one volume")
    assert field.locator("option:checked").inner_text().startswith("Automatic")
    kept = "localStorage.getItem('lamina.volumeMemoryMib')"
    field.select_option(label="None: always server-made slices")
    page.get_by_text("Saved.").wait_for()
    assert page.evaluate(kept) == "0"
    page.reload()
    eventually(lambda: field.locator("option:checked").inner_text(), "None: always server-made slices")
    field.select_option(value="")
    eventually(lambda: page.evaluate(kept), None)


def test_a_small_memory_gets_server_made_slices(open_as: Callable[..., Any], calibrated: tuple[str, Any]) -> None:
    study = small_machine(open_as, calibrated[0], "localStorage.setItem('lamina.volumeMemoryMib', '4')")
    banner = study.page.locator("#banners .banner").filter(has_text="server-made slices")
    assert "this page may take 4" in spaces(banner.inner_text())
    check_slices(study, calibrated[1])
    banner.get_by_role("button", name="Load the volume anyway").click()
    study.page.wait_for_selector("html[data-whole]")
    banner.wait_for(state="detached")


def test_a_browser_without_webgl2_gets_server_made_slices(
    open_as: Callable[..., Any], calibrated: tuple[str, Any]
) -> None:
    without = """
    const real = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
      return kind === "webgl2" ? null : real.call(this, kind, ...more);
    };"""
    study = small_machine(open_as, calibrated[0], without)
    assert "this browser has no WebGL2" in study.page.locator("#banners").inner_text()
    check_slices(study, calibrated[1])
