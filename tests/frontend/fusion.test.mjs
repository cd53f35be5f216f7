// Colours of an overlay, its place in the frame below, the cine's order, and what the parts of the state keep.

import assert from "node:assert/strict";
import test from "node:test";

import { cineNext } from "../../frontend/static/lamina/geometry/cine.js";
import { MAPS, colourAt, coloursOf, shareAt } from "../../frontend/static/lamina/geometry/colours.js";
import { phasesOf } from "../../frontend/static/lamina/geometry/phases.js";
import { invertAffine, multiplyAffine } from "../../frontend/static/lamina/geometry/vectors.js";
import { toIndex, toMm, volumeGeometry } from "../../frontend/static/lamina/geometry/volume.js";
import { initialFusion, reduceFusion } from "../../frontend/static/lamina/state/fusion.js";
import { initialPlanes, reducePlanes } from "../../frontend/static/lamina/state/planes.js";

test("the PET map goes from black through red, orange and yellow to white", () => {
  assert.deepEqual(colourAt("pet", 0), [0, 0, 0]);
  assert.deepEqual(colourAt("pet", 0.5), [0xf0, 0x84, 0x18]);
  assert.deepEqual(colourAt("pet", 0.75), [0xfe, 0xee, 0x3e]);
  assert.deepEqual(colourAt("pet", 2), [255, 255, 255]);
  assert.deepEqual(colourAt("grey", 0.5), [128, 128, 128]);
  assert.deepEqual(colourAt("grey-inverted", 0), [255, 255, 255]);
});

test("every map that is not inverted grows lighter from end to end", () => {
  const light = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  for (const map of MAPS.filter((name) => name !== "grey-inverted")) {
    const bytes = coloursOf(map);
    assert.equal(bytes.length, 1024);
    for (let at = 1; at < 256; at++) assert.ok(light([...bytes.slice(4 * at, 4 * at + 3)]) >= light([...bytes.slice(4 * at - 4, 4 * at - 1)]) - 0.6, `${map} ${at}`);
  }
});

test("low values fade out where they should let the picture below through", () => {
  assert.deepEqual([shareAt(0, 0.72, true), shareAt(0.25, 0.72, true), shareAt(0.9, 0.72, true), shareAt(0, 0.72, false)], [0, 0.36, 0.72, 0.72]);
});

test("a transform carries the series on top into the frame below", () => {
  const affine = [[0, 0, 4, -30], [0, 4, 0, -30], [4, 0, 0, -20], [0, 0, 0, 1]];
  // Turned by 90 degrees about the patient's z and moved by 5 mm to the left.
  const matrix = [[0, -1, 0, 5], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];
  const placed = volumeGeometry({ shape: [11, 16, 16], affine: multiplyAffine(matrix, affine), spacing_mm: [4, 4, 4] });
  const alone = volumeGeometry({ shape: [11, 16, 16], affine, spacing_mm: [4, 4, 4] });
  const [x, y, z] = toMm(alone, [2, 3, 4]);
  assert.deepEqual(toMm(placed, [2, 3, 4]), [-y + 5, x, z]);
  toIndex(placed, [-y + 5, x, z]).forEach((value, axis) => assert.ok(Math.abs(value - [2, 3, 4][axis]) < 1e-9));
  multiplyAffine(matrix, invertAffine(matrix)).forEach((row, at) => row.forEach((value, to) => assert.ok(Math.abs(value - (at === to ? 1 : 0)) < 1e-12)));
});

test("the cine goes round, or to and fro without showing an end twice", () => {
  const run = (bounce, steps) => {
    const seen = [];
    let [at, way] = [2, 1];
    for (let step = 0; step < steps; step++) {
      ({ at, way } = cineNext(at, 4, way, bounce));
      seen.push(at);
    }
    return seen;
  };
  assert.deepEqual(run(false, 5), [3, 0, 1, 2, 3]);
  assert.deepEqual(run(true, 7), [3, 2, 1, 0, 1, 2, 3]);
  assert.deepEqual(cineNext(0, 1, 1, true), { at: 0, way: 1 });
});

test("choosing a PET takes its usual look; another series of the study starts without fusion", () => {
  let state = reduceFusion(initialFusion(), { type: "fusion.chosen", seriesId: "a", modality: "PT" });
  assert.deepEqual([state.map, state.opacity, state.seeThrough], ["pet", 0.72, true]);
  state = reduceFusion(state, { type: "fusion.set", values: { mode: "swipe", place: 0.3 } });
  assert.deepEqual([state.mode, state.place, state.seriesId], ["swipe", 0.3, "a"]);
  assert.throws(() => reduceFusion(state, { type: "fusion.set", values: { seriesId: "b" } }), TypeError);
  assert.equal(reduceFusion(state, { type: "view.series", seriesId: "c" }).seriesId, null);
});

test("planes that are put back leave nothing in the state", () => {
  const of = (state, ...actions) => actions.reduce(reducePlanes, state);
  const slab = { mode: "max", mm: 10 };
  const state = of(initialPlanes(), { type: "view.series", seriesId: "a" }, { type: "planes.slab", planes: ["axial", "coronal"], slab },
    { type: "planes.turn", plane: "axial", turn: { turn: 1, mirrored: false } });
  assert.deepEqual(state.slabs, { axial: slab, coronal: slab });
  const back = of(state, { type: "planes.slab", planes: ["axial", "coronal"], slab: { mode: "max", mm: 0 } }, { type: "planes.turn", plane: "axial", turn: { turn: 0, mirrored: false } });
  assert.deepEqual([back.turns, back.slabs, back.tilts], [{}, {}, {}]);
  assert.deepEqual(of(state, { type: "view.reset" }).turns, {});
});

test("phases are series of one modality, frame and grid, in the order of their numbers", () => {
  const affine = [[0, 0, 1, 0], [0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]];
  const of = (id, number, change = {}) => ({ id, number, modality: "MR", frame_of_reference_uid: "1.2", volume: { shape: [4, 5, 6], affine, ...change.volume }, ...change.series });
  const [a, b, c] = [of("a", 3), of("b", 1), of("c", 2)];
  const shifted = affine.map((row) => row.slice());
  shifted[2][3] = 0.5;
  const others = [
    of("moved", 4, { volume: { affine: shifted } }), of("finer", 5, { volume: { shape: [8, 5, 6] } }),
    of("ct", 6, { series: { modality: "CT" } }), of("elsewhere", 7, { series: { frame_of_reference_uid: "9.9" } }), of("picture", 8, { series: { volume: null } }),
  ];
  assert.deepEqual(phasesOf(a, [a, ...others, b, c]).map((one) => one.id), ["b", "c", "a"]);
  assert.deepEqual(phasesOf(a, [a, ...others]), []);
  const unplaced = of("x", 1, { series: { frame_of_reference_uid: null } });
  assert.deepEqual(phasesOf(unplaced, [unplaced, of("y", 2, { series: { frame_of_reference_uid: null } })]), []);
});
