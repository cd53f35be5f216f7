import assert from "node:assert/strict";
import test from "node:test";

import { breathing } from "../../frontend/static/lamina/pages/study/breath.js";

test("a breath is taken when work went on for long, and not before", async () => {
  let clock = 0;
  let breaths = 0;
  const breath = breathing({
    now: () => clock,
    rest: async () => {
      breaths += 1;
      clock += 100; // others had their turn: that is no work of this page
    },
  });
  for (const [worked, taken] of [[15, 0], [15, 0], [12, 1], [35, 1], [7, 2], [300, 3]]) {
    clock += worked;
    await breath();
    assert.equal(breaths, taken, `after ${worked} ms more`);
  }
});

test("other work that waits has its turn in a breath", async () => {
  const order = [];
  setTimeout(() => order.push("other"));
  let clock = 0;
  const breath = breathing({ now: () => (clock += 50) });
  await breath();
  await new Promise((resolve) => setTimeout(resolve, 5));
  order.push("mine");
  assert.deepEqual(order, ["other", "mine"]);
});
