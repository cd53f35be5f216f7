/**
 * <lam-next-case>: the chosen study beside the list, its first slice loaded already, and the one filled button.
 * Set `.study` (a row of the list); it fetches the rest. Events: lam-open {study}, lam-bin {study}.
 */

import { get } from "../api/client.js";
import { gettext, interpolate, known, ngettext } from "../i18n.js";
import { fill, h, icon } from "./dom.js";
import { ml, modalityName, number, spacing } from "./format.js";
import "./job-card.js";
import { notice } from "./notice.js";
import { thumbnail } from "./grid-table.js";

const SHOWN_SEGMENTS = 8;

/** @param {any} series */
const seriesName = (series) =>
  [modalityName(series.modality), series.spacing_mm ? `${number(series.spacing_mm[0], 1)}\u202fmm` : ""].filter(Boolean).join(" ");

class NextCase extends HTMLElement {
  /** @type {any} */
  #study = null;
  /** @type {any} */
  #whole = null;
  #asked = new AbortController();

  get study() {
    return this.#study;
  }

  set study(study) {
    const same = study && this.#study?.id === study.id;
    this.#study = study;
    if (!same) this.#whole = null;
    this.#draw();
    if (study) void this.#fetch();
  }

  /** The job moved: only its card changes. @param {any} job */
  progress(job) {
    const card = /** @type {any} */ (this.querySelector("lam-job"));
    if (card && card.job?.id === job.id) card.job = job;
  }

  async #fetch() {
    this.#asked.abort();
    this.#asked = new AbortController();
    const { id } = this.#study;
    try {
      const whole = await get(`/api/studies/${id}/`, {}, this.#asked.signal);
      if (this.#study?.id !== id) return;
      this.#whole = whole;
      this.#draw();
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") this.#whole = null;
    }
  }

  #tell(/** @type {string} */ name) {
    this.dispatchEvent(new CustomEvent(name, { detail: { study: this.#study }, bubbles: true }));
  }

  #draw() {
    const study = this.#study;
    if (!study) {
      fill(this, h("div", { class: "next__image" }), h("div", { class: "empty" }, h("span", {}, gettext("Choose a study to see it here."))));
      return;
    }
    const series = this.#whole?.series ?? [];
    const first = series.find((/** @type {any} */ s) => s.is_volume) ?? series[0];
    const binned = study.state === "binned";
    fill(
      this,
      this.#picture(study, first),
      h(
        "div",
        { class: "next__body" },
        h(
          "div",
          { class: "next__head" },
          h("div", {}, h("h2", {}, study.pseudonym), h("p", { class: "second" }, study.description || gettext("No description"))),
          h("p", { class: "second next__project" }, study.project?.name),
        ),
        this.#strip(series),
        binned
          ? h("p", { class: "second" }, gettext("This study is in the bin. It is erased 30 days after it was put there."))
          : h("button", { class: "button button--filled button--tall button--wide", type: "button", onclick: () => this.#tell("lam-open") }, gettext("Open study"), h("span", { class: "key", "aria-hidden": "true" }, "Enter")),
        notice(study.notice),
      ),
      this.#work(study),
      this.#segments(),
      study.may?.includes("delete") &&
        h(
          "div",
          { class: "next__foot" },
          binned
            ? [
                h("button", { class: "button button--small", type: "button", onclick: () => this.#tell("lam-restore") }, icon("archive-restore"), gettext("Restore")),
                h("button", { class: "button button--small button--quiet is-bad", type: "button", onclick: () => this.#tell("lam-erase") }, icon("trash-2"), gettext("Erase now")),
              ]
            : h("button", { class: "button button--small button--quiet", type: "button", onclick: () => this.#tell("lam-bin") }, icon("trash-2"), gettext("Move to the bin")),
        ),
    );
  }

  #picture(/** @type {any} */ study, /** @type {any} */ first) {
    const count = first?.slices ?? study.slices;
    const slices = interpolate(ngettext("{count} slice", "{count} slices", count), { count: number(count) });
    return h(
      "div",
      { class: "next__image" },
      study.thumbnail && h("img", { src: study.thumbnail, alt: interpolate(gettext("Middle slice of {case}"), { case: study.pseudonym }) }),
      h("div", { class: "next__corner" }, h("strong", {}, study.pseudonym), h("span", {}, [modalityName(first?.modality ?? study.modalities?.[0] ?? ""), slices].filter(Boolean).join(" · "))),
    );
  }

  #strip(/** @type {any[]} */ series) {
    if (series.length === 0) return h("div", { class: "next__strip" }, h("span", { class: "thumbnail" }));
    return h(
      "ul",
      { class: "next__strip", role: "list" },
      series.slice(0, 6).map((one) =>
        h("li", { title: [one.description, spacing(one.spacing_mm), one.finding?.message].filter(Boolean).join(" · ") }, thumbnail(one.urls?.thumbnail ?? null, one.description), h("span", { class: "second" }, seriesName(one))),
      ),
    );
  }

  #work(/** @type {any} */ study) {
    const job = study.job;
    if (!job || job.state === "succeeded") return null;
    const card = document.createElement("lam-job");
    /** @type {any} */ (card).job = job;
    return h("section", { class: "next__section" }, card);
  }

  #segments() {
    const results = this.#whole?.segmentations ?? [];
    const latest = results[0];
    if (!latest) return null;
    const more = latest.segments.length - SHOWN_SEGMENTS;
    return h(
      "section",
      { class: "next__section" },
      h("h3", {}, gettext("Latest result")),
      h("p", { class: "second" }, `${known(latest.algorithm.title || latest.algorithm.name)} ${latest.algorithm.version}`),
      h(
        "ul",
        { class: "next__segments", role: "list" },
        latest.segments.slice(0, SHOWN_SEGMENTS).map((/** @type {any} */ segment) => {
          const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
          swatch.style.setProperty("background-color", segment.colour);
          return h("li", {}, swatch, h("span", {}, known(segment.label)), h("span", { class: "number" }, segment.volume_ml === null ? "" : ml(segment.volume_ml)));
        }),
      ),
      more > 0 && h("p", { class: "hint" }, interpolate(ngettext("{count} more segment", "{count} more segments", more), { count: more })),
    );
  }
}

customElements.define("lam-next-case", NextCase);
