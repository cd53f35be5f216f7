// Measuring against shapes and voxels whose answer is known.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  alignedCobb, ellipseOf, footOn, insideOf, measured, outlineOf, pathLength, probeStatistics, rectangleOf, regionStatistics, samplesOf, thinned, withHandle,
} from "../../frontend/static/lamina/geometry/measure.js";
import { coarser, surfacePath } from "../../frontend/static/lamina/geometry/surface-path.js";
import { volumeGeometry } from "../../frontend/static/lamina/geometry/volume.js";

const near = (value, wanted, slack = 1e-9) => assert.ok(Math.abs(value - wanted) <= slack, `${value} is not ${wanted}`);
const [RIGHT, DOWN, NORMAL] = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
const rad = (degrees) => (degrees * Math.PI) / 180;

test("lengths, angles and areas of known shapes", () => {
  near(measured("length", [[0, 0, 0], [30, 40, 0]]), 50);
  near(measured("angle", [[10, 0, 0], [0, 0, 0], [5 * Math.cos(rad(30)), 5 * Math.sin(rad(30)), 0]]), 30);
  near(measured("cobb", [[0, 0, 0], [10, 0, 0], [0, 0, 50], [10, 0, 50 + 10 * Math.tan(rad(25))]]), 25);
  near(measured("ellipse", [[-10, 0, 5], [10, 0, 5], [0, -5, 5], [0, 5, 5]]), Math.PI * 50);
  near(measured("rectangle", [[0, 0, 0], [0, 30, 0], [0, 30, 20], [0, 0, 20]]), 600);
  near(measured("freehand", [[0, 0, 1], [4, 0, 1], [4, 4, 1], [2, 1, 1]]), 6);
  near(measured("surface_distance", [[0, 0, 0], [3, 4, 0], [3, 4, 12]]), 17);
  assert.equal(measured("text", [[0, 0, 0]]), null);
  near(pathLength([[0, 0, 0]]), 0);
});

test("a second Cobb line drawn the other way gives the same angle", () => {
  const first = [[0, 0, 0], [10, 0, 0]];
  near(measured("cobb", alignedCobb([...first, [0, 0, 9], [10, 2, 9]])), measured("cobb", alignedCobb([...first, [10, 2, 9], [0, 0, 9]])));
});

test("a dragged corner leaves a rectangle, a dragged axis end an ellipse", () => {
  const box = rectangleOf([0, 0, 0], [10, 4, 0], RIGHT, DOWN);
  for (const handle of [0, 1, 2, 3]) {
    const bent = withHandle("rectangle", box, handle, [20, 9, 0]);
    assert.deepEqual(bent[handle], [20, 9, 0]);
    assert.deepEqual(bent[(handle + 2) % 4], box[(handle + 2) % 4]);
    const [sideX, sideY] = [Math.abs(20 - box[(handle + 2) % 4][0]), Math.abs(9 - box[(handle + 2) % 4][1])];
    near(measured("rectangle", bent), sideX * sideY);
  }
  const round = ellipseOf([0, 0, 0], [10, 5, 0], RIGHT, DOWN);
  near(measured("ellipse", withHandle("ellipse", round, 1, [20, 3, 0])), Math.PI * 100);
  near(measured("ellipse", withHandle("ellipse", round, 2, [1, -8, 0])), Math.PI * 80);
  assert.equal(outlineOf("ellipse", round).length, 72);
});

/** 10 x 20 x 30 voxels of 2 x 1 x 0.5 mm (k, j, i); stored value is i. */
const volume = () => {
  const geometry = volumeGeometry({ shape: [10, 20, 30], affine: [[0, 0, 0.5, 0], [0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]], spacing_mm: [2, 1, 0.5] });
  const voxels = Int16Array.from({ length: 6000 }, (_, at) => at % 30);
  return { geometry, voxels, loaded: new Uint8Array(10).fill(1), slope: 2, intercept: -10, unit: "HU" };
};

test("every voxel whose middle lies inside counts once", () => {
  const box = rectangleOf([0.9, 1.9, 4], [3.1, 4.1, 4], RIGHT, DOWN); // i 2..6, j 2..4
  const found = regionStatistics(volume(), "rectangle", box, NORMAL);
  assert.deepEqual({ ...found, sd: 0 }, { mean: 4 * 2 - 10, sd: 0, min: 2 * 2 - 10, max: 6 * 2 - 10, count: 15, unit: "HU" });
  near(found.sd, 2 * Math.SQRT2);
  assert.deepEqual(regionStatistics(volume(), "polygon", box, NORMAL), found);
  const round = regionStatistics(volume(), "ellipse", ellipseOf([7, 10, 4], [7 + 5, 10 + 5, 4], RIGHT, DOWN), NORMAL);
  near(round.count, Math.PI * 25 * 2, 6); // two voxels per mm²
  near(round.mean, 14 * 2 - 10, 0.2);
});

test("the same region on a turned plane finds about the same values", () => {
  const normal = [0, Math.SQRT1_2, Math.SQRT1_2];
  const along = [0, Math.SQRT1_2, -Math.SQRT1_2];
  const found = regionStatistics(volume(), "rectangle", rectangleOf([2.9, 8, 8], [7.1, 10, 6], RIGHT, along), normal);
  near(found.mean, 10 * 2 - 10, 1);
  assert.ok(samplesOf(volume().geometry, "rectangle", rectangleOf([2.9, 8, 8], [7.1, 10, 6], RIGHT, along), normal) > 20);
});

test("a slice that is not here gives no number, nor does a region between voxels", () => {
  const late = volume();
  late.loaded[2] = 0;
  assert.equal(regionStatistics(late, "rectangle", rectangleOf([1, 1, 4], [3, 4, 4], RIGHT, DOWN), NORMAL), null);
  assert.equal(probeStatistics(late, [3, 3, 4]), null);
  assert.equal(regionStatistics(volume(), "rectangle", rectangleOf([1.1, 1.1, 4], [1.3, 1.3, 4], RIGHT, DOWN), NORMAL), null);
  assert.equal(probeStatistics(volume(), [3.1, 3.2, 4.4]).mean, 6 * 2 - 10);
  assert.equal(probeStatistics(volume(), [300, 3, 4]), null);
});

test("a thinned line keeps its shape and area", () => {
  const round = outlineOf("ellipse", ellipseOf([0, 0, 0], [10, 10, 0], RIGHT, DOWN));
  const dense = round.flatMap((point, at) => [0, 0.25, 0.5, 0.75].map((share) => point.map((value, axis) => value + share * (round[(at + 1) % 72][axis] - value))));
  const thin = thinned(dense, 0.05);
  assert.ok(thin.length < dense.length / 3);
  near(measured("freehand", thin), measured("freehand", dense), 2);
  assert.deepEqual(footOn([1, 2, 9], [0, 0, 4], NORMAL), [1, 2, 4]);
  assert.equal(insideOf("polygon", [[0, 0], [4, 0], [4, 4], [0, 4]])(2, 2), true);
});

test("a path over a cylinder is as long as its arc, and takes the shorter way round", () => {
  const round = 64;
  const positions = [];
  const index = [];
  for (let at = 0; at < round; at++) for (const z of [-20, 0, 20]) positions.push(30 * Math.cos(rad((360 * at) / round)), 30 * Math.sin(rad((360 * at) / round)), z);
  for (let at = 0; at < round; at++) {
    for (const low of [0, 1]) {
      const [a, b] = [at * 3 + low, ((at + 1) % round) * 3 + low];
      index.push(a, b, a + 1, b, b + 1, a + 1);
    }
  }
  const mesh = { positions, index, offset: [5, 0, 0] };
  const on = (degrees, z) => [5 + 30 * Math.cos(rad(degrees)), 30 * Math.sin(rad(degrees)), z];
  for (const [from, to] of [[0, 90], [350, 40], [10, 170]]) {
    const path = surfacePath(mesh, on(from, 3), on(to, 3));
    near(pathLength(path), 30 * rad((to - from + 360) % 360), 0.4);
    assert.deepEqual([path[0], path.at(-1)], [on(from, 3), on(to, 3)]);
  }
  assert.equal(surfacePath(mesh, on(0, 3), on(0, 3)), null);
  assert.equal(coarser(surfacePath(mesh, on(0, 3), on(170, 3)), 5).length, 5);
});
