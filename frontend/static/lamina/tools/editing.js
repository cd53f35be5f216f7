// Tools that change segments: brush, eraser, scissors, grow from a click. They ask the room's desk; where there is none
// (no labelmap yet, or a reader who may only look) they do nothing but say so.

import { strokeSpans, withinLimits } from "../geometry/brush.js";
import { narrowed } from "../geometry/spans.js";
import { prismSpans, rectangleOf } from "../geometry/scissors.js";
import { sliceAt } from "../geometry/planes.js";
import { dot, subtract } from "../geometry/vectors.js";
import { toIndex, toMm } from "../geometry/volume.js";
import { gettext } from "../i18n.js";

/** @import { Plane } from "../geometry/planes.js" */
/** @import { Spans } from "../geometry/spans.js" */
/** @import { Polygon } from "../geometry/scissors.js" */
/** @import { Point, Vec3 } from "../geometry/vectors.js" */
/** @import { Room } from "../pages/study/room.js" */
/** @import { Drag } from "./pointer.js" */
/** @import { Surface2d, Tool } from "./tools.js" */

/** Drawing a polygon finer than this gains nothing. */
const PIXELS_APART = 3;

/** @param {Room} room @param {string} name @returns {Plane} */
const planeNamed = (room, name) => /** @type {any} */ (room.session).planes[name];

/**
 * The desk, ready for a change of the active segment; null after saying why not.
 * @param {Room} room @param {boolean} needsSegment
 */
export function readyDesk(room, needsSegment) {
  const { editing } = room;
  const desk = editing?.desk();
  if (!editing || !desk) {
    editing?.explain();
    return null;
  }
  const { active, locked } = room.store.get().edits;
  if (needsSegment && !desk.segment(active)) {
    editing.say(gettext("Choose a segment in the list, or make one: A"));
    return null;
  }
  if (needsSegment && active !== null && locked.includes(active)) {
    editing.say(gettext("This segment is locked."));
    return null;
  }
  return desk;
}

/** The disc or ball on its way from one place to the next, as spans. @param {Room} room @param {string} name @returns {((from: Point, to: Point) => Spans)} */
function sweepOf(room, name) {
  const session = /** @type {any} */ (room.session);
  const { geometry, voxels, loaded, volume } = session;
  const { size, shape, limited, low, high } = room.store.get().edits;
  const plane = planeNamed(room, name);
  const sliceVoxels = geometry.shape[1] * geometry.shape[2];
  const within = withinLimits(voxels, volume, low, high);
  // A slice that has not come holds zeros: it is within no limits.
  const wanted = (/** @type {number} */ offset) => loaded[Math.floor(offset / sliceVoxels)] === 1 && within(offset);
  return (from, to) => {
    const [a, b] = [toIndex(geometry, from), toIndex(geometry, to)];
    let spans = strokeSpans(geometry, a, b, size / 2, shape === "disc" && !plane.oblique ? plane.axis : null);
    if (shape === "disc" && plane.oblique) spans = narrowed(spans, nearPlane(geometry, plane, from));
    return limited ? narrowed(spans, wanted) : spans;
  };
}

/** Voxels that a tilted slice goes through. @param {any} geometry @param {Plane} plane @param {Point} on */
function nearPlane(geometry, plane, on) {
  const [, height, width] = geometry.shape;
  return (/** @type {number} */ offset) => {
    const row = Math.floor(offset / width);
    const index = /** @type {Vec3} */ ([Math.floor(row / height), row % height, offset % width]);
    return Math.abs(dot(subtract(toMm(geometry, index), on), plane.normal)) <= plane.step / 2 + 1e-9;
  };
}

/** @param {Surface2d} surface @param {[number, number]} at @param {Room} room @param {boolean} erases @returns {Drag | null} */
function paint(surface, at, room, erases) {
  const { edits } = room.store.get();
  const desk = readyDesk(room, !erases || edits.erases === "one");
  const start = surface.pointAt(at);
  if (!desk || !start) return null;
  const stroke = desk.stroke(erases ? 0 : /** @type {number} */ (edits.active), erases ? gettext("eraser stroke") : gettext("brush stroke"));
  const sweep = sweepOf(room, surface.name);
  let last = start;
  stroke.draw(sweep(start, start));
  room.together?.draws({ number: edits.active, erases });
  return {
    move(pixel) {
      const point = surface.pointAt(pixel);
      if (!point) return;
      stroke.draw(sweep(last, point));
      last = point;
    },
    end: () => {
      stroke.end();
      room.together?.draws(null);
    },
    cancel: () => {
      stroke.cancel();
      room.together?.draws(null);
    },
  };
}

/** @type {Tool["hover"]} */
const ring = (surface, pixel, room) => room.editing?.ring.show(surface, pixel);

/** @type {Tool} */
export const brushTool = { id: "brush", symbol: "brush", volumeOnly: true, hover: ring, start: (surface, at, room) => paint(surface, at, room, false) };

/** @type {Tool} */
export const eraserTool = { id: "eraser", symbol: "eraser", volumeOnly: true, hover: ring, start: (surface, at, room) => paint(surface, at, room, true) };

/** Place in the plane as voxels along its right and down axes. @param {Room} room @param {Plane} plane @param {Point} point @returns {[number, number]} */
function inVoxels(room, plane, point) {
  const index = toIndex(/** @type {any} */ (room.session).geometry, point);
  return [index[plane.rightAxis], index[plane.downAxis]];
}

/** @type {Tool} */
export const scissorsTool = {
  id: "scissors",
  symbol: "scissors",
  volumeOnly: true,
  start(surface, at, room) {
    const { edits } = room.store.get();
    const plane = planeNamed(room, surface.name);
    const desk = readyDesk(room, edits.cutAct === "fill" || edits.erases === "one");
    const start = surface.pointAt(at);
    if (!desk || !start) return null;
    if (plane.oblique) {
      room.editing?.say(gettext("Scissors cut along slices. Turn the plane back first."));
      return null;
    }
    const drawn = [at];
    const { line } = /** @type {any} */ (room.editing);
    const shown = () => (edits.cut === "rectangle" ? rectangleOf(drawn[0], /** @type {[number, number]} */ (drawn.at(-1))) : drawn);
    line.show(surface.name, shown());
    return {
      move(pixel) {
        const last = /** @type {[number, number]} */ (drawn.at(-1));
        if (edits.cut === "rectangle") drawn[1] = pixel;
        else if (Math.hypot(pixel[0] - last[0], pixel[1] - last[1]) >= PIXELS_APART) drawn.push(pixel);
        line.show(surface.name, shown());
      },
      end() {
        const polygon = /** @type {Polygon} */ (shown().map((pixel) => surface.pointAt(pixel)).filter(Boolean).map((point) => inVoxels(room, plane, /** @type {Point} */ (point))));
        line.hide();
        cut(room, plane, polygon, start);
      },
      cancel: () => line.hide(),
    };
  },
};

/** @param {Room} room @param {Plane} plane @param {Polygon} polygon @param {Point} on */
function cut(room, plane, polygon, on) {
  const desk = room.editing?.desk();
  if (!desk || polygon.length < 3) return;
  const { geometry } = /** @type {any} */ (room.session);
  const { reach, cutAct, active } = room.store.get().edits;
  const slice = sliceAt(geometry, plane, on);
  const [first, last] = reach === "all" ? [0, plane.count - 1] : [slice, slice];
  const inside = prismSpans(geometry.shape, plane, polygon, first, last);
  if (cutAct === "fill") desk.apply(inside, /** @type {number} */ (active), gettext("scissors, fill"));
  else if (cutAct === "erase") desk.apply(inside, 0, gettext("scissors, erase"));
  else {
    const [width, height] = [geometry.shape[plane.rightAxis], geometry.shape[plane.downAxis]];
    const whole = prismSpans(geometry.shape, plane, rectangleOf([-0.5, -0.5], [width - 0.5, height - 0.5]), first, last);
    desk.apply(without(whole, inside), 0, gettext("scissors, keep inside"));
  }
}

/** @param {Spans} spans @param {Spans} others @returns {Spans} */
function without(spans, others) {
  let at = 0;
  // Both run upwards, so one look at the next of the others is enough.
  return narrowed(spans, (offset) => {
    while (at < others.length && others[at] + others[at + 1] <= offset) at += 2;
    return at >= others.length || offset < others[at];
  });
}

/** @type {Tool} */
export const growTool = {
  id: "grow",
  symbol: "wand-sparkles",
  volumeOnly: true,
  start(surface, at, room) {
    const point = surface.pointAt(at);
    if (point && readyDesk(room, true)) void room.editing?.grow(point);
    return null;
  },
};

export const EDITING = [brushTool, eraserTool, scissorsTool, growTool];
