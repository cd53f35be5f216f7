// From a pressed key to the act it calls. Which key calls which act is the live map's to say (keymap.js).

/**
 * What an act is. It answers `false` when it has nothing to do at this moment: then the next one of that key is asked,
 * and at last the browser. It may answer a function: that is called when the key is let go (an act of holding).
 * @typedef {(event: KeyboardEvent) => any} KeyAct
 */
/** @typedef {Record<string, KeyAct>} KeyActs */

/** Does the person write at this moment? Then a letter is a letter. @param {EventTarget | null} target */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("wa-dialog, [role=dialog]")) return true;
  if (target instanceof HTMLInputElement) return !["button", "checkbox", "radio", "range", "color"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Keys a focused control needs for itself. @param {KeyboardEvent} event */
function belongsToControl({ key, target }) {
  if (!(target instanceof HTMLElement)) return false;
  if (key === " " || key === "Enter") return target.closest("button, a, summary, label, input, [role=button], [role=slider]") !== null;
  if (/^(Arrow|Home|End|Page)/.test(key)) return target.closest("input, [role=slider], [role=menu], [role=listbox], [role=tablist]") !== null;
  return false;
}

const DIGIT = /^Digit(\d)$/;
const LETTER = /^Key([A-Z])$/;
/** Signs that need Shift or AltGr on many keyboards: they are named by themselves. */
const SIGN = /^[^A-Z0-9\s]$/;

/**
 * The name of a pressed key: the sign on it, letters in upper case, with "Ctrl+" and "Shift+" before it. A command key
 * counts as Ctrl. Letters follow the keyboard's own layout; where it has no Latin letters, the key's place decides.
 * @param {Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey"> & { getModifierState?: (key: string) => boolean }} event
 * @returns {string} "" for a key that names nothing, as a modifier alone
 */
export function keyName(event) {
  const { code, shiftKey } = event;
  let { key } = event;
  if (["Shift", "Control", "Alt", "AltGraph", "Meta", "Dead", "Unidentified"].includes(key)) return "";
  const level3 = event.getModifierState?.("AltGraph") ?? false;
  if (event.altKey && !level3) return "";
  const ctrl = (event.ctrlKey || event.metaKey) && !level3;
  if (key === " ") key = "Space";
  else if (key.length === 1) {
    key = key.toUpperCase();
    const digit = DIGIT.exec(code)?.[1];
    if (shiftKey && digit && !/\d/.test(key) && !level3) return `${ctrl ? "Ctrl+" : ""}Shift+${digit}`;
  }
  const letter = LETTER.exec(code)?.[1];
  if (letter && (key === "PROCESS" || key === "Process" || (key.length === 1 && key.charCodeAt(0) > 0x24f))) key = letter;
  if (key === "Process") return "";
  const shift = shiftKey && !SIGN.test(key) && !/^\d$/.test(key);
  return `${ctrl ? "Ctrl+" : ""}${shift ? "Shift+" : ""}${key}`;
}

/**
 * @param {KeyActs} acts  read at every press: what is registered later works, too
 * @param {(key: string) => readonly string[]} actsOf  names of the acts of a key, the first to be asked first
 * @returns {() => void} stops listening
 */
export function listenToKeys(acts, actsOf) {
  /** What ends when its key is let go, by the key's place. @type {Map<string, () => void>} */
  const held = new Map();
  const letGo = (/** @type {string} */ code) => {
    const end = held.get(code);
    held.delete(code);
    end?.();
  };
  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.defaultPrevented || event.isComposing || isTyping(event.target) || belongsToControl(event)) return;
    if (held.has(event.code)) {
      event.preventDefault();
      return;
    }
    for (const name of actsOf(keyName(event))) {
      const answer = acts[name]?.(event);
      if (!acts[name] || answer === false) continue;
      event.preventDefault();
      if (typeof answer === "function") held.set(event.code, answer);
      return;
    }
  };
  const onUp = (/** @type {KeyboardEvent} */ event) => letGo(event.code);
  const onBlur = () => [...held.keys()].forEach(letGo);
  const listeners = new AbortController();
  const { signal } = listeners;
  document.addEventListener("keydown", onKey, { signal });
  document.addEventListener("keyup", onUp, { signal });
  window.addEventListener("blur", onBlur, { signal });
  return () => {
    onBlur();
    listeners.abort();
  };
}
