/**
 * <lam-findings>: one row per series found, with what inspection says of it and, for NIfTI, the question which
 * modality it is. Property `.findings`; `.kept` answers [{key, modality, confirmed}] of the chosen ones. Withheld
 * pictures may show a name, so they start unchosen; choosing one says that a person looked at them.
 * Events: lam-series {finding}, lam-kept.
 */

import { gettext, interpolate, ngettext } from "../i18n.js";
import { fill, h, icon } from "./dom.js";
import { modalityName, number, spacing } from "./format.js";
import { thumbnail } from "./grid-table.js";

const MODALITIES = ["CT", "MR", "PT", "CR", "DX"];

/** Verdict as symbol, colour class and words. @param {any} finding */
export function verdictOf(finding) {
  const warnings = finding.reasons.length;
  if (finding.withheld) return { symbol: "eye", tone: "is-caution", kind: "caution", text: gettext("Held back, look first") };
  if (finding.verdict === "refuse" && finding.may_import) return { symbol: "image", tone: "", kind: "", text: gettext("Kept, not a volume") };
  if (finding.verdict === "refuse") return { symbol: "circle-x", tone: "is-bad", kind: "bad", text: gettext("Refused") };
  if (finding.verdict === "warn") {
    const text = interpolate(ngettext("Ready, {count} warning", "Ready, {count} warnings", warnings), { count: warnings });
    return { symbol: "triangle-alert", tone: "is-caution", kind: "caution", text };
  }
  return { symbol: "circle-check", tone: "is-good", kind: "good", text: gettext("Ready") };
}

/** A mark of verdict: symbol and word. @param {any} finding */
export function verdictChip(finding) {
  const { symbol, kind, text } = verdictOf(finding);
  return h("span", { class: `chip chip--${kind}` }, icon(symbol), h("span", {}, text));
}

/** Whether a series may come in at all, as a volume or as pictures. @param {any} finding */
const importable = (finding) => finding.may_import ?? finding.verdict !== "refuse";

/** First reason in short, for the row. @param {any} finding */
const reasonLine = (finding) => finding.reasons[0]?.text || finding.reasons[0]?.code || gettext("One volume, one orientation");

class Findings extends HTMLElement {
  /** @type {any[]} */
  #findings = [];
  /** @type {Map<string, string>} */
  #kept = new Map();
  #selected = "";
  #body = h("tbody");

  connectedCallback() {
    if (this.firstChild) return;
    this.append(
      h(
        "table",
        { class: "table findings", "aria-label": gettext("Series found") },
        h(
          "thead",
          {},
          h("tr", {}, h("th", { class: "f-keep" }, h("span", { class: "for-screen-readers" }, gettext("Import"))), h("th", { class: "f-image" }, h("span", { class: "for-screen-readers" }, gettext("Picture"))), h("th", {}, gettext("Series")), h("th", { class: "f-spacing" }, gettext("Spacing")), h("th", {}, gettext("Finding"))),
        ),
        this.#body,
      ),
    );
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  get findings() {
    return this.#findings;
  }

  set findings(findings) {
    this.#findings = findings;
    this.#kept = new Map(findings.filter((f) => importable(f) && !f.withheld).map((f) => [f.key, f.modality ?? ""]));
    fill(this.#body, findings.map((finding) => this.#row(finding)));
    this.#choose(findings[0]?.key ?? "");
  }

  /** @returns {{key: string, modality: string, confirmed: boolean}[]} */
  get kept() {
    const withheld = new Set(this.#findings.filter((f) => f.withheld).map((f) => f.key));
    return [...this.#kept].map(([key, modality]) => ({ key, modality, confirmed: withheld.has(key) }));
  }

  /** Series that are chosen but whose modality nobody named yet. */
  get unnamed() {
    return this.#findings.filter((f) => f.needs_modality && this.#kept.has(f.key) && !this.#kept.get(f.key));
  }

  get selected() {
    return this.#findings.find((f) => f.key === this.#selected) ?? null;
  }

  #key(/** @type {KeyboardEvent} */ event) {
    const row = /** @type {HTMLElement} */ (event.target);
    if (row.tagName !== "TR") return;
    const at = this.#findings.findIndex((f) => f.key === this.#selected);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      const next = Math.max(0, Math.min(this.#findings.length - 1, at + step));
      this.#choose(this.#findings[next].key);
      /** @type {HTMLElement} */ (this.#body.children[next]).focus();
    } else if (event.key === " ") {
      event.preventDefault();
      row.querySelector("input")?.click();
    }
  }

  #choose(/** @type {string} */ key) {
    this.#selected = key;
    for (const row of /** @type {any} */ (this.#body.children)) {
      const chosen = row.dataset.key === key;
      row.setAttribute("aria-selected", String(chosen));
      row.tabIndex = chosen ? 0 : -1;
    }
    const finding = this.selected;
    if (finding) this.dispatchEvent(new CustomEvent("lam-series", { detail: { finding }, bubbles: true }));
  }

  #tellKept() {
    this.dispatchEvent(new CustomEvent("lam-kept", { bubbles: true }));
  }

  #row(/** @type {any} */ finding) {
    const refused = !importable(finding);
    const { symbol, tone, text } = verdictOf(finding);
    const name = finding.description || (finding.modality ?? gettext("Series without a name"));
    const images = interpolate(ngettext("{count} file", "{count} files", finding.files_count), { count: number(finding.files_count) });
    return h(
      "tr",
      { dataset: { key: finding.key }, onclick: () => this.#choose(finding.key) },
      h(
        "td",
        { class: "f-keep" },
        refused
          ? icon("square-x", { label: gettext("Stays behind"), class: "is-off" })
          : h("input", {
              class: "checkbox",
              type: "checkbox",
              checked: !finding.withheld,
              "aria-label": interpolate(gettext("Import {series}"), { series: name }),
              onchange: (/** @type {any} */ event) => {
                if (event.target.checked) this.#kept.set(finding.key, finding.chosen_modality ?? finding.modality ?? "");
                else this.#kept.delete(finding.key);
                this.#tellKept();
              },
            }),
      ),
      h("td", { class: "f-image" }, thumbnail(finding.thumbnail ?? null)),
      h(
        "td",
        { class: "f-name" },
        h("span", { class: "table__main" }, name),
        finding.needs_modality && !refused
          ? this.#modality(finding, name)
          : h("span", { class: "second" }, [modalityName(finding.modality), images].filter(Boolean).join(" · ")),
      ),
      h("td", { class: "f-spacing second" }, spacing(finding.spacing_mm), finding.shape && h("span", { class: "second" }, [...finding.shape].reverse().join(" × "))),
      h(
        "td",
        { class: "f-finding" },
        h("span", { class: `finding ${tone}` }, icon(symbol), text),
        h("span", { class: "second" }, finding.withheld ? gettext("May show a name in the pixels. Choosing it says you looked at the pictures.") : reasonLine(finding)),
      ),
    );
  }

  #modality(/** @type {any} */ finding, /** @type {string} */ name) {
    return h(
      "select",
      {
        class: "select f-modality",
        "aria-label": interpolate(gettext("Which images are {series}?"), { series: name }),
        onclick: (/** @type {Event} */ event) => event.stopPropagation(),
        onchange: (/** @type {any} */ event) => {
          finding.chosen_modality = event.target.value;
          if (this.#kept.has(finding.key)) this.#kept.set(finding.key, event.target.value);
          this.#tellKept();
        },
      },
      h("option", { value: "" }, gettext("Which images?")),
      MODALITIES.map((value) => h("option", { value }, value === "PT" ? "PET" : value)),
    );
  }
}

customElements.define("lam-findings", Findings);
