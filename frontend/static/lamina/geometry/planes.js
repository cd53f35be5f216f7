// The three planes of a volume. They follow the volume's own axes, so that a slice is a slice of the scanner;
// an oblique volume gives oblique planes, and the letters at the edges say so.

import { addScaled, clamp, dot, scale, subtract } from "./vectors.js";
import { toIndex, toMm } from "./volume.js";

/** @import { Point, Vec3 } from "./vectors.js" */
/** @import { VolumeGeometry } from "./volume.js" */

/** @typedef {"axial" | "coronal" | "sagittal"} PlaneName */

/**
 * @typedef {object} Plane
 * @property {PlaneName} name
 * @property {boolean} oblique  tilted by the reader: it follows no index axis (oblique.js)
 * @property {number} axis  index axis the slices are counted along: 0 k, 1 j, 2 i; -1 oblique
 * @property {number} count  slices
 * @property {number} rightAxis  index axis that runs along the screen's x; -1 oblique
 * @property {number} downAxis  index axis that runs along the screen's y; -1 oblique
 * @property {Vec3} right  unit vector, screen left to right
 * @property {Vec3} down  unit vector, screen top to bottom
 * @property {Vec3} normal  unit vector, growing slice number
 * @property {number} width  mm along right
 * @property {number} height  mm along down
 * @property {number} step  mm from slice to slice
 * @property {number} pixel  mm per voxel along right
 * @property {number} pixelDown  mm per voxel along down
 */

/** Radiological habit: where the screen's x, the screen's y and the slices run, LPS. @type {Record<PlaneName, {right: Vec3, down: Vec3, normal: Vec3}>} */
const HABIT = {
  axial: { right: [1, 0, 0], down: [0, 1, 0], normal: [0, 0, 1] },
  coronal: { right: [1, 0, 0], down: [0, 0, -1], normal: [0, 1, 0] },
  sagittal: { right: [0, 1, 0], down: [0, 0, -1], normal: [1, 0, 0] },
};

/** @type {PlaneName[]} */
export const PLANE_NAMES = ["axial", "coronal", "sagittal"];

const PERMUTATIONS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/**
 * Which index axis is nearest to the patient's x, y and z. Each axis is used once, also at 45 degrees.
 * @param {VolumeGeometry} geometry @returns {[number, number, number]}
 */
export function patientAxes(geometry) {
  let best = PERMUTATIONS[0];
  let bestSum = -1;
  for (const permutation of PERMUTATIONS) {
    const sum = permutation.reduce((total, axis, patient) => total + Math.abs(geometry.axes[axis][patient]), 0);
    if (sum > bestSum + 1e-9) [best, bestSum] = [permutation, sum];
  }
  return /** @type {[number, number, number]} */ (best);
}

/** The plane basis for one name. @param {VolumeGeometry} geometry @param {PlaneName} name @returns {Plane} */
export function planeOf(geometry, name) {
  const axes = patientAxes(geometry);
  const habit = HABIT[name];
  /** @param {Vec3} wanted */
  const axisAlong = (wanted) => axes[wanted.findIndex((value) => value !== 0)];
  /** @param {number} axis @param {Vec3} wanted */
  const turned = (axis, wanted) => scale(geometry.axes[axis], dot(geometry.axes[axis], wanted) < 0 ? -1 : 1);
  const [axis, rightAxis, downAxis] = [axisAlong(habit.normal), axisAlong(habit.right), axisAlong(habit.down)];
  const right = turned(rightAxis, habit.right);
  const down = turned(downAxis, habit.down);
  return Object.freeze({
    name,
    oblique: false,
    axis,
    count: geometry.shape[axis],
    rightAxis,
    downAxis,
    right,
    down,
    // Slice numbers follow the stored order, so "87 / 112" is slice 87 of the file.
    normal: geometry.axes[axis],
    width: geometry.shape[rightAxis] * geometry.spacing[rightAxis],
    height: geometry.shape[downAxis] * geometry.spacing[downAxis],
    step: geometry.spacing[axis],
    pixel: geometry.spacing[rightAxis],
    pixelDown: geometry.spacing[downAxis],
  });
}

/** @param {VolumeGeometry} geometry @returns {Record<PlaneName, Plane>} */
export function planesOf(geometry) {
  return {
    axial: planeOf(geometry, "axial"),
    coronal: planeOf(geometry, "coronal"),
    sagittal: planeOf(geometry, "sagittal"),
  };
}

/** mm from the volume's middle along the plane's normal. @param {VolumeGeometry} geometry @param {Plane} plane @param {Point} point */
const depthOf = (geometry, plane, point) => dot(subtract(point, geometry.centre), plane.normal);

/** Number of the slice (from 0) that holds a point. @param {VolumeGeometry} geometry @param {Plane} plane @param {Point} point */
export function sliceAt(geometry, plane, point) {
  const slice = plane.oblique ? depthOf(geometry, plane, point) / plane.step + (plane.count - 1) / 2 : toIndex(geometry, point)[plane.axis];
  return clamp(Math.round(slice), 0, plane.count - 1);
}

/**
 * The same point moved along the slices onto the middle of one. On an oblique plane it moves along the normal, by
 * whole steps from where it is: the slices of a tilted stack start at the reader's point, not at the file's.
 * @param {VolumeGeometry} geometry @param {Plane} plane @param {Point} point @param {number} slice @returns {Point}
 */
export function onSlice(geometry, plane, point, slice) {
  const wanted = clamp(slice, 0, plane.count - 1);
  if (plane.oblique) return addScaled(point, plane.normal, (wanted - sliceAt(geometry, plane, point)) * plane.step);
  const index = toIndex(geometry, point);
  index[plane.axis] = wanted;
  return toMm(geometry, index);
}

/** A point with every index rounded to the middle of its voxel. @param {VolumeGeometry} geometry @param {Point} point @returns {Point} */
export function snapped(geometry, point) {
  const index = toIndex(geometry, point).map((value, axis) => clamp(Math.round(value), 0, geometry.shape[axis] - 1));
  return toMm(geometry, /** @type {Vec3} */ (index));
}

/** Middle of the volume's box, moved onto the slice that holds `point`; an oblique slice goes through the point itself. @param {VolumeGeometry} geometry @param {Plane} plane @param {Point} point @returns {Point} */
export function sliceCentre(geometry, plane, point) {
  if (plane.oblique) return addScaled(geometry.centre, plane.normal, depthOf(geometry, plane, point));
  return onSlice(geometry, plane, geometry.centre, sliceAt(geometry, plane, point));
}

/**
 * In-plane mm from the slice's middle. Exact for right-angled volumes, which is all that intake lets through.
 * @param {VolumeGeometry} geometry @param {Plane} plane @param {Point} point @returns {[number, number]}
 */
export function inPlane(geometry, plane, point) {
  const offset = subtract(point, geometry.centre);
  return [dot(offset, plane.right), dot(offset, plane.down)];
}

/** The point at in-plane mm (x right, y down) on the slice of `through`. @param {VolumeGeometry} geometry @param {Plane} plane @param {Point} through @param {[number, number]} position @returns {Point} */
export function fromPlane(geometry, plane, through, [x, y]) {
  return addScaled(addScaled(sliceCentre(geometry, plane, through), plane.right, x), plane.down, y);
}
