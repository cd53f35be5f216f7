// Keys: names of pressed keys, the three presets, own changes, and acts that pass a key on.
import assert from "node:assert/strict";
import { test } from "node:test";

import { makeActs } from "../../frontend/static/lamina/tools/acts.js";
import { KEY_PRESETS } from "../../frontend/static/lamina/tools/key-presets.js";
import { Keymap } from "../../frontend/static/lamina/tools/keymap.js";
import { keyName } from "../../frontend/static/lamina/tools/keys.js";

const press = (key, code = "", over = {}) => keyName({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...over });
const keeper = () => {
  const kept = new Map();
  return { kept, getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) };
};

test("a pressed key has one name, whatever the keyboard", () => {
  assert.equal(press("w", "KeyW"), "W");
  assert.equal(press("T", "KeyT", { shiftKey: true }), "Shift+T");
  assert.equal(press("!", "Digit1", { shiftKey: true }), "Shift+1");
  assert.equal(press("1", "Digit1", { shiftKey: true }), "1"); // a French keyboard writes digits with Shift
  assert.equal(press("+", "Equal", { shiftKey: true }), "+");
  assert.equal(press("?", "Slash", { shiftKey: true }), "?");
  assert.equal(press(" ", "Space"), "Space");
  assert.equal(press("z", "KeyZ", { ctrlKey: true }), "Ctrl+Z");
  assert.equal(press("Z", "KeyZ", { metaKey: true, shiftKey: true }), "Ctrl+Shift+Z");
  assert.equal(press("F5", "F5"), "F5");
  assert.equal(press("PageUp", "PageUp", { shiftKey: true }), "Shift+PageUp");
  assert.equal(press("[", "Digit8", { ctrlKey: true, altKey: true, getModifierState: (name) => name === "AltGraph" }), "[");
  assert.equal(press("ц", "KeyW"), "W"); // no Latin letters there: the place decides
  assert.equal(press("Process", "KeyW"), "W"); // an input method holds the letter
  assert.equal(press("w", "KeyW", { altKey: true }), "");
  assert.equal(press("Shift", "ShiftLeft", { shiftKey: true }), "");
});

test("no preset gives one key to two acts, but for Escape, which is passed on", () => {
  for (const [name, { keys }] of Object.entries(KEY_PRESETS)) {
    const seen = new Map();
    for (const [act, list] of Object.entries(keys)) {
      for (const key of list) {
        assert.ok(!seen.has(key) || key === "Escape", `${name}: ${key} calls ${seen.get(key)} and ${act}`);
        seen.set(key, act);
      }
    }
    assert.deepEqual(Object.keys(keys), Object.keys(KEY_PRESETS.standard.keys));
  }
});

test("the presets are those of the design", () => {
  const { standard, pacs, left } = KEY_PRESETS;
  assert.deepEqual(["length", "angle", "ellipse", "rectangle", "polygon", "probe"].map((id) => standard.keys[`tool-${id}`][0]).join(""), "DGOQYT");
  assert.deepEqual(["length", "angle", "ellipse", "rectangle", "polygon", "probe"].map((id) => left.keys[`tool-${id}`][0]).join(""), "KHWPTY");
  assert.deepEqual([1, 2, 3, 4, 5].map((n) => left.keys[`window-${n}`][0]).join(""), "09876");
  assert.deepEqual([left.keys["keep-mine"], left.keys["take-theirs"], left.keys["edit-place"]].flat(), ["Shift+0", "Shift+9", "Shift+8"]);
  assert.deepEqual([left.keys["stage-back"], left.keys["stage-on"]].flat(), ["C", "X"]);
  assert.deepEqual(left.keys.undo, ["Ctrl+Z"]);
  assert.deepEqual(pacs.keys["window-1"], ["F2", "1"]);
  assert.deepEqual(pacs.keys["series-on"], ["Shift+PageDown"]);
  assert.deepEqual(pacs.keys["slice-on-10"], ["PageDown"]);
  assert.deepEqual(standard.plane, { left: "tool", middle: "pan", right: "zoom" });
  assert.deepEqual([pacs.tool, pacs.plane.right, left.plane.left, left.plane.right, left.space.left], ["scroll", "window", "zoom", "tool", "zoom"]);
});

test("own keys are kept per person, conflicts are named, reset brings the preset back", () => {
  const storage = keeper();
  const map = new Keymap(storage, "rae");
  let told = 0;
  map.watch(() => (told += 1));
  assert.deepEqual(map.actsOf("W"), ["tool-window"]);
  assert.deepEqual(map.conflicts("D", "tool-window"), ["tool-length"]);
  map.assign("tool-window", "D");
  assert.deepEqual([map.actsOf("D"), map.actsOf("W"), map.keysOf("tool-length")], [["tool-window"], [], []]);
  assert.equal(told, 1);
  assert.deepEqual(new Keymap(storage, "rae").keysOf("tool-window"), ["D"]);
  assert.deepEqual(new Keymap(storage, "sam").keysOf("tool-window"), ["W"]);
  map.reset();
  assert.deepEqual([map.keysOf("tool-window"), map.keysOf("tool-length"), storage.kept.size], [["W"], ["D"], 0]);
  map.choose("pacs");
  assert.equal(new Keymap(storage, "rae").preset, "pacs");
  storage.setItem("lamina:keys:rae", "{broken");
  assert.equal(new Keymap(storage, "rae").preset, "standard");
});

test("Escape may be shared, other keys may not", () => {
  const map = new Keymap(null, "");
  assert.deepEqual(map.actsOf("Escape"), ["cancel", "small"]);
  assert.deepEqual(map.conflicts("Escape", "cancel"), []);
  assert.deepEqual(map.conflicts("Escape", "tool-pan"), ["cancel", "small"]);
});

test("the last to register an act is asked first; one with nothing to do passes it on", () => {
  const { acts, addActs } = makeActs();
  const called = [];
  addActs({ cancel: () => void called.push("first") });
  const remove = addActs({ cancel: () => (called.length === 0 ? (called.push("second"), undefined) : false) });
  acts.cancel();
  acts.cancel();
  assert.deepEqual(called, ["second", "first"]);
  remove();
  acts.cancel();
  assert.deepEqual(called, ["second", "first", "first"]);
  const only = addActs({ undo: () => false });
  assert.equal(acts.undo(), false);
  only();
  assert.equal("undo" in acts, false);
});
