// Which key calls which act, as three presets (SCREENS, "Mouse and keyboard"). An act has a name; whoever can do it
// registers it (`room.addActs`). An act that nobody registered does nothing and stays out of the sheet. Window presets
// carry their id, so that a longer list never moves a key to another window.

/** Act -> keys as `keyName` writes them, the one shown first. @typedef {Record<string, readonly string[]>} KeyTable */
/** What a drag with each button starts: "tool" is the chosen tool; in 3D "turn", "zoom", "pan"; `both`: left and right held together. @typedef {{ left: string, middle: string, right: string, both?: string }} Buttons */
/** `tool` is chosen when a study opens. @typedef {{ keys: KeyTable, plane: Buttons, space: Buttons, tool: string }} KeyPreset */

/** @type {KeyTable} */
const STANDARD = {
  "window-1": ["1"], "window-2": ["2"], "window-3": ["3"], "window-4": ["4"], "window-5": ["5"],
  "slice-back": ["ArrowUp"], "slice-on": ["ArrowDown"], "slice-first": ["Home"], "slice-last": ["End"],
  "slice-back-10": [], "slice-on-10": [],
  "viewport-back": ["ArrowLeft"], "viewport-on": ["ArrowRight"], "series-back": ["PageUp"], "series-on": ["PageDown"],
  "stage-back": [","], "stage-on": ["."],
  "zoom-in": ["+"], "zoom-out": ["-"], fit: ["="], reset: ["Space"], invert: ["I"], cine: ["C"],
  "rotate-right": ["R"], "rotate-left": ["L"], "flip-across": ["H"], "flip-along": ["V"],
  "tool-window": ["W"], "tool-pan": ["P"], "tool-zoom": ["Z"], "tool-crosshair": ["X"], "tool-scroll": [],
  "tool-length": ["D"], "tool-angle": ["G"], "tool-cobb": ["Shift+G"], "tool-ellipse": ["O"], "tool-rectangle": ["Q"],
  "tool-polygon": ["Y"], "tool-probe": ["T"], "tool-arrow": ["Shift+D"], "tool-text": ["Shift+W"],
  "tool-brush": ["B"], "tool-eraser": ["E"], "tool-scissors": ["S"], "fill-between": ["F"], "tool-grow": ["K"],
  "segment-new": ["A"], "brush-smaller": ["["], "brush-larger": ["]"],
  accept: ["Enter"], cancel: ["Escape"], delete: ["Backspace", "Delete"],
  undo: ["Ctrl+Z"], redo: ["Ctrl+Y", "Ctrl+Shift+Z"],
  comment: ["M"], "key-image": ["J"], "hide-outlines": ["U"], "other-column": ["`", "~", "·"], "place-next": ["N"], "place-back": ["Shift+N"],
  "keep-mine": ["Shift+1"], "take-theirs": ["Shift+2"], "edit-place": ["Shift+3"],
  texts: ["Shift+T"], panel: ["\\"], "full-screen": ["Shift+F"], sheet: ["?"], small: ["Escape"],
};

/** @type {KeyTable} */
const PACS = {
  ...STANDARD,
  "window-1": ["F2", "1"], "window-2": ["F3", "2"], "window-3": ["F4", "3"], "window-4": ["F5", "4"], "window-5": ["F6", "5"],
  "slice-back-10": ["PageUp"], "slice-on-10": ["PageDown"],
  "viewport-back": ["Ctrl+ArrowLeft"], "viewport-on": ["Ctrl+ArrowRight"],
  "series-back": ["Shift+PageUp"], "series-on": ["Shift+PageDown"],
  delete: ["Delete", "Backspace"],
};

/** Each letter and its mirror place on the keyboard; digits, too. */
const MIRRORED = new Map(["QP", "WO", "EI", "RU", "TY", "A;", "SL", "DK", "FJ", "GH", "Z/", "X.", "C,", "VM", "BN", "10", "29", "38", "47", "56"]
  .flatMap(([one, other]) => /** @type {[string, string][]} */ ([[one, other], [other, one]])));

/** Acts that keep their keys for either hand: their key is known everywhere, or lies on both sides. */
const UNMIRRORED = new Set(["undo", "redo", "zoom-in", "zoom-out", "fit", "sheet"]);

/** @param {string} key */
const mirrored = (key) => {
  const [, modifiers, last] = /** @type {RegExpExecArray} */ (/^((?:Ctrl\+|Shift\+)*)(.+)$/.exec(key));
  return modifiers + (MIRRORED.get(last) ?? last);
};

/** @type {KeyTable} */
const LEFT_HANDED = Object.fromEntries(Object.entries(STANDARD).map(([act, keys]) => [act, UNMIRRORED.has(act) ? keys : keys.map(mirrored)]));

/** @type {Readonly<Record<"standard" | "pacs" | "left", KeyPreset>>} */
export const KEY_PRESETS = Object.freeze({
  standard: { keys: STANDARD, plane: { left: "tool", middle: "pan", right: "zoom" }, space: { left: "turn", middle: "pan", right: "zoom" }, tool: "window" },
  // The left button scrolls until a tool is chosen.
  pacs: { keys: PACS, plane: { left: "tool", middle: "pan", right: "window", both: "zoom" }, space: { left: "turn", middle: "pan", right: "zoom", both: "zoom" }, tool: "scroll" },
  left: { keys: LEFT_HANDED, plane: { left: "zoom", middle: "pan", right: "tool" }, space: { left: "zoom", middle: "pan", right: "turn" }, tool: "window" },
});
