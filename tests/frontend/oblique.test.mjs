// Turned, mirrored and tilted planes, slabs: pure geometry against answers worked out by hand.

import assert from "node:assert/strict";
import test from "node:test";

import { UNTURNED, UPRIGHT, labelsInPlane, lineOf, rotated, sectionOf, then, tiltDegrees, tiltedPlane, turnAbout, turnBetween, turnedBy, turnedPlane, turnedPosition } from "../../frontend/static/lamina/geometry/oblique.js";
import { edgeLetters } from "../../frontend/static/lamina/geometry/orientation.js";
import { fromPlane, inPlane, onSlice, planesOf, sliceAt } from "../../frontend/static/lamina/geometry/planes.js";
import { projected, slabSamples } from "../../frontend/static/lamina/geometry/slab.js";
import { distance, dot } from "../../frontend/static/lamina/geometry/vectors.js";
import { offsetOf, toMm, volumeGeometry, voxelAt } from "../../frontend/static/lamina/geometry/volume.js";

const close = (a, b, tolerance = 1e-9) => a.forEach((value, at) => assert.ok(Math.abs(value - b[at]) <= tolerance, `${a} is not ${b}`));

// 3 mm slices, 0.5 mm rows, 0.8 mm columns; and a cube of 1 mm voxels round the origin.
const CT = volumeGeometry({ shape: [40, 60, 50], affine: [[0, 0, 0.8, -20], [0, 0.5, 0, -10], [3, 0, 0, 100], [0, 0, 0, 1]], spacing_mm: [3, 0.5, 0.8] });
const CUBE = volumeGeometry({ shape: [41, 41, 41], affine: [[0, 0, 1, -20], [0, 1, 0, -20], [1, 0, 0, -20], [0, 0, 0, 1]], spacing_mm: [1, 1, 1] });

test("a quarter to the right brings the top to the right, and the letters follow", () => {
  const { axial } = planesOf(CT);
  assert.deepEqual(edgeLetters(turnedPlane(axial, { turn: 1, mirrored: false })), { left: "P", right: "A", top: "R", bottom: "L" });
  assert.deepEqual(edgeLetters(turnedPlane(axial, { turn: 0, mirrored: true })), { left: "L", right: "R", top: "A", bottom: "P" });
  const upsideDown = turnedBy(UNTURNED, "along");
  assert.deepEqual(edgeLetters(turnedPlane(axial, upsideDown)), { left: "R", right: "L", top: "P", bottom: "A" });
  const lying = turnedPlane(axial, { turn: 1, mirrored: false });
  assert.deepEqual([lying.width, lying.height, lying.rightAxis, lying.downAxis], [axial.height, axial.width, axial.downAxis, axial.rightAxis]);
});

test("every chain of turns and mirrors does on the screen what its last act says", () => {
  const { coronal } = planesOf(CT);
  const acts = {
    right: ([x, y]) => [-y, x], left: ([x, y]) => [y, -x], across: ([x, y]) => [-x, y], along: ([x, y]) => [x, -y],
  };
  let turned = UNTURNED;
  const point = toMm(CT, [7, 11, 31]);
  for (const act of ["right", "across", "right", "along", "left", "across", "left", "left", "along", "right"]) {
    const before = inPlane(CT, turnedPlane(coronal, turned), point);
    turned = turnedBy(turned, act);
    close(inPlane(CT, turnedPlane(coronal, turned), point), acts[act](before));
    close(turnedPosition(turned, inPlane(CT, coronal, point)), acts[act](before));
  }
});

test("tilts chain, keep lengths and right angles, and a turn there and back is none", () => {
  const tilt = then(turnAbout([0, 0, 1], 30), turnAbout([1, 0, 0], 20));
  close(rotated(turnAbout([0, 0, 1], 90), [1, 0, 0]), [0, 1, 0]);
  close(rotated(tilt, [1, 0, 0]), rotated(turnAbout([1, 0, 0], 20), rotated(turnAbout([0, 0, 1], 30), [1, 0, 0])));
  const { axial } = planesOf(CT);
  const plane = tiltedPlane(CT, axial, tilt);
  assert.equal(plane.oblique, true);
  for (const [a, b] of [[plane.right, plane.down], [plane.right, plane.normal], [plane.down, plane.normal]]) assert.ok(Math.abs(dot(a, b)) < 1e-12);
  assert.equal(tiltedPlane(CT, axial, then(tilt, [-tilt[0], -tilt[1], -tilt[2], tilt[3]])), axial);
  assert.equal(tiltedPlane(CT, axial, UPRIGHT), axial);
});

test("a tilted plane: the place and the mm under a pixel are those of a plane at 30 degrees", () => {
  const { axial } = planesOf(CUBE);
  // About the patient's x by 30 degrees: the plane's down goes from the back towards the head.
  const plane = tiltedPlane(CUBE, axial, turnAbout([1, 0, 0], 30));
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  close(fromPlane(CUBE, plane, [0, 0, 5 / c], [3, 10]), [3, 10 * c - 5 * s, 10 * s + 5 * c], 1e-9);
  const [a, b] = [fromPlane(CUBE, plane, [0, 0, 0], [-6, -8]), fromPlane(CUBE, plane, [0, 0, 0], [6, 8])];
  assert.ok(Math.abs(distance(a, b) - 20) < 1e-9);
  close(inPlane(CUBE, plane, b), [6, 8], 1e-9);
  assert.ok(Math.abs(tiltDegrees(turnAbout([1, 0, 0], 30), axial) - 30) < 1e-9);
  assert.deepEqual(edgeLetters(plane), { left: "R", right: "L", top: "AI", bottom: "PS" });
});

test("a tilted plane samples the values of a field that is known everywhere", () => {
  // value = 10 x - 4 y + 7 z + 3 at the voxel's middle.
  const value = ([x, y, z]) => 10 * x - 4 * y + 7 * z + 3;
  const voxels = new Float32Array(41 ** 3);
  for (let k = 0; k < 41; k++) for (let j = 0; j < 41; j++) for (let i = 0; i < 41; i++) voxels[offsetOf(CUBE, [k, j, i])] = value(toMm(CUBE, [k, j, i]));
  const plane = tiltedPlane(CUBE, planesOf(CUBE).coronal, then(turnAbout([0, 0, 1], 25), turnAbout([1, 0, 0], -40)));
  for (const at of [[0, 0], [5.3, -7.1], [-9, 4]]) {
    const point = fromPlane(CUBE, plane, [1, 2, 3], at);
    const sampled = voxels[offsetOf(CUBE, voxelAt(CUBE, point))];
    // Nearest voxel: at most half a voxel off along each axis.
    assert.ok(Math.abs(sampled - value(point)) <= (10 + 4 + 7) / 2, `${sampled} at ${point}`);
    assert.ok(Math.abs(dot([point[0] - 1, point[1] - 2, point[2] - 3], plane.normal)) < 1e-9);
  }
});

test("scrolling a tilted plane goes along its normal by whole steps and comes back", () => {
  const plane = tiltedPlane(CT, planesOf(CT).axial, turnAbout([1, 0, 0], 35));
  const start = [0.3, 2.2, 160.7];
  const slice = sliceAt(CT, plane, start);
  const moved = onSlice(CT, plane, start, slice + 4);
  assert.equal(sliceAt(CT, plane, moved), slice + 4);
  assert.ok(Math.abs(distance(start, moved) - 4 * plane.step) < 1e-9);
  close(onSlice(CT, plane, moved, slice), start, 1e-9);
  assert.ok(plane.step > 0.5 && plane.step < 3);
  assert.equal(tiltedPlane(CT, planesOf(CT).axial, turnAbout([0, 0, 1], 20)).step, 3);
});

test("a handle turned on the screen turns the other planes by the same angle", () => {
  const { axial, coronal, sagittal } = planesOf(CUBE);
  const turn = turnBetween(axial, [100, 0], [100 * Math.cos(0.3), 100 * Math.sin(0.3)]);
  const other = tiltedPlane(CUBE, coronal, turn);
  const line = lineOf(axial, other);
  assert.ok(Math.abs(Math.abs(line[1] / line[0]) - Math.tan(0.3)) < 1e-9);
  assert.ok(line[1] * line[0] > 0, "clockwise on the screen, where y grows downwards");
  // Also on a mirrored screen the line follows the hand.
  const mirrored = turnedPlane(axial, { turn: 0, mirrored: true });
  const same = lineOf(mirrored, tiltedPlane(CUBE, coronal, turnBetween(mirrored, [100, 0], [100 * Math.cos(0.3), 100 * Math.sin(0.3)])));
  assert.ok(same[1] * same[0] > 0);
  assert.equal(lineOf(axial, axial), null);
  close(lineOf(axial, sagittal).map(Math.abs), [0, 1]);
});

test("the section of a box: a rectangle, at 45 degrees longer by root two, through a diagonal a hexagon", () => {
  const { axial } = planesOf(CUBE);
  const area = (points) => {
    let total = [0, 0, 0];
    points.forEach((point, at) => {
      const next = points[(at + 1) % points.length];
      const [a, b] = [point, next].map((one) => one.map((value, axis) => value - points[0][axis]));
      total = [total[0] + a[1] * b[2] - a[2] * b[1], total[1] + a[2] * b[0] - a[0] * b[2], total[2] + a[0] * b[1] - a[1] * b[0]];
    });
    return Math.hypot(...total) / 2;
  };
  assert.ok(Math.abs(area(sectionOf(CUBE, axial, [0, 0, 0])) - 41 * 41) < 1e-9);
  const tilted = tiltedPlane(CUBE, axial, turnAbout([1, 0, 0], 45));
  assert.ok(Math.abs(area(sectionOf(CUBE, tilted, [0, 0, 0])) - 41 * 41 * Math.SQRT2) < 1e-6);
  const diagonal = { ...tilted, normal: [1, 1, 1].map((value) => value / Math.sqrt(3)), right: [1, -1, 0].map((value) => value / Math.SQRT2), down: [1, 1, -2].map((value) => value / Math.sqrt(6)) };
  assert.equal(sectionOf(CUBE, diagonal, [0, 0, 0]).length, 6);
  assert.deepEqual(sectionOf(CUBE, axial, [0, 0, 99]), []);
});

test("labels of a tilted plane: a ball cut through its middle is a disc of its radius", () => {
  const labelmap = new Uint8Array(41 ** 3);
  for (let k = 0; k < 41; k++) for (let j = 0; j < 41; j++) for (let i = 0; i < 41; i++) {
    if ((k - 20) ** 2 + (j - 20) ** 2 + (i - 20) ** 2 <= 144) labelmap[offsetOf(CUBE, [k, j, i])] = 2;
  }
  const plane = tiltedPlane(CUBE, planesOf(CUBE).sagittal, then(turnAbout([0, 1, 0], 33), turnAbout([0, 0, 1], 21)));
  const { labels, pixel, origin, width } = labelsInPlane(labelmap, CUBE, plane, [0, 0, 0]);
  const inside = labels.reduce((count, label) => count + (label === 2 ? 1 : 0), 0);
  assert.ok(Math.abs(inside * pixel ** 2 / (Math.PI * 144) - 1) < 0.03, String(inside));
  // The middle of the disc is the middle of the plane.
  let [x, y] = [0, 0];
  labels.forEach((label, at) => {
    if (label !== 2) return;
    x += origin[0] + (at % width) * pixel;
    y += origin[1] + Math.floor(at / width) * pixel;
  });
  assert.ok(Math.hypot(x / inside, y / inside) < 0.3);
  assert.equal(labelsInPlane(labelmap, CUBE, plane, [99, 0, 0]), null);
});

test("a slab holds the slices whose middles lie within half its thickness", () => {
  const { axial } = planesOf(CT);
  assert.deepEqual(slabSamples(axial, 0), { step: 3, each: 0 });
  assert.deepEqual(slabSamples(axial, 5.9), { step: 3, each: 0 });
  assert.deepEqual(slabSamples(axial, 6), { step: 3, each: 1 });
  assert.deepEqual(slabSamples(axial, 13), { step: 3, each: 2 });
  const many = slabSamples({ step: 0.1, oblique: false }, 100);
  assert.equal(many.each, 64);
  assert.ok(Math.abs(many.each * many.step - 50) < 1e-6);
  assert.deepEqual([projected([1, 5, 3], "max"), projected([1, 5, 3], "min"), projected([1, 5, 3], "mean"), projected([], "max")], [5, 1, 3, null]);
});
