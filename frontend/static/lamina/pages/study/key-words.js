// Words for keys and acts, and the keys that stand on buttons. All of it follows the live map.

import { fill, h, pageData } from "../../components/dom.js";
import { gettext } from "../../i18n.js";
import { Keymap } from "../../tools/keymap.js";
import { TOOL_GROUPS } from "../../tools/tools.js";
import { word } from "./words.js";

/** The keys of whoever is signed in, as kept in this browser. @returns {Keymap} */
export function keymapOfPerson() {
  const person = pageData("shell-data")?.person?.id ?? "";
  try {
    return new Keymap(window.localStorage, person);
  } catch {
    // A browser may refuse storage altogether.
    return new Keymap(null, person);
  }
}

/** Acts that are no tool, by group, in the order of the sheet. @type {() => [string, [string, string][]][]} */
const GROUPS = () => [
  [gettext("Slices and viewports"), [
    ["slice-back", gettext("Slice back")],
    ["slice-on", gettext("Slice on")],
    ["slice-back-10", gettext("10 slices back")],
    ["slice-on-10", gettext("10 slices on")],
    ["slice-first", gettext("First slice")],
    ["slice-last", gettext("Last slice")],
    ["viewport-back", gettext("Viewport before")],
    ["viewport-on", gettext("Viewport after")],
    ["series-back", gettext("Series before")],
    ["series-on", gettext("Series after")],
    ["stage-back", gettext("Stage before")],
    ["stage-on", gettext("Stage after")],
    ["cine", gettext("Play and stop")],
    ["full-screen", gettext("Full screen")],
    ["small", gettext("Back from large")],
    ["panel", gettext("Panel")],
  ]],
  [gettext("View"), [
    ["window-1", gettext("Window 1")],
    ["window-2", gettext("Window 2")],
    ["window-3", gettext("Window 3")],
    ["window-4", gettext("Window 4")],
    ["window-5", gettext("Window 5")],
    ["zoom-in", gettext("Nearer")],
    ["zoom-out", gettext("Farther")],
    ["fit", gettext("Fit")],
    ["reset", gettext("Reset the view")],
    ["invert", gettext("Invert")],
    ["rotate-right", gettext("Rotate right")],
    ["rotate-left", gettext("Rotate left")],
    ["flip-across", gettext("Flip left and right")],
    ["flip-along", gettext("Flip up and down")],
    ["texts", gettext("Texts on the image")],
    ["hide-outlines", gettext("Hide outlines while held")],
    ["other-column", gettext("Other column while held")],
  ]],
  [gettext("Segments"), [
    ["segment-new", gettext("New segment")],
    ["fill-between", gettext("Fill between slices")],
    ["brush-smaller", gettext("Smaller brush")],
    ["brush-larger", gettext("Larger brush")],
  ]],
  [gettext("Work"), [
    ["accept", gettext("Accept")],
    ["cancel", gettext("Cancel")],
    ["delete", gettext("Delete")],
    ["undo", gettext("Undo")],
    ["redo", gettext("Redo")],
    ["comment", gettext("Comment")],
    ["key-image", gettext("Key image")],
    ["place-next", gettext("Next place")],
    ["place-back", gettext("Place before")],
    ["keep-mine", gettext("Keep mine")],
    ["take-theirs", gettext("Take theirs")],
    ["edit-place", gettext("Edit this place")],
    ["sheet", gettext("Show all keys")],
  ]],
];

/** Every group of the sheet with its acts and their words, tools first. @returns {[string, [string, string][]][]} */
export const actGroups = () => [
  [gettext("Tools"), TOOL_GROUPS.flat().map((tool) => [`tool-${tool.id}`, word(tool.id)])],
  ...GROUPS(),
];

/** @param {string} act */
export const actName = (act) => actGroups().flatMap(([, rows]) => rows).find(([name]) => name === act)?.[1] ?? act;

/** @type {Record<string, () => string>} */
const KEY_WORDS = {
  ArrowUp: () => "↑", ArrowDown: () => "↓", ArrowLeft: () => "←", ArrowRight: () => "→",
  PageUp: () => "PgUp", PageDown: () => "PgDn", Escape: () => "Esc", Delete: () => "Del", "-": () => "−",
  Space: () => gettext("Space"),
};

/** A key as people read it: "Ctrl+Z", "↑", "PgUp". @param {string} key */
export function keyWord(key) {
  const [, modifiers, last] = /** @type {RegExpExecArray} */ (/^((?:Ctrl\+|Shift\+)*)(.+)$/.exec(key));
  return modifiers + (KEY_WORDS[last]?.() ?? last);
}

/** A key short enough for the corner of a button: "⇧G"; "" where it is too long even so. @param {string} key */
const keyMark = (key) => {
  const text = keyWord(key).replace("Shift+", "⇧").replace("Ctrl+", "^");
  return text.length <= 2 && key !== "Space" ? text : "";
};

/**
 * Give a button its name with its key, in the tooltip, for screen readers and in its corner, and keep them right when
 * the keys change. @param {Keymap} keymap @param {HTMLElement} button @param {string} act @param {string} name
 * @param {string} [markClass]  class of the corner mark; without it there is none
 */
export function keyed(keymap, button, act, name, markClass) {
  const mark = markClass ? h("span", { class: markClass, "aria-hidden": "true" }) : null;
  const show = () => {
    const [key] = keymap.keysOf(act);
    button.title = key ? `${name} (${keyWord(key)})` : name;
    if (key) button.setAttribute("aria-keyshortcuts", key.replace("Ctrl+", "Control+"));
    else button.removeAttribute("aria-keyshortcuts");
    if (mark) fill(mark, key ? keyMark(key) : "");
  };
  if (mark) button.append(mark);
  show();
  keymap.watch(show);
  return button;
}
