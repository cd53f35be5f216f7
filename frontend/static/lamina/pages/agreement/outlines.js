/** How alike the outlines are: a row per segment over all readers, and by pair of readers. */

import { h } from "../../components/dom.js";
import { figure, figureCell, figureHead } from "../../components/figure.js";
import { dice, mm, number } from "../../components/format.js";
import { roving } from "../../components/roving.js";
import { measureOf } from "../../components/statistic-words.js";
import { gettext, interpolate, known, ngettext } from "../../i18n.js";

const MEASURES = /** @type {const} */ (["dice", "hd95_mm", "assd_mm", "volume_percent"]);

/** Names of a pair, always in the order its differences are taken in. @param {any} pair */
export const namesOf = (pair) => interpolate(gettext("{a} and {b}"), { a: pair.people[0].name, b: pair.people[1].name });

/** @param {number | null} limit @param {(value: number) => string} word */
const limitNote = (limit, word) => (limit === null || limit === undefined ? undefined : interpolate(gettext("limit {limit}"), { limit: word(limit) }));

/** @param {any} limits */
const heads = (limits) => [
  figureHead("dice", { note: limitNote(limits.dice, dice) }),
  figureHead("hd95_mm", { note: limitNote(limits.hd95_mm, mm) }),
  figureHead("assd_mm"),
  figureHead("volume_percent", { note: limitNote(limits.volume_percent, (value) => `${number(value, 1)}\u202f%`) }),
];

/** The segment's name with its colour, and where only one reader has it. @param {any} segment @param {Record<string, any>} [more] */
export function segmentHead(segment, more = {}) {
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.setProperty("background-color", segment.colour);
  return h("th", { scope: "row", ...more },
    h("span", { class: "segment-name" }, swatch, h("span", { class: "table__main" }, known(segment.label))),
    segment.lonely > 0 && h("span", { class: "second is-caution" }, interpolate(ngettext("{count} case where only one reader has it", "{count} cases where only one reader has it", segment.lonely), { count: number(segment.lonely) })));
}

/** @param {string} name @param {any} table */
function framed(name, table) {
  const frame = h("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": name }, table);
  roving(frame, "[data-definition]");
  return frame;
}

/** @param {string} title @param {string} second @param {any} inside */
export const card = (title, second, inside) => h("section", { class: "card" }, h("div", { class: "card__head" }, h("h2", {}, title), second && h("span", { class: "second" }, second)), inside);

/** @param {any} told */
export function outlinesCard({ segments, limits }) {
  const name = gettext("Outlines, all readers");
  const kind = segments[0]?.icc ?? "two_way";
  const table = h("table", { class: "table figures", id: "outlines" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, gettext("Segment")), h("th", { scope: "col", class: "number" }, gettext("Cases")), heads(limits), figureHead(kind, { name: interpolate(gettext("{icc} of the volume"), { icc: measureOf(kind).name }), column: "icc" }))),
    h("tbody", {}, segments.map((/** @type {any} */ one) => h("tr", { dataset: { segment: String(one.number) } },
      segmentHead(one),
      h("td", { class: "number second" }, number(one.cases)),
      MEASURES.map((key) => figureCell(one[key], key)),
      figureCell(one.volume_icc, one.icc, "icc")))));
  return card(name, gettext("mean over cases, 95 % interval below"), segments.length ? framed(name, table) : h("p", { class: "card__body second" }, gettext("Nobody has outlined anything in these cases.")));
}

/** @param {any} told */
export function pairsCard({ pairs, limits }) {
  const name = gettext("By pair of readers");
  const table = h("table", { class: "table figures", id: "pairs" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, gettext("Readers")), figureHead("within"), h("th", { scope: "col" }, gettext("Segment")), h("th", { scope: "col", class: "number" }, gettext("Cases")), heads(limits))),
    pairs.map((/** @type {any} */ pair) => h("tbody", { dataset: { pair: pair.people.map((/** @type {any} */ one) => one.id).join(" ") } },
      (pair.segments.length ? pair.segments : [null]).map((/** @type {any} */ one, /** @type {number} */ index) => h("tr", {},
        index === 0 && h("th", { scope: "rowgroup", rowspan: String(pair.segments.length || 1), class: "figures__group" }, h("span", { class: "table__main" }, namesOf(pair)), h("span", { class: "second" }, interpolate(ngettext("{count} case", "{count} cases", pair.cases), { count: number(pair.cases) }))),
        index === 0 && h("td", { class: "number figures__group", rowspan: String(pair.segments.length || 1), dataset: { column: "within" } }, figure(pair.within, "within")),
        one ? [segmentHead(one), h("td", { class: "number second" }, number(one.cases)), MEASURES.map((key) => figureCell(one[key], key))] : h("td", { colspan: "6", class: "second" }, gettext("nothing outlined")))))));
  return card(name, "", framed(name, table));
}
