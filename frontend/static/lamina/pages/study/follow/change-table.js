// Volumes on two dates, a row for each segment both have: then, now, the change, doubling time, distance of the surfaces.

import { h } from "../../../components/dom.js";
import { DASH, day, ml, mm } from "../../../components/format.js";
import { gettext, interpolate, known } from "../../../i18n.js";
import { doublingText, signedMl, signedPercent } from "./words.js";

/** @param {string | null} date */
const dateText = (date) => (date ? day(date) : gettext("No date"));

/**
 * @param {any} change  as GET /api/segmentations/{id}/change/{id}/ answers it
 * @param {any[] | null} distances  segments of the comparison, where it has been made
 * @returns {HTMLElement}
 */
export function changeTable({ earlier, later, segments, unpaired }, distances) {
  const shown = segments.filter((/** @type {any} */ one) => one.earlier_ml || one.later_ml);
  const number = (/** @type {string} */ text, /** @type {string} */ measure, /** @type {any} */ more = "") => h("td", { dataset: { measure } }, text, more);
  const row = (/** @type {any} */ one) => {
    const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.setProperty("background-color", one.colour);
    const apart = distances?.find(({ number: no }) => no === one.number);
    const second = [doublingText(one.doubling_days),
      apart && apart.assd_mm !== null && interpolate(gettext("surfaces {mean} apart, {most} at most"), { mean: mm(apart.assd_mm), most: mm(apart.max_mm) })].filter(Boolean).join(" · ");
    return h("tbody", { dataset: { segment: String(one.number) } },
      h("tr", {}, h("th", { scope: "rowgroup", colspan: "3" }, h("span", { class: "overtime__name" }, swatch, h("span", {}, known(one.label))))),
      h("tr", { class: "overtime__numbers" },
        number(ml(one.earlier_ml), "earlier"), number(ml(one.later_ml), "later"),
        number(signedMl(one.change_ml), "change", h("span", { class: "second" }, signedPercent(one.change_percent)))),
      second && h("tr", { class: "overtime__more" }, h("td", { colspan: "3", dataset: { measure: "more" } }, second)));
  };
  return h("div", {},
    h("table", { class: "overtime__table" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, dateText(earlier.study_date)), h("th", { scope: "col" }, dateText(later.study_date)), h("th", { scope: "col" }, gettext("Difference")))),
      shown.length ? shown.map(row) : h("tbody", {}, h("tr", {}, h("td", { colspan: "3" }, gettext("None of the segments both have holds a voxel."))))),
    unpaired.length > 0 && h("p", { class: "hint" }, interpolate(gettext("Only on one date, not compared: {names}"), { names: unpaired.map((/** @type {any} */ one) => `${known(one.label)} (${dateText((one.is_earlier ? earlier : later).study_date)})`).join(gettext(", ")) || DASH })));
}
