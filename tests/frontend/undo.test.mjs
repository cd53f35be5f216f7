// The page's stack of steps: order, names, waiting, failing.
import assert from "node:assert/strict";
import { test } from "node:test";

import { StepGone, UndoStack } from "../../frontend/static/lamina/state/undo.js";

const counter = () => {
  const stack = new UndoStack();
  const done = [];
  const push = (name) => stack.push({ name, undo: async () => done.push(`-${name}`), redo: async () => done.push(`+${name}`) });
  return { stack, done, push };
};

test("steps come back last first, and go again first last", async () => {
  const { stack, done, push } = counter();
  ["a", "b", "c"].forEach(push);
  assert.deepEqual(stack.look, { undo: "c", redo: null, busy: false });
  assert.deepEqual([await stack.undo(), await stack.undo()], ["c", "b"]);
  assert.deepEqual(stack.look, { undo: "a", redo: "b", busy: false });
  await stack.redo();
  assert.deepEqual(done, ["-c", "-b", "+b"]);
  push("d");
  assert.deepEqual(stack.look, { undo: "d", redo: null, busy: false });
});

test("two presses at once run one after the other, and an empty stack answers null", async () => {
  const { stack, done, push } = counter();
  ["a", "b"].forEach(push);
  const answers = await Promise.all([stack.undo(), stack.undo(), stack.undo()]);
  assert.deepEqual(answers, ["b", "a", null]);
  assert.deepEqual(done, ["-b", "-a"]);
});

test("a step that fails stays; one whose object is gone leaves", async () => {
  const stack = new UndoStack();
  let refuse = new Error("offline");
  const undo = async () => { if (refuse) throw refuse; };
  stack.push({ name: "a", undo, redo: undo });
  await assert.rejects(stack.undo(), /offline/);
  assert.equal(stack.look.undo, "a");
  refuse = null;
  assert.equal(await stack.undo(), "a");
  stack.push({ name: "b", undo: async () => { throw new StepGone("changed by another"); }, redo: undo });
  await assert.rejects(stack.undo(), StepGone);
  assert.deepEqual(stack.look, { undo: null, redo: null, busy: false });
});

test("listeners hear at once, at every change, and no more after they stop", async () => {
  const { stack, push } = counter();
  const heard = [];
  const stop = stack.watch(({ undo }) => heard.push(undo));
  push("a");
  stop();
  push("b");
  assert.deepEqual(heard, [null, "a"]);
});
