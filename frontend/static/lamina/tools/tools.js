// What a drag does. Each tool is one entry: an id, its key, its symbol, and `start`, which gets the place where the
// pointer went down and answers what to do with every further move. Measuring and drawing tools join this list.

import { pannedBy, zoomedAt } from "../geometry/viewing.js";
import { draggedWindow } from "../geometry/windows.js";

/** @import { Point } from "../geometry/vectors.js" */
/** @import { Viewing } from "../geometry/viewing.js" */
/** @import { Window } from "../geometry/windows.js" */

/**
 * @typedef {object} Surface2d  what a tool needs of the viewport it works in
 * @property {string} name
 * @property {number} width @property {number} height  px
 * @property {{ width: number, height: number }} extent  mm, or pixels where there are no mm
 * @property {() => Viewing} viewing
 * @property {() => Window} window
 * @property {number} valueStep  the smallest sensible window width
 * @property {(pixel: [number, number]) => Point | null} pointAt
 * @property {(viewing: Viewing) => void} setViewing
 * @property {(window: Window) => void} setWindow
 * @property {(point: Point) => void} setPoint
 */

/** @typedef {(pixel: [number, number]) => void} Drag */
/** @typedef {{ id: "window" | "pan" | "zoom" | "crosshair", key: string, symbol: string, start: (surface: Surface2d, at: [number, number]) => Drag }} Tool */

/** @type {Tool} */
const windowTool = {
  id: "window",
  key: "W",
  symbol: "sun",
  start(surface, [x, y]) {
    const before = surface.window();
    return ([toX, toY]) => surface.setWindow(draggedWindow(before, toX - x, toY - y, surface.valueStep));
  },
};

/** @type {Tool} */
const panTool = {
  id: "pan",
  key: "P",
  symbol: "move",
  start(surface, [x, y]) {
    const before = surface.viewing();
    return ([toX, toY]) => surface.setViewing(pannedBy(surface.extent, before, surface.width, surface.height, [toX - x, toY - y]));
  },
};

/** Up comes nearer; 200 px double. @type {Tool} */
const zoomTool = {
  id: "zoom",
  key: "Z",
  symbol: "zoom-in",
  start(surface, [x, y]) {
    const before = surface.viewing();
    return ([, toY]) => surface.setViewing(zoomedAt(surface.extent, before, surface.width, surface.height, [x, y], 2 ** ((y - toY) / 200)));
  },
};

/** @type {Tool} */
const crosshairTool = {
  id: "crosshair",
  key: "X",
  symbol: "crosshair",
  start(surface, at) {
    const go = (/** @type {[number, number]} */ pixel) => {
      const point = surface.pointAt(pixel);
      if (point) surface.setPoint(point);
    };
    go(at);
    return go;
  },
};

export const TOOLS = [windowTool, panTool, zoomTool, crosshairTool];

/** @param {string} id @returns {Tool} */
export const toolNamed = (id) => TOOLS.find((tool) => tool.id === id) ?? windowTool;

/**
 * Which tool a press starts: left the chosen one, right zoom, middle pan; with Shift the crosshair, whatever is chosen.
 * @param {{ button: number, shiftKey: boolean }} press @param {string} chosen
 */
export function toolFor({ button, shiftKey }, chosen) {
  if (button === 2) return zoomTool;
  if (button === 1) return panTool;
  return shiftKey ? crosshairTool : toolNamed(chosen);
}
