// What the points of a mark amount to: lengths, angles, areas, and the voxels inside a region. The same sums as
// server/readings/geometry.py, which refuses a value that disagrees with its points. Pure: LPS mm in, numbers out.
//
// Points per kind: point, probe, text: the place. arrow: tip, tail. length: both ends. angle: end, vertex, end.
// cobb: first line, second line. ellipse: ends of one axis, ends of the other (DICOM SCOORD3D ELLIPSE). rectangle:
// corners in order. polygon, freehand: corners in order. surface_distance: a path over a surface, ends included.

import { add, addScaled, cross, distance, dot, length, normalise, scale, subtract } from "./vectors.js";
import { toIndex } from "./volume.js";

/** @import { Point, Vec3 } from "./vectors.js" */
/** @import { VolumeGeometry } from "./volume.js" */

/** @typedef {"point" | "probe" | "arrow" | "text" | "length" | "angle" | "cobb" | "ellipse" | "rectangle" | "polygon" | "freehand" | "surface_distance"} Kind */
/** @typedef {{ mean: number, sd: number, min: number, max: number, count: number, unit: string }} Statistics */
/** Stored voxels of one series. @typedef {{ geometry: VolumeGeometry, voxels: ArrayLike<number>, loaded: ArrayLike<number>, slope: number, intercept: number, unit: string }} Voxels */

/** Kinds that enclose something. */
export const REGIONS = Object.freeze(new Set(["ellipse", "rectangle", "polygon", "freehand"]));

/** UCUM unit of what each kind measures. @type {Readonly<Record<string, string>>} */
export const UNITS = Object.freeze({ length: "mm", surface_distance: "mm", angle: "deg", cobb: "deg", ellipse: "mm2", rectangle: "mm2", polygon: "mm2", freehand: "mm2" });

const degrees = (/** @type {number} */ radians) => (radians * 180) / Math.PI;

/** Degrees between two directions, 0 to 180; by atan2, because acos loses half the digits near 0 and 180. @param {Vec3} a @param {Vec3} b */
export const degreesBetween = (a, b) => degrees(Math.atan2(length(cross(a, b)), dot(a, b)));

/** Twice the area of a flat closed outline, as a vector along its normal (Newell's sum). @param {Point[]} points @returns {Vec3} */
function doubleArea(points) {
  /** @type {Vec3} */
  let total = [0, 0, 0];
  for (let at = 0; at < points.length; at++) {
    total = add(total, cross(subtract(points[at], points[0]), subtract(points[(at + 1) % points.length], points[0])));
  }
  return total;
}

/** mm². @param {Point[]} points */
export const polygonArea = (points) => length(doubleArea(points)) / 2;

/** mm along a path. @param {Point[]} points */
export const pathLength = (points) => points.slice(1).reduce((sum, point, at) => sum + distance(points[at], point), 0);

/** mm, mm² or degrees as UNITS says; null for kinds that measure nothing. @param {Kind} kind @param {Point[]} points @returns {number | null} */
export function measured(kind, points) {
  switch (kind) {
    case "length": return distance(points[0], points[1]);
    case "surface_distance": return pathLength(points);
    case "angle": return degreesBetween(subtract(points[0], points[1]), subtract(points[2], points[1]));
    case "cobb": return degreesBetween(subtract(points[1], points[0]), subtract(points[3], points[2]));
    case "ellipse": return (Math.PI / 4) * distance(points[0], points[1]) * distance(points[2], points[3]);
    case "rectangle": case "polygon": case "freehand": return polygonArea(points);
    default: return null;
  }
}

/** @param {Point[]} points @returns {Point} */
export const middleOf = (points) => scale(points.reduce((sum, point) => add(sum, point), /** @type {Vec3} */ ([0, 0, 0])), 1 / points.length);

/** Two lines of a Cobb angle point the same way, so that the angle is the small one while it is drawn. @param {Point[]} points @returns {Point[]} */
export function alignedCobb([a, b, c, d]) {
  return dot(subtract(b, a), subtract(d, c)) < 0 ? [a, b, d, c] : [a, b, c, d];
}

// --- making and bending shapes ----------------------------------------------------------------------------------

/** Corners in order from two opposite ones, sides along two directions. @param {Point} from @param {Point} to @param {Vec3} right @param {Vec3} down  unit vectors @returns {Point[]} */
export function rectangleOf(from, to, right, down) {
  const across = scale(right, dot(subtract(to, from), right));
  const along = scale(down, dot(subtract(to, from), down));
  return [from, add(from, across), add(add(from, across), along), add(from, along)];
}

/** Axis ends of an ellipse from its middle and a corner of the box round it. @param {Point} middle @param {Point} corner @param {Vec3} right @param {Vec3} down @returns {Point[]} */
export function ellipseOf(middle, corner, right, down) {
  const across = scale(right, Math.abs(dot(subtract(corner, middle), right)));
  const along = scale(down, Math.abs(dot(subtract(corner, middle), down)));
  return [subtract(middle, across), add(middle, across), subtract(middle, along), add(middle, along)];
}

/** The points after one handle was dragged to a place; the shape stays what it is. @param {Kind} kind @param {Point[]} points @param {number} handle @param {Point} to @returns {Point[]} */
export function withHandle(kind, points, handle, to) {
  if (kind === "rectangle") {
    const opposite = points[(handle + 2) % 4];
    const right = normalise(subtract(points[1], points[0]));
    const down = normalise(subtract(points[3], points[0]));
    const corners = rectangleOf(opposite, to, right, down);
    // The corners again in the order they had: the dragged one stays at its place in the list.
    const turned = handle % 2 === 0 ? corners : [corners[0], corners[3], corners[2], corners[1]];
    return points.map((_, at) => turned[(at - handle + 2 + 4) % 4]);
  }
  if (kind === "ellipse") {
    const middle = middleOf(points);
    const pair = handle < 2 ? 0 : 2;
    const axis = normalise(subtract(points[pair + 1], points[pair]));
    const half = scale(axis, Math.max(Math.abs(dot(subtract(to, middle), axis)), 0.05));
    const bent = points.slice();
    bent[pair] = subtract(middle, half);
    bent[pair + 1] = add(middle, half);
    return bent;
  }
  return points.map((point, at) => (at === handle ? to : point));
}

/** Four decimals are a tenth of a micrometre, and what both sides compute from. @param {Point[]} points @returns {Point[]} */
export const rounded = (points) => points.map((point) => /** @type {Point} */ (point.map((value) => Math.round(value * 1e4) / 1e4)));

/** @param {Point[]} points @param {Vec3} by @returns {Point[]} */
export const movedBy = (points, by) => points.map((point) => add(point, by));

/** The point's foot on the plane through another. @param {Point} point @param {Point} on @param {Vec3} normal @returns {Point} */
export const footOn = (point, on, normal) => addScaled(point, normal, -dot(subtract(point, on), normal));

const ROUND = 72;

/** The line to draw, in order; closed for regions. @param {Kind} kind @param {Point[]} points @returns {Point[]} */
export function outlineOf(kind, points) {
  if (kind !== "ellipse") return points;
  const middle = middleOf(points);
  const [a, b] = [scale(subtract(points[1], points[0]), 0.5), scale(subtract(points[3], points[2]), 0.5)];
  return Array.from({ length: ROUND }, (_, at) => {
    const turn = (2 * Math.PI * at) / ROUND;
    return addScaled(addScaled(middle, a, Math.cos(turn)), b, Math.sin(turn));
  });
}

/** A freehand line without the points that add nothing, to a tolerance in mm (Douglas and Peucker). @param {Point[]} points @param {number} tolerance @returns {Point[]} */
export function thinned(points, tolerance) {
  if (points.length < 3) return points;
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const open = [[0, points.length - 1]];
  while (open.length > 0) {
    const [first, last] = /** @type {number[]} */ (open.pop());
    let worst = tolerance;
    let at = -1;
    for (let one = first + 1; one < last; one++) {
      const away = distanceToSegment(points[one], points[first], points[last]);
      if (away > worst) [worst, at] = [away, one];
    }
    if (at < 0) continue;
    keep[at] = 1;
    open.push([first, at], [at, last]);
  }
  return points.filter((_, one) => keep[one]);
}

/** @param {number[]} point @param {number[]} a @param {number[]} b  of any dimension */
export function distanceToSegment(point, a, b) {
  let [along, size] = [0, 0];
  for (let axis = 0; axis < point.length; axis++) {
    along += (point[axis] - a[axis]) * (b[axis] - a[axis]);
    size += (b[axis] - a[axis]) ** 2;
  }
  const share = size > 0 ? Math.min(1, Math.max(0, along / size)) : 0;
  return Math.hypot(...point.map((value, axis) => value - a[axis] - share * (b[axis] - a[axis])));
}

// --- the voxels inside ------------------------------------------------------------------------------------------

/** A region's shape in a flat frame. @typedef {(x: number, y: number) => boolean} Inside */

/** @param {Kind} kind @param {[number, number][]} flat  its points in the frame @returns {Inside} */
export function insideOf(kind, flat) {
  if (kind === "ellipse") {
    const [cx, cy] = [0, 1].map((axis) => flat.reduce((sum, point) => sum + point[axis], 0) / 4);
    const [ax, ay] = [0, 1].map((axis) => (flat[1][axis] - flat[0][axis]) / 2);
    const [bx, by] = [0, 1].map((axis) => (flat[3][axis] - flat[2][axis]) / 2);
    const size = ax * by - ay * bx;
    return (x, y) => {
      const s = ((x - cx) * by - (y - cy) * bx) / size;
      const t = ((y - cy) * ax - (x - cx) * ay) / size;
      return s * s + t * t <= 1 + 1e-9;
    };
  }
  return (x, y) => {
    let inside = false;
    for (let at = 0, before = flat.length - 1; at < flat.length; before = at++) {
      const [x1, y1] = flat[at];
      const [x0, y0] = flat[before];
      if (y1 > y !== y0 > y && x < ((x0 - x1) * (y - y1)) / (y0 - y1) + x1) inside = !inside;
    }
    return inside;
  };
}

/**
 * Two perpendicular steps in a plane, and a starting place on the voxels' own grid where the plane is a slice: then
 * every voxel whose middle lies inside counts once. A tilted plane is walked in steps of the smallest spacing.
 * @param {VolumeGeometry} geometry @param {Point} on @param {Vec3} normal
 * @returns {{ origin: Point, across: Vec3, along: Vec3 }}
 */
function gridIn(geometry, on, normal) {
  const axis = geometry.axes.findIndex((one) => Math.abs(dot(one, normal)) > 0.9999);
  if (axis >= 0) {
    const [first, second] = [0, 1, 2].filter((one) => one !== axis);
    const index = /** @type {Vec3} */ (toIndex(geometry, on).map(Math.round));
    const origin = /** @type {Point} */ ([0, 1, 2].map((row) => geometry.affine[row][0] * index[0] + geometry.affine[row][1] * index[1] + geometry.affine[row][2] * index[2] + geometry.affine[row][3]));
    return { origin, across: scale(geometry.axes[first], geometry.spacing[first]), along: scale(geometry.axes[second], geometry.spacing[second]) };
  }
  const step = Math.min(...geometry.spacing);
  const helper = /** @type {Vec3} */ (Math.abs(normal[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0]);
  const across = scale(normalise(cross(normal, helper)), step);
  const along = scale(normalise(cross(normal, across)), step);
  // Half a step in: a region that begins at this very point has its first samples inside, not on its edge.
  return { origin: addScaled(addScaled(on, across, 0.5), along, 0.5), across, along };
}

/** Samples above which a region is only summed when the drag ends. */
export const MANY = 60_000;

/** How many samples a region needs, so that a caller can wait with a large one. @param {VolumeGeometry} geometry @param {Kind} kind @param {Point[]} points @param {Vec3} normal */
export function samplesOf(geometry, kind, points, normal) {
  const { across, along } = gridIn(geometry, points[0], normal);
  const box = flatBox(outlineOf(kind, points), points[0], across, along);
  return Math.max(0, box.right - box.left) * Math.max(0, box.bottom - box.top);
}

/** @param {Point} point @param {Point} origin @param {Vec3} across @param {Vec3} along @returns {[number, number]} */
const flattened = (point, origin, across, along) => {
  const offset = subtract(point, origin);
  return [dot(offset, across) / dot(across, across), dot(offset, along) / dot(along, along)];
};

/** @param {Point[]} outline @param {Point} origin @param {Vec3} across @param {Vec3} along */
function flatBox(outline, origin, across, along) {
  const flat = outline.map((point) => flattened(point, origin, across, along));
  const [xs, ys] = [flat.map(([x]) => x), flat.map(([, y]) => y)];
  return { left: Math.floor(Math.min(...xs)), right: Math.ceil(Math.max(...xs)), top: Math.floor(Math.min(...ys)), bottom: Math.ceil(Math.max(...ys)) };
}

/**
 * Mean, standard deviation (of all voxels inside, divided by their number), minimum, maximum.
 * @param {Voxels} volume @param {Kind} kind @param {Point[]} points @param {Vec3} normal
 * @returns {Statistics | null}  null where a needed slice is not here yet, or no voxel's middle lies inside
 */
export function regionStatistics({ geometry, voxels, loaded, slope, intercept, unit }, kind, points, normal) {
  const { origin, across, along } = gridIn(geometry, points[0], normal);
  const box = flatBox(outlineOf(kind, points), origin, across, along);
  const inside = insideOf(kind, points.map((point) => flattened(point, origin, across, along)));
  const start = toIndex(geometry, origin);
  const right = subtract(toIndex(geometry, add(origin, across)), start);
  const down = subtract(toIndex(geometry, add(origin, along)), start);
  const [sk, sj, si] = geometry.shape;
  let [count, sum, low, high, mean, spread] = [0, 0, Infinity, -Infinity, 0, 0];
  for (let y = box.top; y <= box.bottom; y++) {
    for (let x = box.left; x <= box.right; x++) {
      if (!inside(x, y)) continue;
      const k = Math.round(start[0] + x * right[0] + y * down[0]);
      const j = Math.round(start[1] + x * right[1] + y * down[1]);
      const i = Math.round(start[2] + x * right[2] + y * down[2]);
      if (k < 0 || j < 0 || i < 0 || k >= sk || j >= sj || i >= si) continue;
      if (!loaded[k]) return null;
      const value = voxels[(k * sj + j) * si + i] * slope + intercept;
      count += 1;
      sum += value;
      if (value < low) low = value;
      if (value > high) high = value;
      // Welford's running sums: stored CT values are far from zero compared with their spread.
      const step = value - mean;
      mean += step / count;
      spread += step * (value - mean);
    }
  }
  return count === 0 ? null : { mean: sum / count, sd: Math.sqrt(Math.max(0, spread / count)), min: low, max: high, count, unit };
}

/** The voxel under a probe as statistics of one. @param {Voxels} volume @param {Point} point @returns {Statistics | null} */
export function probeStatistics({ geometry, voxels, loaded, slope, intercept, unit }, point) {
  const [k, j, i] = toIndex(geometry, point).map(Math.round);
  const [sk, sj, si] = geometry.shape;
  if (k < 0 || j < 0 || i < 0 || k >= sk || j >= sj || i >= si || !loaded[k]) return null;
  const value = voxels[(k * sj + j) * si + i] * slope + intercept;
  return { mean: value, sd: 0, min: value, max: value, count: 1, unit };
}
