/**
 * <lam-tags>: what de-identification changes, before and after, kept elements too. Property `.changes`:
 * [{tag, name, before, after, action}], null while loading.
 */

import { gettext } from "../i18n.js";
import { fill, h } from "./dom.js";
import { DASH } from "./format.js";

const ACTIONS = () => ({
  replaced: ["caution", gettext("replaced")],
  removed: ["bad", gettext("removed")],
  shifted: ["accent", gettext("moved")],
  kept: ["", gettext("kept")],
});

/** A UID takes four lines and nobody reads its middle: its ends are shown, the whole is in the tooltip. @param {string} text */
const ends = (text) => (/^[\d.]{26,}$/.test(text) ? h("span", { class: "code", title: text }, `${text.slice(0, 14)}…${text.slice(-4)}`) : text);

class Tags extends HTMLElement {
  /** @type {any[] | null} */
  #changes = null;
  #all = false;

  get changes() {
    return this.#changes;
  }

  set changes(changes) {
    this.#changes = changes;
    this.#draw();
  }

  /** Show kept elements too. @param {boolean} all */
  set all(all) {
    this.#all = all;
    this.#draw();
  }

  #draw() {
    const shown = this.#changes?.filter((change) => this.#all || change.action !== "kept");
    const body = !shown
      ? Array.from({ length: 10 }, () => h("tr", { "aria-hidden": "true" }, [1, 2, 3, 4].map(() => h("td", {}, h("span", { class: "grey" })))))
      : shown.length === 0
        ? h("tr", {}, h("td", { colspan: "4", class: "second" }, gettext("This series holds no direct identifier.")))
        : shown.map((change) => this.#row(change));
    fill(
      this,
      h(
        "table",
        { class: "table tags" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, gettext("Tag")), h("th", { scope: "col" }, gettext("Before")), h("th", { scope: "col" }, gettext("After")), h("th", { scope: "col" }, h("span", { class: "for-screen-readers" }, gettext("What happens"))))),
        h("tbody", {}, body),
      ),
    );
  }

  #row(/** @type {any} */ change) {
    const [kind, text] = /** @type {any} */ (ACTIONS())[change.action] ?? ["", change.action];
    // An element that was there without a value is taken away all the same.
    const before = change.before ? (change.action === "kept" ? ends(change.before) : h("del", {}, ends(change.before))) : h("span", { class: "second" }, gettext("empty"));
    return h(
      "tr",
      {},
      h("td", {}, h("span", {}, change.name), h("span", { class: "hint" }, change.tag)),
      h("td", { class: "tags__before" }, before),
      h("td", { class: "tags__after" }, ends(change.after || DASH)),
      h("td", { class: "table__acts" }, h("span", { class: `chip${kind ? ` chip--${kind}` : ""}` }, text)),
    );
  }
}

customElements.define("lam-tags", Tags);
