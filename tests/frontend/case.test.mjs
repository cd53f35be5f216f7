// The state of a reading: steps, what blocks it, places and their order, limits, the worklist's reasons, the clock.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  daysUntil, inOrder, initialCase, isClosed, judged, volumesApart, nextOpen, phaseOf, placeBeside, reduceCase, stepsOf, unanswered, undecided, undrawn, whyOf,
} from "../../frontend/static/lamina/state/case.js";
import { OWN_SCHEME, choicesOf, choicesText, keyFor } from "../../frontend/static/lamina/state/questions.js";
import { ReadingClock } from "../../frontend/static/lamina/state/reading-clock.js";

const mine = (state, over = {}) => ({ id: "c1", stage: "reading", state: "in_progress", sealed: state === "in_progress", mine: { id: "r1", kind: "first", state, answers: {} }, ...over });
const steps = (given) => stepsOf(given).map(({ key, state }) => `${key}:${state}`).join(" ");
const place = (n, verdict = null) => ({ n, key: `1:${n}`, verdict });
const ready = (...places) => ({ state: "ready", comparison: "x", segments: [], places, first: null, other: null });

test("the steps of an own first read, then those of the case", () => {
  assert.equal(steps(mine("in_progress")), "first_read:now compare:next submit:next");
  assert.equal(steps(mine("committed")), "first_read:done compare:now submit:next");
  assert.equal(steps(mine("submitted")), "reading:now approval:next");
  assert.equal(steps(mine("submitted", { stage: "adjudication" })), "reading:done adjudication:now approval:next");
  assert.equal(steps(mine("submitted", { stage: "approval", state: "completed" })), "reading:done approval:done");
  assert.equal(steps({ id: "c", stage: "reading", state: "new", mine: null }), "reading:now approval:next");
  assert.equal(steps(null), "");
  assert.deepEqual(["assigned", "in_progress", "committed", "submitted", "withdrawn"].map((state) => phaseOf(mine(state))), ["assigned", "reading", "comparing", "submitted", "none"]);
});

test("nothing is drawn before the start, after the submission, or by who only looks on", () => {
  assert.deepEqual(["assigned", "in_progress", "committed", "submitted"].map((state) => isClosed(mine(state))), [true, false, false, true]);
  assert.deepEqual([isClosed(null), isClosed({ sealed: true, mine: null }), isClosed({ sealed: false, mine: null }), isClosed({ sealed: false, mine: null, state: "completed" })], [false, true, false, true]);
});

test("answers begin as the server keeps them and are not overwritten by a later state of the same case", () => {
  let part = reduceCase(initialCase(), { type: "case.loaded", case: mine("in_progress", { mine: { id: "r1", kind: "first", state: "in_progress", answers: { grade: "2" } } }) });
  assert.deepEqual(part.answers, { grade: "2" });
  part = reduceCase(part, { type: "case.answer", key: "grade", value: "3" });
  part = reduceCase(part, { type: "study.loaded", answer: { case: mine("in_progress") } });
  assert.deepEqual(part.answers, { grade: "3" });
  part = reduceCase(part, { type: "case.answer", key: "grade", value: "" });
  assert.deepEqual(part.answers, {});
});

test("what keeps a read from being committed: open questions, empty segments", () => {
  const form = [{ key: "a", required: true }, { key: "b", required: false }, { key: "c", required: true }];
  assert.deepEqual(unanswered(form, { a: false }).map(({ key }) => key), ["c"]);
  assert.deepEqual(unanswered(form, { a: 0, c: "" }).map(({ key }) => key), ["c"]);
  assert.deepEqual(undrawn([{ number: 1 }, { number: 2 }, { number: 3 }], [{ number: 1, voxels: 5 }, { number: 2, voxels: 0 }]).map(({ number }) => number), [2, 3]);
});

test("places are visited around, and a decision leads to the next open one", () => {
  const places = [place(1, { act: "take", reason: "" }), place(2), place(3)];
  assert.deepEqual([placeBeside(places, 3, 1), placeBeside(places, 1, -1), placeBeside([], null, 1), placeBeside(places, null, 1)], [1, 3, null, 1]);
  let part = reduceCase(initialCase(), { type: "case.differences", differences: ready(...places) });
  assert.equal(part.place, 2, "the first open one is looked at first");
  assert.equal(undecided(part.differences), 2);
  part = reduceCase(part, { type: "case.verdict", key: "1:2", verdict: { act: "keep", reason: "vessel" } });
  assert.equal(nextOpen(part.differences.places, 2), 3);
  part = reduceCase(part, { type: "case.verdict", key: "1:3", verdict: { act: "edit", reason: "" } });
  assert.deepEqual([undecided(part.differences), nextOpen(part.differences.places, 3)], [0, 3]);
  part = reduceCase(part, { type: "case.verdict", key: "1:1", verdict: null });
  assert.deepEqual([undecided(part.differences), nextOpen(part.differences.places, 3)], [1, 1]);
  assert.equal(undecided({ ...part.differences, state: "working" }), 0, "what is not there yet blocks nothing");
});

test("limits: Dice 0.80 itself passes, 0.79 does not; a distance at its limit passes; signs do not matter", () => {
  assert.deepEqual([judged("dice", 0.81, 0.8), judged("dice", 0.8, 0.8), judged("dice", 0.79, 0.8)], ["good", "good", "bad"]);
  assert.deepEqual([judged("hd95_mm", 3, 3), judged("hd95_mm", 3.1, 3), judged("volume_difference_percent", -12, 10)], ["good", "bad", "bad"]);
  // Of 100 and 110 the smaller is 10 % off the other, the two lie 9.5 % apart: whoever comes first, within 9.6.
  for (const [a, b] of [[100, 110], [110, 100]]) assert.equal(judged("volume_difference_percent", volumesApart({ voxels_a: a, voxels_b: b }), 9.6), "good");
  assert.deepEqual([volumesApart({ voxels_a: 0, voxels_b: 0 }), volumesApart({ voxels_a: 0, voxels_b: 5 }), volumesApart({})], [0, 200, null]);
  assert.deepEqual([judged("dice", null, 0.8), judged("dice", 0.5, null)], [null, null]);
});

test("a chip says why a case waits", () => {
  const row = (state, given = {}, job = null, kind = "first") => ({ reading: { state, kind }, case: { stage: "reading", state: "new", sealed: true, result_waiting: false, ...given }, job });
  assert.equal(whyOf(row("assigned", { result_waiting: true })), "result_sealed");
  assert.equal(whyOf(row("assigned")), "reads_sealed");
  assert.equal(whyOf(row("in_progress", {}, { state: "running" })), "job_running");
  assert.equal(whyOf(row("assigned", { result_waiting: true }, { state: "queued" })), "job_waiting");
  assert.equal(whyOf(row("assigned", { sealed: false })), "to_read");
  assert.equal(whyOf(row("committed", { sealed: false })), "to_compare");
  assert.equal(whyOf(row("assigned", { stage: "adjudication" }, null, "adjudication")), "to_adjudicate");
  assert.equal(whyOf(row("submitted")), "waits_readers");
  assert.equal(whyOf(row("submitted", { stage: "adjudication" })), "waits_adjudicator");
  assert.equal(whyOf(row("submitted", { stage: "approval" })), "waits_approval");
  assert.equal(whyOf(row("submitted", { stage: "approval", state: "completed" })), "signed");
});

test("open readings go by their day; those of one day as they were dealt", () => {
  const row = (id, due) => ({ reading: { id, due_on: due } });
  assert.deepEqual(inOrder([row("a", "2026-11-24"), row("b", null), row("c", "2026-11-22"), row("d", "2026-11-24")]).map(({ reading }) => reading.id), ["c", "a", "d", "b"]);
  assert.deepEqual([daysUntil("2026-11-22", "2026-11-22"), daysUntil("2026-12-01", "2026-11-30"), daysUntil("2026-11-20", "2026-11-22"), daysUntil(null, "2026-11-22")], [0, 1, -2, null]);
});

test("the clock counts what was read, not how long a page stood open", () => {
  let now = 0;
  const clock = new ReadingClock(30, () => now);
  assert.deepEqual([clock.seconds, clock.isRunning], [30, false]);
  clock.touch();
  now += 20_000;
  assert.equal(clock.seconds, 50);
  now += 3_600_000;
  assert.deepEqual([clock.seconds, clock.isRunning], [90, false], "an hour without a hand counts one minute");
  clock.touch();
  now += 10_000;
  assert.equal(clock.seconds, 100);
  clock.pause();
  now += 50_000;
  assert.equal(clock.seconds, 100);
  assert.deepEqual([clock.take(), clock.seconds], [100, 0]);
});

test("choices are written one per line, with or without a code", () => {
  const choices = choicesOf("0 = None\n\n  260413007 (SCT) = None found \nMild");
  assert.deepEqual(choices, [
    { code: "0", scheme: OWN_SCHEME, meaning: "None" },
    { code: "260413007", scheme: "SCT", meaning: "None found" },
    { code: "3", scheme: OWN_SCHEME, meaning: "Mild" },
  ]);
  assert.deepEqual(choicesOf(choicesText(choices)), choices);
  assert.deepEqual([keyFor("", [{ key: "q2" }]), keyFor("", [])], ["q3", "q1"]);
});
