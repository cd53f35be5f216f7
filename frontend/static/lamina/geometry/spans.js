// Voxels of a volume as spans: runs of neighbours in the flat (k, j, i) array. Edits are made, kept, sent and taken back
// as spans, because a stroke touches long rows of voxels and a span of a thousand costs as much as a span of one.

/** @import { Vec3 } from "./vectors.js" */

/** @typedef {Int32Array} Spans  start, length, start, length, ...; ascending, apart from each other */
/** @typedef {[number, number, number, number, number, number]} Box  first and last k, j, i, both included */

export const NO_SPANS = new Int32Array(0);

/** Collects spans in any order of growing start; neighbours become one. */
export class SpanWriter {
  constructor() {
    /** @type {number[]} */
    this.runs = [];
  }

  /** @param {number} start  not before the end of the last one @param {number} length */
  add(start, length) {
    if (length <= 0) return;
    const { runs } = this;
    const last = runs.length - 2;
    if (last >= 0 && runs[last] + runs[last + 1] === start) runs[last + 1] += length;
    else runs.push(start, length);
  }

  /** @returns {Spans} */
  done() {
    return Int32Array.from(this.runs);
  }
}

/** How many voxels. @param {ArrayLike<number>} spans */
export function countOf(spans) {
  let count = 0;
  for (let at = 1; at < spans.length; at += 2) count += spans[at];
  return count;
}

/** Voxels of either. @param {Spans} a @param {Spans} b @returns {Spans} */
export function unionOf(a, b) {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const runs = [];
  let [p, q] = [0, 0];
  let [start, end] = [-1, -1];
  while (p < a.length || q < b.length) {
    const first = q >= b.length || (p < a.length && a[p] <= b[q]);
    const from = first ? a[p] : b[q];
    const to = from + (first ? a[p + 1] : b[q + 1]);
    if (first) p += 2;
    else q += 2;
    if (from <= end) end = Math.max(end, to);
    else {
      if (end > start) runs.push(start, end - start);
      [start, end] = [from, to];
    }
  }
  if (end > start) runs.push(start, end - start);
  return Int32Array.from(runs);
}

/** The smallest box of indices around spans, null around none. @param {ArrayLike<number>} spans @param {Vec3} shape @returns {Box | null} */
export function boxOf(spans, [, height, width]) {
  if (spans.length === 0) return null;
  /** @type {Box} */
  const box = [Infinity, -1, Infinity, -1, Infinity, -1];
  const see = (/** @type {number} */ low, /** @type {number} */ high, /** @type {number} */ at) => {
    if (low < box[at]) box[at] = low;
    if (high > box[at + 1]) box[at + 1] = high;
  };
  for (let at = 0; at < spans.length; at += 2) {
    const [first, last] = [spans[at], spans[at] + spans[at + 1] - 1];
    const [row, lastRow] = [Math.floor(first / width), Math.floor(last / width)];
    const [slice, lastSlice] = [Math.floor(row / height), Math.floor(lastRow / height)];
    see(slice, lastSlice, 0);
    if (slice === lastSlice) see(row - slice * height, lastRow - slice * height, 2);
    else see(0, height - 1, 2);
    if (row === lastRow) see(first - row * width, last - row * width, 4);
    else see(0, width - 1, 4);
  }
  return box;
}

/** The box around both. @param {Box | null} a @param {Box | null} b @returns {Box | null} */
export const boxAround = (a, b) =>
  !a || !b ? a ?? b : /** @type {Box} */ (a.map((value, at) => (at % 2 === 0 ? Math.min(value, b[at]) : Math.max(value, b[at]))));

/** Voxels of the whole array for which `wanted` holds. @param {number} count @param {(offset: number) => boolean} wanted @returns {Spans} */
export function spansWhere(count, wanted) {
  const writer = new SpanWriter();
  for (let at = 0; at < count; at++) {
    if (!wanted(at)) continue;
    const start = at;
    while (at < count && wanted(at)) at++;
    writer.add(start, at - start);
  }
  return writer.done();
}

/** Those voxels of the spans for which `wanted` holds. @param {Spans} spans @param {(offset: number) => boolean} wanted @returns {Spans} */
export function narrowed(spans, wanted) {
  const writer = new SpanWriter();
  for (let at = 0; at < spans.length; at += 2) {
    const end = spans[at] + spans[at + 1];
    for (let offset = spans[at]; offset < end; offset++) {
      if (!wanted(offset)) continue;
      const start = offset;
      while (offset < end && wanted(offset)) offset++;
      writer.add(start, offset - start);
    }
  }
  return writer.done();
}
