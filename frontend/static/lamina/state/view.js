// What this person looks at and how: layout, active viewport, tool, crosshair, windows, segments. Nothing here is
// known to the server; issue after issue adds a part to it, and it is small enough to be put into an address.

import { FITTED } from "../geometry/viewing.js";

/** @import { Point } from "../geometry/vectors.js" */
/** @import { Viewing } from "../geometry/viewing.js" */
/** @import { Preset, Window } from "../geometry/windows.js" */

/** @typedef {"axial" | "coronal" | "sagittal" | "surfaces"} ViewportName */
/**
 * "beside": one plane of this study and of another one of the patient; "beside-planes": three of both; "beside-3d": the
 * 3D of both. "pair": two outlines of the same images in two columns, a plane above and the surface below.
 * @typedef {"1x1" | "2x2" | "1x3" | "1+3" | "3d" | "beside" | "beside-planes" | "beside-3d" | "pair"} Layout
 */
/** @typedef {{ shown: boolean, colour: string, opacity: number }} SegmentLook */
/** @typedef {{ plane: "axial" | "coronal" | "sagittal", position: number, flipped: boolean }} ClipView  position 0 to 1 through the volume */

/**
 * @typedef {object} ViewState
 * @property {string | null} seriesId
 * @property {string | null} segmentationId  null: the newest of the series
 * @property {Layout} layout
 * @property {string | null} protocol  the hanging protocol the layout came from; null: the reader's own
 * @property {"axial" | "coronal" | "sagittal"} main  the big one of "1+3", the plane of "beside" and "pair"
 * @property {ViewportName | null} large  a viewport made large by double click
 * @property {ViewportName} active
 * @property {string} tool  id of an entry of tools/tools.js
 * @property {boolean} linked  zoom and window go to all planes
 * @property {Point | null} point  where the planes cross, LPS mm
 * @property {Record<string, Viewing>} viewing  zoom and pan per plane
 * @property {Record<string, Window>} windows  per plane
 * @property {Preset[]} presets  of the open series
 * @property {boolean} interpolated
 * @property {boolean} inverted
 * @property {boolean} texts
 * @property {number} fill  0 to 0.6
 * @property {boolean} outlines
 * @property {boolean | null} planesIn3d  null: only while there is no surface to see
 * @property {ClipView | null} clip
 * @property {Record<number, SegmentLook>} segments  by segment number
 * @property {number | null} lit  segment number under the pointer or in the list
 */

/** @returns {ViewState} */
export const initialView = () => ({
  seriesId: null,
  segmentationId: null,
  layout: "2x2",
  protocol: null,
  main: "axial",
  large: null,
  active: "axial",
  tool: "window",
  linked: true,
  point: null,
  viewing: fitted(),
  windows: {},
  presets: [],
  interpolated: true,
  inverted: false,
  texts: true,
  fill: 0.24,
  outlines: true,
  planesIn3d: null,
  clip: null,
  segments: {},
  lit: null,
});

const PLANES = ["axial", "coronal", "sagittal"];
const fitted = () => Object.fromEntries(PLANES.map((name) => [name, FITTED]));

/** Keys that one action may set as they are. */
const PLAIN = new Set(["layout", "protocol", "main", "large", "active", "tool", "linked", "point", "interpolated", "inverted", "texts", "fill", "outlines", "planesIn3d", "clip", "lit"]);

/** @param {ViewState} view @param {{ type: string } & Record<string, any>} action @returns {ViewState} */
export function reduceView(view, action) {
  switch (action.type) {
    case "view.set": {
      const unknown = Object.keys(action.values).find((key) => !PLAIN.has(key));
      if (unknown) throw new TypeError(`view.set does not know ${unknown}`);
      const changed = Object.entries(action.values).some(([key, value]) => !Object.is(/** @type {any} */ (view)[key], value));
      return changed ? withActiveShown({ ...view, ...action.values }) : view;
    }
    case "view.series":
      return {
        ...view, seriesId: action.seriesId, segmentationId: null, point: action.point, presets: action.presets, viewing: fitted(),
        windows: Object.fromEntries(PLANES.map((name) => [name, action.window])), clip: null, segments: {}, lit: null, large: null,
      };
    case "view.segmentation":
      return { ...view, segmentationId: action.segmentationId, segments: action.segments, lit: null };
    case "view.viewing":
      return { ...view, viewing: linkedViewing(view, action.plane, action.viewing) };
    case "view.window":
      return { ...view, windows: linkedTo(view, view.windows, action.plane, action.window) };
    case "view.reset":
      return { ...view, viewing: fitted(), windows: Object.fromEntries(PLANES.map((name) => [name, action.window])), point: action.point ?? view.point };
    case "view.segment": {
      const look = { ...view.segments[action.number], ...action.look };
      return { ...view, segments: { ...view.segments, [action.number]: look } };
    }
    case "view.allSegments": {
      const entries = Object.entries(view.segments).map(([number, look]) => [number, { ...look, ...action.look }]);
      return { ...view, segments: Object.fromEntries(entries) };
    }
    default:
      return view;
  }
}

const VIEWPORTS = /** @type {const} */ (["axial", "coronal", "sagittal", "surfaces"]);

/** Does a layout show another study beside this one? @param {Layout} layout */
export const isBeside = (layout) => layout.startsWith("beside");

/** Does a layout show two outlines in columns? @param {Layout} layout */
export const isPair = (layout) => layout === "pair";

/** The viewports a layout has room for, in reading order. @param {Pick<ViewState, "layout" | "large" | "main" | "active">} view @returns {ViewportName[]} */
export function shownViewports({ layout, large, main, active }) {
  if (large) return [large];
  if (layout === "1x1") return [active];
  if (layout === "beside") return [main];
  if (layout === "beside-3d") return ["surfaces"];
  if (isPair(layout)) return [main, "surfaces"];
  return layout === "1x3" || layout === "beside-planes" ? ["axial", "coronal", "sagittal"] : [...VIEWPORTS];
}

/** Keys go to the active viewport, so it is one that can be seen. @param {ViewState} view @returns {ViewState} */
function withActiveShown(view) {
  const shown = shownViewports(view);
  return shown.includes(view.active) ? view : { ...view, active: shown[0] };
}

/** Linked planes share the zoom; where they look stays their own. @param {ViewState} view @param {string} plane @param {Viewing} viewing */
function linkedViewing(view, plane, viewing) {
  const others = Object.entries(view.viewing).map(([name, one]) => [
    name,
    name === plane ? viewing : view.linked && one.zoom !== viewing.zoom ? { ...one, zoom: viewing.zoom } : one,
  ]);
  return Object.fromEntries(others);
}

/** @template T @param {ViewState} view @param {Record<string, T>} parts @param {string} plane @param {T} value */
const linkedTo = (view, parts, plane, value) =>
  view.linked ? Object.fromEntries(PLANES.map((name) => [name, value])) : { ...parts, [plane]: value };

/** Opacity of a shell that would hide everything else. */
const SHELL = 0.25;

/**
 * How each segment of a new segmentation starts. A surface that holds all others (skin, the whole brain) starts
 * see-through; otherwise it would be the only thing to see.
 * @param {any[]} segments @returns {Record<number, SegmentLook>}
 */
export const startingLooks = (segments) =>
  Object.fromEntries(segments.map((segment) => [segment.number, { shown: true, colour: segment.colour, opacity: isShell(segment, segments) ? SHELL : 1 }]));

/** Its box holds the boxes of all others, to 5 mm, and it is larger than all of them together. @param {any} segment @param {any[]} all */
function isShell(segment, all) {
  const others = all.filter((one) => one !== segment && one.bounds_mm?.length === 6);
  if (others.length === 0 || segment.bounds_mm?.length !== 6) return false;
  const holds = others.every(({ bounds_mm: inner }) =>
    [0, 2, 4].every((low) => segment.bounds_mm[low] <= inner[low] + 5 && segment.bounds_mm[low + 1] >= inner[low + 1] - 5));
  return holds && segment.voxels > others.reduce((sum, one) => sum + one.voxels, 0);
}
