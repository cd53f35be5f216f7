// Undo and redo at the foot of the tool rail. Tooltip and status bar name the step that comes back.

import { h, icon } from "../../components/dom.js";
import { toastError } from "../../components/toast.js";
import { gettext, interpolate } from "../../i18n.js";

/** @import { Room } from "./room.js" */

/** @param {Room} room */
export function makeUndoButtons(room) {
  const run = (/** @type {"undo" | "redo"} */ way) => void room.undo[way]().catch(toastError);
  const button = (/** @type {string} */ symbol, /** @type {"undo" | "redo"} */ way, /** @type {string} */ keys) =>
    h("button", { class: "rail__button", type: "button", dataset: { act: way }, "aria-keyshortcuts": keys, onclick: () => run(way) }, icon(symbol));
  const undo = button("undo-2", "undo", "Control+Z");
  const redo = button("redo-2", "redo", "Control+Y Control+Shift+Z");
  document.querySelector("#rail .rail__gap")?.after(undo, redo);
  const next = h("span", { class: "status__undo" });
  document.querySelector(".status .status__right")?.before(next);
  room.addActs({ undo: () => run("undo"), redo: () => run("redo") });

  /** @param {HTMLButtonElement} one @param {string} plain @param {string | null} named @param {string} key */
  const name = (one, plain, named, key) => {
    // A disabled button shows no tooltip and loses the focus; aria-disabled keeps both.
    one.setAttribute("aria-disabled", String(named === null));
    one.setAttribute("aria-label", named === null ? plain : named);
    one.title = `${named ?? plain} (${key})`;
  };
  room.undo.watch(({ undo: back, redo: again }) => {
    name(undo, gettext("Nothing to undo"), back && interpolate(gettext("Undo: {step}"), { step: back }), "Ctrl+Z");
    name(redo, gettext("Nothing to redo"), again && interpolate(gettext("Redo: {step}"), { step: again }), "Ctrl+Y");
    next.replaceChildren(...(back ? [gettext("Undo brings back:"), " ", h("strong", {}, back)] : []));
  });
}
