// Landmark pairs against a known motion.
import assert from "node:assert/strict";
import { test } from "node:test";

import { isEnough, moved, pastedMatrix, rigidFit } from "../../frontend/static/lamina/geometry/landmarks.js";

const turn = (/** @type {number} */ degrees) => {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  // Round z, then round x by the same angle, and a shift.
  return [[c, -s, 0, 12], [s * c, c * c, -s, -7], [s * s, s * c, c, 30], [0, 0, 0, 1]];
};
const POINTS = /** @type {[number, number, number][]} */ ([[0, 0, 0], [50, 0, 0], [0, 40, 0], [10, 5, 60]]);
const close = (/** @type {number[][]} */ a, /** @type {number[][]} */ b, tolerance = 1e-9) =>
  a.forEach((row, i) => row.forEach((value, j) => assert.ok(Math.abs(value - b[i][j]) < tolerance, `${i} ${j}: ${value} ${b[i][j]}`)));

test("exact pairs give the motion back, whatever the angle", () => {
  for (const degrees of [0, 10, 90, 179, 180, -135]) {
    const truth = turn(degrees);
    for (const points of [POINTS, POINTS.slice(0, 3)]) {
      const fit = rigidFit(points.map((moving) => ({ moving, fixed: moved(truth, moving) })));
      assert.ok(fit);
      close(fit.matrix, truth);
      assert.ok(fit.rms < 1e-9);
    }
  }
});

test("a square with one corner pulled out by 4 mm leaves the known rest", () => {
  // The corner moved along the diagonal: by symmetry there is no turn, the middle moves by 1 mm, and 3 mm stay at the
  // corner and 1 mm at the others: root of (9 + 3) / 4.
  const square = /** @type {[number, number, number][]} */ ([[30, 30, 0], [-30, 30, 0], [-30, -30, 0], [30, -30, 0]]);
  const pairs = square.map((moving, at) => ({ moving, fixed: /** @type {[number, number, number]} */ (at ? moving : [30 + 4 / Math.SQRT2, 30 + 4 / Math.SQRT2, 0]) }));
  const fit = rigidFit(pairs);
  assert.ok(fit);
  close(fit.matrix, [[1, 0, 0, Math.SQRT1_2], [0, 1, 0, Math.SQRT1_2], [0, 0, 1, 0], [0, 0, 0, 1]], 1e-9);
  assert.deepEqual(fit.errors.map((one) => Number(one.toFixed(6))), [3, 1, 1, 1]);
  assert.ok(Math.abs(fit.rms - Math.sqrt(3)) < 1e-9);
});

test("it never mirrors, and asks for three points that are not in a line", () => {
  const mirrored = POINTS.map((moving) => ({ moving, fixed: /** @type {[number, number, number]} */ ([-moving[0], moving[1], moving[2]]) }));
  const fit = rigidFit(mirrored);
  assert.ok(fit);
  const [[a, b, c], [d, e, f], [g, h, i]] = fit.matrix;
  assert.ok(Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) - 1) < 1e-9);
  assert.ok(fit.rms > 1);
  const line = /** @type {[number, number, number][]} */ ([[0, 0, 0], [10, 0, 0], [30, 0.5, 0]]);
  assert.equal(isEnough(line.map((one) => ({ moving: one, fixed: one }))), false);
  assert.equal(rigidFit(POINTS.slice(0, 2).map((one) => ({ moving: one, fixed: one }))), null);
});

test("sixteen pasted numbers are a matrix, however they are set", () => {
  const wanted = [[1, 0, 0, -12.5], [0, 1, 0, 3e1], [0, 0, 1, 0.5], [0, 0, 0, 1]];
  assert.deepEqual(pastedMatrix("1 0 0 -12.5\n0 1 0 3e1\n0 0 1 .5\n0 0 0 1"), wanted);
  assert.deepEqual(pastedMatrix("[[1, 0, 0, -12.5], [0, 1, 0, 30], [0, 0, 1, 0.5], [0, 0, 0, 1]]"), wanted);
  assert.equal(pastedMatrix("1 0 0"), null);
});
