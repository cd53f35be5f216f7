/** One line above the page, 36 px, one at a time: lost connection first, then whatever else there is to say. */

import { find, h, icon } from "./dom.js";

const ORDER = ["connection", "read-only", "sealed", "version", "memory", "slices", "list"];
/** @type {Map<string, HTMLElement>} */
const shown = new Map();

/**
 * @param {string} name one of ORDER; the same name replaces what stands
 * @param {{text: string, kind?: "caution" | "bad" | "plain", symbol?: string, act?: {text: string, run: () => void}} | null} content
 */
export function banner(name, content) {
  shown.get(name)?.remove();
  shown.delete(name);
  if (content) {
    const { text, kind = "caution", symbol = "triangle-alert", act } = content;
    const line = h(
      "div",
      { class: `banner${kind === "caution" ? "" : ` banner--${kind}`}`, role: "status" },
      icon(symbol),
      h("span", {}, text),
      act && h("button", { class: "button button--link", type: "button", onclick: act.run }, act.text),
    );
    shown.set(name, line);
    find("#banners").append(line);
  }
  let first = true;
  for (const key of ORDER) {
    const line = shown.get(key);
    if (!line) continue;
    line.hidden = !first;
    first = false;
  }
}
