/** The reading form as its admin makes it: questions with coded choices. */

import { fill, h, icon } from "../../components/dom.js";
import { gettext, interpolate } from "../../i18n.js";
import { choicesOf, choicesText, keyFor } from "../../state/questions.js";

/** @import { Question } from "../../state/case.js" */

export class QuestionRows {
  /** @param {Question[]} rows @param {boolean} off @param {() => void} touched */
  constructor(rows, off, touched) {
    this.rows = rows.map((row) => ({ ...row }));
    this.off = off;
    this.touched = touched;
    this.list = h("div", { class: "protocol__rows" });
    this.element = h("div", { class: "protocol__rows" }, this.list, h("div", {}, h("button", { class: "button button--small", type: "button", id: "add-question", disabled: off, onclick: () => this.add() }, icon("plus"), gettext("Add a question"))));
    this.draw();
  }

  add() {
    this.rows.push({ key: keyFor("", this.rows), text: "", kind: "choice", choices: [], required: true });
    this.touched();
    this.draw();
    /** @type {HTMLInputElement | null} */ (this.list.lastElementChild?.querySelector("input[type=text]"))?.focus();
  }

  draw() {
    fill(this.list, this.rows.length ? this.rows.map((row, at) => this.row(row, at)) : h("p", { class: "second" }, gettext("None: readers only outline and measure.")));
  }

  /** @param {Question} row @param {number} at */
  row(row, at) {
    const name = interpolate(gettext("Question {number}"), { number: at + 1 });
    const kinds = { choice: gettext("One of several"), yes_no: gettext("Yes or no"), number: gettext("A number"), text: gettext("Words") };
    const choices = h("textarea", { class: "textarea", rows: "3", "aria-label": `${name}: ${gettext("Choices")}`, placeholder: gettext("One choice per line, for instance: 0 = None"), disabled: this.off, hidden: row.kind !== "choice", oninput: () => (row.choices = choicesOf(choices.value)) }, choicesText(row.choices ?? []));
    return h("div", { class: "protocol__question", dataset: { question: row.key } },
      h("input", { class: "input", type: "text", maxlength: "200", required: true, value: row.text, placeholder: gettext("What is asked"), "aria-label": name, disabled: this.off, oninput: (/** @type {any} */ event) => (row.text = event.target.value.trim()) }),
      h("select", { class: "select", "aria-label": `${name}: ${gettext("Kind of answer")}`, disabled: this.off, onchange: (/** @type {any} */ event) => {
        row.kind = event.target.value;
        choices.hidden = row.kind !== "choice";
      } }, Object.entries(kinds).map(([value, text]) => h("option", { value, ".selected": value === row.kind }, text))),
      h("label", { class: "check-line" }, h("input", { class: "checkbox", type: "checkbox", ".checked": Boolean(row.required), disabled: this.off, onchange: (/** @type {any} */ event) => (row.required = event.target.checked) }), h("span", {}, gettext("Required"))),
      h("button", { class: "icon-button", type: "button", "aria-label": interpolate(gettext("Remove {name}"), { name }), disabled: this.off, onclick: () => {
        this.rows = this.rows.filter((other) => other !== row);
        this.touched();
        this.draw();
      } }, icon("trash-2")),
      choices);
  }

  /** @returns {Question[]} */
  value() {
    return this.rows.map(({ key, text, kind, choices, required }) => ({ key, text, kind, required: Boolean(required), choices: kind === "choice" ? choices ?? [] : [] }));
  }
}
