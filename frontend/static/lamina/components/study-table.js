/**
 * <lam-study-table>: the rows of the worklist (grid-table.js).
 *
 * Properties: `rows` (null while loading), `selected` (an id), `bin` (rows offer restore instead of open), `empty`.
 * Events: lam-choose {study}, lam-open {study}, lam-restore {study}.
 */

import { gettext, interpolate, ngettext } from "../i18n.js";
import { chip, h } from "./dom.js";
import { DASH, ago, day, utc } from "./format.js";
import { GridTable, studyCells } from "./grid-table.js";
import { leftOf, stateOf } from "./job-words.js";

/** The state of a study in one chip: its latest job, else its result. @param {any} study */
export function studyChip(study) {
  const job = study.job;
  if (job && job.state !== "succeeded") {
    const { kind, symbol, text } = stateOf(job);
    return chip(kind, symbol, text);
  }
  const count = study.segments_count ?? 0;
  if (count > 0) {
    return chip("good", "check", interpolate(ngettext("{count} segment", "{count} segments", count), { count }));
  }
  if (job?.state === "succeeded" && job.kind === "reconstruction") return chip("caution", "triangle-alert", gettext("Nothing found"));
  return chip("", "circle", gettext("Images only"));
}

class StudyTable extends GridTable {
  bin = false;

  get plan() {
    return {
      name: gettext("Studies"),
      kind: "table studies",
      columns: [
        ["w-image", ""],
        ["w-case", gettext("Case")],
        ["w-images", gettext("Images")],
        ["w-state", gettext("State")],
        ["w-date", gettext("Study date")],
        ["w-added", gettext("Added")],
        ["w-act", ""],
      ],
      choose: "lam-choose",
      open: "lam-open",
      id: (/** @type {any} */ study) => study.id,
      detail: (/** @type {any} */ study) => ({ study }),
    };
  }

  /** @param {any} study */
  cells(study) {
    const left = study.job ? leftOf(study.job) : "";
    return [
      ...studyCells(study),
      h("td", { class: "w-state" }, studyChip(study), left && h("span", { class: "second w-left" }, left)),
      h("td", { class: "w-date" }, study.study_date ? day(study.study_date) : DASH),
      h("td", { class: "w-added second", title: utc(study.created_at) }, ago(study.created_at)),
      h("td", { class: "w-act table__acts" }, this.bin ? study.may?.includes("delete") && this.act(gettext("Restore"), "lam-restore", study) : this.act(gettext("Open"), "lam-open", study, " studies__open")),
    ];
  }
}

customElements.define("lam-study-table", StudyTable);
