// Slices between drawn slices. The outline between two drawn ones is where their signed distances, weighed by how near
// each slice is, add up to zero (shape-based interpolation, Raya and Udupa 1990). The two outlines are first moved onto
// each other's middle, so that a vessel that runs aslant stays one vessel.

import { SpanWriter } from "./spans.js";

/** @import { Spans } from "./spans.js" */
/** @import { Vec3 } from "./vectors.js" */

/** @typedef {{ axis: number, rightAxis: number, downAxis: number }} Axes */
/** @typedef {{ inside: Uint8Array, width: number, height: number, left: number, top: number, middle: [number, number] }} Cut  of one slice, as small as the box it lies in */

const FAR = 1e20;

/** Squared distance along one row (Felzenszwalb and Huttenlocher 2012). @param {Float64Array} values @param {number} count @param {number} start @param {number} step @param {number} pixel mm @param {Int32Array} places @param {Float64Array} borders @param {Float64Array} row */
function distanceAlong(values, count, start, step, pixel, places, borders, row) {
  for (let at = 0; at < count; at++) row[at] = values[start + at * step];
  const square = pixel * pixel;
  let last = 0;
  places[0] = 0;
  borders[0] = -FAR;
  borders[1] = FAR;
  for (let at = 1; at < count; at++) {
    let meet;
    for (;;) {
      const from = places[last];
      meet = (row[at] - row[from] + square * (at * at - from * from)) / (2 * square * (at - from));
      if (meet > borders[last] || last === 0) break;
      last--;
    }
    if (meet <= borders[last]) {
      places[last] = at;
      borders[last + 1] = FAR;
      continue;
    }
    last++;
    places[last] = at;
    borders[last] = meet;
    borders[last + 1] = FAR;
  }
  for (let at = 0, from = 0; at < count; at++) {
    while (borders[from + 1] < at) from++;
    values[start + at * step] = square * (at - places[from]) ** 2 + row[places[from]];
  }
}

/** Distance of every pixel to the nearest one where `inside` is `wanted`, mm. @param {Uint8Array} inside @param {number} wanted @param {number} width @param {number} height @param {number} right mm @param {number} down mm */
function distancesTo(inside, wanted, width, height, right, down) {
  const values = Float64Array.from(inside, (one) => (one === wanted ? 0 : FAR));
  const longest = Math.max(width, height);
  const [places, borders, row] = [new Int32Array(longest), new Float64Array(longest + 1), new Float64Array(longest)];
  for (let x = 0; x < width; x++) distanceAlong(values, height, x, width, down, places, borders, row);
  for (let y = 0; y < height; y++) distanceAlong(values, width, y * width, 1, right, places, borders, row);
  return values.map(Math.sqrt);
}

/** Millimetres to the outline: below 0 inside; the outline runs half way between neighbours. @param {Uint8Array} inside @param {number} width @param {number} height @param {number} right mm per pixel @param {number} down */
export function signedDistances(inside, width, height, right, down) {
  const half = (right + down) / 4;
  const out = distancesTo(inside, 1, width, height, right, down);
  const within = distancesTo(inside, 0, width, height, right, down);
  return Float32Array.from(out, (far, at) => (inside[at] ? half - within[at] : far - half));
}

/** One segment on one slice, null where it is not. @param {Uint8Array} labels @param {Vec3} shape @param {Axes} plane @param {number} slice @param {number} number @returns {Cut | null} */
function cutOf(labels, shape, plane, slice, number) {
  const strides = [shape[1] * shape[2], shape[2], 1];
  const [width, height] = [shape[plane.rightAxis], shape[plane.downAxis]];
  const [across, along] = [strides[plane.rightAxis], strides[plane.downAxis]];
  const start = slice * strides[plane.axis];
  let [left, right, top, bottom, count, sumX, sumY] = [width, -1, height, -1, 0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = start + y * along; x < width; x++, at += across) {
      if (labels[at] !== number) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
      count++;
      sumX += x;
      sumY += y;
    }
  }
  if (count === 0) return null;
  const [wide, high] = [right - left + 1, bottom - top + 1];
  const inside = new Uint8Array(wide * high);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) inside[y * wide + x] = labels[start + (y + top) * along + (x + left) * across] === number ? 1 : 0;
  }
  return { inside, width: wide, height: high, left, top, middle: [sumX / count, sumY / count] };
}

/** Signed distances of a cut in a room of its own, its middle in the room's middle. @param {Cut} cut @param {number} wide @param {number} high @param {number} right @param {number} down */
function centred(cut, wide, high, right, down) {
  const inside = new Uint8Array(wide * high);
  const [moveX, moveY] = [Math.round(wide / 2 - cut.middle[0]), Math.round(high / 2 - cut.middle[1])];
  for (let y = 0; y < cut.height; y++) {
    const row = (cut.top + y + moveY) * wide + cut.left + moveX;
    inside.set(cut.inside.subarray(y * cut.width, (y + 1) * cut.width), row);
  }
  const distances = signedDistances(inside, wide, high, right, down);
  /** Where a place of the volume's slice lies in this room, when the cut's middle is moved to `middle`. @param {number} x @param {number} y @param {[number, number]} middle */
  return (x, y, middle) => {
    const u = Math.min(wide - 1.001, Math.max(0, x - middle[0] + cut.middle[0] + moveX));
    const v = Math.min(high - 1.001, Math.max(0, y - middle[1] + cut.middle[1] + moveY));
    const [p, q] = [Math.floor(u), Math.floor(v)];
    const [s, t] = [u - p, v - q];
    const at = q * wide + p;
    return (distances[at] * (1 - s) + distances[at + 1] * s) * (1 - t) + (distances[at + wide] * (1 - s) + distances[at + wide + 1] * s) * t;
  };
}

/**
 * What belongs between the drawn slices of one segment: every gap between two slices that hold some of it.
 * @param {Uint8Array} labels  (k, j, i) @param {{ shape: Vec3, spacing: Vec3 }} grid @param {Axes} plane @param {number} number
 * @returns {Spans}  without the drawn slices themselves; empty when there is no gap
 */
export function fillBetween(labels, { shape, spacing }, plane, number) {
  const strides = [shape[1] * shape[2], shape[2], 1];
  /** @type {number[]} */
  const offsets = [];
  /** @type {{ slice: number, cut: Cut } | null} */
  let before = null;
  for (let slice = 0; slice < shape[plane.axis]; slice++) {
    const cut = cutOf(labels, shape, plane, slice, number);
    if (!cut) continue;
    if (before && slice - before.slice > 1) between(before, { slice, cut });
    before = { slice, cut };
  }
  offsets.sort((a, b) => a - b);
  const writer = new SpanWriter();
  for (const offset of offsets) writer.add(offset, 1);
  return writer.done();

  /** @param {{ slice: number, cut: Cut }} a @param {{ slice: number, cut: Cut }} b */
  function between(a, b) {
    const [right, down] = [spacing[plane.rightAxis], spacing[plane.downAxis]];
    // Room for either outline round the common middle.
    const reach = (/** @type {number} */ at) => Math.ceil(Math.max(...[a, b].map(({ cut }) => {
      const [start, size] = at === 0 ? [cut.left, cut.width] : [cut.top, cut.height];
      return Math.max(cut.middle[at] - start, start + size - 1 - cut.middle[at]);
    }))) + 2;
    const [reachX, reachY] = [reach(0), reach(1)];
    const [wide, high] = [2 * reachX + 2, 2 * reachY + 2];
    const [first, second] = [centred(a.cut, wide, high, right, down), centred(b.cut, wide, high, right, down)];
    for (let slice = a.slice + 1; slice < b.slice; slice++) {
      const share = (slice - a.slice) / (b.slice - a.slice);
      const middle = /** @type {[number, number]} */ ([0, 1].map((at) => a.cut.middle[at] * (1 - share) + b.cut.middle[at] * share));
      const [x0, x1] = [Math.max(0, Math.floor(middle[0] - reachX)), Math.min(shape[plane.rightAxis] - 1, Math.ceil(middle[0] + reachX))];
      const [y0, y1] = [Math.max(0, Math.floor(middle[1] - reachY)), Math.min(shape[plane.downAxis] - 1, Math.ceil(middle[1] + reachY))];
      for (let y = y0; y <= y1; y++) {
        for (let x = x0; x <= x1; x++) {
          if (first(x, y, middle) * (1 - share) + second(x, y, middle) * share >= 0) continue;
          offsets.push(slice * strides[plane.axis] + y * strides[plane.downAxis] + x * strides[plane.rightAxis]);
        }
      }
    }
  }
}
