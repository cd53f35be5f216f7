/**
 * <lam-next-reading>: the chosen own case beside the list, its first slice loaded already, what is sealed, and the one
 * filled button. Set `.row` (of /api/worklist/); it fetches the series. Event: lam-reading-open {row}.
 */

import { get } from "../api/client.js";
import { gettext, interpolate, ngettext } from "../i18n.js";
import { dueWord, longActWord, stageWord, today } from "./case-words.js";
import { fill, h, icon } from "./dom.js";
import { modalityName, number, percent, spacing } from "./format.js";
import { notice } from "./notice.js";
import { thumbnail } from "./grid-table.js";

class NextReading extends HTMLElement {
  /** @type {any} */
  #row = null;
  /** @type {any[]} */
  #series = [];
  #asked = new AbortController();

  get row() {
    return this.#row;
  }

  set row(row) {
    if (this.#row?.study.id !== row?.study.id) this.#series = [];
    this.#row = row;
    this.#draw();
    if (row && this.#series.length === 0) void this.#fetch();
  }

  async #fetch() {
    this.#asked.abort();
    this.#asked = new AbortController();
    const { id } = this.#row.study;
    try {
      const { series } = await get(`/api/studies/${id}/`, {}, this.#asked.signal);
      if (this.#row?.study.id !== id) return;
      this.#series = series;
      this.#draw();
    } catch {
      // The picture of the row stays; opening the case says what is wrong.
    }
  }

  #draw() {
    const row = this.#row;
    if (!row) {
      fill(this, h("div", { class: "next__image" }), h("div", { class: "empty" }, h("span", {}, gettext("Choose a case to see it here."))));
      return;
    }
    const { study, reading } = row;
    const first = this.#series.find((one) => one.is_volume) ?? this.#series[0];
    const count = first?.slices ?? study.slices;
    const due = dueWord(reading.due_on, today(study.project?.time_zone || document.documentElement.dataset.timeZone || undefined));
    fill(
      this,
      h("div", { class: "next__image" },
        study.thumbnail && h("img", { src: study.thumbnail, alt: interpolate(gettext("Middle slice of {case}"), { case: study.pseudonym }) }),
        h("div", { class: "next__corner" }, h("strong", {}, study.pseudonym), h("span", {}, [modalityName(first?.modality ?? study.modalities?.[0] ?? ""), interpolate(ngettext("{count} slice", "{count} slices", count), { count: number(count) })].filter(Boolean).join(" · ")))),
      sealedStrip(row),
      h("div", { class: "next__body" },
        h("div", { class: "next__head" },
          h("div", {}, h("h2", {}, study.pseudonym), h("p", { class: "second" }, study.description || gettext("No description"))),
          h("p", { class: "next__due" }, h("span", { class: due.late && reading.state !== "submitted" ? "is-caution" : "" }, due.text), h("span", { class: "second" }, due.note || stageWord(row)))),
        this.#series.length === 0
          ? h("div", { class: "next__strip" }, h("span", { class: "thumbnail" }))
          : h("ul", { class: "next__strip", role: "list" }, this.#series.slice(0, 6).map((one) =>
              h("li", { title: [one.description, spacing(one.spacing_mm)].filter(Boolean).join(" · ") }, thumbnail(one.urls?.thumbnail ?? null, one.description),
                h("span", { class: "second" }, [modalityName(one.modality), one.spacing_mm ? `${number(one.spacing_mm[0], 1)}\u202fmm` : ""].filter(Boolean).join(" "))))),
        h("button", { class: "button button--filled button--tall button--wide", type: "button", onclick: () => this.dispatchEvent(new CustomEvent("lam-reading-open", { detail: { row }, bubbles: true })) },
          longActWord(row), h("span", { class: "key", "aria-hidden": "true" }, "Enter")),
        notice(study.notice)),
    );
  }
}

/** Violet: what there is of a result, and when it opens. Never anything of the result itself. @param {any} row */
function sealedStrip({ case: given, job }) {
  if (!given.sealed) return null;
  const running = job?.state === "running" || job?.state === "queued";
  const title = running ? gettext("The result is being made, and stays sealed") : given.result_waiting ? gettext("Result ready, sealed") : gettext("Other reads are sealed");
  return h("div", { class: "sealed-strip" }, icon("lock"), h("div", {}, h("strong", {}, title), h("span", {}, job?.state === "running" ? interpolate(gettext("{percent} done. Opens when you commit your first read"), { percent: percent(job.fraction ?? 0) }) : gettext("Opens when you commit your first read"))));
}

customElements.define("lam-next-reading", NextReading);
