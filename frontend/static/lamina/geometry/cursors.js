// Another person's cursor over time: where it is drawn between two words of it, and how strongly. Pure; times in ms.

/** @import { Point } from "./vectors.js" */

/** SCREENS "People". */
export const SMOOTHING = 100;
export const REST = 3_000;
export const GONE = 10_000;
/** mm from the plane within which a cursor is seen at half strength. */
export const NEAR = 5;
/** What is left of a cursor that rests. */
const FAINT = 0.4;
/** How long the fading takes. */
const FADE = 600;

/**
 * @typedef {object} Track
 * @property {Point} from  where it was drawn when the last word came, LPS mm
 * @property {Point} to  where it is
 * @property {number} at  when the last word came
 * @property {number} movedAt  when the place last changed
 * @property {number | null} awayAt  when the pointer left the pictures; null: it is over one
 * @property {string} series  whose millimetres these are
 * @property {string} pane  where the pointer is
 * @property {boolean} free  in the air of the 3D: on no plane
 */

/**
 * The next word of a cursor.
 * @param {Track | undefined} track @param {{ at: Point, series: string, pane: string, free?: boolean } | null} word  null: away
 * @param {number} now @returns {Track | undefined}
 */
export function moved(track, word, now) {
  if (!word) return track && { ...track, awayAt: track.awayAt ?? now };
  const { at, series, pane, free = false } = word;
  // Out of nowhere, into another series or back after a while: it appears, it does not fly across the picture.
  const jumps = !track || track.series !== series || track.awayAt !== null || free !== track.free;
  const same = track && !jumps && at.every((value, axis) => value === track.to[axis]);
  return { from: jumps ? at : placeAt(track, now), to: at, at: now, movedAt: same ? track.movedAt : now, awayAt: null, series, pane, free };
}

/** Where it is drawn now. @param {Track} track @param {number} now @returns {Point} */
export function placeAt({ from, to, at }, now) {
  const along = Math.min(1, Math.max(0, (now - at) / SMOOTHING));
  return /** @type {Point} */ (to.map((value, axis) => from[axis] + (value - from[axis]) * along));
}

/** Is it still on its way, or fading? Then it has to be drawn again soon. @param {Track} track @param {number} now */
export const isMoving = (track, now) => now - track.at < SMOOTHING || fading(now - track.movedAt - REST) || (track.awayAt !== null && fading(now - track.awayAt));

/** @param {number} since */
const fading = (since) => since >= 0 && since < FADE;

/** When it will change by itself next; Infinity: it has gone. @param {Track} track @param {number} now */
export function nextChange(track, now) {
  if (isMoving(track, now)) return now;
  const times = [track.movedAt + REST, ...(track.awayAt === null ? [] : [track.awayAt + GONE])].filter((time) => time > now);
  return Math.min(...times, Infinity);
}

/** 1 in motion, less at rest or away, 0 when gone. @param {Track} track @param {number} now */
export function freshness({ movedAt, awayAt }, now) {
  if (awayAt !== null && now - awayAt >= GONE) return 0;
  const since = Math.max(now - movedAt - REST, awayAt === null ? -Infinity : now - awayAt);
  return since <= 0 ? 1 : 1 - (1 - FAINT) * Math.min(1, since / FADE);
}

/**
 * On a slice: whole within its thickness, half within 5 mm, else nothing.
 * @param {number} depth  mm from the shown slice @param {number} step  mm between slices
 */
export function nearness(depth, step) {
  const away = Math.abs(depth);
  if (away <= step / 2 + 1e-3) return 1;
  return away <= NEAR ? 0.5 : 0;
}
