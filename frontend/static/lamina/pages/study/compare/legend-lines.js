// Which line is whose, in the tool bar while a comparison is shown, and the key that goes on.

import { fill, find, h } from "../../../components/dom.js";
import { gettext } from "../../../i18n.js";
import { keyed } from "../key-words.js";

/** @import { Room } from "../room.js" */
/** @import { CompareDesk } from "./desk.js" */
/** @import { Role } from "./words.js" */

/** @param {Role} role */
function line({ name, look, dashed }) {
  const stroke = h("span", { class: `role-line${dashed ? " role-line--dashed" : ""}`, "aria-hidden": "true" });
  stroke.style.setProperty("border-top-color", look.colour);
  return h("span", { class: "role" }, stroke, name);
}

/** @param {Room} room @param {CompareDesk} desk */
export function makeLegendLines(room, desk) {
  const element = h("div", { class: "roles", hidden: true });
  find("#tool-bar .tool-bar__gap").after(element);
  const next = h("button", { class: "roles__next", type: "button", onclick: () => void desk.step(1) }, gettext("next place"));
  keyed(room.keymap, next, "place-next", gettext("next place"), "key");
  room.store.watch((state) => state.compare, (part) => {
    element.hidden = !part.open;
    if (part.open) fill(element, line(desk.roles.a), line(desk.roles.b), next);
  });
}
