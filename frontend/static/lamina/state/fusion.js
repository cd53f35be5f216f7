// A second series over the first: which one and how it is mixed in. One part of the store, so that an address holds it.

/** @import { FusionMode } from "../scene/fusion-image.js" */
/** @import { Window } from "../geometry/windows.js" */

/**
 * @typedef {object} FusionState
 * @property {string | null} seriesId  the series on top; null: none
 * @property {string} map  a name of geometry/colours.js
 * @property {FusionMode} mode
 * @property {number} opacity  0 to 1
 * @property {Window | null} window  of the series on top; null: as it opens by itself
 * @property {number} place  of the swipe's edge, 0 to 1 across the pane
 * @property {boolean} seeThrough  low values fade out
 */

/** @returns {FusionState} */
export const initialFusion = () => ({ seriesId: null, map: "grey", mode: "blend", opacity: 0.5, window: null, place: 0.5, seeThrough: false });

/** How a modality is usually laid over another. @param {string} modality @returns {Pick<FusionState, "map" | "opacity" | "seeThrough">} */
export const usualLook = (modality) =>
  modality === "PT" || modality === "NM" ? { map: "pet", opacity: 0.72, seeThrough: true } : { map: "grey", opacity: 0.5, seeThrough: false };

const PLAIN = new Set(["map", "mode", "opacity", "window", "place", "seeThrough"]);

/** @param {FusionState} state @param {{ type: string } & Record<string, any>} action @returns {FusionState} */
export function reduceFusion(state, action) {
  switch (action.type) {
    case "view.series":
      return initialFusion();
    case "fusion.chosen":
      return { ...initialFusion(), mode: state.mode, ...usualLook(action.modality ?? ""), seriesId: action.seriesId };
    case "fusion.set": {
      const unknown = Object.keys(action.values).find((key) => !PLAIN.has(key));
      if (unknown) throw new TypeError(`fusion.set does not know ${unknown}`);
      return { ...state, ...action.values };
    }
    case "fusion.restored":
      return { ...initialFusion(), ...action.fusion };
    default:
      return state;
  }
}
