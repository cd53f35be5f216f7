// Target lesions by date with their sum, and what RECIST 1.1 makes of it. The server computes; nothing is judged here.

import { h, icon } from "../../../components/dom.js";
import { DASH, day, mm } from "../../../components/format.js";
import { gettext, interpolate } from "../../../i18n.js";
import { roleWord } from "../measurement-words.js";
import { signedMm, signedPercent } from "./words.js";

/**
 * @param {any} table  as GET /api/studies/{id}/response/ answers it
 * @param {(id: string) => void} goTo  to a mark of the open study
 * @returns {HTMLElement}
 */
export function responseTable({ dates, targets, warnings, rule }, goTo) {
  const notes = warnings.length > 0 && h("ul", { class: "overtime__notes", role: "list" }, warnings.map((/** @type {any} */ one) => h("li", { dataset: { warning: one.code } }, icon("triangle-alert", { class: "is-caution" }), h("span", {}, one.text))));
  if (dates.length === 0) {
    return h("div", { class: "overtime__part" },
      h("p", { class: "hint" }, gettext("No target lesion yet. Measure a length, open its row and choose “Target lesion” under “Over time”, with the same name on every date.")), notes);
  }
  const tags = (/** @type {any} */ one) => [one.is_baseline && gettext("Baseline"), one.is_nadir && gettext("Smallest"), one.is_opened && gettext("This study")].filter(Boolean).join(gettext(", "));
  const cell = (/** @type {any} */ date, /** @type {any} */ found) => {
    if (!found) return h("td", { class: "overtime__missing", title: gettext("Not measured on this date") }, DASH);
    const said = found.role === "target" || found.role === "node" ? "" : roleWord(found.role);
    const title = [said, found.times > 1 ? interpolate(gettext("{count} marks have this name; your newest counts, else the newest."), { count: found.times }) : ""].filter(Boolean).join(" ");
    const text = [mm(found.mm), found.times > 1 ? "*" : ""].join("");
    return h("td", { title: title || null }, date.is_opened ? h("button", { class: "button button--link", type: "button", onclick: () => goTo(found.annotation_id) }, text) : text);
  };
  const change = (/** @type {any} */ one) => (one ? [signedMm(one.mm), h("span", { class: "second" }, signedPercent(one.percent))] : DASH);
  const row = (/** @type {string} */ measure, /** @type {string} */ name, /** @type {(date: any) => any} */ value, /** @type {string} */ title = "") => h("tr", { dataset: { measure } }, h("th", { scope: "row", title: title || null }, name), dates.map((/** @type {any} */ date) => h("td", { dataset: { date: date.study_id } }, value(date))));
  const opened = dates.find((/** @type {any} */ one) => one.is_opened);
  return h("div", { class: "overtime__part" },
    h("div", { class: "overtime__scroll", tabindex: "0", role: "region", "aria-label": gettext("Target lesions by date") },
      h("table", { class: "overtime__table overtime__table--dates" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, gettext("Lesion")), dates.map((/** @type {any} */ one) => h("th", { scope: "col", dataset: { date: one.study_id } }, one.study_date ? day(one.study_date) : gettext("No date"), h("span", { class: "second" }, tags(one)))))),
        h("tbody", {}, targets.map((/** @type {any} */ target) => h("tr", { dataset: { target: target.name } },
          h("th", { scope: "row" }, target.name, h("span", { class: "second" }, [target.organ, target.is_node ? gettext("short axis") : ""].filter(Boolean).join(gettext(", ")))),
          dates.map((/** @type {any} */ date) => cell(date, target.cells.find((/** @type {any} */ one) => one.study_id === date.study_id)))))),
        h("tfoot", {},
          row("sum", gettext("Sum"), (date) => mm(date.sum_mm), gettext("Sum of the diameters of all targets; none where one was not measured")),
          row("from-baseline", gettext("From baseline"), (date) => (date.is_baseline ? "" : change(date.from_baseline))),
          row("from-nadir", gettext("From smallest"), (date) => (date.is_baseline ? "" : change(date.from_nadir)), gettext("From the smallest sum before that date, the baseline among them (nadir)")),
          row("category", gettext("Response"), (date) => (date.category ? h("strong", { title: `${date.word}. ${date.reason}` }, date.category) : date.is_baseline ? "" : DASH))))),
    opened && !opened.is_baseline && h("p", { class: "overtime__answer", role: "status" }, opened.category && [h("strong", {}, `${opened.category} · ${opened.word}`), " "], opened.reason),
    notes,
    h("p", { class: "hint" }, rule));
}
