// How the reader turned the planes: quarters and mirrors on the screen, tilts in space, slabs, and the cine's speed.
// One part of the store, so that an address can hold it.

import { UNTURNED } from "../geometry/oblique.js";
import { NO_SLAB } from "../geometry/slab.js";

/** @import { PlaneName } from "../geometry/planes.js" */
/** @import { Tilt, Turn } from "../geometry/oblique.js" */
/** @import { Slab } from "../geometry/slab.js" */

/** @typedef {{ playing: PlaneName | null, fps: number, bounce: boolean, over: "slices" | "phases" }} Cine */

/**
 * @typedef {object} PlanesState
 * @property {string | null} seriesId  whose planes these are
 * @property {Record<string, Turn>} turns  only of planes that are turned
 * @property {Record<string, Tilt>} tilts  only of planes that are tilted
 * @property {Record<string, Slab>} slabs  only of planes that show a slab
 * @property {Cine} cine
 */

/** @returns {PlanesState} */
export const initialPlanes = () => ({
  seriesId: null, turns: {}, tilts: {}, slabs: {}, cine: { playing: null, fps: 15, bounce: false, over: "slices" },
});

/** @template T @param {Record<string, T>} parts @param {string} name @param {T | null} value */
function withPart(parts, name, value) {
  const { [name]: _, ...others } = parts;
  return value === null ? others : { ...others, [name]: value };
}

/** @param {PlanesState} state @param {{ type: string } & Record<string, any>} action @returns {PlanesState} */
export function reducePlanes(state, action) {
  switch (action.type) {
    case "view.series":
      return { ...initialPlanes(), seriesId: action.seriesId, cine: { ...state.cine, playing: null, over: "slices" } };
    case "view.reset":
      return { ...state, turns: {}, tilts: {}, slabs: {}, cine: { ...state.cine, playing: null } };
    case "planes.turn": {
      const untouched = action.turn.turn === UNTURNED.turn && action.turn.mirrored === UNTURNED.mirrored;
      return { ...state, turns: withPart(state.turns, action.plane, untouched ? null : action.turn) };
    }
    case "planes.tilts":
      return { ...state, tilts: action.tilts };
    case "planes.slab": {
      const slab = action.slab.mm > NO_SLAB.mm ? action.slab : null;
      return { ...state, slabs: action.planes.reduce((/** @type {any} */ slabs, /** @type {string} */ name) => withPart(slabs, name, slab), state.slabs) };
    }
    case "planes.cine":
      return { ...state, cine: { ...state.cine, ...action.cine } };
    case "planes.restored":
      return { ...state, ...action.planes };
    default:
      return state;
  }
}
