/**
 * <lam-study-table>: the rows of the worklist. It keeps order and places: a row that changes changes where it stands.
 *
 * Properties: `rows` (null while loading), `selected` (an id), `bin` (rows offer restore instead of open), `empty`.
 * Events: lam-choose {study}, lam-open {study}, lam-restore {study}, lam-erase {study}.
 */

import { gettext, interpolate, ngettext } from "../i18n.js";
import { chip, fill, h, icon } from "./dom.js";
import { DASH, ago, day, number, utc } from "./format.js";
import { leftOf, stateOf } from "./job-words.js";

const GREY_ROWS = 8;

/** Columns: class, heading. The last one holds the act. */
const columns = () => [
  ["w-image", ""],
  ["w-case", gettext("Case")],
  ["w-images", gettext("Images")],
  ["w-state", gettext("State")],
  ["w-date", gettext("Study date")],
  ["w-added", gettext("Added")],
  ["w-act", ""],
];

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

/** People say PET where DICOM says PT. @param {string} modality */
export const modalityName = (modality) => (modality === "PT" ? "PET" : modality);

/** @param {any} study */
const images = (study) => (study.modalities?.length ? study.modalities.map(modalityName).join(" · ") : DASH);

class StudyTable extends HTMLElement {
  /** @type {any[] | null} */
  #rows = null;
  /** @type {Map<string, HTMLTableRowElement>} */
  #places = new Map();
  #selected = "";
  #body = h("tbody");
  bin = false;
  /** @type {Node | null} */
  empty = null;

  connectedCallback() {
    if (this.firstChild) return;
    this.append(
      h(
        "table",
        { class: "table studies", role: "grid", "aria-label": gettext("Studies") },
        h("thead", {}, h("tr", {}, columns().map(([name, text]) => h("th", { class: name, scope: "col" }, text || h("span", { class: "for-screen-readers" }, name === "w-image" ? gettext("Picture") : gettext("Act")))))),
        this.#body,
      ),
    );
    this.addEventListener("keydown", (event) => this.#key(event));
    this.#draw();
  }

  get rows() {
    return this.#rows;
  }

  set rows(rows) {
    this.#rows = rows;
    this.#draw();
  }

  get selected() {
    return this.#selected;
  }

  set selected(id) {
    this.#mark(id);
  }

  /** More rows below. @param {any[]} rows */
  add(rows) {
    this.#rows = [...(this.#rows ?? []), ...rows];
    for (const row of rows) this.#body.append(this.#make(row));
  }

  /** A row as it is now, at the place where it stands. @param {any} study */
  update(study) {
    const place = this.#places.get(study.id);
    if (!place || !this.#rows) return;
    const index = this.#rows.findIndex((row) => row.id === study.id);
    this.#rows[index] = study;
    const focused = place.contains(document.activeElement);
    const fresh = this.#make(study);
    place.replaceWith(fresh);
    if (focused) fresh.focus({ preventScroll: true });
  }

  /** @param {string} id */
  removeRow(id) {
    const place = this.#places.get(id);
    if (!place || !this.#rows) return;
    const index = this.#rows.findIndex((row) => row.id === id);
    this.#rows.splice(index, 1);
    this.#places.delete(id);
    place.remove();
    if (this.#rows.length === 0) this.#draw();
    else if (this.#selected === id) this.#choose(this.#rows[Math.min(index, this.#rows.length - 1)].id);
  }

  /** One step up or down. @param {number} step */
  move(step) {
    if (!this.#rows?.length) return;
    const at = this.#rows.findIndex((row) => row.id === this.#selected);
    const next = this.#rows[Math.max(0, Math.min(this.#rows.length - 1, at + step))];
    this.#choose(next.id);
    const place = this.#places.get(next.id);
    place?.focus({ preventScroll: true });
    place?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) {
      event.preventDefault();
      event.stopPropagation();
      this.move(step);
    } else if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      this.move(event.key === "Home" ? -1e6 : 1e6);
    } else if (event.key === "Enter" && /** @type {HTMLElement} */ (event.target).tagName === "TR") {
      event.preventDefault();
      event.stopPropagation();
      this.#tell("lam-open", this.#selected);
    }
  }

  #mark(/** @type {string} */ id) {
    this.#selected = id;
    for (const [key, place] of this.#places) {
      const chosen = key === id;
      place.setAttribute("aria-selected", String(chosen));
      place.tabIndex = chosen ? 0 : -1;
    }
  }

  #choose(/** @type {string} */ id) {
    this.#mark(id);
    this.#tell("lam-choose", id);
  }

  #tell(/** @type {string} */ name, /** @type {string} */ id) {
    const study = this.#rows?.find((row) => row.id === id);
    if (study) this.dispatchEvent(new CustomEvent(name, { detail: { study }, bubbles: true }));
  }

  #draw() {
    this.#places.clear();
    this.toggleAttribute("aria-busy", this.#rows === null);
    if (this.#rows === null) {
      fill(this.#body, Array.from({ length: GREY_ROWS }, () => this.#grey()));
    } else if (this.#rows.length === 0) {
      fill(this.#body, h("tr", { class: "studies__none" }, h("td", { colspan: String(columns().length) }, this.empty)));
    } else fill(this.#body, this.#rows.map((study) => this.#make(study)));
  }

  #grey() {
    const cell = (/** @type {string} */ name, /** @type {any} */ inside) => h("td", { class: name }, inside);
    return h(
      "tr",
      { "aria-hidden": "true" },
      cell("w-image", h("span", { class: "thumbnail" })),
      cell("w-case", h("span", { class: "grey" })),
      cell("w-images", h("span", { class: "grey" })),
      cell("w-state", h("span", { class: "grey" })),
      cell("w-date", h("span", { class: "grey" })),
      cell("w-added", h("span", { class: "grey" })),
      cell("w-act", ""),
    );
  }

  /** @param {any} study @returns {HTMLTableRowElement} */
  #make(study) {
    const chosen = study.id === this.#selected;
    const left = study.job ? leftOf(study.job) : "";
    const act = (/** @type {string} */ text, /** @type {string} */ name, extra = "") =>
      h("button", { class: `button button--small${extra}`, type: "button", tabindex: "-1", onclick: (/** @type {Event} */ e) => { e.stopPropagation(); this.#tell(name, study.id); } }, text);
    const row = h(
      "tr",
      {
        dataset: { id: study.id },
        tabindex: chosen ? "0" : "-1",
        "aria-selected": String(chosen),
        onclick: () => this.#choose(study.id),
        ondblclick: () => this.#tell("lam-open", study.id),
      },
      h("td", { class: "w-image" }, thumbnail(study.thumbnail)),
      h(
        "td",
        { class: "w-case" },
        h("span", { class: "table__main" }, study.pseudonym),
        h("span", { class: "second" }, study.description || gettext("No description")),
      ),
      h("td", { class: "w-images" }, images(study), h("span", { class: "second" }, interpolate(ngettext("{count} slice", "{count} slices", study.slices), { count: number(study.slices) }))),
      h("td", { class: "w-state" }, studyChip(study), left && h("span", { class: "second w-left" }, left)),
      h("td", { class: "w-date" }, study.study_date ? day(study.study_date) : DASH),
      h("td", { class: "w-added second", title: utc(study.created_at) }, ago(study.created_at)),
      h(
        "td",
        { class: "w-act table__acts" },
        this.bin
          ? [study.may?.includes("delete") && act(gettext("Restore"), "lam-restore")]
          : act(gettext("Open"), "lam-open", " studies__open"),
      ),
    );
    this.#places.set(study.id, row);
    return row;
  }
}

/** A small picture with its place kept, black where there is none. @param {string | null} address */
export function thumbnail(address, alt = "") {
  return h(
    "span",
    { class: "thumbnail" },
    address ? h("img", { src: address, alt, width: "66", height: "48", loading: "lazy", decoding: "async" }) : icon("image-off"),
  );
}

customElements.define("lam-study-table", StudyTable);
