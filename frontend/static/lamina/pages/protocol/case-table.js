/** The cases of a project: where each stands, who reads it, until when; given to somebody else where it waits. */

import { get, pages, post } from "../../api/client.js";
import { caseStageWord, caseStateWord, dueWord, readingStateWord, today } from "../../components/case-words.js";
import { openDialog } from "../../components/dialog.js";
import { chip, fill, find, h, icon } from "../../components/dom.js";
import { number } from "../../components/format.js";
import { toast, toastError } from "../../components/toast.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";
import { adjudicatorRow } from "./assign-adjudicator.js";

const LIMIT = 100;
/** A reading that may still be given to somebody else. */
const MOVABLE = new Set(["assigned", "in_progress", "withdrawn"]);

export class CaseTable {
  /** @param {{ id: string, may: string[], time_zone?: string }} project */
  constructor(project) {
    this.project = project;
    this.address = `/api/projects/${project.id}/cases/`;
    this.more = find("#more-cases");
    /** @type {any[]} */
    this.rows = [];
    this.more.addEventListener("click", () => void this.next());
  }

  async load() {
    this.cursor = pages(this.address, { limit: LIMIT });
    this.rows = [];
    await this.next();
  }

  async next() {
    try {
      const { results } = await /** @type {any} */ (this.cursor).next();
      this.rows.push(...results);
      this.more.hidden = /** @type {any} */ (this.cursor).done;
      this.draw();
    } catch (error) {
      toastError(error);
    }
  }

  /** Studies that have their case already: all of them, however many pages. */
  async studyIds() {
    while (this.cursor && !this.cursor.done) await this.next();
    return new Set(this.rows.map((one) => one.study_id));
  }

  draw() {
    const open = this.rows.filter((one) => one.state !== "completed").length;
    find("#cases-second").textContent = this.rows.length ? interpolate(ngettext("{count} case, {open} open", "{count} cases, {open} open", this.rows.length), { count: number(this.rows.length), open: number(open) }) : "\u00a0";
    fill(find("#cases"), this.rows.length ? this.rows.map((one) => this.row(one)) : h("tr", {}, h("td", { colspan: "6" }, h("div", { class: "empty" }, icon("folder-open"), h("strong", {}, gettext("No case is open yet")), h("span", {}, this.project.may.includes("manage") ? gettext("Set the reading protocol, then open cases from studies.") : gettext("The project's admin opens cases from studies.")), this.project.may.includes("manage") && h("a", { class: "button", href: "#protocol" }, gettext("Reading protocol"))))));
  }

  /** @param {any} one */
  row(one) {
    const due = dueWord(one.due_on, today(this.project.time_zone));
    const kind = one.state === "completed" ? "good" : one.stage === "adjudication" ? "caution" : one.sealed ? "sealed" : one.state === "in_progress" ? "accent" : "";
    const symbol = one.state === "completed" ? "check" : one.stage === "adjudication" ? "git-compare" : one.sealed ? "lock" : "circle";
    return h("tr", { dataset: { case: one.id, stage: one.stage, state: one.state } },
      h("td", {}, h("a", { class: "table__main", href: `/studies/${one.study_id}/` }, one.pseudonym), one.is_practice && h("span", { class: "second" }, gettext("practice")), one.description && h("span", { class: "second" }, one.description)),
      h("td", {}, caseStageWord(one.stage)),
      h("td", {}, chip(kind, symbol, caseStateWord(one.state))),
      h("td", {}, h("ul", { class: "case-readers", role: "list" }, one.readings.map((/** @type {any} */ reading) => this.reader(one, reading)), adjudicatorRow(one, () => this.load()))),
      h("td", {}, h("span", { class: due.late && one.state !== "completed" ? "is-caution" : "" }, due.text), due.note && one.state !== "completed" && h("span", { class: "second is-caution" }, due.note)),
      h("td", { class: "table__acts" }, h("a", { class: "button button--small", href: `/studies/${one.study_id}/` }, gettext("Open"))));
  }

  /** @param {any} one @param {any} reading */
  reader(one, reading) {
    const movable = one.may?.includes("reassign") && reading.id && MOVABLE.has(reading.state) && reading.kind !== "adjudication";
    return h("li", { dataset: { reading: reading.id ?? "", state: reading.state } },
      h("span", { class: "letter", "aria-hidden": "true" }, reading.letter),
      h("span", {}, reading.name),
      h("span", { class: "second" }, readingStateWord(reading.state)),
      movable && h("button", { class: "button button--small button--quiet", type: "button", onclick: () => void this.reassign(one, reading) }, icon("repeat"), gettext("Reassign")));
  }

  /** @param {any} one @param {any} reading */
  async reassign(one, reading) {
    const { results } = await get(`/api/projects/${this.project.id}/members/`);
    const busy = new Set(one.readings.map((/** @type {any} */ other) => other.name));
    const free = results.filter((/** @type {any} */ member) => member.role === "reader" && !busy.has(member.user.name));
    const select = h("select", { class: "select", id: "reassign-reader" }, free.map((/** @type {any} */ member) => h("option", { value: member.user.id }, member.user.name)));
    const done = await openDialog({
      title: interpolate(gettext("Give the read of {name} to somebody else"), { name: reading.name }),
      note: reading.state === "in_progress" ? gettext("What was drawn so far is kept with the withdrawn read; the new reader begins from nothing.") : "",
      body: free.length ? h("div", { class: "field" }, h("label", { for: "reassign-reader" }, gettext("New reader")), select) : h("p", {}, gettext("Nobody else in the project may read this case.")),
      acts: free.length ? [{
        text: gettext("Reassign"),
        kind: "filled",
        run: async (close) => {
          await post(`/api/cases/${one.id}/reassign/`, { reading: reading.id, reader: select.value });
          close(true);
        },
      }] : [],
    });
    if (!done) return;
    toast(gettext("The read has a new reader."), { kind: "good" });
    await this.load();
  }
}
