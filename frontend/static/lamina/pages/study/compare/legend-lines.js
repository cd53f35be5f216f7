// Which line is whose, in the tool bar while a comparison is shown; both in one picture or each in its column; and the
// key that goes on.

import { fill, find, h, icon } from "../../../components/dom.js";
import { gettext } from "../../../i18n.js";
import { isPair } from "../../../state/view.js";
import { keyed } from "../key-words.js";
import { OTHER, OWN } from "./words.js";

/** @import { RoleLook } from "../../../scene/painted-outlines.js" */
/** @import { Room } from "../room.js" */
/** @import { CompareDesk } from "./desk.js" */

/** @param {string} name @param {RoleLook} look */
function line(name, look) {
  const stroke = h("span", { class: `role-line${look.dash.length === 0 ? "" : look === OTHER ? " role-line--dotted" : " role-line--dashed"}`, "aria-hidden": "true" });
  // White is the colour on the image; on the bar it is the colour of its text.
  if (look !== OTHER) stroke.style.setProperty("border-top-color", look.colour);
  return h("span", { class: "role" }, stroke, name);
}

/** @param {Room} room @param {CompareDesk} desk */
export function makeLegendLines(room, desk) {
  const lay = (/** @type {string} */ layout) => room.store.dispatch({ type: "view.set", values: { layout, large: null, protocol: null } });
  const mode = (/** @type {"pair" | "2x2"} */ layout, /** @type {string} */ symbol, /** @type {string} */ text) =>
    h("button", { type: "button", dataset: { compareMode: layout }, "aria-label": text, title: text, onclick: () => lay(layout) }, icon(symbol), h("span", { class: "wide-only" }, text));
  const modes = [mode("pair", "columns-2", gettext("Side by side")), mode("2x2", "layers", gettext("Overlaid"))];
  const lines = h("div", { class: "roles__lines" });
  const next = h("button", { class: "roles__next", type: "button", onclick: () => void desk.step(1) }, gettext("next place"));
  keyed(room.keymap, next, "place-next", gettext("next place"), "key");
  const element = h("div", { class: "roles", hidden: true }, h("div", { class: "segmented segmented--icons roles__modes", role: "group", "aria-label": gettext("How two outlines are shown") }, modes), lines, next);
  find("#tool-bar .tool-bar__gap").after(element);
  const draw = () => {
    const { compare: part, view } = room.store.get();
    element.hidden = !part.open;
    if (!part.open) return;
    const pair = isPair(view.layout);
    for (const button of modes) button.setAttribute("aria-pressed", String((button.dataset.compareMode === "pair") === pair));
    const { a, b } = desk.roles;
    fill(lines,
      pair ? line(gettext("the other outline"), OTHER) : [line(a.name, a.look), line(b.name, b.look)],
      desk.settles && line(gettext("yours"), OWN));
  };
  room.store.watch((state) => state.compare, draw);
  room.store.watch((state) => `${state.view.layout} ${state.view.segmentationId}`, draw);
}
