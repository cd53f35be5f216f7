// Marks drawn over a plane or over the 3D, and found again under a pointer. Each line has a black halo, all halos before
// all lines; the label alone gets a dark plate (SCREENS, "On the image"). Works in CSS px on a 2D canvas; no three.js.

import { REGIONS, distanceToSegment, middleOf, outlineOf } from "../geometry/measure.js";
import { cross, dot } from "../geometry/vectors.js";

/** @import { Point, Vec3 } from "../geometry/vectors.js" */
/** @import { Mark } from "../state/marks.js" */

/** @typedef {[number, number]} Pixel */
/**
 * @typedef {object} MarkPane  a plane or the 3D as marks need it
 * @property {boolean} space  the 3D: everything in front of the eye is seen
 * @property {number} width @property {number} height
 * @property {(point: Point) => Pixel} toPixel
 * @property {(point: Point) => number} depth  mm from the shown slice; in 3D from the eye
 * @property {Vec3} normal  of the plane
 * @property {number} half  half of the slice's thickness, mm
 */
/** @typedef {{ lit: boolean, drawing: boolean, texts: string[] }} MarkLook */
/** @typedef {{ mark: Mark, part: "handle" | "line" | "label", handle: number, away: number }} Hit */
/**
 * @typedef {object} Shape  a mark in pixels
 * @property {Pixel[][]} lines @property {boolean} closed
 * @property {Pixel[]} handles @property {Pixel} anchor  where the label hangs
 */

const HALO = 1.8;
const LINE = 1.5;
const TICK = 6;
const HANDLE = 4.5;
const PARALLEL = 0.999;
/** A pointer this near takes hold, px. */
const REACH = Object.freeze({ handle: 9, line: 6 });
const FONT = "600 12px 'Inter Variable', Inter, 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', system-ui, sans-serif";
const PLATE = Object.freeze({ x: 7, y: 4, line: 16 });

/** A plane as marks need it. @param {import("./plane-viewport.js").Pane} pane @returns {MarkPane} */
export const onPlane = ({ width, height, toPixel, depth, plane }) =>
  ({ space: false, width, height, toPixel, depth, normal: plane.normal ?? cross(plane.right, plane.down), half: (plane.step ?? 1) / 2 });

/** The 3D as marks need it. @param {{ width: number, height: number, toPixel: (point: Point) => Pixel, depth: (point: Point) => number }} pane @returns {MarkPane} */
export const inSpace = ({ width, height, toPixel, depth }) => ({ space: true, width, height, toPixel, depth, normal: [0, 0, 1], half: Infinity });

/** Whether a mark is to be seen: flat ones on planes that lie as they do, the others where their points are. @param {Mark} mark @param {MarkPane} pane */
export function isSeen({ kind, points, plane_normal: normal }, pane) {
  if (pane.space) return points.every((point) => pane.depth(point) > 0);
  const within = (/** @type {Point} */ point) => Math.abs(pane.depth(point)) <= pane.half + 1e-3;
  if (normal && points.length > 1) return Math.abs(dot(normal, pane.normal)) > PARALLEL && points.every(within);
  return kind === "surface_distance" || kind === "length" ? points.some(within) : points.every(within);
}

/** Only the ends of a path and the corners of a freehand line's kin can be taken hold of. @param {Mark} mark */
export const handlesOf = ({ kind, points }) =>
  kind === "freehand" ? [] : kind === "surface_distance" ? [0, points.length - 1] : points.map((_, at) => at);

/** @param {Mark} mark @param {MarkPane} pane @returns {Shape} */
export function shapeOf(mark, pane) {
  const { kind, points } = mark;
  const pixels = points.map((point) => pane.toPixel(point));
  const handles = handlesOf(mark).map((at) => pixels[at]);
  const closed = REGIONS.has(kind);
  /** @type {Pixel[][]} */
  let lines = [pixels];
  if (closed) lines = [outlineOf(kind, points).map((point) => pane.toPixel(point))];
  else if (kind === "cobb") lines = [pixels.slice(0, 2), pixels.slice(2)];
  else if (points.length === 1) lines = [];
  return { lines: lines.filter((line) => line.length > 1), closed: closed && points.length > 2, handles, anchor: anchorOf(kind, lines.flat().length ? lines.flat() : pixels, pixels) };
}

/** The label hangs at the right of the shape, that of an angle at its vertex. @param {string} kind @param {Pixel[]} line @param {Pixel[]} pixels @returns {Pixel} */
function anchorOf(kind, line, pixels) {
  if (kind === "angle" && pixels.length === 3) return pixels[1];
  return line.reduce((best, one) => (one[0] > best[0] ? one : best));
}

/** A dark plate with a label. @typedef {{ x: number, y: number, width: number, height: number }} Plate */

/** @param {Plate} a @param {Plate} b  px² that both cover */
const shared = (a, b) =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) * Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));

/**
 * Where each label goes: right of its shape if nothing stands there, else at another side. Labels cover neither each
 * other nor lines, as far as there is room.
 * @param {{ shape: Shape, look: MarkLook }[]} marks @param {MarkPane} pane @returns {(Plate | null)[]}
 */
function platesOf(marks, pane) {
  /** Places along all lines, every few pixels. @type {Pixel[]} */
  const taken = marks.flatMap(({ shape }) => [...shape.handles, ...shape.lines.flatMap((line) => line.slice(1).flatMap((to, at) => {
    const from = line[at];
    const steps = Math.min(40, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / 8));
    return Array.from({ length: steps }, (_, one) => /** @type {Pixel} */ ([from[0] + ((to[0] - from[0]) * (one + 1)) / (steps + 1), from[1] + ((to[1] - from[1]) * (one + 1)) / (steps + 1)]));
  }))]);
  /** @type {Plate[]} */
  const placed = [];
  return marks.map(({ shape: { anchor, handles, lines }, look: { texts } }) => {
    if (texts.length === 0) return null;
    const width = Math.max(...texts.map(widthOf)) + 2 * PLATE.x;
    const height = texts.length * PLATE.line + 2 * PLATE.y - 2;
    const all = [...handles, ...lines.flat()];
    const [left, top, bottom] = [Math.min(...all.map(([x]) => x)), Math.min(...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y))];
    const middle = (left + Math.max(...all.map(([x]) => x)) - width) / 2;
    const tries = [[anchor[0] + 12, anchor[1] - height / 2], [left - 12 - width, anchor[1] - height / 2], [middle, top - 10 - height], [middle, bottom + 10], [anchor[0] + 12, anchor[1] + 8], [anchor[0] + 12, anchor[1] - height - 8]];
    let [best, cost] = [/** @type {Plate | null} */ (null), Infinity];
    tries.forEach(([x, y], at) => {
      const plate = { x: Math.min(Math.max(2, x), pane.width - width - 2), y: Math.min(Math.max(2, y), pane.height - height - 2), width, height };
      const pushed = Math.abs(plate.x - x) + Math.abs(plate.y - y);
      const covered = taken.filter(([px, py]) => px > plate.x - 2 && px < plate.x + width + 2 && py > plate.y - 2 && py < plate.y + height + 2).length;
      const now = at + pushed * 2 + covered * 12 + placed.reduce((sum, other) => sum + shared(plate, other), 0) / 4;
      if (now < cost) [best, cost] = [plate, now];
    });
    if (best) placed.push(best);
    return best;
  });
}

/** Widths of texts without a canvas at hand; the same font, measured once. */
const ruler = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d");
/** @param {string} text */
function widthOf(text) {
  if (!ruler) return text.length * 7;
  ruler.font = FONT;
  return ruler.measureText(text).width;
}

/**
 * Draw marks: first all halos, then all lines, then all labels.
 * @param {CanvasRenderingContext2D} context @param {MarkPane} pane @param {{ mark: Mark, look: MarkLook }[]} marks
 */
export function drawMarks(context, pane, marks) {
  const seen = marks.filter(({ mark }) => isSeen(mark, pane)).map(({ mark, look }) => ({ mark, look, shape: shapeOf(mark, pane) }));
  context.lineJoin = context.lineCap = "round";
  for (const one of seen) {
    context.globalAlpha = 0.5;
    stroke(context, one.shape, one.mark, "#000000", (one.look.lit ? LINE + 0.5 : LINE) + HALO);
  }
  context.globalAlpha = 1;
  for (const one of seen) {
    stroke(context, one.shape, one.mark, one.mark.colour, one.look.lit ? LINE + 0.5 : LINE);
    if (one.look.lit || one.look.drawing) drawHandles(context, one.shape, one.mark.colour);
  }
  platesOf(seen, pane).forEach((plate, at) => drawLabel(context, plate, seen[at].look, seen[at].mark));
}

/** @param {CanvasRenderingContext2D} context @param {Shape} shape @param {Mark} mark @param {string} colour @param {number} width */
function stroke(context, { lines, closed, handles }, { kind, points }, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  for (const line of lines) {
    line.forEach(([x, y], at) => (at === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    if (closed) context.closePath();
  }
  if (kind === "length" || kind === "surface_distance") ends(context, lines[0]);
  else if (kind === "arrow" && lines[0]) head(context, lines[0]);
  else if (kind === "angle" && points.length === 3) arc(context, lines[0]);
  else if (points.length === 1) place(context, kind, handles[0]);
  context.stroke();
  if (kind === "cobb" && lines.length === 2) {
    // What joins the two lines helps the eye and measures nothing.
    context.setLineDash([3, 4]);
    context.beginPath();
    for (const [at, line] of lines.entries()) {
      const [x, y] = [(line[0][0] + line[1][0]) / 2, (line[0][1] + line[1][1]) / 2];
      if (at === 0) context.moveTo(x, y);
      else context.lineTo(x, y);
    }
    context.stroke();
    context.setLineDash([]);
  }
}

/** A short line across each end. @param {CanvasRenderingContext2D} context @param {Pixel[] | undefined} line */
function ends(context, line) {
  if (!line) return;
  for (const [end, next] of [[line[0], line[1]], [line[line.length - 1], line[line.length - 2]]]) {
    const size = Math.hypot(next[0] - end[0], next[1] - end[1]) || 1;
    const [x, y] = [(-(next[1] - end[1]) / size) * TICK, ((next[0] - end[0]) / size) * TICK];
    context.moveTo(end[0] - x, end[1] - y);
    context.lineTo(end[0] + x, end[1] + y);
  }
}

/** The arrow's head at its first point. @param {CanvasRenderingContext2D} context @param {Pixel[]} line */
function head(context, [tip, tail]) {
  const turn = Math.atan2(tail[1] - tip[1], tail[0] - tip[0]);
  for (const side of [-0.45, 0.45]) {
    context.moveTo(tip[0], tip[1]);
    context.lineTo(tip[0] + 12 * Math.cos(turn + side), tip[1] + 12 * Math.sin(turn + side));
  }
}

/** @param {CanvasRenderingContext2D} context @param {Pixel[]} line */
function arc(context, [a, vertex, b]) {
  const from = Math.atan2(a[1] - vertex[1], a[0] - vertex[0]);
  const to = Math.atan2(b[1] - vertex[1], b[0] - vertex[0]);
  const sweep = ((to - from + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
  const radius = Math.min(22, 0.6 * Math.min(Math.hypot(a[0] - vertex[0], a[1] - vertex[1]), Math.hypot(b[0] - vertex[0], b[1] - vertex[1])));
  context.moveTo(vertex[0] + radius * Math.cos(from), vertex[1] + radius * Math.sin(from));
  context.arc(vertex[0], vertex[1], radius, from, from + sweep, sweep < 0);
}

/** A probe is a ring with a cross, a pin a cross in a diamond. @param {CanvasRenderingContext2D} context @param {string} kind @param {Pixel} at */
function place(context, kind, [x, y]) {
  if (kind === "text") {
    context.moveTo(x, y - 6);
    context.lineTo(x + 6, y);
    context.lineTo(x, y + 6);
    context.lineTo(x - 6, y);
    context.closePath();
    return;
  }
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(x + dx * 2, y + dy * 2);
    context.lineTo(x + dx * 8, y + dy * 8);
  }
  context.moveTo(x + 5, y);
  context.arc(x, y, 5, 0, 2 * Math.PI);
}

/** @param {CanvasRenderingContext2D} context @param {Shape} shape @param {string} colour */
function drawHandles(context, { handles }, colour) {
  for (const [x, y] of handles) {
    context.beginPath();
    context.arc(x, y, HANDLE, 0, 2 * Math.PI);
    context.fillStyle = "rgb(11 13 16 / 85%)";
    context.fill();
    context.strokeStyle = colour;
    context.lineWidth = LINE;
    context.stroke();
  }
}

/** @param {CanvasRenderingContext2D} context @param {Plate | null} plate @param {MarkLook} look @param {Mark} mark */
function drawLabel(context, plate, { texts, lit, drawing }, { colour }) {
  if (!plate) return;
  const { x, y, width, height } = plate;
  context.fillStyle = lit || drawing ? "rgb(11 13 16 / 92%)" : "rgb(11 13 16 / 78%)";
  context.beginPath();
  context.roundRect(x, y, width, height, 4);
  context.fill();
  if (lit) {
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.globalAlpha = 0.6;
    context.stroke();
    context.globalAlpha = 1;
  }
  context.font = FONT;
  context.textBaseline = "middle";
  texts.forEach((text, at) => {
    context.fillStyle = at === 0 ? colour : "#DCE2E9";
    context.fillText(text, x + PLATE.x, y + PLATE.y + PLATE.line * (at + 0.5) - 1);
  });
}

// --- under the pointer ------------------------------------------------------------------------------------------

/**
 * The mark under a pixel: handles before lines before labels, the last drawn first.
 * @param {Pixel} pixel @param {MarkPane} pane @param {{ mark: Mark, look: MarkLook }[]} marks @returns {Hit | null}
 */
export function hitMark(pixel, pane, marks) {
  /** @type {Hit | null} */
  let best = null;
  const better = (/** @type {Hit} */ hit, /** @type {number} */ reach) => {
    if (hit.away <= reach && (!best || hit.away < best.away - 0.5)) best = hit;
  };
  const seen = marks.filter(({ mark }) => isSeen(mark, pane)).reverse().map(({ mark, look }) => ({ mark, look, shape: shapeOf(mark, pane) }));
  for (const { mark, shape } of seen) {
    const handles = handlesOf(mark);
    shape.handles.forEach(([x, y], at) => better({ mark, part: "handle", handle: handles[at], away: Math.hypot(pixel[0] - x, pixel[1] - y) }, REACH.handle));
  }
  if (best) return best;
  for (const { mark, shape } of seen) {
    for (const line of shape.lines) {
      const all = shape.closed ? [...line, line[0]] : line;
      for (let at = 1; at < all.length; at++) better({ mark, part: "line", handle: -1, away: distanceToSegment(pixel, all[at - 1], all[at]) }, REACH.line);
    }
  }
  if (best) return best;
  const plates = platesOf([...seen].reverse(), pane).reverse();
  for (const [at, { mark }] of seen.entries()) {
    const plate = plates[at];
    if (plate && pixel[0] >= plate.x && pixel[0] <= plate.x + plate.width && pixel[1] >= plate.y && pixel[1] <= plate.y + plate.height) {
      return { mark, part: "label", handle: -1, away: 0 };
    }
  }
  return null;
}

// --- thumbnails -------------------------------------------------------------------------------------------------

/**
 * A small picture of a mark's surroundings from the voxels themselves, in the plane it lies in.
 * @param {HTMLCanvasElement} canvas @param {Mark} mark
 * @param {{ right: Vec3, down: Vec3, valueAt: (point: Point) => number | null, window: { width: number, level: number }, inverted: boolean }} view
 * @returns {boolean}  false where a slice is not here yet
 */
export function drawThumbnail(canvas, mark, { right, down, valueAt, window, inverted }) {
  const context = canvas.getContext("2d");
  if (!context) return false;
  const { width, height } = canvas;
  const middle = middleOf(mark.points);
  const reach = Math.max(...mark.points.map((point) => Math.max(Math.abs(along(point, middle, right)) / width, Math.abs(along(point, middle, down)) / height)));
  const pixel = Math.max(reach * 2 * 1.35, 24 / width);
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [across, below] = [(x - width / 2) * pixel, (y - height / 2) * pixel];
      const value = valueAt(/** @type {Point} */ (middle.map((one, axis) => one + right[axis] * across + down[axis] * below)));
      if (value === null) return false;
      const grey = ((value - window.level) / window.width + 0.5) * 255;
      image.data.fill(inverted ? 255 - grey : grey, (y * width + x) * 4, (y * width + x) * 4 + 3);
      image.data[(y * width + x) * 4 + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  const toPixel = (/** @type {Point} */ point) => /** @type {Pixel} */ ([width / 2 + along(point, middle, right) / pixel, height / 2 + along(point, middle, down) / pixel]);
  const shape = shapeOf(mark, { space: false, width, height, toPixel, depth: () => 0, normal: [0, 0, 1], half: 1 });
  context.strokeStyle = mark.colour;
  context.fillStyle = mark.colour;
  context.lineWidth = Math.max(1.5, width / 44);
  context.beginPath();
  for (const line of shape.lines) {
    line.forEach(([x, y], at) => (at === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    if (shape.closed) context.closePath();
  }
  if (mark.points.length === 1) context.arc(width / 2, height / 2, width / 12, 0, 2 * Math.PI);
  context.stroke();
  return true;
}

/** @param {Point} point @param {Point} middle @param {Vec3} direction */
const along = (point, middle, direction) => dot(/** @type {Vec3} */ (point.map((value, axis) => value - middle[axis])), direction);
