/** Small charts: round ticks, labels kept apart, a Bland-Altman plot whose places are known. */

import assert from "node:assert/strict";
import test from "node:test";

import { explained, intervalWord, measureOf, valueWord, whyWord } from "../../frontend/static/lamina/components/statistic-words.js";
import { apart, blandAltmanFrame, digitsOf, domainOf, roundStep, scale, ticks } from "../../frontend/static/lamina/geometry/plot.js";

test("ticks are round and inside", () => {
  assert.equal(roundStep(10, 5), 2);
  assert.equal(roundStep(0.7, 4), 0.2);
  assert.deepEqual(ticks([-3.2, 7.1], 5), [0, 5]);
  assert.deepEqual(ticks([0, 10], 5), [0, 2, 4, 6, 8, 10]);
  assert.equal(digitsOf([0, 0.2]), 1);
  assert.equal(digitsOf([0, 0.05]), 2);
  assert.equal(digitsOf([0, 20]), 0);
});

test("a domain is never empty", () => {
  assert.deepEqual(domainOf([4, 4], 0.5), [2, 6]);
  assert.deepEqual(domainOf([0], 0.5), [-0.5, 0.5]);
  assert.equal(scale([0, 10], [100, 0])(2.5), 75);
});

test("labels that would lie on each other are kept apart, inside the edge", () => {
  assert.deepEqual(apart([10, 50, 90], 15, 100), [10, 50, 90]);
  assert.deepEqual(apart([52, 50, 51], 15, 200), [80, 50, 65]);
  const low = apart([98, 99, 97], 15, 100);
  assert.ok(Math.max(...low) <= 100);
  const sorted = [...low].sort((a, b) => a - b);
  assert.ok(sorted[1] - sorted[0] >= 15 && sorted[2] - sorted[1] >= 15);
});

test("a plot puts what is beyond the limits outside", () => {
  const points = [{ mean_ml: 10, difference_ml: 0 }, { mean_ml: 20, difference_ml: 3 }];
  const frame = blandAltmanFrame(points, { bias: 0, lower: -2, upper: 2 }, 200, 100);
  assert.deepEqual(frame.dots.map(({ isOutside }) => isOutside), [false, true]);
  assert.ok(frame.dots[1].y < frame.y(2) && frame.y(2) < frame.dots[0].y, "larger differences lie higher");
  assert.equal(frame.dots[0].y, frame.y(0));
  const alone = blandAltmanFrame([points[0]], { bias: null, lower: null, upper: null }, 200, 100);
  assert.equal(alone.dots[0].isOutside, false);
  assert.ok(Number.isFinite(alone.dots[0].x));
});

test("a number says its interval, its cases and its meaning; one that is not there says why", () => {
  const overlap = measureOf("dice");
  const whole = { value: 0.9126, low: 0.88, high: 0.9449, n: 12, why: null };
  assert.equal(valueWord(whole, overlap), "0.91");
  assert.equal(intervalWord(whole, overlap), "0.88 to 0.94");
  const text = explained(whole, overlap);
  for (const part of ["Dice: 0.91", "twice the shared volume", "12 cases", "95 % interval 0.88 to 0.94"]) assert.ok(text.includes(part), text);
  const few = { value: null, low: null, high: null, n: 1, why: "too_few_cases" };
  assert.equal(valueWord(few, overlap), "\u2014");
  assert.equal(whyWord(few, overlap), "too few cases");
  assert.ok(explained(few, overlap).includes("1 case, too few cases"));
  const rate = measureOf("over_reliance");
  assert.equal(intervalWord({ value: 3, low: 2.42, high: 3.71, n: 3, why: null }, measureOf("hd95_mm")), "2.4 to 3.7\u202fmm");
  assert.equal(whyWord({ ...few, n: 0 }, rate), "no such place");
  assert.ok(explained({ value: 0.5, low: 0.1, high: 0.9, n: 4, why: null }, rate).includes("4 places"));
});
