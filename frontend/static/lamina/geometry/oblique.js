// A plane turned on the screen (by quarters, mirrored) and a plane tilted about a point. Both are Planes like any
// other; a tilted one follows no index axis, so it carries `oblique: true` and `axis: -1`.
//
// A tilt is a unit quaternion [x, y, z, w] in LPS: the turn that takes the upright plane's directions to its own.

import { add, addScaled, clamp, cross, dot, length, normalise, scale, subtract } from "./vectors.js";
import { corners } from "./volume.js";

/** @import { Plane } from "./planes.js" */
/** @import { Point, Vec3 } from "./vectors.js" */
/** @import { VolumeGeometry } from "./volume.js" */

/** @typedef {[number, number, number, number]} Tilt  unit quaternion x, y, z, w */
/** @typedef {{ turn: number, mirrored: boolean }} Turn  mirrored left to right first, then so many quarters clockwise */

/** @type {Readonly<Turn>} */
export const UNTURNED = Object.freeze({ turn: 0, mirrored: false });

/** @type {Readonly<Tilt>} */
export const UPRIGHT = Object.freeze(/** @type {Tilt} */ ([0, 0, 0, 1]));

const RADIANS = Math.PI / 180;

/** The turn about a unit axis, right-handed. @param {Vec3} axis @param {number} degrees @returns {Tilt} */
export function turnAbout(axis, degrees) {
  const half = (degrees * RADIANS) / 2;
  const [x, y, z] = scale(axis, Math.sin(half));
  return [x, y, z, Math.cos(half)];
}

/** First `first`, then `second`; length kept at one, so that a long drag does not shrink it. @param {Readonly<Tilt>} first @param {Readonly<Tilt>} second @returns {Tilt} */
export function then([x1, y1, z1, w1], [x2, y2, z2, w2]) {
  const product = [
    w2 * x1 + x2 * w1 + y2 * z1 - z2 * y1,
    w2 * y1 - x2 * z1 + y2 * w1 + z2 * x1,
    w2 * z1 + x2 * y1 - y2 * x1 + z2 * w1,
    w2 * w1 - x2 * x1 - y2 * y1 - z2 * z1,
  ];
  const size = Math.hypot(...product);
  return /** @type {Tilt} */ (product.map((value) => value / size));
}

/** @param {Readonly<Tilt>} tilt @param {Vec3} vector @returns {Vec3} */
export function rotated([x, y, z, w], vector) {
  const part = /** @type {Vec3} */ ([x, y, z]);
  const twice = scale(cross(part, vector), 2);
  return add(addScaled(vector, twice, w), cross(part, twice));
}

/** Degrees between the upright plane's normal and the tilted one's. @param {Readonly<Tilt>} tilt @param {Plane} upright */
export const tiltDegrees = (tilt, upright) =>
  Math.acos(clamp(dot(rotated(tilt, upright.normal), upright.normal), -1, 1)) / RADIANS;

/** Degrees of the whole turn, the one within the plane included. @param {Readonly<Tilt>} tilt */
export const turnDegrees = ([x, y, z, w]) => (2 * Math.atan2(Math.hypot(x, y, z), Math.abs(w))) / RADIANS;

/**
 * The plane as the reader turned it on the screen: the image moves clockwise, so what was on top comes to the right.
 * @param {Plane} plane @param {Readonly<Turn>} turned @returns {Plane}
 */
export function turnedPlane(plane, { turn, mirrored }) {
  let result = mirrored ? { ...plane, right: scale(plane.right, -1) } : plane;
  for (let quarter = 0; quarter < turn; quarter++) {
    result = {
      ...result,
      right: scale(result.down, -1), down: result.right,
      rightAxis: result.downAxis, downAxis: result.rightAxis,
      width: result.height, height: result.width,
      pixel: result.pixelDown, pixelDown: result.pixel,
    };
  }
  return result;
}

/** Where an in-plane position of the untouched plane (mm from the middle) comes to lie. @param {Readonly<Turn>} turned @param {[number, number]} position @returns {[number, number]} */
export function turnedPosition({ turn, mirrored }, [x, y]) {
  let result = /** @type {[number, number]} */ ([mirrored ? -x : x, y]);
  for (let quarter = 0; quarter < turn; quarter++) result = [-result[1], result[0]];
  return result;
}

/** What one more act on the screen makes of a turn. @param {Readonly<Turn>} turned @param {"right" | "left" | "across" | "along"} act @returns {Turn} */
export function turnedBy({ turn, mirrored }, act) {
  if (act === "right") return { turn: (turn + 1) % 4, mirrored };
  if (act === "left") return { turn: (turn + 3) % 4, mirrored };
  // A mirror turns the sense of every quarter before it: across = -turn, along = half a turn more.
  return { turn: (act === "across" ? 4 - turn : 6 - turn) % 4, mirrored: !mirrored };
}

/** mm of one voxel along a direction: the spacing on an axis, something between on the way. @param {VolumeGeometry} geometry @param {Vec3} direction  unit */
export const voxelAlong = (geometry, direction) =>
  1 / Math.hypot(...geometry.axes.map((axis, at) => dot(direction, axis) / geometry.spacing[at]));

/** mm of the whole volume along a direction. @param {VolumeGeometry} geometry @param {Vec3} direction  unit */
export const reachAlong = (geometry, direction) =>
  geometry.axes.reduce((sum, axis, at) => sum + Math.abs(dot(direction, axis)) * geometry.spacing[at] * geometry.shape[at], 0);

/**
 * The upright plane, tilted. It keeps the upright plane's size on the screen, so that the picture does not breathe
 * while a hand turns it; a tilt of nothing gives the upright plane itself.
 * @param {VolumeGeometry} geometry @param {Plane} upright @param {Readonly<Tilt> | null | undefined} tilt @returns {Plane}
 */
export function tiltedPlane(geometry, upright, tilt) {
  if (!tilt || turnDegrees(tilt) < 0.05) return upright;
  const [right, down, normal] = [upright.right, upright.down, upright.normal].map((one) => normalise(rotated(tilt, one)));
  const step = voxelAlong(geometry, normal);
  return Object.freeze({
    ...upright,
    oblique: true,
    axis: -1, rightAxis: -1, downAxis: -1,
    right, down, normal, step,
    count: Math.max(1, Math.round(reachAlong(geometry, normal) / step)),
    pixel: voxelAlong(geometry, right),
    pixelDown: voxelAlong(geometry, down),
  });
}

/** The turn that takes one on-screen direction of a plane to another. @param {Plane} plane  that is looked at @param {[number, number]} from  px from the crossing @param {[number, number]} to @returns {Tilt} */
export function turnBetween(plane, from, to) {
  const angle = (Math.atan2(to[1], to[0]) - Math.atan2(from[1], from[0])) / RADIANS;
  return turnAbout(normalise(cross(plane.right, plane.down)), angle);
}

/** On-screen unit direction of the line in which another plane cuts this one, or null where they are parallel. @param {Plane} plane @param {Plane} other @returns {[number, number] | null} */
export function lineOf(plane, other) {
  const along = cross(plane.normal, other.normal);
  if (length(along) < 1e-6) return null;
  const unit = normalise(along);
  return [dot(unit, plane.right), dot(unit, plane.down)];
}

/** Corner pairs of a box's twelve edges, corners numbered as `corners` gives them (bit 2 k, bit 1 j, bit 0 i). */
const EDGES = [[0, 1], [2, 3], [4, 5], [6, 7], [0, 2], [1, 3], [4, 6], [5, 7], [0, 4], [1, 5], [2, 6], [3, 7]];

/**
 * The part of a plane that lies in the volume's box: three to six corners in their order round the middle, or none.
 * @param {VolumeGeometry} geometry @param {{ normal: Vec3, right: Vec3, down: Vec3 }} plane @param {Point} through @returns {Point[]}
 */
export function sectionOf(geometry, plane, through) {
  const box = corners(geometry);
  const depths = box.map((corner) => dot(subtract(corner, through), plane.normal));
  /** @type {Point[]} */
  const points = [];
  for (const [a, b] of EDGES) {
    if (depths[a] > 0 === depths[b] > 0) continue;
    const along = depths[a] / (depths[a] - depths[b]);
    points.push(addScaled(scale(box[a], 1 - along), box[b], along));
  }
  if (points.length < 3) return [];
  const middle = scale(points.reduce(add), 1 / points.length);
  const angle = (/** @type {Point} */ point) => {
    const offset = subtract(point, middle);
    return Math.atan2(dot(offset, plane.down), dot(offset, plane.right));
  };
  return points.map((point) => ({ point, angle: angle(point) })).sort((a, b) => a.angle - b.angle).map(({ point }) => point);
}

/** More than this along one side is never needed: it is finer than the screen. */
const LARGEST_GRID = 768;

/**
 * Labels of an oblique plane on a square grid of its own, nearest voxel each. Grid point (x, y) lies at in-plane mm
 * `origin + (x, y) * pixel` from the volume's middle (as `inPlane` gives it).
 * @param {Uint8Array} labelmap  (k, j, i) @param {VolumeGeometry} geometry @param {Plane} plane @param {Point} through
 * @returns {{ labels: Uint8Array, width: number, height: number, origin: [number, number], pixel: number } | null} null: the plane misses the volume
 */
export function labelsInPlane(labelmap, geometry, plane, through) {
  const section = sectionOf(geometry, plane, through);
  if (section.length === 0) return null;
  const across = section.map((point) => dot(subtract(point, geometry.centre), plane.right));
  const along = section.map((point) => dot(subtract(point, geometry.centre), plane.down));
  const [x0, y0] = [Math.min(...across), Math.min(...along)];
  const [wide, high] = [Math.max(...across) - x0, Math.max(...along) - y0];
  const pixel = Math.max(Math.min(...geometry.spacing), wide / LARGEST_GRID, high / LARGEST_GRID);
  const width = Math.max(1, Math.ceil(wide / pixel));
  const height = Math.max(1, Math.ceil(high / pixel));
  const origin = /** @type {[number, number]} */ ([x0 + pixel / 2, y0 + pixel / 2]);
  const depth = dot(subtract(through, geometry.centre), plane.normal);
  const first = addScaled(addScaled(addScaled(geometry.centre, plane.normal, depth), plane.right, origin[0]), plane.down, origin[1]);
  const { inverse, shape } = geometry;
  const labels = new Uint8Array(width * height);
  // Index steps per grid step, so that the inner loop only adds.
  const at = inverse.slice(0, 3).map((row) => row[0] * first[0] + row[1] * first[1] + row[2] * first[2] + row[3] + 0.5);
  const [dx, dy] = [plane.right, plane.down].map((way) => inverse.slice(0, 3).map((row) => (row[0] * way[0] + row[1] * way[1] + row[2] * way[2]) * pixel));
  for (let y = 0, to = 0; y < height; y++) {
    let k = at[0] + y * dy[0];
    let j = at[1] + y * dy[1];
    let i = at[2] + y * dy[2];
    for (let x = 0; x < width; x++, to++, k += dx[0], j += dx[1], i += dx[2]) {
      if (k < 0 || j < 0 || i < 0 || k >= shape[0] || j >= shape[1] || i >= shape[2]) continue;
      labels[to] = labelmap[((k | 0) * shape[1] + (j | 0)) * shape[2] + (i | 0)];
    }
  }
  return { labels, width, height, origin, pixel };
}
