// The live map of keys and buttons: a preset and this person's own changes, kept in the browser.

import { KEY_PRESETS } from "./key-presets.js";

/** @import { Buttons } from "./key-presets.js" */

/** @typedef {keyof typeof KEY_PRESETS} PresetName */
/** @typedef {{ preset: PresetName, changes: Record<string, string[]> }} Choice */
/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} Keeper */

/** Acts that may share a key: the one that has nothing to do passes the key on. */
const SHARING = new Set(["cancel", "small"]);

export class Keymap {
  /** @type {Choice} */
  #choice = { preset: "standard", changes: {} };
  /** @type {Map<string, string[]>} */
  #acts = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {Keeper | null} */
  #keeper;
  /** @type {string} */
  #place;

  /** @param {Keeper | null} keeper  null forgets @param {string} person  whose keys these are */
  constructor(keeper, person) {
    this.#keeper = keeper;
    this.#place = `lamina:keys:${person}`;
    this.#choice = read(keeper, this.#place);
    this.#index();
  }

  get preset() {
    return this.#choice.preset;
  }

  /** Drags in a plane, drags in the 3D, and the tool that is chosen at first. */
  get buttons() {
    const { plane, space, tool } = KEY_PRESETS[this.preset];
    return { plane, space, tool };
  }

  /** Names of the acts of a key. @param {string} key @returns {readonly string[]} */
  actsOf = (key) => this.#acts.get(key) ?? [];

  /** Keys of an act, the one to show first. @param {string} act @returns {readonly string[]} */
  keysOf = (act) => this.#choice.changes[act] ?? KEY_PRESETS[this.preset].keys[act] ?? [];

  /** @param {string} act */
  isChanged = (act) => act in this.#choice.changes;

  get changed() {
    return Object.keys(this.#choice.changes).length > 0;
  }

  /** Acts that this key calls already and that would lose it. @param {string} key @param {string} act @returns {string[]} */
  conflicts(key, act) {
    return this.actsOf(key).filter((other) => other !== act && !(SHARING.has(other) && SHARING.has(act)));
  }

  /** Take another preset; own changes of the old one go. @param {PresetName} preset */
  choose(preset) {
    this.#set({ preset, changes: {} });
  }

  /** This act gets this key alone; whoever had it loses it. @param {string} act @param {string} key */
  assign(act, key) {
    const changes = { ...this.#choice.changes, [act]: [key] };
    for (const other of this.conflicts(key, act)) changes[other] = this.keysOf(other).filter((one) => one !== key);
    this.#set({ ...this.#choice, changes });
  }

  /** No key calls this act. @param {string} act */
  clear(act) {
    this.#set({ ...this.#choice, changes: { ...this.#choice.changes, [act]: [] } });
  }

  /** Everything as the preset has it. */
  reset() {
    this.choose(this.preset);
  }

  /** @param {() => void} listener @returns {() => void} */
  watch(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {Choice} choice */
  #set(choice) {
    this.#choice = choice;
    this.#index();
    try {
      if (choice.preset === "standard" && !this.changed) this.#keeper?.removeItem(this.#place);
      else this.#keeper?.setItem(this.#place, JSON.stringify(choice));
    } catch {
      // A browser that keeps nothing still has the keys until the page goes.
    }
    for (const listener of this.#listeners) listener();
  }

  #index() {
    this.#acts = new Map();
    for (const act of Object.keys(KEY_PRESETS[this.preset].keys)) {
      for (const key of this.keysOf(act)) this.#acts.set(key, [...(this.#acts.get(key) ?? []), act]);
    }
  }
}

/** What is kept, where it still makes sense; a key that two acts claim by a later preset goes to the first. @param {Keeper | null} keeper @param {string} place @returns {Choice} */
function read(keeper, place) {
  /** @type {Choice} */
  const plain = { preset: "standard", changes: {} };
  try {
    const { preset, changes } = JSON.parse(keeper?.getItem(place) ?? "{}");
    if (!(preset in KEY_PRESETS)) return plain;
    const known = Object.entries(changes ?? {}).filter(([act, keys]) =>
      act in KEY_PRESETS.standard.keys && Array.isArray(keys) && keys.every((key) => typeof key === "string"));
    return { preset, changes: Object.fromEntries(known) };
  } catch {
    return plain;
  }
}
