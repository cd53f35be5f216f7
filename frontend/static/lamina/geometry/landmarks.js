// The rigid motion that lays pairs of points over each other best, by least squares (B. K. P. Horn, "Closed-form solution
// of absolute orientation using unit quaternions", J. Opt. Soc. Am. A 4, 1987): the rotation is the eigenvector of the
// largest eigenvalue of a symmetric 4 by 4 matrix, the shift takes one middle to the other.

import { add, cross, distance, length, scale, subtract } from "./vectors.js";

/** @import { Point, Vec3 } from "./vectors.js" */

/** @typedef {{ moving: Point, fixed: Point }} Pair  the same place of the body in both series, LPS mm */
/** @typedef {{ matrix: number[][], errors: number[], rms: number }} Fit  fixed = matrix @ moving; mm left at each pair, and their root mean square */

/** Points on less than this far from one line fix no rotation round it, mm. */
const WIDE_ENOUGH = 1;

/** @param {Point[]} points @returns {Point} */
const middleOf = (points) => scale(points.reduce(add, /** @type {Vec3} */ ([0, 0, 0])), 1 / points.length);

/** How far the points lie off the line that fits them best from their first, at most, mm. @param {Point[]} points */
function spread(points) {
  const [first, ...rest] = points;
  const far = rest.reduce((best, one) => (distance(first, one) > distance(first, best) ? one : best), rest[0]);
  const along = subtract(far, first);
  const size = length(along);
  return size === 0 ? 0 : Math.max(...points.map((one) => length(cross(subtract(one, first), along)) / size));
}

/** Three pairs or more, not in a line. @param {Pair[]} pairs */
export const isEnough = (pairs) =>
  pairs.length >= 3 && spread(pairs.map(({ moving }) => moving)) >= WIDE_ENOUGH && spread(pairs.map(({ fixed }) => fixed)) >= WIDE_ENOUGH;

/** @param {Pair[]} pairs @returns {Fit | null}  null: too few, or in a line */
export function rigidFit(pairs) {
  if (!isEnough(pairs)) return null;
  const [from, to] = [middleOf(pairs.map(({ moving }) => moving)), middleOf(pairs.map(({ fixed }) => fixed))];
  // Sums of products of the coordinates, each from its middle.
  const s = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  for (const { moving, fixed } of pairs) {
    const [a, b] = [subtract(moving, from), subtract(fixed, to)];
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) s[i][j] += a[i] * b[j];
  }
  const [w, x, y, z] = largestEigenvector([
    [s[0][0] + s[1][1] + s[2][2], s[1][2] - s[2][1], s[2][0] - s[0][2], s[0][1] - s[1][0]],
    [s[1][2] - s[2][1], s[0][0] - s[1][1] - s[2][2], s[0][1] + s[1][0], s[2][0] + s[0][2]],
    [s[2][0] - s[0][2], s[0][1] + s[1][0], s[1][1] - s[0][0] - s[2][2], s[1][2] + s[2][1]],
    [s[0][1] - s[1][0], s[2][0] + s[0][2], s[1][2] + s[2][1], s[2][2] - s[0][0] - s[1][1]],
  ]);
  const turn = [
    [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
    [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
    [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
  ];
  const matrix = [...turn.map((row, at) => [...row, to[at] - row[0] * from[0] - row[1] * from[1] - row[2] * from[2]]), [0, 0, 0, 1]];
  const errors = pairs.map(({ moving, fixed }) => distance(moved(matrix, moving), fixed));
  return { matrix, errors, rms: Math.sqrt(errors.reduce((sum, one) => sum + one * one, 0) / errors.length) };
}

/** @param {number[][]} matrix @param {Point} point @returns {Point} */
export const moved = (matrix, [x, y, z]) =>
  /** @type {Point} */ (matrix.slice(0, 3).map(([a, b, c, d]) => a * x + b * y + c * z + d));

/** By Jacobi's rotations. @param {number[][]} matrix  symmetric @returns {number[]} of length 1 */
function largestEigenvector(matrix) {
  const size = matrix.length;
  const a = matrix.map((row) => row.slice());
  /** @type {number[][]} */
  const vectors = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
  const whole = Math.hypot(...a.flat());
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        off = Math.max(off, Math.abs(a[p][q]));
        if (a[p][q] === 0) continue;
        const angle = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]);
        const [c, d] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < size; k++) [a[k][p], a[k][q]] = [c * a[k][p] - d * a[k][q], d * a[k][p] + c * a[k][q]];
        for (let k = 0; k < size; k++) [a[p][k], a[q][k]] = [c * a[p][k] - d * a[q][k], d * a[p][k] + c * a[q][k]];
        for (let k = 0; k < size; k++) [vectors[k][p], vectors[k][q]] = [c * vectors[k][p] - d * vectors[k][q], d * vectors[k][p] + c * vectors[k][q]];
      }
    }
    if (off <= 1e-15 * whole) break;
  }
  const best = a.reduce((most, row, at) => (row[at] > a[most][most] ? at : most), 0);
  const found = vectors.map((row) => row[best]);
  const norm = Math.hypot(...found);
  return found.map((value) => value / norm);
}

/**
 * Sixteen numbers as people paste them: rows, with commas, brackets or line breaks between. Null where they are not 16.
 * @param {string} text @returns {number[][] | null}
 */
export function pastedMatrix(text) {
  const found = text.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/gi) ?? [];
  const numbers = found.map(Number);
  return numbers.length === 16 && numbers.every(Number.isFinite) ? [0, 4, 8, 12].map((at) => numbers.slice(at, at + 4)) : null;
}
