// A card that opens below a button of the tool bar, over the viewports. The browser's own popover closes it by Esc and
// by a press elsewhere; here it is only put in its place.

/** @param {HTMLElement} button @param {HTMLElement} card */
export function floatBelow(button, card) {
  card.setAttribute("popover", "auto");
  button.setAttribute("popovertarget", card.id);
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-controls", card.id);
  document.body.append(card);
  card.addEventListener("beforetoggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "open") return;
    const box = button.getBoundingClientRect();
    card.style.setProperty("top", `${Math.round(box.bottom + 6)}px`);
    card.style.setProperty("left", `${Math.round(box.left)}px`);
  });
  card.addEventListener("toggle", (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    // Its width is known only now: a card that would hang over the window's edge moves in.
    const over = card.getBoundingClientRect().right + 8 - document.documentElement.clientWidth;
    if (over > 0) card.style.setProperty("left", `${Math.round(Math.max(8, button.getBoundingClientRect().left - over))}px`);
  });
}
