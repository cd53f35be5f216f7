// What a press in a plane starts. Each tool is one entry: an id, its symbol, and `start`, which gets the place
// where the pointer went down and answers what to do with every further move. The rail shows the groups in this order.

import { EDITING } from "./editing.js";
import { MEASURING } from "./measuring.js";
import { VIEWING, crosshairTool, windowTool } from "./viewing.js";

/** @import { Point } from "../geometry/vectors.js" */
/** @import { Viewing } from "../geometry/viewing.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { Room } from "../pages/study/room.js" */
/** @import { Buttons } from "./key-presets.js" */
/** @import { Drag } from "./pointer.js" */

/**
 * @typedef {object} Surface2d  what a tool needs of the viewport it works in
 * @property {string} name
 * @property {HTMLElement} element  the viewport on the page
 * @property {number} width @property {number} height  px
 * @property {{ width: number, height: number }} extent  mm, or pixels where there are no mm
 * @property {() => Viewing} viewing
 * @property {() => Window} window
 * @property {number} valueStep  the smallest sensible window width
 * @property {(pixel: [number, number]) => Point | null} pointAt
 * @property {(viewing: Viewing) => void} setViewing
 * @property {(window: Window) => void} setWindow
 * @property {(point: Point) => void} setPoint
 * @property {(steps: number) => void} scroll  whole slices, down is positive
 */

/**
 * @typedef {object} Tool
 * @property {string} id
 * @property {string} symbol
 * @property {(surface: Surface2d, at: [number, number], room: Room, event: PointerEvent) => Drag | null} start
 * @property {(surface: Surface2d, at: [number, number] | null, room: Room) => void} [hover]  the pointer moves with nothing pressed; null: it left
 * @property {boolean} [more]  stands behind the "more" of its group, not in the rail
 * @property {boolean} [volumeOnly]  needs a volume; off over a picture
 */

/** @type {Tool[][]} */
export const TOOL_GROUPS = [VIEWING, MEASURING, EDITING];

export const TOOLS = TOOL_GROUPS.flat();

/** @param {string} id @returns {Tool} */
export const toolNamed = (id) => TOOLS.find((tool) => tool.id === id) ?? windowTool;

/**
 * Which tool a press starts, by the person's buttons; where the chosen tool is, Shift gives the crosshair instead.
 * @param {{ button: number, shiftKey: boolean }} press @param {string} chosen @param {Buttons} buttons
 */
export function toolFor({ button, shiftKey }, chosen, buttons) {
  const wanted = button === 2 ? buttons.right : button === 1 ? buttons.middle : buttons.left;
  if (wanted !== "tool") return toolNamed(wanted);
  return shiftKey ? crosshairTool : toolNamed(chosen);
}
