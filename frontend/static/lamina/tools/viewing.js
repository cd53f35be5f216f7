// The tools every viewport has: window, pan, zoom, crosshair.

import { pannedBy, zoomedAt } from "../geometry/viewing.js";
import { draggedWindow } from "../geometry/windows.js";
import { showGrip, turnFromGrip } from "./turning.js";

/** @import { Tool } from "./tools.js" */

/** @type {Tool} */
export const windowTool = {
  id: "window",
  symbol: "sun",
  start(surface, [x, y]) {
    const before = surface.window();
    return ([toX, toY]) => surface.setWindow(draggedWindow(before, toX - x, toY - y, surface.valueStep));
  },
};

/** @type {Tool} */
export const panTool = {
  id: "pan",
  symbol: "move",
  start(surface, [x, y]) {
    const before = surface.viewing();
    return ([toX, toY]) => surface.setViewing(pannedBy(surface.extent, before, surface.width, surface.height, [toX - x, toY - y]));
  },
};

/** Up comes nearer; 200 px double. @type {Tool} */
export const zoomTool = {
  id: "zoom",
  symbol: "zoom-in",
  start(surface, [x, y]) {
    const before = surface.viewing();
    return ([, toY]) => surface.setViewing(zoomedAt(surface.extent, before, surface.width, surface.height, [x, y], 2 ** ((y - toY) / 200)));
  },
};

/** @type {Tool} */
export const crosshairTool = {
  id: "crosshair",
  symbol: "crosshair",
  hover: showGrip,
  start(surface, at, room, event) {
    const turning = turnFromGrip(surface, at, room, event);
    if (turning) return turning;
    const go = (/** @type {[number, number]} */ pixel) => {
      const point = surface.pointAt(pixel);
      if (point) surface.setPoint(point);
    };
    go(at);
    return go;
  },
};

/** Down goes on; a slice for every 6 px. @type {Tool} */
export const scrollTool = {
  id: "scroll",
  symbol: "gallery-vertical",
  start(surface, [, y]) {
    let gone = 0;
    return ([, toY]) => {
      const steps = Math.trunc((toY - y) / 6) - gone;
      gone += steps;
      if (steps !== 0) surface.scroll(steps);
    };
  },
};

export const VIEWING = [windowTool, panTool, zoomTool, scrollTool, crosshairTool];
