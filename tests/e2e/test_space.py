"""The 3D pane beyond the surfaces: the volume itself, the clipping box, cut faces, see-through surfaces in order."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.e2e.viewer import Study, eventually, spaces

TEACH = """{
  // Lit pixels in a row and a column through a pixel of the 3D: [left, right, top, bottom], px beside it.
  litAround: (room, [x, y]) => {
    const { canvas, host, renderer } = room.stage;
    const box = room.frames.surfaces.element.getBoundingClientRect();
    const base = host.getBoundingClientRect();
    const ratio = renderer.getPixelRatio();
    const flat = document.createElement("canvas");
    flat.width = Math.round(box.width);
    flat.height = Math.round(box.height);
    const context = flat.getContext("2d");
    context.drawImage(canvas, (box.left - base.left) * ratio, (box.top - base.top) * ratio, box.width * ratio,
      box.height * ratio, 0, 0, flat.width, flat.height);
    const { data } = context.getImageData(0, 0, flat.width, flat.height);
    const lit = (px, py) => {
      const at = (Math.round(py) * flat.width + Math.round(px)) * 4;
      return data[at] + data[at + 1] + data[at + 2] > 60;
    };
    return [[-1, 0], [1, 0], [0, -1], [0, 1]].map(([dx, dy]) => {
      let far = 0;
      while (far < 400 && lit(x + dx * (far + 1), y + dy * (far + 1))) far += 1;
      return far;
    });
  },
  sharp: (room) => {
    const { picture, moving, volumeRendering } = room.session.space;
    return !moving && volumeRendering !== null && picture.strips === picture.stripCount;
  },
  caps: (room) => room.session.space.caps.caps.map(({ segment, area }) => [segment, area]),
  volumeState: (room) => room.store.get().space.volume,
  boxState: (room) => room.store.get().space.box,
  notes: (room) => {
    const note = room.frames.surfaces.element.querySelector(".space-note");
    window.__notes = new Set([note.textContent]);
    new MutationObserver(() => window.__notes.add(note.textContent)).observe(note, { childList: true });
  },
  notesSeen: () => [...window.__notes],
  // Two see-through rectangles that go through each other, seen from the front: the colours left and right of the line
  // where they meet, and the same with their order in the scene turned round.
  crossing: async (room) => {
    const { space, surfaces } = room.session;
    const meshes = [...surfaces.meshes.values()];
    const before = meshes.map(({ geometry, position }) => ({ geometry, position: position.clone() }));
    const { geometry: { constructor: Geometry, attributes: { position: { constructor: Attribute } } } } = meshes[0];
    const put = (mesh, slope) => {
      const made = new Geometry();
      made.setAttribute("position", new Attribute(
        Float32Array.from([-40, -40 * slope, -30, 40, 40 * slope, -30, 40, 40 * slope, 30, -40, -40 * slope, 30]), 3));
      made.setIndex([0, 1, 2, 0, 2, 3]);
      made.computeVertexNormals();
      made.computeBoundingBox();
      made.computeBoundingSphere();
      mesh.geometry = made;
      mesh.position.set(0, 0, 0);
    };
    // The first comes nearer on the left (its y falls to the front there), the second on the right.
    put(meshes[0], 0.8);
    put(meshes[1], -0.8);
    const look = (colour) => ({ shown: true, opacity: 0.6, colour });
    const [one, two] = [...surfaces.meshes.keys()];
    space.setLooks({ [one]: look("#ff0000"), [two]: look("#0000ff") }, null);
    space.stand({ ...space.orbit, target: [0, 0, 0], azimuth: 0, elevation: 0, distance: 300 });
    const { canvas, host, renderer } = room.stage;
    const read = async () => {
      while (space.moving) await new Promise((done) => setTimeout(done, 20));
      space.invalidate();
      await room.stage.settled();
      room.stage.render();
      const box = room.frames.surfaces.element.getBoundingClientRect();
      const base = host.getBoundingClientRect();
      const ratio = renderer.getPixelRatio();
      const flat = document.createElement("canvas");
      flat.width = flat.height = 1;
      const context = flat.getContext("2d", { willReadFrequently: true });
      return [[-20, 0, 10], [20, 0, 10]].map((point) => {
        const [x, y] = space.pixelOf(point);
        const [left, top] = [(box.left - base.left + x) * ratio, (box.top - base.top + y) * ratio];
        context.drawImage(canvas, left, top, 1, 1, 0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
      });
    };
    const first = await read();
    surfaces.group.children.reverse();
    const turned = await read();
    surfaces.group.children.reverse();
    meshes.forEach((mesh, at) => {
      mesh.geometry.dispose();
      mesh.geometry = before[at].geometry;
      mesh.position.copy(before[at].position);
    });
    const { segments, lit } = room.store.get().view;
    space.setLooks(segments, lit);
    return { first, turned };
  },
  held: async (room) => {
    const { id } = room.session.series;
    room.closeSeries();
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    const memory = room.stage.memory();
    delete document.documentElement.dataset.surfaces;
    delete document.documentElement.dataset.whole;
    room.openSeries(id);
    const open = () => document.documentElement.dataset;
    while (!open().surfaces || !open().whole) await new Promise((done) => setTimeout(done, 20));
    return memory;
  },
}"""


@pytest.fixture
def space(study: Study) -> Study:
    """The calibrated phantom with a large 3D pane, seen from the front."""
    study.teach(TEACH)
    study.page.locator('[data-layout="3d"]').first.click()
    study.ask("settled")
    return study


def card(study: Study, act: str, *choices: str) -> None:
    """Open a card of the pane, unless it is open, and press what is named in it, unless it unfolds and is unfolded."""
    button = study.page.locator(f'.pane-tools [data-act="{act}"]')
    if button.get_attribute("aria-expanded") != "true":
        button.click()
    for choice in choices:
        chosen = study.page.locator(f".pane-card {choice}")
        if chosen.get_attribute("aria-expanded") != "true":  # another test on this page may have left it open
            chosen.click()


def closed(study: Study) -> None:
    for button in study.page.locator('.pane-tools [aria-expanded="true"]').all():
        button.click()


def drag(study: Study, start: tuple[float, float], end: tuple[float, float]) -> None:
    study.page.mouse.move(*start)
    study.page.mouse.down()
    study.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=2)
    study.page.mouse.move(*end, steps=2)
    study.page.mouse.up()


def test_volume_rendering_shows_the_ball_at_its_known_size(space: Study, calibrated: tuple[str, Any]) -> None:
    x, y, z = calibrated[1].points_mm["Bone"]
    space.ask("notes")
    card(space, "volume", '[data-preset="volume-bone"]')
    closed(space)
    eventually(lambda: space.ask("sharp"), True)
    space.ask("settled")
    centre = space.ask("spacePixel", "surfaces", [x, y, z])
    radius = math.dist(space.ask("spacePixel", "surfaces", [x + 9, y, z]), centre)
    assert radius > 15
    # The ball of 9 mm is made of voxels of 1 mm: its edge lies within one of them.
    for reach in space.ask("litAround", centre):
        assert reach == pytest.approx(radius, abs=radius / 9 + 1)
    # The fat ball beside it is not shown by this preset, nor is the water.
    fat = space.ask("spacePixel", "surfaces", list(calibrated[1].points_mm["Fat"]))
    assert space.ask("litAround", fat) == [0, 0, 0, 0]
    eventually(space.page.locator(".space-note").inner_text, "Volume: Bone")


def test_the_volume_is_coarser_while_it_turns_and_says_so(space: Study) -> None:
    card(space, "volume", '[data-preset="volume-vessel"]')
    closed(space)
    space.ask("notes")
    box = space.box("surfaces")
    drag(space, (box["x"] + 200, box["y"] + 300), (box["x"] + 260, box["y"] + 310))
    eventually(lambda: any("coarser while it moves" in note for note in space.ask("notesSeen")), True)
    eventually(lambda: space.ask("sharp"), True)
    eventually(space.page.locator(".space-note").inner_text, "Volume: Vessels")


def test_the_transfer_function_is_changed_by_keys_and_by_dragging(space: Study) -> None:
    card(space, "volume", '[data-preset="volume-bone"]', '[data-act="transfer"]')
    dots = space.page.locator(".transfer__dot")
    eventually(dots.count, 5)
    text = space.page.locator(".transfer__text")
    dots.nth(1).focus()
    eventually(lambda: spaces(text.inner_text()), "230 HU · 16 %")
    slices = [space.slice(name) for name in ("axial", "coronal", "sagittal")]
    # One step is a two hundredth of the 3100 HU shown.
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        space.page.keyboard.press(key)
    eventually(lambda: spaces(text.inner_text()), "261 HU · 25 %")
    assert [space.slice(name) for name in ("axial", "coronal", "sagittal")] == slices
    assert space.ask("volumeState")["preset"] == "own"
    assert space.page.locator('.transfer__dot[data-point="1"]').get_attribute("aria-valuetext")
    space.page.locator('[data-act="add-point"]').click()
    eventually(dots.count, 6)
    space.page.keyboard.press("Delete")
    eventually(dots.count, 5)
    dot = dots.nth(4).bounding_box()
    before = space.ask("volumeState")["points"][4]
    middle = (dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    drag(space, middle, (middle[0] - 30, middle[1] + 20))
    eventually(lambda: space.ask("volumeState")["points"][4]["opacity"] < before["opacity"], True)
    after = space.ask("volumeState")["points"][4]
    width = space.page.locator(".transfer__picture").bounding_box()["width"]
    assert before["value"] - after["value"] == pytest.approx(30 * 300 / width * 3100 / 280, abs=15)
    closed(space)


def test_the_box_is_dragged_to_a_known_millimetre(space: Study) -> None:
    # Wide enough that the card leaves the grip free.
    space.page.set_viewport_size({"width": 1600, "height": 800})
    space.ask("settled")
    card(space, "clip", '[data-act="box"]')
    # The upper face of the volume lies at S 40.5; from the front its grip moves straight down.
    drag(space, space.pixel("surfaces", (0, 0, 40.5)), space.pixel("surfaces", (0, 0, 10)))
    value = space.page.locator('.clip-face:has([data-axis="axial"][data-face="1"]) .clip-face__value')
    eventually(lambda: float(spaces(value.inner_text()).removeprefix("S ").split()[0]), pytest.approx(10, abs=0.5))
    shown = spaces(value.inner_text())
    share = space.ask("boxState")["axial"][1]
    assert -40.5 + 81 * share == pytest.approx(float(shown.split()[1]), abs=0.06)
    # By keyboard, a thousandth of 81 mm at a time.
    space.page.locator('[data-axis="axial"][data-face="1"]').focus()
    space.page.keyboard.press("ArrowLeft")
    eventually(lambda: share - 0.0016 <= space.ask("boxState")["axial"][1] < share, True)
    closed(space)
    # Above the cut nothing is met any more, below it the drum still is.
    before = space.point
    space.page.mouse.click(*space.pixel("surfaces", (0.0, -65.0, 22.0)))
    assert space.point == before
    truth = (20.0, -math.sqrt(65**2 - 400), -10.0)
    space.page.mouse.click(*space.pixel("surfaces", truth))
    eventually(lambda: space.is_near(truth, 1.0), True)


def test_a_cut_body_is_closed_by_a_face_of_the_known_area(space: Study) -> None:
    card(space, "clip", 'button[data-plane="axial"]')
    closed(space)
    # The drum without the air ball in its middle plane: the face has a hole.
    wanted = pytest.approx(math.pi * (65**2 - 9**2), rel=0.01)
    eventually(lambda: max(area for _, area in space.ask("caps")), wanted)
    # Seen from above, a click on the cut face finds the slice the plane lies in.
    card(space, "views", '[data-view="S"]')
    closed(space)
    eventually(lambda: space.ask("resting"), True)
    space.page.mouse.click(*space.pixel("surfaces", (-10.0, 20.0, 0.0)))
    eventually(lambda: space.is_near((-10.0, 20.0, 0.0), 1.0), True)


def test_surfaces_that_go_through_each_other_are_right_on_both_sides(space: Study) -> None:
    seen = space.ask("crossing")
    (left_red, _, left_blue), (right_red, _, right_blue) = seen["first"]
    # 60 % of the nearer colour over 40 % x 60 % of the farther one: nearer is 2.5 times as strong.
    assert left_red > 1.8 * left_blue
    assert right_blue > 1.8 * right_red
    for one, other in zip(seen["first"], seen["turned"], strict=True):
        assert one == pytest.approx(other, abs=2)


def test_leaving_frees_the_volume_the_box_and_the_layers(space: Study) -> None:
    first = space.ask("held")
    space.page.locator('[data-layout="3d"]').first.click()
    card(space, "volume", '[data-preset="volume-bone"]', ".check-line input")
    card(space, "clip", '[data-act="box"]')
    space.page.locator('[data-axis="coronal"][data-face="0"]').focus()
    space.page.keyboard.press("PageUp")
    closed(space)
    eventually(lambda: space.ask("sharp"), True)
    assert space.ask("held") == first
