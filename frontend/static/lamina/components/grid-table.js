/**
 * Rows one chooses by arrow keys and opens by Enter: what the tables of the worklist share. They keep order and places:
 * a row that changes changes where it stands.
 *
 * Properties: `rows` (null while loading), `selected` (an id), `empty` (what stands where there is none).
 */

import { gettext, interpolate, ngettext } from "../i18n.js";
import { fill, h, icon } from "./dom.js";
import { DASH, modalityName, number } from "./format.js";

const GREY_ROWS = 8;
const PAGE = 8;

export class GridTable extends HTMLElement {
  /** @type {any[] | null} */
  #rows = null;
  /** @type {Map<string, HTMLTableRowElement>} */
  #places = new Map();
  #selected = "";
  #body = h("tbody");
  /** @type {Node | null} */
  empty = null;

  /**
   * Said by the table itself: its name, the class of its <table>, its columns (class, heading; "" is said to screen
   * readers alone), its events, what a row's id is and what the event about a row carries.
   * @returns {{ name: string, kind: string, columns: string[][], choose: string, open: string, id: (row: any) => string, detail: (row: any) => Record<string, any> }}
   */
  get plan() {
    throw new Error("a table of rows has a plan");
  }

  /** Cells of one row. @param {any} _row @returns {any[]} */
  cells(_row) {
    return [];
  }

  /** More about a row for style sheets and tests. @param {any} _row @returns {Record<string, string>} */
  facts(_row) {
    return {};
  }

  connectedCallback() {
    if (this.firstChild) return;
    const { name, kind, columns } = this.plan;
    const unsaid = (/** @type {string} */ column) => h("span", { class: "for-screen-readers" }, column === "w-image" ? gettext("Picture") : gettext("Act"));
    this.append(
      h("table", { class: kind, role: "grid", "aria-label": name },
        h("thead", {}, h("tr", {}, columns.map(([column, text]) => h("th", { class: column, scope: "col" }, text || unsaid(column))))),
        this.#body),
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

  /** More rows below. @param {any[]} rows */
  add(rows) {
    this.#rows = [...(this.#rows ?? []), ...rows];
    for (const row of rows) this.#body.append(this.#make(row));
  }

  /** A row as it is now, at the place where it stands. @param {any} row */
  update(row) {
    const id = this.plan.id(row);
    const place = this.#places.get(id);
    const at = this.#at(id);
    if (!place || !this.#rows || at < 0) return;
    this.#rows[at] = row;
    const focused = place.contains(document.activeElement);
    const fresh = this.#make(row);
    place.replaceWith(fresh);
    if (focused) fresh.focus({ preventScroll: true });
  }

  /** @param {string} id */
  removeRow(id) {
    const place = this.#places.get(id);
    const at = this.#at(id);
    if (!place || !this.#rows || at < 0) return;
    this.#rows.splice(at, 1);
    this.#places.delete(id);
    place.remove();
    if (this.#rows.length === 0) this.#draw();
    else if (this.#selected === id) this.choose(this.#rows[Math.min(at, this.#rows.length - 1)]);
  }

  /** One step up or down, or more. @param {number} step */
  move(step) {
    if (!this.#rows?.length) return;
    const next = this.#rows[Math.max(0, Math.min(this.#rows.length - 1, this.#at(this.#selected) + step))];
    this.choose(next);
    const place = this.#places.get(this.plan.id(next));
    place?.focus({ preventScroll: true });
    place?.scrollIntoView({ block: "nearest" });
  }

  /** @param {any} row */
  choose(row) {
    this.selected = this.plan.id(row);
    this.tell(this.plan.choose, row);
  }

  /** @param {string} name @param {any} row  as it was drawn; told as it is now */
  tell(name, row) {
    const now = this.#rows?.[this.#at(this.plan.id(row))];
    if (now) this.dispatchEvent(new CustomEvent(name, { detail: this.plan.detail(now), bubbles: true }));
  }

  /** A button in a row; the row itself is not chosen by it. @param {string} text @param {string} name  of the event @param {any} row @param {string} [extra] */
  act(text, name, row, extra = "") {
    const onclick = (/** @type {Event} */ event) => {
      event.stopPropagation();
      this.tell(name, row);
    };
    return h("button", { class: `button button--small${extra}`, type: "button", tabindex: "-1", onclick }, text);
  }

  /** @param {string} id */
  #at(id) {
    return this.#rows?.findIndex((row) => this.plan.id(row) === id) ?? -1;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -1e6, End: 1e6 }[event.key];
    const opens = event.key === "Enter" && /** @type {HTMLElement} */ (event.target).tagName === "TR";
    if (!step && !opens) return;
    event.preventDefault();
    event.stopPropagation();
    const row = this.#rows?.[this.#at(this.#selected)];
    if (step) this.move(step);
    else if (row) this.tell(this.plan.open, row);
  }

  #draw() {
    const { columns } = this.plan;
    this.#places.clear();
    this.toggleAttribute("aria-busy", this.#rows === null);
    if (this.#rows === null) fill(this.#body, Array.from({ length: GREY_ROWS }, () => grey(columns)));
    else if (this.#rows.length === 0) fill(this.#body, h("tr", { class: "studies__none" }, h("td", { colspan: String(columns.length) }, this.empty)));
    else fill(this.#body, this.#rows.map((row) => this.#make(row)));
  }

  /** @param {any} row @returns {HTMLTableRowElement} */
  #make(row) {
    const id = this.plan.id(row);
    const chosen = id === this.#selected;
    const made = h("tr",
      { dataset: { id, ...this.facts(row) }, tabindex: chosen ? "0" : "-1", "aria-selected": String(chosen), onclick: () => this.choose(row), ondblclick: () => this.tell(this.plan.open, row) },
      this.cells(row));
    this.#places.set(id, made);
    return made;
  }
}

/** @param {string[][]} columns */
const grey = (columns) =>
  h("tr", { "aria-hidden": "true" }, columns.map(([name]) => h("td", { class: name }, name === "w-image" ? h("span", { class: "thumbnail" }) : name === "w-act" ? "" : h("span", { class: "grey" }))));

// --- cells of a study, in every table that has one -------------------------------------------------------------------

/** A small picture with its place kept, black where there is none. @param {string | null} address */
export const thumbnail = (address, alt = "") =>
  h("span", { class: "thumbnail" }, address ? h("img", { src: address, alt, width: "66", height: "48", loading: "lazy", decoding: "async" }) : icon("image-off"));

/** Picture, then name and description. @param {any} study @param {any} [beside]  more behind the name */
export const studyCells = (study, beside = null) => [
  h("td", { class: "w-image" }, thumbnail(study.thumbnail)),
  h("td", { class: "w-case" }, h("span", { class: "table__main" }, study.pseudonym, beside), h("span", { class: "second" }, study.description || gettext("No description"))),
  h("td", { class: "w-images" }, study.modalities?.length ? study.modalities.map(modalityName).join(" · ") : DASH, h("span", { class: "second" }, interpolate(ngettext("{count} slice", "{count} slices", study.slices), { count: number(study.slices) }))),
];
