/** Kappa of the coded questions: over all readers, and by pair where there are several. */

import { h } from "../../components/dom.js";
import { figureCell } from "../../components/figure.js";
import { number } from "../../components/format.js";
import { roving } from "../../components/roving.js";
import { measureOf } from "../../components/statistic-words.js";
import { gettext, known } from "../../i18n.js";
import { card, namesOf } from "./outlines.js";

/** @param {any} told */
export function answersCard({ questions, pairs }) {
  const rows = questions.map((/** @type {any} */ question, /** @type {number} */ index) => {
    const several = pairs.length > 1;
    const own = [
      { name: gettext("All readers"), found: question },
      ...(several ? pairs.map((/** @type {any} */ pair) => ({ name: namesOf(pair), found: pair.questions[index] })) : []),
    ];
    return h("tbody", { dataset: { question: question.key } }, own.map(({ name, found }, at) => h("tr", {},
      at === 0 && h("th", { scope: "rowgroup", rowspan: String(own.length), class: "figures__group" }, h("span", { class: "table__main" }, known(question.text))),
      h("th", { scope: "row", class: "second" }, name),
      h("td", { class: "second" }, measureOf(found.kind).name),
      figureCell(found.kappa, found.kind, "kappa"),
      h("td", { class: "number second" }, number(found.kappa.n)))));
  });
  const name = gettext("Answers");
  const table = h("table", { class: "table figures", id: "answers" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, gettext("Question")), h("th", { scope: "col" }, gettext("Readers")), h("th", { scope: "col" }, gettext("Statistic")), h("th", { scope: "col", class: "number" }, gettext("Value")), h("th", { scope: "col", class: "number" }, gettext("Cases")))),
    rows);
  const frame = h("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": name }, table);
  roving(frame, "[data-definition]");
  return card(name, gettext("as submitted, before adjudication"), frame);
}
