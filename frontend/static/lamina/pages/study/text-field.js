// A small field over a viewport: words for a pin or an arrow, typed where the mark is.

import { h } from "../../components/dom.js";

/**
 * @param {HTMLElement} viewport @param {[number, number]} at  px within it
 * @param {{ label: string, text?: string, done: (text: string | null) => void }} options  null: left by Escape
 */
export function openTextField(viewport, [x, y], { label, text = "", done }) {
  let over = false;
  const end = (/** @type {string | null} */ answer) => {
    if (over) return;
    over = true;
    field.remove();
    viewport.focus({ preventScroll: true });
    done(answer === null ? null : answer.trim());
  };
  const field = h("input", {
    class: "input mark-field", type: "text", maxlength: "200", "aria-label": label, placeholder: label, ".value": text, autocomplete: "off",
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "Enter") end(field.value);
      else if (event.key === "Escape") end(null);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    onblur: () => end(field.value || null),
  });
  const { clientWidth: width, clientHeight: height } = viewport;
  field.style.setProperty("left", `${Math.max(4, Math.min(x + 12, width - 224))}px`);
  field.style.setProperty("top", `${Math.max(4, Math.min(y - 14, height - 36))}px`);
  viewport.append(field);
  field.focus({ preventScroll: true });
}
