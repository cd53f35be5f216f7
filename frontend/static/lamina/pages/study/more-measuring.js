// The measuring tools that are wanted less often, behind one button of the rail.

import { h, icon } from "../../components/dom.js";
import { gettext } from "../../i18n.js";
import { MEASURING } from "../../tools/measuring.js";
import { word } from "./words.js";

/** @import { Room } from "./room.js" */

/** @param {Room} room */
export function makeMoreMeasuring(room) {
  const tools = MEASURING.filter(({ more }) => more);
  const name = gettext("More measuring tools");
  const button = h("button", { class: "rail__button volume-only", type: "button", title: name, "aria-label": name, "aria-haspopup": "menu", "aria-expanded": "false", dataset: { act: "more-measuring" }, onclick: () => toggle(menu.hidden) }, icon("ellipsis"));
  const entries = tools.map((tool) => {
    const [key] = room.keymap.keysOf(`tool-${tool.id}`);
    return h("button", { type: "button", role: "menuitemradio", "aria-checked": "false", dataset: { tool: tool.id }, onclick: () => {
      room.store.dispatch({ type: "view.set", values: { tool: tool.id } });
      toggle(false);
    } }, icon(tool.symbol), h("span", {}, word(tool.id)), key && h("span", { class: "key" }, key));
  });
  const menu = h("div", { class: "rail__more", role: "menu", "aria-label": name, hidden: true }, entries);
  document.querySelector('#rail [data-tool="probe"]')?.after(button);
  document.querySelector("#study")?.append(menu);

  /** @param {boolean} open */
  function toggle(open) {
    if (menu.hidden === !open) return;
    menu.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (!open) {
      button.focus({ preventScroll: true });
      return;
    }
    const box = button.getBoundingClientRect();
    menu.style.setProperty("left", `${box.right + 6}px`);
    menu.style.setProperty("top", `${Math.min(box.top, window.innerHeight - menu.offsetHeight - 8)}px`);
    entries[0].focus({ preventScroll: true });
  }

  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const at = entries.indexOf(document.activeElement);
    if (event.key === "ArrowDown") entries[(at + 1) % entries.length].focus();
    else if (event.key === "ArrowUp") entries[(at + entries.length - 1) % entries.length].focus();
    else if (event.key === "Escape") toggle(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!menu.hidden && !menu.contains(/** @type {Node} */ (event.target)) && !button.contains(/** @type {Node} */ (event.target))) toggle(false);
  });
  room.store.watch((state) => state.view.tool, (tool) => {
    button.toggleAttribute("data-chosen", tools.some(({ id }) => id === tool));
    for (const entry of entries) entry.setAttribute("aria-checked", String(entry.dataset.tool === tool));
  });
}
