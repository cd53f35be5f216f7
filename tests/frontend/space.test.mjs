// The 3D's maths against known truth: transfer functions, empty bricks, cut faces, cheaper surfaces, the clipping box.

import assert from "node:assert/strict";
import test from "node:test";

import { axisLetters, boxCorners, boxFaces, facePosition } from "../../frontend/static/lamina/geometry/clipping.js";
import { clusteredIndex, surfaceArea } from "../../frontend/static/lamina/geometry/cluster.js";
import { countSlices, emptyBricks, leaps } from "../../frontend/static/lamina/geometry/occupancy.js";
import { isKept } from "../../frontend/static/lamina/geometry/picking.js";
import { planesOf } from "../../frontend/static/lamina/geometry/planes.js";
import { flatRing, nested, ringArea, sectionRings, spanOf } from "../../frontend/static/lamina/geometry/section.js";
import { addedPoint, histogram, movedPoint, removedPoint, transferAt, transferPresets, transferTable, visibleBetween } from "../../frontend/static/lamina/geometry/transfer.js";
import { normalise } from "../../frontend/static/lamina/geometry/vectors.js";
import { volumeGeometry } from "../../frontend/static/lamina/geometry/volume.js";
import { initialSpace, movedFace, reduceSpace, wholeBox } from "../../frontend/static/lamina/state/space.js";

const near = (actual, expected, within, what = "") => assert.ok(Math.abs(actual - expected) <= within, `${what} ${actual} is not ${expected} ± ${within}`);

/** A closed ball of triangles, outward; `holed` turns it inside out. */
function ball(radius, rings, [cx, cy, cz] = [0, 0, 0], holed = false) {
  const positions = [cx, cy, cz + radius];
  const around = rings * 2;
  for (let ring = 1; ring < rings; ring++) {
    const tilt = (ring / rings) * Math.PI;
    for (let at = 0; at < around; at++) {
      const turn = (at / around) * 2 * Math.PI;
      positions.push(cx + radius * Math.sin(tilt) * Math.cos(turn), cy + radius * Math.sin(tilt) * Math.sin(turn), cz + radius * Math.cos(tilt));
    }
  }
  positions.push(cx, cy, cz - radius);
  const last = positions.length / 3 - 1;
  const index = [];
  const at = (ring, place) => 1 + (ring - 1) * around + (place % around);
  for (let place = 0; place < around; place++) {
    index.push(0, at(1, place), at(1, place + 1));
    for (let ring = 1; ring < rings - 1; ring++) {
      index.push(at(ring, place), at(ring + 1, place), at(ring + 1, place + 1));
      index.push(at(ring, place), at(ring + 1, place + 1), at(ring, place + 1));
    }
    index.push(at(rings - 1, place), last, at(rings - 1, place + 1));
  }
  if (holed) for (let from = 0; from < index.length; from += 3) [index[from], index[from + 1]] = [index[from + 1], index[from]];
  return { positions: Float32Array.from(positions), index };
}

test("a transfer function is straight between its points and goes on beyond the outer ones", () => {
  const points = [{ value: 0, colour: "#000000", opacity: 0 }, { value: 100, colour: "#ff8000", opacity: 0.5 }];
  assert.deepEqual(transferAt(points, 50), { value: 50, colour: "#804000", opacity: 0.25 });
  assert.equal(transferAt(points, 400).opacity, 0.5);
  const made = transferTable(points, 101);
  assert.deepEqual([...made.table.slice(50 * 4, 50 * 4 + 4)], [128, 64, 0, 64]);
  assert.deepEqual([made.low, made.high], [0, 100]);
});

test("points keep their order when they are moved, and two always stay", () => {
  const points = [{ value: 0, colour: "#000000", opacity: 0 }, { value: 50, colour: "#808080", opacity: 0.2 }, { value: 100, colour: "#ffffff", opacity: 1 }];
  const range = { low: -100, high: 300 };
  assert.ok(movedPoint(points, 1, { value: 900 }, range)[1].value < 100);
  assert.equal(movedPoint(points, 0, { value: -900, opacity: 7 }, range)[0].value, -100);
  assert.equal(movedPoint(points, 0, { opacity: 7 }, range)[0].opacity, 1);
  const more = addedPoint(points, 75);
  assert.deepEqual(more.map(({ value }) => value), [0, 50, 75, 100]);
  for (const value of [10, 60, 75, 99]) near(transferAt(more, value).opacity, transferAt(points, value).opacity, 1e-9);
  assert.equal(removedPoint(points, 1).length, 2);
  assert.equal(removedPoint(removedPoint(points, 1), 0).length, 2);
});

test("every modality has presets, ordered, invisible at their low end", () => {
  const volume = { unit: "HU", automatic_window: [400, 300], value_range: [-1024, 2000] };
  for (const [modality, count] of [["CT", 4], ["PT", 1], ["MR", 2]]) {
    const presets = transferPresets(modality, volume);
    assert.equal(presets.length, count);
    for (const { points } of presets) {
      assert.equal(points[0].opacity, 0);
      points.slice(1).forEach((point, at) => assert.ok(point.value > points[at].value));
    }
  }
  assert.equal(transferPresets("PT", { ...volume, unit: "SUV" })[0].points.at(-1).value, 8);
  assert.equal(transferPresets("PT", volume)[0].style, "brightest");
});

test("bricks know their values and one voxel beyond; leaps are the exact distance to what can be seen", () => {
  const shape = [40, 33, 50];
  const voxels = new Int16Array(40 * 33 * 50);
  voxels[(20 * 33 + 15) * 50 + 31] = 700;
  const bricks = emptyBricks(shape);
  assert.deepEqual(bricks.shape, [5, 5, 7]);
  for (let first = 0; first < 40; first += 7) countSlices(bricks, voxels, shape, first, first + 7);
  const visible = visibleBetween(transferTable([{ value: 600, colour: "#ffffff", opacity: 0 }, { value: 650, colour: "#ffffff", opacity: 1 }]));
  const far = leaps(bricks, visible);
  // j 15 and i 31 lie at the far edge of their bricks: the neighbours reach over them.
  const seen = [[2, 1, 3], [2, 2, 3], [2, 1, 4], [2, 2, 4]];
  for (let k = 0; k < 5; k++) {
    for (let j = 0; j < 5; j++) {
      for (let i = 0; i < 7; i++) {
        const truth = Math.min(...seen.map(([a, b, c]) => Math.max(Math.abs(a - k), Math.abs(b - j), Math.abs(c - i))));
        assert.equal(far[(k * 5 + j) * 7 + i], truth);
      }
    }
  }
  assert.equal(visible(-1000, 599), false);
  assert.equal(visible(-1000, 601), true);
});

test("a histogram counts every value once", () => {
  const heights = histogram(Int16Array.from({ length: 1000 }, (_, at) => (at < 900 ? 0 : 5)), { slope: 2, intercept: -1 }, { low: -2, high: 10 }, 12);
  assert.equal(heights[1], 1);
  near(heights[11], Math.log1p(100) / Math.log1p(900), 1e-6);
  assert.equal(heights.filter((height) => height > 0).length, 2);
});

test("a plane through a ball leaves a disc of known area, a hollow one a ring", () => {
  const { positions, index } = ball(30, 64);
  const normal = normalise([1, 2, -0.5]);
  const rings = sectionRings(positions, index, { normal, constant: 10 });
  assert.equal(rings.length, 1);
  const flat = flatRing(rings[0], spanOf(normal));
  near(Math.abs(ringArea(flat)), Math.PI * (30 ** 2 - 10 ** 2), 8);

  const hole = ball(12, 48, [3, 0, 0], true);
  const both = Float32Array.from([...positions, ...hole.positions]);
  const shell = [...index, ...hole.index.map((one) => one + positions.length / 3)];
  const cut = sectionRings(both, shell, { normal: [0, 0, 1], constant: 0.01 }).map((ring) => flatRing(ring, spanOf([0, 0, 1])));
  const [face, ...others] = nested(cut);
  assert.equal(others.length, 0);
  assert.equal(face.holes.length, 1);
  near(Math.abs(cut.reduce((sum, ring) => sum + ringArea(ring), 0)), Math.PI * (30 ** 2 - 12 ** 2), 8);
  assert.equal(sectionRings(positions, index, { normal: [0, 0, 1], constant: 40 }).length, 0);
});

test("a cheaper surface keeps the form", () => {
  const { positions, index } = ball(30, 120);
  const light = clusteredIndex(positions, index, 3000);
  assert.ok(light.length / 3 < 4500 && light.length / 3 > 1500, `${light.length / 3}`);
  near(surfaceArea(positions, light) / (4 * Math.PI * 30 ** 2), 1, 0.03);
  assert.deepEqual([...clusteredIndex(positions, index, 1e9)], index);
});

test("the box cuts at the known millimetre, whatever way the volume is stored", () => {
  // k runs to the feet, i to the right: both are turned in the letters.
  const geometry = volumeGeometry({ shape: [10, 20, 40], spacing_mm: [3, 2, 1], affine: [[0, 0, -1, 20], [0, 2, 0, -20], [-3, 0, 0, 15], [0, 0, 0, 1]] });
  const planes = planesOf(geometry);
  assert.deepEqual(["axial", "coronal", "sagittal"].map((name) => axisLetters(planes[name])), [["S", "I"], ["A", "P"], ["L", "R"]]);
  assert.equal(boxFaces(geometry, planes, wholeBox()).length, 0);
  const box = movedFace(movedFace(wholeBox(), "axial", 0, 0.5), "sagittal", 1, 0.25);
  const faces = boxFaces(geometry, planes, box);
  assert.equal(faces.length, 2);
  // Half of 30 mm from the upper edge at S 16.5: S 1.5; a quarter of 40 mm from the left edge at L 20.5: L 10.5.
  assert.deepEqual([[0, 0, 1.4], [0, 0, 1.6]].map((point) => isKept(faces[0], point)), [true, false]);
  assert.deepEqual([[10.6, 0, 0], [10.4, 0, 0]].map((point) => isKept(faces[1], point)), [true, false]);
  const text = (plane, share) => facePosition(geometry, planes[plane], share, (value) => `${value.toFixed(1)} mm`, " ");
  assert.deepEqual([text("axial", 0.5), text("sagittal", 0.25)], ["S 1.5 mm", "L 10.5 mm"]);
  assert.deepEqual(boxCorners(geometry, planes, wholeBox())[0], [20.5, -21, 16.5]);
});

test("a face stops before the opposite one; another series starts without a box", () => {
  const box = movedFace(movedFace(wholeBox(), "axial", 1, 0.3), "axial", 0, 0.9);
  assert.ok(box.axial[0] < box.axial[1]);
  const shown = reduceSpace(initialSpace(), { type: "space.set", values: { box } });
  assert.equal(reduceSpace(shown, { type: "view.series" }).box, null);
  assert.equal(reduceSpace(shown, { type: "other" }), shown);
  assert.equal(reduceSpace(shown, { type: "space.volume", look: { surfaces: true } }), shown);
});
