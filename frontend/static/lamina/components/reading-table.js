/**
 * <lam-reading-table>: a reader's own cases. Rows keep their places; a row that changes changes where it stands.
 *
 * Properties: `rows` (rows of /api/worklist/, null while loading), `selected` (a reading's id), `empty`.
 * Events: lam-reading-choose {row}, lam-reading-open {row}.
 */

import { gettext, interpolate, ngettext } from "../i18n.js";
import { actWord, dueWord, minutes, stageWord, today, whyChip } from "./case-words.js";
import { chip, fill, h, icon } from "./dom.js";
import { number } from "./format.js";
import { modalityName, thumbnail } from "./study-table.js";

const GREY_ROWS = 8;

const columns = () => [
  ["w-image", ""],
  ["w-case", gettext("Case")],
  ["w-images", gettext("Images")],
  ["w-stage", gettext("Stage")],
  ["w-state", gettext("State")],
  ["w-date", gettext("Due")],
  ["w-time", gettext("Time read")],
  ["w-act", ""],
];

class ReadingTable extends HTMLElement {
  /** @type {any[] | null} */
  #rows = null;
  /** @type {Map<string, HTMLTableRowElement>} */
  #places = new Map();
  #selected = "";
  #body = h("tbody");
  /** @type {Node | null} */
  empty = null;

  connectedCallback() {
    if (this.firstChild) return;
    this.append(
      h(
        "table",
        { class: "table studies readings", role: "grid", "aria-label": gettext("Your cases") },
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
    this.#selected = id;
    for (const [key, place] of this.#places) {
      place.setAttribute("aria-selected", String(key === id));
      place.tabIndex = key === id ? 0 : -1;
    }
  }

  /** A row as it is now, where it stands. @param {any} row */
  update(row) {
    const place = this.#places.get(row.reading.id);
    const at = this.#rows?.findIndex((one) => one.reading.id === row.reading.id) ?? -1;
    if (!place || !this.#rows || at < 0) return;
    this.#rows[at] = row;
    const focused = place.contains(document.activeElement);
    const fresh = this.#make(row);
    place.replaceWith(fresh);
    if (focused) fresh.focus({ preventScroll: true });
  }

  /** @param {number} step */
  move(step) {
    if (!this.#rows?.length) return;
    const at = this.#rows.findIndex((row) => row.reading.id === this.#selected);
    const next = this.#rows[Math.max(0, Math.min(this.#rows.length - 1, at + step))];
    this.#choose(next);
    const place = this.#places.get(next.reading.id);
    place?.focus({ preventScroll: true });
    place?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8, Home: -1e6, End: 1e6 }[event.key];
    if (step) {
      event.preventDefault();
      event.stopPropagation();
      this.move(step);
    } else if (event.key === "Enter" && /** @type {HTMLElement} */ (event.target).tagName === "TR") {
      event.preventDefault();
      event.stopPropagation();
      const row = this.#rows?.find((one) => one.reading.id === this.#selected);
      if (row) this.#tell("lam-reading-open", row);
    }
  }

  /** @param {any} row */
  #choose(row) {
    this.selected = row.reading.id;
    this.#tell("lam-reading-choose", row);
  }

  /** @param {string} name @param {any} row */
  #tell(name, row) {
    this.dispatchEvent(new CustomEvent(name, { detail: { row }, bubbles: true }));
  }

  #draw() {
    this.#places.clear();
    this.toggleAttribute("aria-busy", this.#rows === null);
    if (this.#rows === null) fill(this.#body, Array.from({ length: GREY_ROWS }, grey));
    else if (this.#rows.length === 0) fill(this.#body, h("tr", { class: "studies__none" }, h("td", { colspan: String(columns().length) }, this.empty)));
    else fill(this.#body, this.#rows.map((row) => this.#make(row)));
  }

  /** @param {any} row @returns {HTMLTableRowElement} */
  #make(row) {
    const { study, reading, case: given } = row;
    const chosen = reading.id === this.#selected;
    const due = dueWord(reading.due_on, today(study.project?.time_zone || document.documentElement.dataset.timeZone || undefined));
    const { kind, symbol, text } = whyChip(row);
    const made = h(
      "tr",
      { dataset: { id: reading.id, study: study.id, state: reading.state }, tabindex: chosen ? "0" : "-1", "aria-selected": String(chosen), onclick: () => this.#choose(row), ondblclick: () => this.#tell("lam-reading-open", row) },
      h("td", { class: "w-image" }, thumbnail(study.thumbnail)),
      h("td", { class: "w-case" },
        h("span", { class: "table__main" }, study.pseudonym, given.is_practice && h("span", { class: "hint" }, ` ${gettext("practice")}`)),
        h("span", { class: "second" }, study.description || gettext("No description"))),
      h("td", { class: "w-images" }, study.modalities?.map(modalityName).join(" · "), h("span", { class: "second" }, interpolate(ngettext("{count} slice", "{count} slices", study.slices), { count: number(study.slices) }))),
      h("td", { class: "w-stage" }, stageWord(row)),
      h("td", { class: "w-state" }, chip(kind, symbol, text)),
      h("td", { class: "w-date" }, h("span", { class: due.late && reading.state !== "submitted" ? "is-caution" : "" }, due.text), due.note && reading.state !== "submitted" && h("span", { class: "second is-caution" }, due.note)),
      h("td", { class: "w-time number second" }, reading.seconds ? minutes(reading.seconds) : ""),
      h("td", { class: "w-act table__acts" }, h("button", { class: "button button--small studies__open", type: "button", tabindex: "-1", onclick: (/** @type {Event} */ event) => {
        event.stopPropagation();
        this.#tell("lam-reading-open", row);
      } }, actWord(row))),
    );
    this.#places.set(reading.id, made);
    return made;
  }
}

const grey = () =>
  h("tr", { "aria-hidden": "true" }, columns().map(([name]) => h("td", { class: name }, name === "w-image" ? h("span", { class: "thumbnail" }) : name === "w-act" ? "" : h("span", { class: "grey" }))));

/** What stands where there is nothing to read. @param {boolean} done  whether the finished ones were asked for */
export const nothingToRead = (done) =>
  h("div", { class: "empty" }, icon(done ? "archive" : "circle-check"), h("strong", {}, done ? gettext("Nothing finished yet") : gettext("Nothing to read. Well done.")), h("span", {}, done ? gettext("What you submit stays here.") : gettext("New cases appear here by themselves.")));

customElements.define("lam-reading-table", ReadingTable);
