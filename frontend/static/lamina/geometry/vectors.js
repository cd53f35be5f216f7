// Small vector and affine maths. No three.js and no DOM here, so it runs under `node --test` as it is.
//
// Points are LPS millimetres: x to the patient's left, y to the back, z to the head (DICOM PS3.3 C.7.6.2.1.1).

/** @typedef {[number, number, number]} Vec3 */
/** @typedef {Vec3} Point  LPS mm */
/** @typedef {number[][]} Affine  4x4, takes the column (k, j, i, 1) to LPS mm */

/** @param {Vec3} a @param {Vec3} b @returns {Vec3} */
export const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

/** @param {Vec3} a @param {Vec3} b @returns {Vec3} */
export const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

/** @param {Vec3} a @param {number} factor @returns {Vec3} */
export const scale = (a, factor) => [a[0] * factor, a[1] * factor, a[2] * factor];

/** a + factor * b. @param {Vec3} a @param {Vec3} b @param {number} factor @returns {Vec3} */
export const addScaled = (a, b, factor) => [a[0] + b[0] * factor, a[1] + b[1] * factor, a[2] + b[2] * factor];

/** @param {Vec3} a @param {Vec3} b */
export const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** @param {Vec3} a @param {Vec3} b @returns {Vec3} */
export const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** @param {Vec3} a */
export const length = (a) => Math.hypot(a[0], a[1], a[2]);

/** Unit vector; a zero vector stays zero. @param {Vec3} a @returns {Vec3} */
export const normalise = (a) => {
  const size = length(a);
  return size > 0 ? scale(a, 1 / size) : [0, 0, 0];
};

/** Millimetres between two points. @param {Point} a @param {Point} b */
export const distance = (a, b) => length(subtract(a, b));

/** Column `column` of an affine as a vector. @param {Affine} affine @param {number} column @returns {Vec3} */
export const columnOf = (affine, column) => [affine[0][column], affine[1][column], affine[2][column]];

/** @param {Affine} affine @param {Vec3} v @returns {Vec3} */
export const applyAffine = (affine, v) => [
  affine[0][0] * v[0] + affine[0][1] * v[1] + affine[0][2] * v[2] + affine[0][3],
  affine[1][0] * v[0] + affine[1][1] * v[1] + affine[1][2] * v[2] + affine[1][3],
  affine[2][0] * v[0] + affine[2][1] * v[1] + affine[2][2] * v[2] + affine[2][3],
];

/** Like applyAffine without the translation. @param {Affine} affine @param {Vec3} v @returns {Vec3} */
export const applyLinear = (affine, v) => [
  affine[0][0] * v[0] + affine[0][1] * v[1] + affine[0][2] * v[2],
  affine[1][0] * v[0] + affine[1][1] * v[1] + affine[1][2] * v[2],
  affine[2][0] * v[0] + affine[2][1] * v[1] + affine[2][2] * v[2],
];

/** First `b`, then `a`. @param {Affine} a @param {Affine} b @returns {Affine} */
export const multiplyAffine = (a, b) => a.map((row) => [0, 1, 2, 3].map((column) => row.reduce((sum, value, at) => sum + value * b[at][column], 0)));

/**
 * Inverse of an affine whose last row is (0, 0, 0, 1).
 * @param {Affine} affine @returns {Affine}
 */
export function invertAffine(affine) {
  const a = columnOf(affine, 0);
  const b = columnOf(affine, 1);
  const c = columnOf(affine, 2);
  const determinant = dot(a, cross(b, c));
  if (!Number.isFinite(determinant) || Math.abs(determinant) < 1e-12) {
    throw new RangeError("This affine cannot be inverted: two of its axes are parallel or zero.");
  }
  const rows = [cross(b, c), cross(c, a), cross(a, b)].map((row) => scale(row, 1 / determinant));
  const origin = columnOf(affine, 3);
  return [
    [...rows[0], -dot(rows[0], origin)],
    [...rows[1], -dot(rows[1], origin)],
    [...rows[2], -dot(rows[2], origin)],
    [0, 0, 0, 1],
  ];
}

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
