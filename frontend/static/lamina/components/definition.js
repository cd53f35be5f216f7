/**
 * What a number means, where the pointer or the focus is: any element with `data-definition` shows it. One note for the
 * whole page; Escape closes it, it stays while the pointer is on it (WCAG 1.4.13).
 */

import { h } from "./dom.js";

const GAP = 6;
const note = h("div", { class: "definition", id: "definition", role: "tooltip", hidden: true });
/** @type {Element | null} */
let subject = null;

/** @param {Element} element */
function show(element) {
  if (element === subject) return;
  hide();
  subject = element;
  note.textContent = /** @type {any} */ (element).dataset.definition;
  if (!note.isConnected) document.body.append(note);
  note.hidden = false;
  element.setAttribute("aria-describedby", note.id);
  const at = element.getBoundingClientRect();
  const own = note.getBoundingClientRect();
  const left = Math.max(8, Math.min(innerWidth - own.width - 8, at.left + at.width / 2 - own.width / 2));
  const below = at.bottom + GAP; // above it would hide the heading of its column
  note.style.setProperty("left", `${left}px`);
  note.style.setProperty("top", `${below + own.height < innerHeight - 8 ? below : at.top - own.height - GAP}px`);
}

function hide() {
  subject?.removeAttribute("aria-describedby");
  subject = null;
  note.hidden = true;
}

const defined = (/** @type {EventTarget | null} */ target) => (target instanceof Element ? target.closest("[data-definition]") : null);

for (const name of ["pointerover", "focusin"]) {
  document.addEventListener(name, (event) => {
    const element = defined(event.target);
    if (element) show(element);
  });
}
document.addEventListener("pointerout", (event) => {
  const next = /** @type {PointerEvent} */ (event).relatedTarget;
  if (subject && !(next instanceof Node && (subject.contains(next) || note.contains(next))) && !subject.contains(document.activeElement)) hide();
});
document.addEventListener("focusout", hide);
document.addEventListener("scroll", hide, { capture: true, passive: true });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !subject) return;
  event.stopPropagation();
  hide();
}, { capture: true });
