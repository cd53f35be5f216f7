// The heads over the two columns: whose outline stands below, how much it holds, the plane both show. Where one column
// has to do they are the switch between A and B.

import { h } from "../../../components/dom.js";
import { ml } from "../../../components/format.js";
import { gettext } from "../../../i18n.js";
import { PLANES } from "../frames.js";
import { keyed } from "../key-words.js";
import { word } from "../words.js";

/** @import { Columns, Side } from "./columns.js" */

const SIDES = /** @type {const} */ (["a", "b"]);

/** The letter of a masked reader, else that of the side. @param {{ name: string, masked: boolean }} role @param {Side} side */
const letterOf = ({ name, masked }, side) => (masked ? /[A-Z]$/.exec(name)?.[0] : undefined) ?? side.toUpperCase();

/** @param {Columns} columns */
export function makeHeads(columns) {
  const { room } = columns;
  const head = (/** @type {Side} */ side) => {
    const letter = h("span", { class: "column-head__letter" });
    const name = h("span", { class: "column-head__name" });
    const who = keyed(room.keymap, h("button", { class: "column-head__who", type: "button", dataset: { column: side }, onclick: () => columns.choose(side) }, letter, name), "other-column", gettext("Hold to see the other column"));
    const planes = side === "a" ? h("div", { class: "segmented segmented--small column-head__planes", role: "group", "aria-label": gettext("Plane of both columns") },
      PLANES.map((plane) => h("button", { type: "button", dataset: { columnPlane: plane }, onclick: () => room.store.dispatch({ type: "view.set", values: { main: plane, active: plane, large: null } }) }, word(plane)))) : null;
    const volume = h("b", { class: "column-head__value" });
    const element = h("div", { class: "column-head", dataset: { head: side } }, who, planes, h("span", { class: "column-head__gap" }), h("span", { class: "column-head__volume" }, h("span", { class: "second" }, gettext("Volume")), volume));
    return { element, who, letter, name, volume };
  };
  const heads = { a: head("a"), b: head("b") };

  /** Of what is compared: of one segment where one is chosen, else of all. @param {Side} side */
  function volumeOf(side) {
    const { comparison, segment } = room.store.get().compare;
    const rows = (comparison?.result?.segments ?? []).filter((/** @type {any} */ one) => segment === null || one.number === segment);
    const values = rows.map((/** @type {any} */ one) => one[`volume_${side}_ml`]);
    return values.length > 0 && values.every(Number.isFinite) ? ml(values.reduce((/** @type {number} */ sum, /** @type {number} */ one) => sum + one, 0)) : "";
  }

  function draw() {
    if (!columns.isOpen) return;
    const { view, compare } = room.store.get();
    const roles = compare.comparison ? room.comparison?.roles : null;
    for (const side of SIDES) {
      const { element, who, letter, name, volume } = heads[side];
      const role = roles?.[side];
      letter.textContent = role ? letterOf(role, side) : side.toUpperCase();
      if (role) letter.style.setProperty("background-color", role.look.colour);
      else letter.style.removeProperty("background-color");
      name.textContent = role?.name ?? "";
      volume.textContent = volumeOf(side);
      const { parentElement } = volume;
      if (parentElement) parentElement.hidden = !volume.textContent;
      who.setAttribute("aria-pressed", String(columns.side === side));
      element.toggleAttribute("data-chosen", columns.single && columns.side === side);
    }
    for (const button of heads.a.element.querySelectorAll("[data-column-plane]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.columnPlane === view.main));
  }

  room.store.watch((state) => state.compare, draw);
  return {
    draw,
    show: () => room.grid.append(heads.a.element, heads.b.element),
    hide: () => SIDES.forEach((side) => heads[side].element.remove()),
  };
}
