// What the signature dialog says of the outlines and of the checks.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { dataset: {}, lang: "en" }, cookie: "", getElementById: () => null, querySelector: () => null };
const { agreementCheck, checksOf, rowsOf, worstDice } = await import("../../frontend/static/lamina/pages/study/approval/what-is-signed.js");

const plain = (text) => text.replaceAll("\u202f", " ");
const PAIRS = [
  { left: "A", right: "B", segments: [{ number: 1, dice: 0.91, hd95_mm: 2.1 }, { number: 2, dice: null, hd95_mm: null }] },
  { left: "A", right: "C", segments: [{ number: 1, dice: 0.84, hd95_mm: 3.26 }, { number: 2, dice: 0.95, hd95_mm: 0.4 }] },
];
const manifest = (over = {}) => ({ segmentation: { id: "s", seq: 1204, segments: [{ number: 2, label: "Spleen" }, { number: 1, label: "Liver" }] }, agreement: { pairs: [{ is_within: true }, { is_within: true }], adjudicated: false }, ...over });

test("each segment stands with its volume and the worst Dice of any two reads", () => {
  assert.deepEqual([...worstDice(PAIRS)].sort(), [[1, 0.84], [2, 0.95]]);
  const rows = rowsOf(manifest(), [{ id: "other", segments: [] }, { id: "s", segments: [{ number: 1, colour: "#FB9202", volume_ml: 1125.7 }] }], PAIRS);
  assert.deepEqual(rows, [
    { number: 2, label: "Spleen", colour: "transparent", volume_ml: null, dice: 0.95 },
    { number: 1, label: "Liver", colour: "#FB9202", volume_ml: 1125.7, dice: 0.84 },
  ]);
});

test("the checks name what passed, and what did not", () => {
  const said = (told, comments, pairs) => checksOf(told, comments, pairs).map(({ state, text, value }) => `${state}: ${text} ${plain(value)}`);
  assert.deepEqual(said({ manifest: manifest(), version: 2 }, { open: 0, all: 5 }, PAIRS), [
    "good: Comments resolved 5 of 5", "good: The reads agree within the limits Dice 0.84, 3.3 mm", "good: Saved version 2, step 1,204",
  ]);
  assert.deepEqual(said({ manifest: manifest({ agreement: { pairs: [], adjudicated: false } }), version: 1 }, { open: 2, all: 3 }, []), [
    "open: Comments are open 1 of 3", "good: Saved version 1, step 1,204",
  ]);
});

test("reads that differ are said to be settled only when they are", () => {
  const apart = (adjudicated) => agreementCheck(manifest({ agreement: { pairs: [{ is_within: true }, { is_within: false }], adjudicated } }), []);
  assert.deepEqual([apart(true).state, apart(false).state, apart(true).value], ["good", "open", ""]);
  assert.notEqual(apart(true).text, apart(false).text);
});
