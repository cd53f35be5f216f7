// The sheet of keys, called by "?": drawn from the live map, and the place where a key is changed.

import { openDialog } from "../../components/dialog.js";
import { fill, h, icon } from "../../components/dom.js";
import { gettext, interpolate } from "../../i18n.js";
import { keyName } from "../../tools/keys.js";
import { actGroups, actName, keyWord } from "./key-words.js";
import { word } from "./words.js";

/** @import { PresetName } from "../../tools/keymap.js" */
/** @import { Room } from "./room.js" */

/** @type {[PresetName, () => string][]} */
const PRESETS = [
  ["standard", () => gettext("Standard")],
  ["pacs", () => gettext("PACS-like")],
  ["left", () => gettext("Left-handed")],
];

/** @type {Record<string, () => string>} */
const SPACE_WORDS = { turn: () => gettext("Turn"), zoom: () => gettext("Zoom"), pan: () => gettext("Pan") };

let open = false;

/** @param {Room} room */
export async function showKeys(room) {
  if (open) return;
  open = true;
  const sheet = new KeySheet(room);
  try {
    await openDialog({ title: gettext("Keys"), body: sheet.element, size: "large" });
  } finally {
    sheet.dispose();
    open = false;
  }
}

/** The sheet itself; whoever makes one calls `dispose`. */
export class KeySheet {
  /** The act that waits for its key, and the key it would take from another. @type {{ act: string, key?: string, from?: string[] } | null} */
  #asked = null;
  /** @type {Pick<Room, "keymap" | "acts">} */
  #room;
  #stop;
  #groups = h("div", { class: "key-sheet__groups" });
  #presets = PRESETS.map(([preset, name]) =>
    h("button", { type: "button", "aria-pressed": "false", dataset: { preset }, onclick: () => this.#room.keymap.choose(preset) }, name()));
  #reset = h("button", { class: "button button--small", type: "button", onclick: () => this.#room.keymap.reset() }, icon("rotate-ccw"), gettext("Undo own changes"));

  /** @param {Pick<Room, "keymap" | "acts">} room */
  constructor(room) {
    this.#room = room;
    this.element = h("div", { class: "key-sheet" },
      h("div", { class: "key-sheet__head" }, h("div", { class: "segmented", role: "group", "aria-label": gettext("Preset of keys") }, this.#presets), this.#reset,
        h("p", { class: "second" }, gettext("Press a key to change it. Kept in this browser."))),
      this.#groups);
    const unwatch = room.keymap.watch(() => this.#draw());
    const listeners = new AbortController();
    document.addEventListener("keydown", (event) => this.#onKey(event), { capture: true, signal: listeners.signal });
    this.#stop = () => {
      unwatch();
      listeners.abort();
    };
    this.#draw();
  }

  dispose() {
    this.#stop();
  }

  /** While an act waits, the next key is its key; Escape leaves it as it was. @param {KeyboardEvent} event */
  #onKey(event) {
    if (!this.#asked || this.#asked.key) return;
    const key = keyName(event);
    if (key === "Tab" || key === "Shift+Tab") return;
    event.preventDefault();
    event.stopPropagation();
    if (!key) return;
    const { act } = this.#asked;
    if (key === "Escape") this.#ask(null, act);
    else {
      const from = this.#room.keymap.conflicts(key, act).filter((other) => this.#room.acts[other]);
      if (from.length > 0) this.#ask({ act, key, from }, act);
      else this.#assign(act, key);
    }
  }

  /** @param {string} act @param {string} key */
  #assign(act, key) {
    this.#asked = null;
    this.#room.keymap.assign(act, key);
    this.#focus(act);
  }

  /** @param {{ act: string, key?: string, from?: string[] } | null} asked @param {string} act  whose button gets the focus */
  #ask(asked, act) {
    this.#asked = asked;
    this.#draw();
    this.#focus(act);
  }

  /** @param {string} act */
  #focus(act) {
    const row = this.#groups.querySelector(`[data-act="${act}"]`);
    row?.querySelector(".key-sheet__take, .key-sheet__keys")?.focus();
  }

  #draw() {
    const { keymap, acts } = this.#room;
    for (const button of this.#presets) button.setAttribute("aria-pressed", String(button.dataset.preset === keymap.preset));
    this.#reset.hidden = !keymap.changed;
    const groups = actGroups().map(([title, rows]) => /** @type {const} */ ([title, rows.filter(([act]) => acts[act])])).filter(([, rows]) => rows.length > 0);
    fill(this.#groups,
      groups.map(([title, rows]) => h("section", {}, h("h3", {}, title), h("ul", { role: "list" }, rows.map(([act, name]) => this.#row(act, name))))),
      this.#mouse(), this.#touch());
  }

  /** @param {string} act @param {string} name */
  #row(act, name) {
    const { keymap } = this.#room;
    const keys = keymap.keysOf(act);
    const waits = this.#asked?.act === act && !this.#asked.key;
    const button = h("button", {
      class: "key-sheet__keys", type: "button",
      title: waits ? gettext("Press the new key") : interpolate(gettext("{act}: {keys}. Change"), { act: name, keys: keys.map(keyWord).join(", ") || gettext("no key") }),
      onclick: () => this.#ask(waits ? null : { act }, act),
      onblur: () => waits && this.#asked?.act === act && !this.#asked.key && queueMicrotask(() => this.#leave(act)),
    }, waits ? h("span", { class: "key key--waits" }, gettext("Press a key")) : keys.length > 0 ? [h("span", { class: "for-screen-readers" }, name), keys.map((key) => [" ", h("span", { class: "key" }, keyWord(key))])] : [h("span", { class: "for-screen-readers" }, name), " ", h("span", { class: "key-sheet__none" }, "–")]);
    return h("li", { dataset: { act }, class: keymap.isChanged(act) ? "key-sheet__row key-sheet__row--own" : "key-sheet__row" },
      button, h("span", { class: "key-sheet__name" }, name),
      keymap.isChanged(act) && h("span", { class: "chip" }, gettext("own")),
      this.#asked?.act === act && this.#asked.key && this.#conflict(act, this.#asked.key, this.#asked.from ?? []));
  }

  /** The focus went elsewhere while the act waited. @param {string} act */
  #leave(act) {
    if (this.#asked?.act !== act || this.#asked.key) return;
    this.#asked = null;
    this.#draw();
  }

  /** @param {string} act @param {string} key @param {string[]} from */
  #conflict(act, key, from) {
    return h("div", { class: "key-sheet__conflict", role: "alert" },
      icon("triangle-alert"), h("span", {}, interpolate(gettext("{key} is the key of: {acts}"), { key: keyWord(key), acts: from.map(actName).join(", ") })),
      h("button", { class: "button button--small key-sheet__take", type: "button", onclick: () => this.#assign(act, key) }, gettext("Take it")),
      h("button", { class: "button button--small", type: "button", onclick: () => this.#ask(null, act) }, gettext("Leave it")));
  }

  #mouse() {
    const { plane, space, tool } = this.#room.keymap.buttons;
    const drag = (/** @type {string} */ what) =>
      what !== "tool" ? word(what) : interpolate(gettext("The chosen tool, at first {tool}; with Shift the crosshair"), { tool: word(tool) });
    return this.#plain(gettext("Mouse"), [
      [gettext("left"), drag(plane.left)],
      [gettext("right"), drag(plane.right)],
      [gettext("middle"), drag(plane.middle)],
      ...(plane.both ? [/** @type {[string, string]} */ ([gettext("left and right"), drag(plane.both)])] : []),
      [gettext("wheel"), gettext("Slices; with Ctrl zoom")],
      [gettext("in 3D"), ["left", "right", "middle"].map((button) => SPACE_WORDS[space[/** @type {"left"} */ (button)]]()).join(" · ")],
      [gettext("double click"), gettext("One viewport large; on a surface: planes go there")],
    ]);
  }

  #touch() {
    return this.#plain(gettext("Touch"), [
      [gettext("1 finger"), gettext("The chosen tool; in 3D turn")],
      [gettext("2 fingers"), gettext("Zoom")],
      [gettext("3 fingers"), gettext("Slices")],
    ]);
  }

  /** @param {string} title @param {[string, string][]} rows */
  #plain(title, rows) {
    return h("section", {}, h("h3", {}, title), h("dl", {}, rows.map(([what, text]) =>
      h("div", {}, h("dt", {}, h("span", { class: "key" }, what)), h("dd", {}, text)))));
  }
}
