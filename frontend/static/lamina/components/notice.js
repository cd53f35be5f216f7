/** What the makers of the data ask to be shown: the first sentence in sight, the whole behind one click. */

import { gettext } from "../i18n.js";
import { h, icon } from "./dom.js";

const SENTENCE = /^(.*?[.!?])\s+(\S[\s\S]*)$/;

/** First sentence and the rest; a colon belongs to the sentence. @param {string} text @returns {[string, string]} */
export function firstSentence(text) {
  const found = SENTENCE.exec(text.trim());
  return found ? [found[1], found[2]] : [text.trim(), ""];
}

/** @param {string} text @returns {Element | null} */
export function notice(text) {
  if (!text) return null;
  const [first, rest] = firstSentence(text);
  return h(
    "div",
    { class: "notice second" },
    icon("info"),
    h("div", {}, h("p", {}, first), rest && h("details", {}, h("summary", {}, gettext("Makers' notice")), h("p", {}, rest))),
  );
}
