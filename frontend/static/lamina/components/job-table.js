/**
 * <lam-jobs>: the queue with place, phase, time left and worker; rows of 49 px. Property `.jobs` (null while loading).
 * Rows that stay keep their element, so that a button under the pointer stays under it.
 */

import { newKey, post } from "../api/client.js";
import { gettext, known } from "../i18n.js";
import { fill, h, icon } from "./dom.js";
import { DASH, ago, initials, percent, utc } from "./format.js";
import { jobSymbol, progressBar } from "./job-card.js";
import { kindOf, leftOf, lineOf } from "./job-words.js";
import { toastError } from "./toast.js";

const COLUMNS = 7;

class JobTable extends HTMLElement {
  /** @type {any[] | null} */
  #jobs = null;
  /** @type {Map<string, {row: HTMLElement, print: string}>} */
  #rows = new Map();
  #body = h("tbody");

  connectedCallback() {
    if (this.firstChild) return;
    const heads = ["", gettext("Project"), gettext("Work"), gettext("Progress"), gettext("Time"), gettext("Worker"), ""];
    this.append(
      h(
        "table",
        { class: "table jobs", "aria-label": gettext("Jobs") },
        h("thead", {}, h("tr", {}, heads.map((text, index) => h("th", { scope: "col", class: `j-${index}` }, text || h("span", { class: "for-screen-readers" }, index ? gettext("Act") : gettext("State")))))),
        this.#body,
      ),
    );
    this.#draw();
  }

  set jobs(jobs) {
    this.#jobs = jobs;
    this.#draw();
  }

  get jobs() {
    return this.#jobs;
  }

  /** @param {any} job the same job, further on */
  progress(job) {
    if (!this.#jobs) return;
    const index = this.#jobs.findIndex((one) => one.id === job.id);
    if (index < 0) return;
    this.#jobs[index] = { ...this.#jobs[index], ...job };
    this.#draw();
  }

  #draw() {
    if (!this.#jobs) {
      fill(this.#body, Array.from({ length: 6 }, () => h("tr", { "aria-hidden": "true" }, Array.from({ length: COLUMNS }, () => h("td", {}, h("span", { class: "grey" }))))));
      return;
    }
    if (this.#jobs.length === 0) {
      this.#rows.clear();
      fill(this.#body, h("tr", {}, h("td", { colspan: String(COLUMNS) }, h("div", { class: "empty" }, icon("inbox"), h("span", {}, gettext("No jobs here."))))));
      return;
    }
    const kept = new Map();
    const rows = this.#jobs.map((job) => {
      const print = JSON.stringify(job);
      const old = this.#rows.get(job.id);
      const row = old && old.print === print && job.state !== "running" ? old.row : this.#row(job);
      kept.set(job.id, { row, print });
      return row;
    });
    this.#rows = kept;
    this.#body.replaceChildren(...rows);
  }

  #row(/** @type {any} */ job) {
    const running = job.state === "running";
    const when = job.finished_at || job.created_at;
    return h(
      "tr",
      { dataset: { id: job.id, state: job.state } },
      h("td", { class: "j-0" }, jobSymbol(job)),
      h("td", { class: "j-1" }, h("span", { class: "table__main" }, job.project || DASH), h("span", { class: "hint code" }, job.id.slice(0, 8))),
      h("td", { class: "j-2" }, h("span", {}, kindOf(job)), h("span", { class: "second" }, job.algorithm ? `${known(job.algorithm.title || job.algorithm.name)} ${job.algorithm.version}` : "")),
      h(
        "td",
        { class: "j-3" },
        running && h("span", { class: "jobs__bar" }, progressBar(job.fraction, kindOf(job)), h("strong", {}, percent(job.fraction ?? 0))),
        h("span", { class: job.state === "failed" ? "is-bad" : running ? "second" : "" }, lineOf(job)),
      ),
      h("td", { class: "j-4 second", title: when ? utc(when) : null }, running ? leftOf(job) || DASH : when ? ago(when) : DASH),
      h("td", { class: "j-5 second" }, job.worker || DASH, job.requested_by && h("span", { class: "person person--small", title: job.requested_by.name, role: "img", "aria-label": job.requested_by.name }, initials(job.requested_by.name))),
      h("td", { class: "j-6 table__acts" }, this.#act(job)),
    );
  }

  #act(/** @type {any} */ job) {
    if (job.can_cancel) return this.#button(job, "cancel", "x", gettext("Cancel"), "");
    if (job.can_retry) return this.#button(job, "retry", "refresh-cw", gettext("Retry"), job.state === "failed" ? " button--filled" : " button--quiet");
    return null;
  }

  #button(/** @type {any} */ job, /** @type {string} */ verb, /** @type {string} */ symbol, /** @type {string} */ text, /** @type {string} */ extra) {
    const button = h(
      "button",
      {
        class: `button button--small${extra}`,
        type: "button",
        onclick: async () => {
          button.disabled = true;
          try {
            await post(`/api/jobs/${job.id}/${verb}/`, {}, { key: newKey() });
            this.dispatchEvent(new CustomEvent("lam-job-changed", { bubbles: true }));
          } catch (error) {
            toastError(error);
            button.disabled = false;
          }
        },
      },
      icon(symbol),
      text,
    );
    return button;
  }
}

customElements.define("lam-jobs", JobTable);
