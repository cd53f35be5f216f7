/** What stands in place of a page's content that the server refused: sealed in violet, else the reason and one act. */

import { h, icon } from "./dom.js";
import { gettext } from "../i18n.js";

/** @param {any} error  an ApiProblem @param {() => void} again */
export function refusal(error, again) {
  const isSealed = error.code === "case_sealed";
  return h("div", { class: "card" },
    h("div", { class: isSealed ? "empty empty--sealed" : "empty", role: "status" },
      icon(isSealed ? "lock" : "circle-alert"),
      h("strong", {}, isSealed ? gettext("Sealed for now") : gettext("This could not be loaded")),
      h("span", {}, error.message),
      isSealed ? h("a", { class: "button", href: "/" }, gettext("Open the worklist")) : h("button", { class: "button", type: "button", onclick: again }, gettext("Try again"))));
}
