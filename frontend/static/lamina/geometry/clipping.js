// The clipping box: six planes through the volume, given as shares from edge to edge along the volume's own axes.

import { addScaled, dot, scale } from "./vectors.js";
import { toMm } from "./volume.js";

/** @import { Clip } from "./picking.js" */
/** @import { Plane, PlaneName } from "./planes.js" */
/** @import { Point, Vec3 } from "./vectors.js" */
/** @import { VolumeGeometry } from "./volume.js" */

/** @typedef {Record<PlaneName, [number, number]>} Box  low and high face per plane, 0 to 1 in stored order */

/** Index along an axis: 0 is the outer edge of the first voxel, 1 that of the last. @param {VolumeGeometry} geometry @param {number} axis @param {number} share */
export const indexAt = ({ shape }, axis, share) => share * shape[axis] - 0.5;

/** @param {VolumeGeometry} geometry @param {Record<PlaneName, Plane>} planes @param {Box} box @returns {Point} middle of the box */
export function boxMiddle(geometry, planes, box) {
  const index = /** @type {Vec3} */ ([0, 0, 0]);
  for (const [name, [low, high]] of Object.entries(box)) {
    const { axis } = planes[/** @type {PlaneName} */ (name)];
    index[axis] = indexAt(geometry, axis, (low + high) / 2);
  }
  return toMm(geometry, index);
}

/**
 * Middle of a face, where it points, and how many mm the whole volume has along it.
 * @param {VolumeGeometry} geometry @param {Record<PlaneName, Plane>} planes @param {Box} box @param {PlaneName} name @param {0 | 1} face
 * @returns {{ point: Point, outward: Vec3, length: number }}
 */
export function faceMiddle(geometry, planes, box, name, face) {
  const { axis } = planes[name];
  const towards = geometry.axes[axis];
  const length = geometry.shape[axis] * geometry.spacing[axis];
  const [low, high] = box[name];
  const along = (box[name][face] - (low + high) / 2) * length;
  return { point: addScaled(boxMiddle(geometry, planes, box), towards, along), outward: scale(towards, face === 0 ? -1 : 1), length };
}

/** The planes of the faces that cut something; a face at the volume's edge cuts nothing. @param {VolumeGeometry} geometry @param {Record<PlaneName, Plane>} planes @param {Box} box @returns {Clip[]} */
export function boxFaces(geometry, planes, box) {
  /** @type {Clip[]} */
  const faces = [];
  for (const name of /** @type {PlaneName[]} */ (Object.keys(box))) {
    for (const face of /** @type {const} */ ([0, 1])) {
      if (box[name][face] === face) continue;
      const { point, outward } = faceMiddle(geometry, planes, box, name, face);
      const normal = scale(outward, -1);
      faces.push({ normal, constant: -dot(normal, point) });
    }
  }
  return faces;
}

/** The eight corners of the box. @param {VolumeGeometry} geometry @param {Record<PlaneName, Plane>} planes @param {Box} box @returns {Point[]}  bit 0 axial, bit 1 coronal, bit 2 sagittal */
export function boxCorners(geometry, planes, box) {
  return Array.from({ length: 8 }, (_, bits) => {
    const index = /** @type {Vec3} */ ([0, 0, 0]);
    /** @type {PlaneName[]} */ (["axial", "coronal", "sagittal"]).forEach((name, at) => {
      const { axis } = planes[name];
      index[axis] = indexAt(geometry, axis, box[name][(bits >> at) & 1]);
    });
    return toMm(geometry, index);
  });
}

const LETTERS = [["R", "L"], ["A", "P"], ["I", "S"]];

/** Sides of the patient at the first and the last slice of a plane. @param {Plane} plane @returns {[string, string]} */
export function axisLetters({ normal }) {
  const axis = normal.map(Math.abs).indexOf(Math.max(...normal.map(Math.abs)));
  const [low, high] = LETTERS[axis];
  return normal[axis] > 0 ? [low, high] : [high, low];
}

/**
 * Where a face lies, in words: "R 23.0 mm".
 * @param {VolumeGeometry} geometry @param {Plane} plane @param {number} share @param {(value: number) => string} mm @param {string} space
 */
export function facePosition(geometry, { axis, normal }, share, mm, space) {
  const index = /** @type {Vec3} */ (geometry.shape.map((count) => (count - 1) / 2));
  index[axis] = indexAt(geometry, axis, share);
  const patient = normal.map(Math.abs).indexOf(Math.max(...normal.map(Math.abs)));
  const value = toMm(geometry, index)[patient];
  return `${LETTERS[patient][value < 0 ? 0 : 1]}${space}${mm(Math.abs(value))}`;
}
