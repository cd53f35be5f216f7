/**
 * <lam-job>: a job with phase, percent, time left, cancel and retry. Set `.job`; it redraws in place.
 * It asks the server itself and tells the page by "lam-job-changed" (detail: the job as answered).
 */

import { newKey, post } from "../api/client.js";
import { gettext, known } from "../i18n.js";
import { fill, h, icon } from "./dom.js";
import { percent } from "./format.js";
import { kindOf, leftOf, lineOf } from "./job-words.js";
import { toastError } from "./toast.js";

/** @import { Job } from "./job-words.js" */

const SYMBOLS = {
  queued: ["clock", ""],
  running: ["loader-circle", "turning"],
  succeeded: ["circle-check", "is-good"],
  failed: ["circle-x", "is-bad"],
  cancelled: ["ban", ""],
};

/** A bar with its number; the number is what screen readers hear. @param {number | null | undefined} fraction @param {string} label */
export function progressBar(fraction, label) {
  const value = Math.max(0, Math.min(1, fraction ?? 0));
  const bar = h("span", { class: "progress__bar" });
  bar.style.setProperty("transform", `scaleX(${value})`);
  return h(
    "span",
    { class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(value * 100)) },
    bar,
  );
}

/** @param {Job} job */
export function jobSymbol(job) {
  const [name, extra] = SYMBOLS[job.state];
  return icon(name, { class: extra });
}

class JobCard extends HTMLElement {
  /** @type {Job | null} */
  #job = null;
  #busy = false;

  get job() {
    return this.#job;
  }

  set job(job) {
    this.#job = job;
    this.#draw();
  }

  async #act(/** @type {"cancel" | "retry"} */ verb) {
    if (!this.#job || this.#busy) return;
    this.#busy = true;
    this.#draw();
    try {
      const answer = await post(`/api/jobs/${this.#job.id}/${verb}/`, {}, { key: newKey() });
      if (answer) {
        this.#job = answer;
        this.dispatchEvent(new CustomEvent("lam-job-changed", { detail: answer, bubbles: true }));
      }
    } catch (error) {
      toastError(error);
    } finally {
      this.#busy = false;
      this.#draw();
    }
  }

  #draw() {
    const job = this.#job;
    this.hidden = !job;
    if (!job) return;
    this.dataset.state = job.state;
    const title = job.algorithm ? `${kindOf(job)} · ${known(job.algorithm.title || job.algorithm.name)}` : kindOf(job);
    const running = job.state === "running";
    fill(
      this,
      h(
        "div",
        { class: "job__head" },
        jobSymbol(job),
        h("strong", { title }, title),
        h("span", { class: "second" }, leftOf(job)),
        job.can_cancel &&
          h(
            "button",
            { class: "icon-button", type: "button", "aria-label": gettext("Cancel this job"), title: gettext("Cancel this job"), disabled: this.#busy, onclick: () => this.#act("cancel") },
            icon("x"),
          ),
      ),
      running && progressBar(job.fraction, title),
      h(
        "div",
        { class: "job__line" },
        h("span", { class: job.state === "failed" ? "is-bad" : "" }, lineOf(job)),
        running && h("span", {}, percent(job.fraction ?? 0)),
      ),
      job.can_retry &&
        h(
          "div",
          { class: "job__acts" },
          h("button", { class: "button button--small", type: "button", disabled: this.#busy, onclick: () => this.#act("retry") }, icon("refresh-cw"), gettext("Retry")),
        ),
    );
  }
}

customElements.define("lam-job", JobCard);
