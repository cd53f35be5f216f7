/**
 * <lam-fact label value note definition>: one number with its unit and what it counts.
 * Property `.history`: numbers, oldest first, drawn as a small line behind the number.
 */

import { fill, h } from "./dom.js";
import { sparkline } from "./sparkline.js";

class Fact extends HTMLElement {
  static observedAttributes = ["label", "value", "note", "definition"];
  /** @type {number[]} */
  #history = [];

  connectedCallback() {
    this.#draw();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#draw();
  }

  /** @param {number[]} history */
  set history(history) {
    this.#history = history;
    this.#draw();
  }

  #draw() {
    const value = this.getAttribute("value");
    const definition = this.getAttribute("definition");
    if (definition) this.title = definition;
    fill(
      this,
      h("span", { class: "fact__label" }, this.getAttribute("label")),
      h(
        "span",
        { class: "fact__line" },
        value === null ? h("span", { class: "grey grey--short" }) : h("span", { class: "fact__value" }, value),
        h("span", { class: "fact__note" }, this.getAttribute("note")),
      ),
      this.#history.length > 1 && h("span", { class: "fact__history" }, sparkline(this.#history)),
    );
  }
}

customElements.define("lam-fact", Fact);
