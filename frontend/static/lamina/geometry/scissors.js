// Scissors: a closed line drawn over a plane cuts through slices. Positions are in voxels along the plane's right and
// down axes, where a voxel's middle is whole; a voxel belongs inside when its middle does (even-odd).

import { SpanWriter } from "./spans.js";

/** @import { Spans } from "./spans.js" */
/** @import { Vec3 } from "./vectors.js" */

/** @typedef {[number, number][]} Polygon  closed by itself */

/**
 * Runs of whole x inside the polygon on one row: [first, last, first, last, ...].
 * @param {Polygon} polygon @param {number} y @param {number} width
 */
export function rowInside(polygon, y, width) {
  const crossings = [];
  for (let at = 0; at < polygon.length; at++) {
    const [x0, y0] = polygon[at];
    const [x1, y1] = polygon[(at + 1) % polygon.length];
    // Half open: a corner on the row is counted once.
    if (y0 <= y === y1 <= y) continue;
    crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
  }
  crossings.sort((a, b) => a - b);
  const runs = [];
  for (let at = 0; at + 1 < crossings.length; at += 2) {
    const first = Math.max(0, Math.ceil(crossings[at]));
    const last = Math.min(width - 1, Math.floor(crossings[at + 1]));
    if (first <= last) runs.push(first, last);
  }
  return runs;
}

/**
 * All voxels inside the polygon on slices `first` to `last`.
 * @param {Vec3} shape @param {{ axis: number, rightAxis: number, downAxis: number }} plane @param {Polygon} polygon
 * @param {number} first @param {number} last
 * @returns {Spans}
 */
export function prismSpans(shape, plane, polygon, first, last) {
  if (polygon.length < 3) return new Int32Array(0);
  const [width, height] = [shape[plane.rightAxis], shape[plane.downAxis]];
  const ys = polygon.map(([, y]) => y);
  const [top, bottom] = [Math.max(0, Math.ceil(Math.min(...ys))), Math.min(height - 1, Math.floor(Math.max(...ys)))];
  const inside = new Uint8Array(width * height);
  for (let y = top; y <= bottom; y++) {
    const runs = rowInside(polygon, y, width);
    for (let at = 0; at < runs.length; at += 2) inside.fill(1, y * width + runs[at], y * width + runs[at + 1] + 1);
  }
  // Walk the flat array in its own order; what a voxel's place on the plane is depends on which axis is which.
  const low = [0, 0, 0];
  const high = shape.map((count) => count - 1);
  [low[plane.axis], high[plane.axis]] = [Math.max(0, first), Math.min(shape[plane.axis] - 1, last)];
  [low[plane.downAxis], high[plane.downAxis]] = [top, bottom];
  const step = [0, 0, 0];
  step[plane.rightAxis] = 1;
  step[plane.downAxis] = width;
  const writer = new SpanWriter();
  for (let k = low[0]; k <= high[0]; k++) {
    for (let j = low[1]; j <= high[1]; j++) {
      const row = (k * shape[1] + j) * shape[2];
      const from = k * step[0] + j * step[1];
      for (let i = low[2]; i <= high[2]; i++) if (inside[from + i * step[2]]) writer.add(row + i, 1);
    }
  }
  return writer.done();
}

/** @param {[number, number]} a @param {[number, number]} b @returns {Polygon} */
export const rectangleOf = ([ax, ay], [bx, by]) => [[ax, ay], [bx, ay], [bx, by], [ax, by]];
