// The grips on the crosshair's lines: drag one and the other planes turn about the crossing, both together so that they
// stay at right angles, or with Ctrl only the plane whose line was taken.

import { turnBetween } from "../geometry/oblique.js";
import { PLANE_NAMES } from "../geometry/planes.js";

/** @import { Room } from "../pages/study/room.js" */
/** @import { Drag } from "./pointer.js" */
/** @import { Surface2d } from "./tools.js" */

/**
 * What a press on a grip starts; null where there is no grip.
 * @param {Surface2d} surface @param {[number, number]} pixel @param {Room} room @param {PointerEvent} event @returns {Drag | null}
 */
export function turnFromGrip(surface, pixel, room, event) {
  const session = /** @type {any} */ (room.session);
  const grip = session?.views?.[surface.name]?.gripAt(pixel);
  if (!grip) return null;
  const alone = event.ctrlKey || event.metaKey;
  const names = alone ? [grip.name] : PLANE_NAMES.filter((name) => name !== surface.name);
  const from = session.turning.state?.tilts ?? {};
  const away = (/** @type {[number, number]} */ [x, y]) => /** @type {[number, number]} */ ([x - grip.at[0], y - grip.at[1]]);
  return {
    move: (to) => session.turning.tilt(names, turnBetween(grip.plane, away(pixel), away(to)), from),
    cancel: () => session.turning.setTilts(from),
  };
}

/** The hand shows that a grip can be taken. @param {Surface2d} surface @param {[number, number] | null} pixel @param {Room} room */
export function showGrip(surface, pixel, room) {
  const session = /** @type {any} */ (room.session);
  const { element } = session?.views?.[surface.name] ?? {};
  element?.toggleAttribute("data-grip", Boolean(pixel && session.views[surface.name].gripAt(pixel)));
}
