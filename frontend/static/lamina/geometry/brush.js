// What a brush covers: all voxels whose middle lies within the radius of its path. Voxels may be longer than wide, so
// distances are taken in millimetres along the volume's own axes (which meet at right angles; intake lets no others in).
// The path from one pointer move to the next is a straight line: the brush sweeps a capsule, and a row of voxels meets
// a capsule in one run, because a capsule is convex. So each row is solved, not tried voxel by voxel.

import { SpanWriter } from "./spans.js";

/** @import { Spans } from "./spans.js" */
/** @import { Vec3 } from "./vectors.js" */

/** @typedef {{ shape: Vec3, spacing: Vec3 }} Grid  voxels along (k, j, i) and their distances, mm or 1 where unknown */

/** A hair, so that a voxel exactly on the rim counts whatever the rounding. */
const RIM = 1e-9;

/**
 * @param {Grid} grid @param {Vec3} from  fractional index (k, j, i) @param {Vec3} to  the same for a dab
 * @param {number} radius  mm
 * @param {number | null} [axis]  0, 1, 2: a disc in the slice of `from` along that axis; null: a ball
 * @returns {Spans}
 */
export function strokeSpans({ shape, spacing }, from, to, radius, axis = null) {
  const slice = axis === null ? 0 : Math.round(from[axis]);
  if (axis !== null && (slice < 0 || slice >= shape[axis])) return new Int32Array(0);
  const mm = (/** @type {Vec3} */ index) => /** @type {Vec3} */ (index.map((value, at) => (at === axis ? slice : value) * spacing[at]));
  const [a, b] = [mm(from), mm(to)];
  const range = (/** @type {number} */ at) => {
    if (at === axis) return [slice, slice];
    const low = Math.ceil((Math.min(a[at], b[at]) - radius) / spacing[at] - RIM);
    const high = Math.floor((Math.max(a[at], b[at]) + radius) / spacing[at] + RIM);
    return [Math.max(0, low), Math.min(shape[at] - 1, high)];
  };
  const [k0, k1] = range(0);
  const [j0, j1] = range(1);
  const [i0, i1] = range(2);
  const writer = new SpanWriter();
  for (let k = k0; k <= k1; k++) {
    for (let j = j0; j <= j1; j++) {
      const run = capsuleRow(a, b, radius, k * spacing[0], j * spacing[1]);
      if (!run) continue;
      const first = Math.max(i0, Math.ceil(run[0] / spacing[2] - RIM));
      const last = Math.min(i1, Math.floor(run[1] / spacing[2] + RIM));
      writer.add((k * shape[1] + j) * shape[2] + first, last - first + 1);
    }
  }
  return writer.done();
}

/**
 * Where the line (z, y, *) lies within `radius` of the segment from a to b: the run along x, or null.
 * @param {Vec3} a  (z, y, x) mm @param {Vec3} b @param {number} radius @param {number} z @param {number} y
 * @returns {[number, number] | null}
 */
export function capsuleRow(a, b, radius, z, y) {
  let low = Infinity;
  let high = -Infinity;
  const square = radius * radius * (1 + RIM);
  for (const [cz, cy, cx] of [a, b]) {
    const left = square - (z - cz) ** 2 - (y - cy) ** 2;
    if (left < 0) continue;
    const half = Math.sqrt(left);
    low = Math.min(low, cx - half);
    high = Math.max(high, cx + half);
  }
  const way = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const length = Math.hypot(...way);
  if (length > 0) {
    // The cylinder between the two balls: |p - a|^2 - ((p - a).u)^2 <= r^2, and 0 <= (p - a).u <= length.
    const [uz, uy, ux] = way.map((value) => value / length);
    const [pz, py] = [z - a[0], y - a[1]];
    const along = pz * uz + py * uy;
    // With x = a.x + t the first rule is A t^2 + 2 B t + C <= 0.
    const A = 1 - ux * ux;
    const B = -along * ux;
    const C = pz * pz + py * py - along * along - square;
    let [t0, t1] = [-Infinity, Infinity];
    if (A > 1e-12) {
      const root = B * B - A * C;
      if (root < 0) [t0, t1] = [1, 0];
      else [t0, t1] = [(-B - Math.sqrt(root)) / A, (-B + Math.sqrt(root)) / A];
    } else if (C > 0) [t0, t1] = [1, 0];
    if (Math.abs(ux) > 1e-12) {
      const ends = [-along / ux, (length - along) / ux].sort((p, q) => p - q);
      t0 = Math.max(t0, ends[0]);
      t1 = Math.min(t1, ends[1]);
    } else if (along < 0 || along > length) [t0, t1] = [1, 0];
    if (t0 <= t1) {
      low = Math.min(low, a[2] + t0);
      high = Math.max(high, a[2] + t1);
    }
  }
  return low <= high ? [low, high] : null;
}

/**
 * A test "stored value within limits" for `narrowed`. Values are turned into stored ones once, not voxel by voxel.
 * @param {ArrayLike<number>} stored @param {{ slope: number, intercept: number }} values  real = stored * slope + intercept
 * @param {number} low @param {number} high  real values, both included; their order does not matter
 */
export function withinLimits(stored, { slope, intercept }, low, high) {
  const ends = [(low - intercept) / slope, (high - intercept) / slope].sort((a, b) => a - b);
  const [least, most] = [ends[0] - 1e-6, ends[1] + 1e-6];
  return (/** @type {number} */ offset) => stored[offset] >= least && stored[offset] <= most;
}

/** The next brush size up or down: steps of about a tenth, on round tenths of a millimetre. @param {number} diameter  mm @param {number} steps @param {number} smallest  mm @param {number} largest  mm */
export function nextSize(diameter, steps, smallest, largest) {
  let size = diameter;
  for (let left = Math.abs(steps); left > 0; left--) {
    const step = size < 5 || (size === 5 && steps < 0) ? 0.5 : size < 20 || (size === 20 && steps < 0) ? 1 : 5;
    size = Math.round((size + Math.sign(steps) * step) / step) * step;
  }
  return Math.min(largest, Math.max(smallest, size));
}
