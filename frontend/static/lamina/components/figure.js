/** A statistic as it stands in a table: its value, its interval below, its definition under pointer and focus. */

import "./definition.js";
import { h } from "./dom.js";
import { explained, intervalWord, measureOf, valueWord, whyWord } from "./statistic-words.js";

/** @import { Statistic } from "./statistic-words.js" */

/** @param {Statistic} statistic @param {string} key  of the measure */
export function figure(statistic, key) {
  const measure = measureOf(key);
  return h(
    "span",
    { class: "figure", dataset: { definition: explained(statistic, measure), measure: key } },
    h("span", { class: "figure__value" }, valueWord(statistic, measure)),
    h("span", { class: "second" }, intervalWord(statistic, measure) || whyWord(statistic, measure)),
  );
}

/** A cell of its own. @param {Statistic} statistic @param {string} key  of the measure @param {string} [column]  its name among the columns */
export const figureCell = (statistic, key, column = key) => h("td", { class: "number", dataset: { column } }, figure(statistic, key));

/**
 * A heading that says what its column holds. @param {string} key  of the measure
 * @param {{ name?: string, note?: string, column?: string, rowspan?: string }} [options]  `note`: a second line, such as a limit
 */
export function figureHead(key, { name, note, column = key, rowspan } = {}) {
  const measure = measureOf(key);
  return h("th", { class: "number", scope: "col", rowspan, dataset: { column } },
    h("span", { class: "defined", dataset: { definition: measure.definition } }, name ?? measure.name),
    note && h("span", { class: "second" }, note));
}
