// The reading form: coded questions of the project's protocol. Answers are kept with the server as they are given.

import { fill, h } from "../../../components/dom.js";
import { gettext } from "../../../i18n.js";

/** @import { Question } from "../../../state/case.js" */
/** @import { Room } from "../room.js" */
/** @import { CaseDesk } from "./desk.js" */

/** Up to so many choices, and short ones, stand side by side. */
const BESIDE = { most: 6, letters: 26 };

/** @param {HTMLElement} section @param {Room} room @param {CaseDesk} desk */
export function makeForm(section, room, desk) {
  const body = h("div", { class: "reading-form" });
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Findings"))), body);
  /** @type {Map<string, { element: HTMLElement, show: (value: any) => void }>} */
  const fields = new Map();

  const mayAnswer = () => desk.isOpen;

  function draw() {
    const form = /** @type {Question[]} */ (desk.case?.protocol?.form ?? []);
    section.hidden = !desk.case?.mine || form.length === 0 || desk.phase === "assigned" || desk.phase === "none";
    fields.clear();
    if (section.hidden) return fill(body);
    for (const question of form) fields.set(question.key, fieldOf(question, mayAnswer(), (value) => desk.answer(question.key, value)));
    fill(body, [...fields.values()].map(({ element }) => element));
    paint();
  }

  function paint() {
    const { answers } = desk.part;
    for (const [key, { show, element }] of fields) {
      show(answers[key]);
      const required = desk.case?.protocol?.form?.find((/** @type {Question} */ one) => one.key === key)?.required;
      element.classList.toggle("question--open", Boolean(required) && (answers[key] === undefined || answers[key] === ""));
    }
  }

  room.store.watch((state) => `${state.case.case?.id} ${state.case.case?.mine?.state} ${JSON.stringify(state.case.case?.protocol?.form ?? null)}`, draw);
  room.store.watch((state) => state.case.answers, paint);
}

/** @param {Question} question @param {boolean} open @param {(value: any) => void} tell */
function fieldOf(question, open, tell) {
  const { key, text, kind, choices = [] } = question;
  const id = `question-${key}`;
  if (kind === "number" || kind === "text") {
    const input = kind === "number"
      ? h("input", { class: "input", id, type: "number", step: "any", disabled: !open, oninput: () => tell(input.value === "" ? null : Number(input.value)) })
      : h("textarea", { class: "textarea", id, rows: "2", maxlength: "2000", disabled: !open, oninput: () => tell(input.value.trim() === "" ? null : input.value) });
    return {
      element: h("div", { class: "question", dataset: { question: key } }, h("label", { for: id }, text), input),
      show: (/** @type {any} */ value) => {
        const wanted = value === undefined || value === null ? "" : String(value);
        if (document.activeElement !== input && input.value !== wanted) input.value = wanted;
      },
    };
  }
  const options = kind === "yes_no" ? [{ value: true, word: gettext("Yes") }, { value: false, word: gettext("No") }] : choices.map(({ code, meaning }) => ({ value: code, word: meaning }));
  const beside = options.length <= BESIDE.most && options.every(({ word }) => word.length <= BESIDE.letters);
  if (!beside) {
    const select = h("select", { class: "select", id, disabled: !open, onchange: () => tell(select.value || null) }, h("option", { value: "" }, gettext("Choose")), options.map(({ value, word }) => h("option", { value: String(value) }, word)));
    return {
      element: h("div", { class: "question", dataset: { question: key } }, h("label", { for: id }, text), select),
      show: (/** @type {any} */ value) => {
        select.value = value ?? "";
      },
    };
  }
  const buttons = options.map(({ value, word }) => ({ value, button: h("button", { type: "button", "aria-pressed": "false", disabled: !open, onclick: () => tell(value) }, word) }));
  return {
    element: h("fieldset", { class: "question", dataset: { question: key } }, h("legend", {}, text), h("div", { class: "segmented" }, buttons.map(({ button }) => button))),
    show: (/** @type {any} */ given) => buttons.forEach(({ value, button }) => button.setAttribute("aria-pressed", String(value === given))),
  };
}
