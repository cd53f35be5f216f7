/** What is outlined: rows of number, colour, name, coded type (SNOMED CT). */

import { get } from "../../api/client.js";
import { fill, h, icon } from "../../components/dom.js";
import { gettext, interpolate, known } from "../../i18n.js";

/** @typedef {{ value: string, scheme: string, meaning: string }} Code */
/** @typedef {{ number: number, label: string, colour: string, category: Code, type: Code }} Row */

/** The colours of segments in their order (SCREENS, "Colours on images"). */
const COLOURS = ["#FB9202", "#90A6FF", "#78FFE2", "#FEEE3E", "#E14B09", "#D8D1FF", "#766AFC", "#4E9688", "#B4E29D", "#CB9BBC", "#9A7859", "#8677A4"];
const TISSUE = { value: "85756007", scheme: "SCT", meaning: "Tissue" };

export class SegmentRows {
  /** @param {Row[]} rows @param {boolean} off @param {() => void} touched */
  constructor(rows, off, touched) {
    this.rows = rows.map((row) => ({ ...row }));
    this.off = off;
    this.touched = touched;
    this.list = h("div", { class: "protocol__rows" });
    this.element = h("div", { class: "protocol__rows" }, this.list, h("div", {}, h("button", { class: "button button--small", type: "button", id: "add-segment", disabled: off, onclick: () => this.add() }, icon("plus"), gettext("Add a segment"))));
    /** @type {{ category: Code, type: Code, colour?: string }[]} */
    this.types = [];
    this.draw();
    void get("/api/segment-types/").then((types) => {
      this.types = types;
      this.draw();
    }, () => {});
  }

  add() {
    const number = Math.max(0, ...this.rows.map((row) => row.number)) + 1;
    this.rows.push({ number, label: "", colour: COLOURS[(number - 1) % COLOURS.length], category: TISSUE, type: TISSUE });
    this.touched();
    this.draw();
    /** @type {HTMLInputElement | null} */ (this.list.lastElementChild?.querySelector("input[type=text]"))?.focus();
  }

  /** The same things, under the same numbers, as an algorithm outlines. @param {Row[]} segments */
  take(segments) {
    this.rows = segments.map(({ number, label, colour, category, type }) => ({ number, label: known(label), colour, category, type }));
    this.draw();
  }

  draw() {
    fill(this.list, this.rows.length ? this.rows.map((row) => this.row(row)) : h("p", { class: "second" }, gettext("None: readers outline what they find.")));
  }

  /** The type a name speaks of, "Left kidney" of the kidney, unless one was chosen. @param {Row} row */
  typeByName(row) {
    const words = row.label.toLowerCase();
    const found = words && this.types.find(({ type }) => words === known(type.meaning).toLowerCase() || words.endsWith(` ${known(type.meaning).toLowerCase()}`));
    if (found && row.type.value === TISSUE.value) Object.assign(row, { category: found.category, type: found.type });
    return row.type.value;
  }

  /** @param {Row} row */
  row(row) {
    const types = this.types.some(({ type }) => type.value === row.type.value) ? this.types : [{ category: row.category, type: row.type }, ...this.types];
    const name = interpolate(gettext("Segment {number}"), { number: row.number });
    const chosen = h("select", { class: "select", "aria-label": `${name}: ${gettext("Type")}`, disabled: this.off, onchange: (/** @type {any} */ event) => {
      const found = types.find(({ type }) => type.value === event.target.value);
      if (found) Object.assign(row, { category: found.category, type: found.type });
    } }, types.map(({ type }) => h("option", { value: type.value, ".selected": type.value === row.type.value }, known(type.meaning))));
    return h("div", { class: "protocol__row", dataset: { number: String(row.number) } },
      h("span", { class: "number" }, row.number),
      h("input", { type: "color", value: row.colour, "aria-label": `${name}: ${gettext("Colour")}`, disabled: this.off, oninput: (/** @type {any} */ event) => (row.colour = event.target.value.toUpperCase()) }),
      h("input", { class: "input", type: "text", maxlength: "64", required: true, value: row.label, placeholder: gettext("Name"), "aria-label": `${name}: ${gettext("Name")}`, disabled: this.off, oninput: (/** @type {any} */ event) => {
        row.label = event.target.value.trim();
        chosen.value = this.typeByName(row);
      } }),
      chosen,
      h("button", { class: "icon-button", type: "button", "aria-label": interpolate(gettext("Remove {name}"), { name: row.label || name }), disabled: this.off, onclick: () => {
        this.rows = this.rows.filter((other) => other !== row);
        this.touched();
        this.draw();
      } }, icon("trash-2")));
  }

  /** @returns {Row[]} */
  value() {
    return this.rows.map(({ number, label, colour, category, type }) => ({ number, label, colour, category, type }));
  }
}
