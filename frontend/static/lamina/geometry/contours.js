// Outlines of the labels in one slice: marching squares between voxel centres, then one round of corner cutting.
// The line runs half way between a voxel inside and its neighbour outside, so a single voxel never vanishes.

/** @typedef {Float32Array} Ring  x0 y0 x1 y1 ..., closed, in pixels of the slice where a pixel's middle is whole */

/**
 * @param {Uint8Array} labels  one slice, row by row
 * @param {number} width @param {number} height
 * @param {Set<number>} [only]  these labels; all when left out
 * @returns {Map<number, Ring[]>}  rings per label number, background left out
 */
export function contoursOf(labels, width, height, only) {
  const boxes = labelBoxes(labels, width, height);
  const result = new Map();
  for (const [label, box] of boxes) {
    if (only && !only.has(label)) continue;
    const rings = ringsOf(labels, width, height, label, box).map(cutCorners);
    result.set(label, rings);
  }
  return result;
}

/** Bounding boxes [x0, y0, x1, y1] per label. @param {Uint8Array} labels @param {number} width @param {number} height @returns {Map<number, number[]>} */
export function labelBoxes(labels, width, height) {
  /** @type {Map<number, number[]>} */
  const boxes = new Map();
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const label = labels[at];
      if (label === 0) continue;
      const box = boxes.get(label);
      if (!box) boxes.set(label, [x, y, x, y]);
      else {
        if (x < box[0]) box[0] = x;
        if (x > box[2]) box[2] = x;
        box[3] = y;
      }
    }
  }
  return boxes;
}

// Edges of a cell of four voxels: 0 top, 1 right, 2 bottom, 3 left. For each of the 16 cases the way in -> the way
// out with the inside on the left hand; the two saddles keep diagonal voxels apart, as voxel counting does.
const WAYS = /** @type {number[][][]} */ ([
  [], [[3, 0]], [[0, 1]], [[3, 1]], [[1, 2]], [[3, 0], [1, 2]], [[0, 2]], [[3, 2]],
  [[2, 3]], [[2, 0]], [[0, 1], [2, 3]], [[2, 1]], [[1, 3]], [[1, 0]], [[0, 3]], [],
]);

/**
 * Closed rings of one label.
 * @param {Uint8Array} labels @param {number} width @param {number} height @param {number} label @param {number[]} box
 * @returns {Ring[]}
 */
function ringsOf(labels, width, height, label, [x0, y0, x1, y1]) {
  /** @param {number} x @param {number} y */
  const inside = (x, y) => (x >= 0 && y >= 0 && x < width && y < height && labels[y * width + x] === label ? 1 : 0);
  // One directed segment per way; `next` goes from the point on one cell edge to the point on the next. A point is
  // named by its doubled coordinates, which are whole numbers.
  const stride = 2 * width + 6;
  /** @param {number} x @param {number} y  doubled */
  const name = (x, y) => (y + 3) * stride + (x + 3);
  /** @type {Map<number, number>} */
  const next = new Map();
  for (let y = y0 - 1; y <= y1; y++) {
    let left = inside(x0 - 1, y);
    let leftBelow = inside(x0 - 1, y + 1);
    for (let x = x0 - 1; x <= x1; x++) {
      const right = inside(x + 1, y);
      const rightBelow = inside(x + 1, y + 1);
      const ways = WAYS[left | (right << 1) | (rightBelow << 2) | (leftBelow << 3)];
      for (const [from, to] of ways) next.set(edgePoint(from, x, y, name), edgePoint(to, x, y, name));
      left = right;
      leftBelow = rightBelow;
    }
  }
  const rings = [];
  while (next.size > 0) {
    const start = /** @type {number} */ (next.keys().next().value);
    const points = [];
    for (let at = start; next.has(at); ) {
      points.push(((at % stride) - 3) / 2, (Math.floor(at / stride) - 3) / 2);
      const following = /** @type {number} */ (next.get(at));
      next.delete(at);
      at = following;
    }
    rings.push(Float32Array.from(points));
  }
  return rings;
}

/** @param {number} edge @param {number} x @param {number} y @param {(x: number, y: number) => number} name */
function edgePoint(edge, x, y, name) {
  switch (edge) {
    case 0: return name(2 * x + 1, 2 * y);
    case 1: return name(2 * x + 2, 2 * y + 1);
    case 2: return name(2 * x + 1, 2 * y + 2);
    default: return name(2 * x, 2 * y + 1);
  }
}

/** One round of Chaikin's corner cutting on a closed ring. @param {Ring} ring @returns {Ring} */
export function cutCorners(ring) {
  const count = ring.length / 2;
  if (count < 3) return ring;
  const result = new Float32Array(count * 4);
  for (let at = 0; at < count; at++) {
    const to = (at + 1) % count;
    const [ax, ay, bx, by] = [ring[2 * at], ring[2 * at + 1], ring[2 * to], ring[2 * to + 1]];
    result.set([0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by, 0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by], at * 4);
  }
  return result;
}

/** Area by the shoelace rule: positive around a label, negative around a hole in it. @param {Ring} ring */
export function areaOf(ring) {
  let twice = 0;
  const count = ring.length / 2;
  for (let at = 0; at < count; at++) {
    const to = (at + 1) % count;
    twice += ring[2 * at] * ring[2 * to + 1] - ring[2 * to] * ring[2 * at + 1];
  }
  return -twice / 2;
}

/**
 * One slice of a labelmap as rows for the screen: x along `rightAxis`, y along `downAxis` in growing index.
 * @param {Uint8Array} labelmap  (k, j, i) @param {number[]} shape @param {{axis: number, rightAxis: number, downAxis: number}} plane
 * @param {number} slice @returns {{ labels: Uint8Array, width: number, height: number }}
 */
export function labelSlice(labelmap, shape, plane, slice) {
  const strides = [shape[1] * shape[2], shape[2], 1];
  const width = shape[plane.rightAxis];
  const height = shape[plane.downAxis];
  const start = slice * strides[plane.axis];
  const [across, along] = [strides[plane.rightAxis], strides[plane.downAxis]];
  if (across === 1 && along === width) return { labels: labelmap.subarray(start, start + width * height), width, height };
  const labels = new Uint8Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0, from = start + y * along; x < width; x++, at++, from += across) labels[at] = labelmap[from];
  }
  return { labels, width, height };
}
