// Where the voxels of a volume are. One frozen object per series; everything else asks it.

import { addScaled, applyAffine, clamp, columnOf, cross, dot, invertAffine, length, normalise, scale } from "./vectors.js";

/** @import { Affine, Point, Vec3 } from "./vectors.js" */

/**
 * @typedef {object} VolumeGeometry
 * @property {Vec3} shape  voxels along (k, j, i)
 * @property {Affine} affine  (k, j, i, 1) -> LPS mm
 * @property {Affine} inverse  LPS mm -> (k, j, i, 1)
 * @property {boolean} spacingKnown  false: the numbers are voxels, never mm
 * @property {Vec3} spacing  distance between neighbours along (k, j, i), mm, or 1 where unknown
 * @property {[Vec3, Vec3, Vec3]} axes  unit directions of growing k, j, i
 * @property {Point} centre
 */

/**
 * @param {{ shape: number[], affine: number[][], spacing_mm: number[] | null }} volume  as the API gives it
 * @returns {VolumeGeometry}
 */
export function volumeGeometry(volume) {
  const shape = /** @type {Vec3} */ ([volume.shape[0], volume.shape[1], volume.shape[2]]);
  const affine = volume.affine.map((row) => row.slice());
  const columns = [0, 1, 2].map((c) => columnOf(affine, c));
  const middle = /** @type {Vec3} */ (shape.map((n) => (n - 1) / 2));
  return Object.freeze({
    shape,
    affine,
    inverse: invertAffine(affine),
    spacingKnown: Boolean(volume.spacing_mm),
    spacing: /** @type {Vec3} */ (columns.map(length)),
    axes: /** @type {[Vec3, Vec3, Vec3]} */ (columns.map(normalise)),
    centre: applyAffine(affine, middle),
  });
}

/** @param {VolumeGeometry} geometry @param {Vec3} index  (k, j, i), may be fractional @returns {Point} */
export const toMm = (geometry, index) => applyAffine(geometry.affine, index);

/** @param {VolumeGeometry} geometry @param {Point} point @returns {Vec3}  fractional (k, j, i) */
export const toIndex = (geometry, point) => applyAffine(geometry.inverse, point);

/** The voxel that holds a point, or null outside. @param {VolumeGeometry} geometry @param {Point} point @returns {Vec3 | null} */
export function voxelAt(geometry, point) {
  const index = /** @type {Vec3} */ (toIndex(geometry, point).map(Math.round));
  return index.every((value, axis) => value >= 0 && value < geometry.shape[axis]) ? index : null;
}

/** Position of a voxel in the flat (k, j, i) array. @param {VolumeGeometry} geometry @param {Vec3} index */
export const offsetOf = (geometry, [k, j, i]) => (k * geometry.shape[1] + j) * geometry.shape[2] + i;

/** The nearest point whose voxel lies inside. @param {VolumeGeometry} geometry @param {Point} point @returns {Point} */
export function clampPoint(geometry, point) {
  const index = toIndex(geometry, point).map((value, axis) => clamp(value, 0, geometry.shape[axis] - 1));
  return toMm(geometry, /** @type {Vec3} */ (index));
}

/** The eight corners of the box that the voxels fill, edges included. @param {VolumeGeometry} geometry @returns {Point[]} */
export function corners(geometry) {
  const result = [];
  for (const k of [-0.5, geometry.shape[0] - 0.5]) {
    for (const j of [-0.5, geometry.shape[1] - 0.5]) {
      for (const i of [-0.5, geometry.shape[2] - 0.5]) result.push(toMm(geometry, [k, j, i]));
    }
  }
  return result;
}

/** Radius of the smallest centred ball around the box, mm. @param {VolumeGeometry} geometry */
export function radius(geometry) {
  return Math.max(...corners(geometry).map((corner) => length(addScaled(corner, geometry.centre, -1))));
}

/**
 * From LPS mm to texture coordinates of a 3D texture whose x runs along i, y along j, z along k.
 * @param {VolumeGeometry} geometry
 * @returns {{ rows: Vec3[], offset: Vec3 }}  texture = rows . point + offset
 */
export function textureTransform(geometry) {
  const order = [2, 1, 0];
  return {
    rows: order.map((axis) => scale(/** @type {Vec3} */ (geometry.inverse[axis].slice(0, 3)), 1 / geometry.shape[axis])),
    offset: /** @type {Vec3} */ (order.map((axis) => (geometry.inverse[axis][3] + 0.5) / geometry.shape[axis])),
  };
}

/** True where the three axes meet at right angles (to 0.1 degrees). @param {VolumeGeometry} geometry */
export function isRightAngled(geometry) {
  const [a, b, c] = geometry.axes;
  return [dot(a, b), dot(a, c), dot(b, c)].every((value) => Math.abs(value) < 0.002);
}

/** Normal of the face spanned by two index axes. @param {VolumeGeometry} geometry @param {number} first @param {number} second */
export const faceNormal = (geometry, first, second) => normalise(cross(geometry.axes[first], geometry.axes[second]));
