// The legend beside the painted surface: colours, millimetres, and the rule of the sign in words.

import { fill, h } from "../../../components/dom.js";
import { NARROW, number } from "../../../components/format.js";
import { ticksOf } from "../../../geometry/distance.js";
import { gettext, interpolate } from "../../../i18n.js";

/** @import { Room } from "../room.js" */
/** @import { CompareDesk } from "./desk.js" */

/** @param {Room} room @param {CompareDesk} desk */
export function makeLegend(room, desk) {
  const title = h("p", { class: "legend__title" });
  const ticks = h("ol", { class: "legend__ticks", role: "list" });
  const rule = h("div", { class: "legend__rule" });
  const sides = h("div", { class: "segmented legend__sides", role: "group", "aria-label": gettext("Painted surface") });
  const element = h("div", { class: "legend", hidden: true }, title, h("div", { class: "legend__scale" }, h("span", { class: "legend__bar", "aria-hidden": "true" }), ticks), rule);
  room.frames.surfaces.element.append(element, sides);

  function draw() {
    const { part } = desk;
    const shown = part.open && Boolean(part.comparison?.urls.surfaces_a);
    element.hidden = sides.hidden = !shown;
    if (!shown) return;
    const { a, b } = desk.roles;
    title.textContent = interpolate(gettext("Distance from {a} to {b}, mm"), { a: a.name, b: b.name });
    fill(ticks, ticksOf(part.range).map((value, at) => h("li", {}, `${at === 0 ? "+" : ""}${number(value, Number.isInteger(value) ? 0 : 1)}`)));
    fill(rule,
      h("p", {}, "↑ ", interpolate(gettext("{name} lies outside"), { name: b.name })),
      h("p", {}, "↓ ", interpolate(gettext("{name} lies inside"), { name: b.name })));
    fill(sides, /** @type {const} */ (["a", "b"]).map((side) => h("button", { type: "button", "aria-pressed": String(part.side === side), dataset: { side }, title: interpolate(gettext("Paint the surface of {name}"), { name: desk.roles[side].name }), onclick: () => desk.set({ side }) }, desk.roles[side].name)));
    element.setAttribute("aria-label", interpolate(gettext("Colours from {low} to {high}"), { low: number(-part.range, 1), high: `${number(part.range, 1)}${NARROW}mm` }));
  }
  room.store.watch((state) => state.compare, draw);
}
