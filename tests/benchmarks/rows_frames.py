"""Frames per second of the 3D pane while it turns, beside a plain three.js page with the same mesh, in one browser.

Both draw 640 x 480 without antialias, turn by turn in the same page, and every frame is waited for by reading a pixel
back. The cheaper level that stands in while the camera moves is part of Lamina's side; `frames_whole` is without it.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.inputs import is_small

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
ROUNDS = 7
LEAST_FRAMES, LEAST_RATIO = 5.0, 0.9
GOALS = {"ours": ">= 0.9 of the plain page, >= 5 frames/s", "whole": ">= 0.9 of the plain page"}

PAGE = """<!doctype html><title>frames</title><script type="importmap">{"imports": {
"three": "/vendor/three-VERSION/build/three.module.min.js",
"three/addons/": "/vendor/three-VERSION/examples/jsm/"}}</script>
<style>body{margin:0} #host{position:relative;width:640px;height:480px} #host *{width:100%;height:100%;display:block}
#host .stage-canvas{position:absolute}</style>
<div id="host"><section id="pane"></section></div><canvas id="lines"></canvas><canvas id="plain"></canvas>"""

MEASURE = """async ([rounds, rings]) => {
  const three = await import("three");
  const { Stage } = await import("/static/lamina/scene/stage.js");
  const { SpaceViewport } = await import("/static/lamina/scene/space-viewport.js");
  const { Surfaces } = await import("/static/lamina/scene/surfaces.js");
  const { surfaceMaterial } = await import("/static/lamina/scene/surface-material.js");
  const host = document.querySelector("#host");
  // A ball with waves: triangles of the size that surfaces have, and folds that hide each other.
  const geometry = new three.SphereGeometry(100, rings * 2, rings);
  const places = geometry.getAttribute("position");
  const point = new three.Vector3();
  for (let at = 0; at < places.count; at++) {
    point.fromBufferAttribute(places, at);
    point.multiplyScalar(1 + 0.08 * Math.sin(point.x / 7) * Math.sin(point.y / 9) * Math.sin(point.z / 8));
    places.setXYZ(at, point.x, point.y, point.z);
  }
  geometry.computeVertexNormals();
  geometry.computeBoundingBox();
  geometry.computeBoundingSphere();
  const triangles = geometry.getIndex().count / 3;

  const stage = new Stage(host);
  const space = new SpaceViewport(stage, document.querySelector("#pane"), document.querySelector("#lines"));
  space.reach = 110;
  const mesh = new three.Mesh(geometry.clone(), surfaceMaterial("#E9E4D6"));
  mesh.userData.segment = 1;
  mesh.geometry.computeBoundingBox();
  mesh.geometry.computeBoundingSphere();
  const surfaces = new Surfaces(new Map([[1, mesh]]));
  space.addSurfaces(surfaces);
  space.setLooks({ 1: { shown: true, opacity: 1, colour: "#E9E4D6" } }, null);
  const orbit = { target: [0, 0, 0], azimuth: 0, elevation: 10, distance: 520 };
  for (let wait = 0; wait < 200 && stage.software && !mesh.userData.light; wait++)
    await new Promise((done) => setTimeout(done, 50));
  const light = mesh.userData.light ?? null;
  // The first picture is drawn when its shaders are ready.
  space.stand(orbit);
  await stage.settled();

  const renderer = new three.WebGLRenderer({ canvas: document.querySelector("#plain"), antialias: false });
  renderer.setSize(640, 480, false);
  const scene = new three.Scene();
  const camera = new three.PerspectiveCamera(28, 640 / 480, 10, 2000);
  camera.up.set(0, 0, 1);
  const lamp = new three.DirectionalLight(0xffffff, 2.5);
  scene.add(camera, new three.AmbientLight(0xffffff, 0.6));
  camera.add(lamp);
  scene.add(new three.Mesh(geometry, new three.MeshLambertMaterial({ color: 0xe9e4d6, side: three.DoubleSide })));

  const seen = new Uint8Array(4 * 640);
  const finish = (gl) => gl.readPixels(0, 240, 640, 1, gl.RGBA, gl.UNSIGNED_BYTE, seen);
  const width = () => seen.reduce((sum, value, at) => sum + (at % 4 === 0 && value > 12 ? 1 : 0), 0);
  let turn = 0;
  const ours = () => {
    space.stand({ ...orbit, azimuth: (turn += 7) });
    stage.render();
    finish(stage.renderer.getContext());
  };
  const whole = () => {
    mesh.userData.light = undefined;
    ours();
    mesh.userData.light = light;
  };
  const plain = () => {
    const angle = ((turn += 7) * Math.PI) / 180;
    camera.position.set(512 * Math.sin(angle), -512 * Math.cos(angle), 90);
    camera.lookAt(0, 0, 0);
    renderer.render(scene, camera);
    finish(renderer.getContext());
  };
  const time = (frame) => {
    frame();
    const started = performance.now();
    for (let at = 0; at < 4; at++) frame();
    return (performance.now() - started) / 4;
  };
  const found = { ours: [], whole: [], plain: [], widths: {}, triangles, software: stage.software,
    light: (light?.getIndex().count ?? 0) / 3, version: three.REVISION };
  for (let round = 0; round < rounds; round++) {
    for (const [name, frame] of Object.entries({ ours, whole, plain })) {
      found[name].push(time(frame));
      found.widths[name] = width();
    }
  }
  return found;
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_words: Any) -> None:
        return

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        version = next(FRONTEND.glob("vendor/three-*")).name.removeprefix("three-")
        body = PAGE.replace("VERSION", version).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def served() -> Iterator[str]:
    """The front end's files and one empty page, on loopback."""
    handler = functools.partial(_Quiet, directory=str(FRONTEND))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def measured() -> dict[str, Any]:
    """ms per frame of each side, the width of the picture in px, triangles."""
    from playwright.sync_api import sync_playwright

    from tests.e2e.conftest import ARGUMENTS, chromium

    program = chromium()
    if program is None:
        raise RuntimeError("no Chromium here")
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1000, "height": 1200})
        page.goto(url)
        # Rings of twice as many: 2 x 2 x rings x rings triangles.
        found = page.evaluate(MEASURE, [2 if is_small() else ROUNDS, 40 if is_small() else 224])
        browser.close()
    return found


def frames() -> list[dict[str, Any]]:
    found = measured()
    plain = statistics.median(found["plain"])
    rows = []
    for name, what in (
        ("ours", "ms per frame while it turns, 640 x 480, no antialias, {triangles:,} triangles ({light:,} stand in)"),
        ("whole", "the same with all {triangles:,} triangles in every frame"),
    ):
        own = statistics.median(found[name])
        # Ratio of this round's neighbours, then the middle one: what else the machine does hits both.
        ratio = statistics.median(p / o for p, o in zip(found["plain"], found[name], strict=True))
        rate = 1000 / own
        same = abs(found["widths"][name] - found["widths"]["plain"]) <= 12
        good = same and ratio >= LEAST_RATIO and (name == "whole" or rate >= LEAST_FRAMES)
        rows.append({
            "name": "frames_moving" if name == "ours" else "frames_whole",
            "what": what.format(triangles=round(found["triangles"]), light=round(found["light"])),
            "ours_cpu_s": None, "ours_wall_s": own / 1000, "ours_peak_mib": None,
            "peer": "three.js, MeshLambertMaterial", "peer_version": f"r{found['version']}", "peer_cpu_s": None,
            "repeats": len(found[name]), "spread": (max(found[name]) - min(found[name])) / own, "ratio": ratio,
            "goal": GOALS[name], "within_goal": good,
            "reason": f"{rate:.1f} frames/s, plain {1000 / plain:.1f}" + "; software GL" * found["software"]
            + ("" if same else "; the pictures differ in width"),
            "inputs_sha256": hashlib.sha256(MEASURE.encode()).hexdigest(),
        })  # fmt: skip
    return rows


ROWS = {"frames": frames}
