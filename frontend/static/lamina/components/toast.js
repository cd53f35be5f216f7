/** A short word after an act, with the way back when there is one. It leaves by itself; errors stay until closed. The
 * same words stand there once. */

import { gettext } from "../i18n.js";
import { find, h, icon } from "./dom.js";

const SECONDS = 8;

/**
 * @param {string} text
 * @param {{kind?: "plain" | "good" | "bad", act?: {text: string, run: () => void}, seconds?: number}} [options]
 */
export function toast(text, { kind = "plain", act, seconds = kind === "bad" ? 0 : SECONDS } = {}) {
  const symbol = { plain: "info", good: "circle-check", bad: "circle-alert" }[kind];
  const remove = () => element.remove();
  const element = h(
    "div",
    { class: `toast toast--${kind}`, role: kind === "bad" ? "alert" : null },
    icon(symbol),
    h("span", {}, text),
    act &&
      h("button", { class: "button button--link", type: "button", onclick: () => { remove(); act.run(); } }, act.text),
    h("button", { class: "icon-button", type: "button", "aria-label": gettext("Close"), onclick: remove }, icon("x")),
  );
  const all = find("#toasts");
  for (const other of all.children) if (other.querySelector("span")?.textContent === text) other.remove();
  all.append(element);
  if (seconds > 0) {
    let timer = setTimeout(remove, seconds * 1000);
    element.addEventListener("pointerenter", () => clearTimeout(timer));
    element.addEventListener("pointerleave", () => (timer = setTimeout(remove, 2000)));
  }
  return remove;
}

/** An error in words. @param {unknown} error */
export const toastError = (error) =>
  toast(error instanceof Error ? error.message : gettext("Something went wrong."), { kind: "bad" });
