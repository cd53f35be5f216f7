// One place where the first read and the algorithm differ: number, size, which goes further, and what is decided.

import { fill, h, icon } from "../../../components/dom.js";
import { ml, mm, number } from "../../../components/format.js";
import { gettext, interpolate, known, ngettext } from "../../../i18n.js";
import { keyed } from "../key-words.js";

/** @import { Place } from "../../../state/case.js" */
/** @import { Room } from "../room.js" */

/** @type {Record<string, () => string>} */
const DECIDED = { keep: () => gettext("Kept mine"), take: () => gettext("Took theirs"), edit: () => gettext("Edited") };

/** The distance without its sign: which side goes further stands in words. @param {Place} place */
export const sizeOfPlace = ({ max_mm: size, voxels }) =>
  size === null || size === undefined ? interpolate(ngettext("{count} voxel", "{count} voxels", voxels), { count: number(voxels) }) : mm(Math.abs(size));

/**
 * @param {Room} room @param {Place} place @param {boolean} chosen
 * @param {{ look: (place: Place) => void, decide: (place: Place, act: "keep" | "take" | "edit", reason: string) => Promise<any> }} hands
 * @param {boolean} open  whether anything may be decided
 */
export function placeCard(room, place, chosen, hands, open) {
  const { n, label, side, verdict } = place;
  const mine = side === "a_only";
  const element = h("li", { class: "place", dataset: { place: String(n), side, verdict: verdict?.act ?? "" } });
  element.toggleAttribute("data-chosen", chosen);
  const head = h("button", { class: "place__head", type: "button", "aria-expanded": String(chosen), onclick: () => hands.look(place) },
    h("span", { class: "place__n" }, n),
    h("span", { class: "place__text" },
      h("strong", { title: known(label) }, known(label)),
      h("span", { class: "place__side" }, h("span", { class: `swatch ${mine ? "swatch--you" : "swatch--algorithm"}`, "aria-hidden": "true" }), mine ? gettext("You go further") : gettext("Algorithm goes further"))),
    h("span", { class: "place__size" }, h("b", {}, sizeOfPlace(place)), h("span", {}, ml(place.volume_ml))));
  const decided = verdict && h("p", { class: "place__decided" }, icon("check"), h("span", {}, [DECIDED[verdict.act]?.(), verdict.reason].filter(Boolean).join(" · ")));
  fill(element, head, (!chosen || !open) && decided, chosen && open && body());
  return element;

  function body() {
    const reason = h("input", { class: "input", type: "text", maxlength: "300", value: verdict?.reason ?? "", placeholder: gettext("Reason, needed when you reject"), "aria-label": gettext("Reason, needed when you reject"), onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      event.stopPropagation();
      void decide("keep");
    } });
    const decide = async (/** @type {"keep" | "take" | "edit"} */ act) => {
      const text = reason.value.trim();
      if (act === "keep" && !text) {
        reason.setAttribute("aria-invalid", "true");
        reason.focus();
        return;
      }
      buttons.forEach((button) => button.toggleAttribute("disabled", true));
      try {
        await hands.decide(place, act, act === "take" ? "" : text);
      } finally {
        buttons.forEach((button) => button.toggleAttribute("disabled", false));
      }
    };
    const button = (/** @type {"keep" | "take" | "edit"} */ act, /** @type {string} */ key, /** @type {string} */ text) =>
      keyed(room.keymap, h("button", { class: "button button--small", type: "button", dataset: { verdict: act }, "aria-pressed": String(verdict?.act === act), onclick: () => void decide(act) }, text), key, text, "key");
    const buttons = [button("keep", "keep-mine", gettext("Keep mine")), button("take", "take-theirs", gettext("Take theirs")), button("edit", "edit-place", gettext("Edit"))];
    return h("div", { class: "place__body" }, h("div", { class: "place__acts" }, buttons), reason);
  }
}
