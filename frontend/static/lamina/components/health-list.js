/** <lam-health>: one line per part of the site, its state as symbol and value, the cure where something is wrong. */

import { gettext } from "../i18n.js";
import { fill, h, icon } from "./dom.js";

const SYMBOLS = { good: "circle-check", caution: "triangle-alert", bad: "circle-x" };
const WORDS = () => ({ good: gettext("good"), caution: gettext("look at it"), bad: gettext("broken") });

/** @param {{name: string, state: "good" | "caution" | "bad", value: string, cure: string}} check */
export const healthLine = (check) =>
  h(
    "li",
    { dataset: { state: check.state } },
    icon(SYMBOLS[check.state], { class: `is-${check.state}`, label: WORDS()[check.state] }),
    h("span", {}, check.name),
    h("span", {}, check.value),
    check.cure && h("span", { class: "lines__cure" }, check.cure),
  );

class Health extends HTMLElement {
  /** @param {any[]} checks */
  set checks(checks) {
    fill(this, h("ul", { class: "lines", role: "list" }, checks.map(healthLine)));
  }
}

customElements.define("lam-health", Health);
