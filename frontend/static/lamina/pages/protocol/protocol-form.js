/** How a project reads: sealed or open, how many readers, what is outlined and asked, and what agreement means. */

import { call, get } from "../../api/client.js";
import { chip, fill, h, icon } from "../../components/dom.js";
import { toast, toastError } from "../../components/toast.js";
import { gettext, known } from "../../i18n.js";
import { QuestionRows } from "./questions.js";
import { SegmentRows } from "./segments.js";

/** A number or null from a field. @param {HTMLInputElement} input */
const numberOf = (input) => (input.value.trim() === "" ? null : Number(input.value));

export class ProtocolForm {
  /** @param {HTMLElement} form @param {{ id: string, slug: string, may: string[] }} project */
  constructor(form, project) {
    this.form = form;
    this.project = project;
    this.address = `/api/projects/${project.id}/protocol/`;
    this.mayChange = project.may.includes("manage");
    this.dirty = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    form.addEventListener("input", () => this.touched());
    window.addEventListener("beforeunload", (event) => this.dirty && event.preventDefault());
  }

  touched() {
    this.dirty = true;
    if (this.note) this.note.textContent = gettext("Not saved yet. Open cases keep what they were dealt with; limits count from now on.");
  }

  async load() {
    try {
      const [protocol, members, algorithms] = await Promise.all([get(this.address), get(`/api/projects/${this.project.id}/members/`), get("/api/algorithms/").catch(() => [])]);
      this.members = members.results;
      this.algorithms = Array.isArray(algorithms) ? algorithms : algorithms.results ?? [];
      this.draw(protocol);
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {any} protocol */
  draw(protocol) {
    const off = !this.mayChange;
    const choice = (/** @type {boolean} */ sealed, /** @type {string} */ title, /** @type {string} */ second) =>
      h("label", { class: "protocol__choice" }, h("input", { type: "radio", name: "sealed", value: String(sealed), ".checked": protocol.is_sealed === sealed, disabled: off }), h("strong", {}, title), h("span", { class: "second" }, second));
    const field = (/** @type {string} */ id, /** @type {string} */ text, /** @type {any} */ value, /** @type {Record<string, any>} */ more, /** @type {string} */ hint = "") =>
      h("div", { class: "field" }, h("label", { for: id }, text), h("input", { class: "input", id, type: "number", value: value ?? "", disabled: off, ...more }), hint && h("span", { class: "hint" }, hint));
    const named = [...new Map((this.algorithms ?? []).map((/** @type {any} */ one) => [one.name, one])).values()];
    const algorithm = h("select", { class: "select", id: "protocol-algorithm", disabled: off }, h("option", { value: "" }, gettext("Newest result, whatever made it")), named.map((one) => h("option", { value: one.name, ".selected": one.name === protocol.algorithm }, known(one.title || one.name))));
    const excluded = new Set((protocol.excluded ?? []).map(String));
    const readers = (this.members ?? []).filter((/** @type {any} */ { role }) => role === "reader");
    this.segments = new SegmentRows(protocol.segments ?? [], off, () => this.touched());
    this.questions = new QuestionRows(protocol.form ?? [], off, () => this.touched());
    const fromAlgorithm = h("button", { class: "button button--small", type: "button", disabled: off, onclick: () => {
      const one = named.find(({ name }) => name === algorithm.value) ?? named[0];
      if (one) this.segments?.take(one.segments);
      this.touched();
    } }, icon("cpu"), gettext("As the algorithm"));
    this.note = h("span", { class: "second", role: "status" }, off ? gettext("Only the project's admins change this.") : "");
    fill(this.form,
      h("section", { class: "card" }, head(gettext("How cases are read")), h("div", { class: "card__body" },
        choice(true, gettext("Sealed"), gettext("Nobody sees the algorithm's result or another read before the own first read is committed.")),
        choice(false, gettext("Open"), gettext("Results and reads are in sight from the start.")),
        h("div", { class: "protocol__limits" },
          field("protocol-readers", gettext("Readers per case"), protocol.readers_per_case, { min: "1", max: "9", step: "1", required: true }),
          field("protocol-due", gettext("Days until due"), protocol.due_days, { min: "0", max: "3650", step: "1" }, gettext("Empty: no date."))),
        h("div", { class: "field" }, h("label", { for: "protocol-algorithm" }, gettext("Compared with")), algorithm))),
      h("section", { class: "card" }, head(gettext("When readers agree")), h("div", { class: "card__body" },
        h("p", { class: "second" }, gettext("Past one of these limits the case goes to an adjudicator. An empty field is no limit.")),
        h("div", { class: "protocol__limits" },
          field("protocol-dice", gettext("Dice at least"), protocol.dice_limit, { min: "0", max: "1", step: "0.01" }),
          field("protocol-hd95", gettext("HD95 at most, mm"), protocol.hd95_limit_mm, { min: "0", max: "1000", step: "0.1" }),
          field("protocol-volume", gettext("Volume apart at most, %"), protocol.volume_limit_percent, { min: "0", max: "1000", step: "0.1" })),
        h("label", { class: "check-line" }, h("input", { class: "checkbox", type: "checkbox", id: "protocol-categories", ".checked": Boolean(protocol.categories_must_agree), disabled: off }), h("span", {}, gettext("Coded answers must be the same"))))),
      h("section", { class: "card" }, head(gettext("Readers"), h("a", { class: "button button--small button--quiet", href: `/projects/${this.project.slug}/team/` }, gettext("Team"))), h("div", { class: "card__body" },
        readers.length === 0 ? h("p", { class: "second" }, gettext("No member has the role of a reader yet.")) :
          h("ul", { class: "protocol__people", role: "list" }, readers.map((/** @type {any} */ { user, is_adjudicator: adjudicates }) =>
            h("li", {}, h("label", { class: "check-line" }, h("input", { class: "checkbox", type: "checkbox", dataset: { reader: user.id }, ".checked": !excluded.has(user.id), disabled: off }), h("span", {}, user.name)), adjudicates && chip("accent", "users", gettext("Adjudicates"))))),
        h("p", { class: "hint" }, gettext("Who is not ticked is dealt no case. Who adjudicates is set on the page of the team.")))),
      h("section", { class: "card card--wide" }, head(gettext("Segments to outline"), fromAlgorithm), h("div", { class: "card__body" }, this.segments.element)),
      h("section", { class: "card card--wide" }, head(gettext("Questions to answer")), h("div", { class: "card__body" }, this.questions.element)),
      h("div", { class: "protocol__foot" }, this.note, this.mayChange && h("button", { class: "button button--filled button--tall", type: "submit", id: "protocol-save" }, gettext("Save the protocol"))));
    this.dirty = false;
  }

  /** What the form says now. */
  value() {
    const at = (/** @type {string} */ id) => /** @type {HTMLInputElement} */ (this.form.querySelector(`#${id}`));
    const sealed = /** @type {HTMLInputElement | null} */ (this.form.querySelector("[name=sealed]:checked"));
    return {
      is_sealed: sealed?.value !== "false",
      readers_per_case: numberOf(at("protocol-readers")) ?? 1,
      due_days: numberOf(at("protocol-due")),
      algorithm: at("protocol-algorithm").value,
      dice_limit: numberOf(at("protocol-dice")),
      hd95_limit_mm: numberOf(at("protocol-hd95")),
      volume_limit_percent: numberOf(at("protocol-volume")),
      categories_must_agree: at("protocol-categories").checked,
      excluded: [...this.form.querySelectorAll("[data-reader]")].filter((box) => !(/** @type {HTMLInputElement} */ (box).checked)).map((box) => /** @type {HTMLElement} */ (box).dataset.reader),
      segments: this.segments?.value() ?? [],
      form: this.questions?.value() ?? [],
    };
  }

  async save() {
    const wrong = /** @type {HTMLInputElement | undefined} */ ([...this.form.querySelectorAll("input")].find((input) => !input.checkValidity()));
    if (wrong) {
      wrong.reportValidity();
      return;
    }
    try {
      const protocol = await call("PUT", this.address, { body: this.value() });
      this.draw(protocol ?? this.value());
      toast(gettext("The protocol is saved."), { kind: "good" });
    } catch (error) {
      toastError(error);
    }
  }
}

/** @param {string} text @param {...any} acts */
const head = (text, ...acts) => h("div", { class: "card__head" }, h("h2", {}, text), acts);
