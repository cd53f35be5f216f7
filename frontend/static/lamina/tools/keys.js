// Keys of the standard preset (SCREENS, "Mouse and keyboard"). An act has a name; a preset says which key calls it.
// Window presets carry their id, so that a longer list never moves a key to another window.

/** @typedef {Record<string, (event: KeyboardEvent) => void>} KeyActs */

/** Key as written on it, upper case for letters -> name of the act. */
export const STANDARD_KEYS = Object.freeze({
  1: "window-1", 2: "window-2", 3: "window-3", 4: "window-4", 5: "window-5",
  ArrowUp: "slice-back", ArrowDown: "slice-on", Home: "slice-first", End: "slice-last",
  ArrowLeft: "viewport-back", ArrowRight: "viewport-on", PageUp: "series-back", PageDown: "series-on",
  Z: "tool-zoom", P: "tool-pan", X: "tool-crosshair", W: "tool-window",
  "+": "zoom-in", "-": "zoom-out", "=": "fit", " ": "reset", I: "invert",
  "Shift+T": "texts", "\\": "panel", "?": "sheet", Escape: "small",
});

/** Does the person write at this moment? Then a letter is a letter. @param {EventTarget | null} target */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("wa-dialog, [role=dialog]")) return true;
  if (target instanceof HTMLInputElement) return !["button", "checkbox", "radio"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** @param {KeyboardEvent} event */
export function keyName(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  const key = event.key.length === 1 && event.key !== event.key.toUpperCase() ? event.key.toUpperCase() : event.key;
  // "?" and "+" need Shift on most keyboards and are named by themselves; letters with Shift are acts of their own.
  return event.shiftKey && /^[A-Z]$/.test(key) ? `Shift+${key}` : key;
}

/** @param {KeyActs} acts @param {Readonly<Record<string, string>>} [keys] @returns {() => void} */
export function listenToKeys(acts, keys = STANDARD_KEYS) {
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (isTyping(event.target)) return;
    const name = keys[keyName(event)];
    const act = name && acts[name];
    if (!act) return;
    // A pressed button keeps its own Space and Enter.
    if (event.key === " " && event.target instanceof HTMLElement && event.target.closest("button, a, summary")) return;
    event.preventDefault();
    act(event);
  };
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
