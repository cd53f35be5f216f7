/** Volumes of two readers against each other: a Bland-Altman plot per segment; every dot leads to its case. */

import { fill, h } from "../../components/dom.js";
import { figure } from "../../components/figure.js";
import { number } from "../../components/format.js";
import { measureOf } from "../../components/statistic-words.js";
import { gettext, interpolate, known, ngettext } from "../../i18n.js";
import { namesOf } from "./outlines.js";
import { BlandAltman } from "./plot.js";

/** @param {any} told */
export function volumesCard({ pairs }) {
  const plots = h("div", { class: "plots" });
  const draw = (/** @type {any} */ pair) => {
    const measured = pair.segments.filter((/** @type {any} */ one) => one.volume.points.length > 0);
    fill(plots, measured.length ? measured.map((/** @type {any} */ one) => plotOf(one, pair)) : h("p", { class: "second" }, gettext("No volume is known: the images have no spacing, or only one reader outlined anything.")));
  };
  const select = h("select", { class: "select", id: "plot-pair", onchange: (/** @type {any} */ event) => draw(pairs[Number(event.target.value)]) }, pairs.map((/** @type {any} */ pair, /** @type {number} */ index) => h("option", { value: String(index) }, namesOf(pair))));
  draw(pairs[0]);
  return h("section", { class: "card" },
    h("div", { class: "card__head" },
      h("h2", {}, gettext("Volumes against each other")),
      pairs.length > 1 ? [h("label", { class: "second", for: "plot-pair" }, gettext("Readers")), select] : h("span", { class: "second" }, namesOf(pairs[0]))),
    h("div", { class: "card__body" }, plots));
}

/** @param {any} segment @param {any} pair */
function plotOf(segment, pair) {
  const { bias, lower, upper, points } = segment.volume;
  const names = { a: pair.people[0].name, b: pair.people[1].name };
  const name = known(segment.label);
  const line = (/** @type {string} */ key, /** @type {any} */ statistic) => h("div", {}, h("dt", {}, measureOf(key).name), h("dd", {}, figure(statistic, key)));
  const figureBox = h("figure", { class: "plot", "aria-label": interpolate(gettext("Bland-Altman plot of {segment}, {a} less {b}"), { segment: name, ...names }) },
    h("figcaption", {}, h("h3", {}, name), h("span", { class: "second" }, interpolate(ngettext("{count} case", "{count} cases", points.length), { count: number(points.length) }))),
    new BlandAltman(points, { bias: bias.value, lower: lower.value, upper: upper.value }, names).element,
    h("dl", { class: "plot__lines" }, line("upper", upper), line("bias", bias), line("lower", lower)));
  for (const one of figureBox.querySelectorAll("dl [data-definition]")) one.setAttribute("tabindex", "0");
  return figureBox;
}
