/** <lam-fact label="Studies" value="12" note="3 new this week">: one number with its unit and what it counts. */

import { fill, h } from "./dom.js";

class Fact extends HTMLElement {
  static observedAttributes = ["label", "value", "note", "definition"];

  connectedCallback() {
    this.#draw();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#draw();
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
    );
  }
}

customElements.define("lam-fact", Fact);
