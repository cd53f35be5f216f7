// Numbers, times and job states in words: one rounding, one unit, one place.

import assert from "node:assert/strict";
import { test } from "node:test";

const here = "../../frontend/static/lamina/components";
const format = await import(`${here}/format.js`);
const job = await import(`${here}/job-words.js`);
const card = await import(`${here}/card-words.js`);
const spark = await import(`${here}/sparkline.js`).catch(() => null);

const N = "\u202f";

test("numbers carry unit, narrow space, real minus and commas", () => {
  assert.equal(format.mm(62.44), `62.4${N}mm`);
  assert.equal(format.ml(1125.72), `1,125.7${N}mL`);
  assert.deepEqual([0, 0.027, 0.05].map(format.ml), [`0.0${N}mL`, `<${N}0.1${N}mL`, `0.1${N}mL`]);
  assert.equal(format.hu(-998.6), `\u2212999${N}HU`);
  assert.equal(format.percent(0.624), `62${N}%`);
  assert.equal(format.dice(0.9), "0.90");
  assert.equal(format.degrees(38.5), "38.5°");
  assert.equal(format.mm(null), "\u2014");
  assert.equal(format.number(-0.04, 1), "0.0");
});

test("spacing is said in-plane first", () => {
  assert.equal(format.spacing([3.27, 0.98, 0.98]), `0.98 × 0.98 × 3.27${N}mm`);
  assert.equal(format.spacing(null), "Spacing unknown");
});

test("sizes and stretches of time", () => {
  assert.equal(format.bytes(0), `0${N}B`);
  assert.equal(format.bytes(84_200_000), `84.2${N}MB`);
  assert.equal(format.clock(48), "0:48");
  assert.equal(format.clock(3723), "1:02:03");
  assert.equal(format.duration(41), `41${N}s`);
  assert.equal(format.duration(84), `1${N}min 24${N}s`);
});

test("a moment is minutes, then the clock, then the date", () => {
  const now = new Date("2026-11-22T14:00:00Z");
  assert.equal(format.ago("2026-11-22T13:59:40Z", now, "UTC"), "now");
  assert.equal(format.ago("2026-11-22T13:56:00Z", now, "UTC"), `4${N}min`);
  assert.equal(format.ago("2026-11-22T09:05:00Z", now, "UTC"), "09:05");
  assert.equal(format.ago("2026-11-22T00:00:00Z", now, "UTC"), "22 Nov 2026"); // rounded to the day
  assert.equal(format.ago("2026-11-22T09:05:00Z", now, "Asia/Shanghai"), "17:05");
  assert.equal(format.ago("2026-11-20T09:05:00Z", now, "UTC"), "20 Nov 2026");
});

test("a calendar day does not move with the zone", () => {
  assert.equal(format.day("2026-06-02", "America/Los_Angeles"), "2 Jun 2026");
});

test("a name gives two letters", () => {
  assert.equal(format.initials("Mara Lindqvist"), "ML");
  assert.equal(format.initials("Kenji"), "K");
  assert.equal(format.initials("  "), "?");
});

const base = { id: "1", kind: "reconstruction", state: "queued", place: 3, attempt: 0, max_attempts: 3 };

test("a job says place, phase, reason", () => {
  assert.equal(job.stateOf(base).text, "In line, place 3");
  const running = { ...base, state: "running", phase: "infer", detail: "tile 19 of 50", fraction: 0.38, seconds_left: 48, attempt: 2 };
  assert.equal(job.stateOf(running).text, `Running, 38${N}%`);
  assert.equal(job.lineOf(running), "Network, tile 19 of 50, attempt 2 of 3");
  assert.equal(job.leftOf(running), "0:48 left");
  const failed = { ...base, state: "failed", error: { code: "out_of_memory", message: "Out of memory." }, attempt: 1 };
  assert.equal(job.lineOf(failed), "Out of memory.");
  const done = { ...base, state: "succeeded", started_at: "2026-11-22T10:00:00Z", finished_at: "2026-11-22T10:01:52Z" };
  assert.equal(job.lineOf(done), `Finished in 1${N}min 52${N}s`);
  assert.equal(job.leftOf(done), "");
});

test("a card's measures are found wherever they stand", () => {
  const found = card.measuresOf({ metrics: { anterior: { dice: { mean: 0.88, low: 0.86, high: 0.9, worst: 0.7, worst_case: "c7", n: 20, definition: "overlap", unit: "" } } } });
  assert.equal(found.length, 1);
  assert.equal(found[0].group, "anterior");
  const [dotted] = card.measuresOf({ metrics: { "whole.hd95_mm": { mean: 1.24, low: 1.1, n: 30, unit: "mm" } } });
  assert.deepEqual([dotted.group, card.measureTitle(dotted.name)], ["whole", "HD95"]);
  assert.equal(card.measured(found[0].mean, found[0].unit), "0.88");
  assert.equal(card.measured(5.24, "mm"), `5.2${N}mm`);
  assert.deepEqual(card.linesOf({ seed: 7, known_failures: "x".repeat(80) }).map(([name]) => name), ["Seed", "Known failures"]);
});

test("a sparkline stays inside its box", () => {
  assert.ok(spark);
  for (const [x, y] of spark.linePoints([0, 3, 12, 5])) {
    assert.ok(x >= 0 && x <= 84);
    assert.ok(y >= 0 && y <= 32);
  }
});

test("a maker's notice shows its first sentence", async () => {
  const { firstSentence } = await import(`${here}/notice.js`);
  assert.deepEqual(firstSentence("Average brain: it shows no person. Made by many."), ["Average brain: it shows no person.", "Made by many."]);
  assert.deepEqual(firstSentence("One sentence."), ["One sentence.", ""]);
  assert.deepEqual(firstSentence("Version 2.5 of it. More."), ["Version 2.5 of it.", "More."]);
});
