/**
 * <lam-reading-table>: a reader's own cases (grid-table.js).
 *
 * Properties: `rows` (rows of /api/worklist/, null while loading), `selected` (a reading's id), `empty`.
 * Events: lam-reading-choose {row}, lam-reading-open {row}.
 */

import { gettext } from "../i18n.js";
import { actWord, dueWord, minutes, stageWord, today, whyChip } from "./case-words.js";
import { chip, h, icon } from "./dom.js";
import { GridTable, studyCells } from "./grid-table.js";

class ReadingTable extends GridTable {
  get plan() {
    return {
      name: gettext("Your cases"),
      kind: "table studies readings",
      columns: [
        ["w-image", ""],
        ["w-case", gettext("Case")],
        ["w-images", gettext("Images")],
        ["w-stage", gettext("Stage")],
        ["w-state", gettext("State")],
        ["w-date", gettext("Due")],
        ["w-time", gettext("Time read")],
        ["w-act", ""],
      ],
      choose: "lam-reading-choose",
      open: "lam-reading-open",
      id: (/** @type {any} */ row) => row.reading.id,
      detail: (/** @type {any} */ row) => ({ row }),
    };
  }

  /** @param {any} row */
  facts({ study, reading }) {
    return { study: study.id, state: reading.state };
  }

  /** @param {any} row */
  cells(row) {
    const { study, reading, case: given } = row;
    const due = dueWord(reading.due_on, today(study.project?.time_zone || document.documentElement.dataset.timeZone || undefined));
    const { kind, symbol, text } = whyChip(row);
    const isOpen = reading.state !== "submitted";
    return [
      ...studyCells(study, given.is_practice && h("span", { class: "hint" }, ` ${gettext("practice")}`)),
      h("td", { class: "w-stage" }, stageWord(row)),
      h("td", { class: "w-state" }, chip(kind, symbol, text)),
      h("td", { class: "w-date" }, h("span", { class: due.late && isOpen ? "is-caution" : "" }, due.text), due.note && isOpen && h("span", { class: "second is-caution" }, due.note)),
      h("td", { class: "w-time number second" }, reading.seconds ? minutes(reading.seconds) : ""),
      h("td", { class: "w-act table__acts" }, this.act(actWord(row), "lam-reading-open", row, " studies__open")),
    ];
  }
}

/** What stands where there is nothing to read. @param {boolean} done  whether the finished ones were asked for */
export const nothingToRead = (done) =>
  h("div", { class: "empty" }, icon(done ? "archive" : "circle-check"), h("strong", {}, done ? gettext("Nothing finished yet") : gettext("Nothing to read. Well done.")), h("span", {}, done ? gettext("What you submit stays here.") : gettext("New cases appear here by themselves.")));

customElements.define("lam-reading-table", ReadingTable);
