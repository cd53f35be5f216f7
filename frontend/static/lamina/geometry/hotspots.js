// Places where two outlines differ: which are worth showing, in which order one goes through them, from where one looks
// at them, and how they are told in words and in a table.

import { length, subtract } from "./vectors.js";

/** @import { Orbit } from "./orbit.js" */
/** @import { Point, Vec3 } from "./vectors.js" */

/**
 * A region as the server tells it.
 * @typedef {object} Region
 * @property {number} n  1 is the largest
 * @property {string} key
 * @property {number} number  of the segment
 * @property {string} label
 * @property {"a_only" | "b_only"} side  which goes further
 * @property {number} voxels
 * @property {number | null} volume_ml
 * @property {number | null} max_mm  positive where B goes further; null: the other has nothing there
 * @property {Point | null} centroid_mm
 * @property {Point | null} point_mm  on the surface that goes further
 * @property {Point | null} middle_mm  halfway from there to the other
 * @property {number[] | null} bounds_mm  x0 x1 y0 y1 z0 z1
 */

/** Those at least so large; what has no distance (the other lacks it altogether) always counts. @param {Region[]} regions @param {number} from  mm */
export const hotspots = (regions, from) => regions.filter(({ max_mm: size }) => size === null || Math.abs(size) >= from - 1e-9);

/** The one after or before the chosen; from none to the first, and round at the ends. @param {Region[]} spots @param {number | null} chosen  its n @param {1 | -1} by @returns {number | null} */
export function spotBeside(spots, chosen, by) {
  if (spots.length === 0) return null;
  const at = spots.findIndex(({ n }) => n === chosen);
  if (at < 0) return spots[by > 0 ? 0 : spots.length - 1].n;
  return spots[(at + by + spots.length) % spots.length].n;
}

/**
 * From where one looks straight at a place: azimuth and elevation as the 3D camera has them; null where there is no way
 * out. @param {Region} region @param {Point | null} centre  of the segment, for places without a distance
 * @returns {Pick<Orbit, "azimuth" | "elevation"> | null}
 */
export function facing(region, centre) {
  const { point_mm: point, middle_mm: middle } = region;
  if (!point) return null;
  let out = middle ? subtract(point, middle) : [0, 0, 0];
  if (length(/** @type {Vec3} */ (out)) < 0.05 && centre) out = subtract(point, centre);
  const far = length(/** @type {Vec3} */ (out));
  if (far < 1e-6) return null;
  const [x, y, z] = out;
  // Straight up or down one sees no body, only a lid: a little from the side.
  const elevation = Math.max(-70, Math.min(70, (Math.asin(Math.max(-1, Math.min(1, z / far))) * 180) / Math.PI));
  return { azimuth: (Math.atan2(x, -y) * 180) / Math.PI, elevation };
}

/** Directions of LPS: towards growing and falling x, y, z. */
const TOWARDS = /** @type {const} */ ([["left", "right"], ["back", "front"], ["upper", "lower"]]);

/** @typedef {"left" | "right" | "back" | "front" | "upper" | "lower" | "middle"} Direction */

/**
 * Where in a segment a place lies, as at most two words: the outer thirds count.
 * @param {Point} point @param {number[]} bounds  of the segment, x0 x1 y0 y1 z0 z1 @returns {Direction[]}
 */
export function directionsOf(point, bounds) {
  const found = [2, 1, 0].map((axis) => {
    const [low, high] = [bounds[2 * axis], bounds[2 * axis + 1]];
    const share = high > low ? (point[axis] - low) / (high - low) - 0.5 : 0;
    return { share, word: /** @type {Direction} */ (TOWARDS[axis][share >= 0 ? 0 : 1]) };
  });
  const outer = found.filter(({ share }) => Math.abs(share) > 1 / 6).sort((a, b) => Math.abs(b.share) - Math.abs(a.share)).slice(0, 2);
  // Upper and lower first, then front and back, then left and right, as people say it.
  return outer.length ? found.filter((one) => outer.includes(one)).map(({ word }) => word) : ["middle"];
}

/** The box round some boxes. @param {(number[] | null)[]} boxes @returns {number[] | null} */
export function unionOf(boxes) {
  const there = boxes.filter((box) => box !== null);
  if (there.length === 0) return null;
  return [0, 1, 2].flatMap((axis) => [Math.min(...there.map((box) => box[2 * axis])), Math.max(...there.map((box) => box[2 * axis + 1]))]);
}

/** @param {any} value */
const cell = (value) => (value === null || value === undefined ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));

/**
 * Numbers of a comparison as a table for other programs: plain decimal points, units in the head, LPS mm.
 * @param {any} comparison @param {string} notice @returns {string}
 */
export function csvOf({ result }, notice) {
  const segments = [
    ["segment", "label", "dice", "hd95_mm", "assd_mm", "max_mm", "volume_a_ml", "volume_b_ml", "volume_difference_percent"],
    ...result.segments.map((/** @type {any} */ one) => [one.number, one.label, one.dice, one.hd95_mm, one.assd_mm, one.max_mm, one.volume_a_ml, one.volume_b_ml, one.volume_difference_percent]),
  ];
  const regions = [
    ["place", "key", "segment", "label", "side", "max_mm", "volume_ml", "voxels", "x_mm", "y_mm", "z_mm"],
    ...result.regions.map((/** @type {Region} */ one) => [one.n, one.key, one.number, one.label, one.side, one.max_mm, one.volume_ml, one.voxels, ...(one.point_mm ?? [null, null, null])]),
  ];
  return [[notice], [], ...segments, [], ...regions].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
