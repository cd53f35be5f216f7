// Measuring: one drawing at a time, by dragging or by clicking from point to point, in a plane of any turn or on a
// surface. What is drawn is kept and sent by the desk (`room.marks`, pages/study/measurements.js); here is only how
// presses and moves become points.

import { alignedCobb, ellipseOf, footOn, rectangleOf, thinned } from "../geometry/measure.js";
import { cross, length, normalise, subtract } from "../geometry/vectors.js";

/** @import { Kind } from "../geometry/measure.js" */
/** @import { Point, Vec3 } from "../geometry/vectors.js" */
/** @import { Room } from "../pages/study/room.js" */
/** @import { Drag } from "./pointer.js" */
/** @import { Surface2d, Tool } from "./tools.js" */

/** How a plane lies on the screen. @typedef {{ right: Vec3, down: Vec3, normal: Vec3, pixel: number }} Frame */

/**
 * The plane a viewport shows, read from where its pixels are: it holds for turned, mirrored and tilted planes alike.
 * @param {Surface2d} surface @returns {Frame | null}
 */
export function frameOf({ pointAt }) {
  const [corner, across, below] = [pointAt([0, 0]), pointAt([100, 0]), pointAt([0, 100])];
  if (!corner || !across || !below) return null;
  const [right, down] = [normalise(subtract(across, corner)), normalise(subtract(below, corner))];
  return { right, down, normal: cross(right, down), pixel: length(subtract(across, corner)) / 100 };
}

/** Points each kind is drawn with; what it is kept as may be more. @type {Readonly<Record<string, number>>} */
const PLACED = Object.freeze({ probe: 1, text: 1, arrow: 2, length: 2, surface_distance: 2, rectangle: 2, ellipse: 2, angle: 3, cobb: 4, polygon: Infinity });

/** Kinds that can be drawn on surfaces in the 3D. */
export const ON_SURFACES = Object.freeze(new Set(["probe", "text", "arrow", "length", "angle", "surface_distance"]));

/** Clicks this near together are one place, px. */
const SAME = 4;
/** So near to its first corner a polygon closes, px. */
const CLOSING = 9;

/** A UUID, also where the page is not encrypted and the browser keeps its own to itself. @returns {string} */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** What is being drawn: places that stand, and one that follows the pointer. */
export class Drawing {
  /** @param {Kind} kind @param {string} viewport @param {Frame | null} frame  null on surfaces */
  constructor(kind, viewport, frame) {
    /** @type {Kind} */
    this.kind = kind;
    this.viewport = viewport;
    this.frame = frame;
    /** @type {Point[]} */
    this.placed = [];
    /** @type {[number, number][]} */
    this.pixels = [];
    /** @type {Point | null} */
    this.floating = null;
    /** Drawn with the button held. */
    this.freehand = false;
    this.id = newId();
  }

  /** @param {Point} point @returns {Point} in the plane it began in, wherever the slices went meanwhile */
  flat(point) {
    const region = this.kind === "rectangle" || this.kind === "ellipse" || this.kind === "polygon" || this.kind === "freehand";
    return region && this.frame && this.placed.length > 0 ? footOn(point, this.placed[0], this.frame.normal) : point;
  }

  /** @param {Point} point */
  follow(point) {
    if (this.floating !== null || !this.resting) this.floating = this.flat(point);
  }

  /** A Cobb angle between its two lines waits for a press. */
  get resting() {
    return this.kind === "cobb" && this.placed.length === 2 && this.floating === null;
  }

  /** @param {Point} point @param {[number, number]} pixel @returns {boolean}  true: that was the last one */
  place(point, pixel) {
    this.placed.push(this.flat(point));
    this.pixels.push(pixel);
    const full = this.placed.length >= PLACED[this.kind];
    this.floating = full || (this.kind === "cobb" && this.placed.length === 2) ? null : this.placed[this.placed.length - 1];
    return full;
  }

  /** Take the last corner of a polygon back. @returns {boolean}  false: there is nothing left */
  back() {
    this.placed.pop();
    this.pixels.pop();
    return this.placed.length > 0;
  }

  /** Does a click here end a polygon? On its first corner, or twice on the last. @param {[number, number]} pixel */
  closesAt(pixel) {
    if (this.kind !== "polygon" || this.placed.length < 3) return false;
    const away = (/** @type {[number, number]} */ [x, y]) => Math.hypot(pixel[0] - x, pixel[1] - y);
    return away(this.pixels[0]) <= CLOSING || away(this.pixels[this.pixels.length - 1]) <= SAME;
  }

  /** Too small to have been meant. */
  get empty() {
    const [first] = this.pixels;
    return PLACED[this.kind] > 1 && this.pixels.every(([x, y]) => Math.hypot(x - first[0], y - first[1]) < SAME);
  }

  /** As the mark keeps them. @returns {Point[]} */
  get points() {
    const all = this.floating ? [...this.placed, this.floating] : this.placed;
    if (this.frame && all.length === 2 && this.kind === "rectangle") return rectangleOf(all[0], all[1], this.frame.right, this.frame.down);
    if (this.frame && all.length === 2 && this.kind === "ellipse") return ellipseOf(all[0], all[1], this.frame.right, this.frame.down);
    if (this.kind === "cobb" && all.length === 4) return alignedCobb(all);
    if (this.kind === "freehand" && this.frame) return thinned(all, this.frame.pixel * 0.6);
    return all;
  }
}

/**
 * A press with a measuring tool in a plane.
 * @param {Kind} kind @param {Surface2d} surface @param {[number, number]} at @param {Room} room @returns {Drag | null}
 */
function press(kind, surface, at, room) {
  const desk = room.marks;
  const first = desk?.pointIn(surface, at);
  if (!desk || !first || !desk.ready()) return null;
  if (kind === "surface_distance") {
    desk.tellAboutSurfaces();
    return null;
  }
  const before = desk.drawing;
  if (before && (before.viewport !== surface.name || (before.kind !== kind && !(kind === "polygon" && before.kind === "freehand")))) desk.cancel();
  const fresh = !desk.drawing;
  const drawing = desk.drawing ?? desk.begin(new Drawing(kind, surface.name, frameOf(surface)));
  if (drawing.closesAt(at)) {
    desk.finish();
    return null;
  }
  if ((fresh || drawing.resting) && PLACED[kind] > 1) drawing.place(first, at);
  drawing.floating = drawing.flat(first);
  desk.show();
  const started = drawing.placed.length;
  return {
    move(pixel) {
      const point = desk.pointIn(surface, pixel);
      if (!point || desk.drawing !== drawing) return;
      drawing.follow(point);
      if (kind === "polygon" && fresh) {
        const [x, y] = drawing.pixels[drawing.pixels.length - 1];
        if (Math.hypot(pixel[0] - x, pixel[1] - y) > 2.5 && (drawing.freehand || Math.hypot(pixel[0] - x, pixel[1] - y) > SAME)) {
          drawing.freehand = true;
          drawing.place(point, pixel);
        }
      }
      desk.show();
    },
    end(pixel, moved) {
      if (desk.drawing !== drawing) return;
      if (drawing.freehand) {
        drawing.kind = "freehand";
        drawing.floating = null;
        if (drawing.placed.length > 4) desk.finish();
        else desk.cancel();
        return;
      }
      // Pressed and let go in place: the next point follows the pointer until the next press.
      if (!moved && PLACED[kind] > 1 && started === drawing.placed.length && (fresh || (kind === "cobb" && started === 3))) return;
      const point = desk.pointIn(surface, pixel) ?? first;
      if (drawing.place(point, pixel)) desk.finish();
      else desk.show();
    },
    cancel: () => desk.cancel(),
  };
}

/** @param {Surface2d} surface @param {[number, number] | null} at @param {Room} room */
function follow(surface, at, room) {
  const desk = room.marks;
  const drawing = desk?.drawing;
  if (!desk || !drawing || !at || drawing.viewport !== surface.name || drawing.resting) return;
  const point = desk.pointIn(surface, at);
  if (!point) return;
  drawing.follow(point);
  desk.show();
}

/** @param {string} id @param {string} symbol @param {Kind} kind @param {Partial<Tool>} [more] @returns {Tool} */
const tool = (id, symbol, kind, more = {}) => ({
  id, symbol, volumeOnly: true,
  start: (surface, at, room) => press(kind, surface, at, room),
  hover: follow,
  ...more,
});

/** The rail's order; the last ones stand behind its "more". @type {Tool[]} */
export const MEASURING = [
  tool("length", "ruler", "length"),
  tool("angle", "triangle-right", "angle"),
  tool("ellipse", "circle-dashed", "ellipse"),
  tool("rectangle", "square-dashed", "rectangle"),
  tool("polygon", "pentagon", "polygon"),
  tool("probe", "pipette", "probe"),
  tool("cobb", "tangent", "cobb", { more: true }),
  tool("arrow", "arrow-up-left", "arrow", { more: true }),
  tool("text", "type", "text", { more: true }),
  tool("surface-distance", "spline", "surface_distance", { more: true }),
];

/** Kind that a tool draws, by the tool's id. @type {Record<string, Kind>} */
export const KIND_OF_TOOL = { length: "length", angle: "angle", ellipse: "ellipse", rectangle: "rectangle", polygon: "polygon", probe: "probe", cobb: "cobb", arrow: "arrow", text: "text", "surface-distance": "surface_distance" };
