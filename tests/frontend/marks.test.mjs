// Marks: the server's state with one's own waiting acts over it, whatever order answers and events come in.
import assert from "node:assert/strict";
import { test } from "node:test";

import { handlesOf, hitMark, isSeen, shapeOf } from "../../frontend/static/lamina/scene/marks.js";
import { baseVersion, initialMarks, markNamed, nextNumber, reduceMarks, shownMarks, waitingFor } from "../../frontend/static/lamina/state/marks.js";
import { Outbox } from "../../frontend/static/lamina/state/outbox.js";
import { ApiProblem } from "../../frontend/static/lamina/api/client.js";

const mark = (over = {}) => ({
  id: "m1", series_id: "s1", kind: "length", number: 1, version: 1, points: [[0, 0, 0], [10, 0, 0]], plane_normal: [0, 0, 1], value: 10, unit: "mm",
  statistics: null, colour: "#FEEE3E", name: "", name_version: 0, author: null, changed_by: null, created_at: "2026-01-01T00:00:00Z", ...over,
});
const event = (type, payload) => ({ type: "event", event: { stream: "study:1", seq: 1, at: "", type, payload } });
const operation = (over = {}) => ({ id: "o1", annotation: "m1", act: "change", base_version: 1, values: { colour: "#90A6FF" }, at: "2026-01-02T00:00:00Z", state: "waiting", ...over });
const after = (...actions) => actions.reduce(reduceMarks, initialMarks());

test("what waits lies over what is known, and the known one may change below it", () => {
  let state = after({ type: "marks.loaded", annotations: [mark()] }, { type: "marks.pending", pending: [operation()] });
  assert.equal(state.list[0].colour, "#90A6FF");
  assert.equal(baseVersion(state, "m1"), 2);
  state = reduceMarks(state, event("annotation.changed", { annotation: mark({ version: 2, value: 11 }) }));
  assert.deepEqual([state.list[0].value, state.list[0].colour], [11, "#90A6FF"]);
  assert.equal(reduceMarks(state, event("annotation.changed", { annotation: mark({ version: 1 }) })), state);
});

test("a mark that the server does not know yet is in the list, with its maker", () => {
  const { id, series_id: series, kind, number, ...values } = mark();
  const state = after({ type: "marks.pending", pending: [operation({ act: "add", base_version: 0, series, kind, number, values, annotation: id })] });
  assert.deepEqual([state.list[0].version, state.list[0].value, nextNumber(state, "length"), nextNumber(state, "angle")], [1, 10, 2, 1]);
  assert.equal(waitingFor(state, "m1").act, "add");
});

test("a conflict shows what stands, and the act stays in sight", () => {
  const state = after({ type: "marks.loaded", annotations: [mark()] }, { type: "marks.pending", pending: [operation({ state: "conflict" })] });
  assert.equal(state.list[0].colour, "#FEEE3E");
  assert.equal(waitingFor(state, "m1").state, "conflict");
});

test("deleted leaves the list and what was chosen; restored comes back", () => {
  let state = after({ type: "marks.loaded", annotations: [mark()] }, { type: "marks.set", values: { selected: "m1" } });
  state = reduceMarks(state, event("annotation.deleted", { annotation_id: "m1", version: 2, changed_by: null }));
  assert.deepEqual([state.list.length, state.selected], [0, null]);
  state = reduceMarks(state, event("annotation.restored", { annotation: mark({ version: 3, is_deleted: false }) }));
  assert.equal(markNamed(state, "m1").version, 3);
});

test("a newer name is asked for, and the answer of the same version is taken", () => {
  let state = after({ type: "marks.loaded", annotations: [mark({ name: "old", name_version: 1 })] });
  const { name, ...bare } = mark({ version: 2, name_version: 2 });
  state = reduceMarks(state, event("annotation.changed", { annotation: bare }));
  assert.deepEqual([state.list[0].name, state.list[0].stale], ["old", true]);
  state = reduceMarks(state, { type: "mark.known", annotation: mark({ version: 2, name_version: 2, name: "new" }) });
  assert.deepEqual([state.list[0].name, state.list[0].stale], ["new", undefined]);
});

test("what is dragged stands in for the mark it changes; hidden ones are not shown", () => {
  let state = after({ type: "marks.loaded", annotations: [mark(), mark({ id: "m2" })] }, { type: "marks.set", values: { draft: mark({ value: 12 }), hidden: { m2: true } } });
  assert.deepEqual(shownMarks(state, "s1").map(({ id, value }) => [id, value]), [["m1", 12]]);
  state = reduceMarks(state, { type: "view.series" });
  assert.equal(state.draft, null);
});

const pane = (over = {}) => ({ space: false, width: 200, height: 200, toPixel: ([x, y]) => [x * 2 + 100, y * 2 + 100], depth: ([, , z]) => z, normal: [0, 0, 1], half: 0.5, ...over });
const look = { lit: false, drawing: false, texts: [] };

test("a flat mark is seen on its own slice of its own plane, a place wherever it lies", () => {
  assert.equal(isSeen(mark(), pane()), true);
  assert.equal(isSeen(mark(), pane({ depth: () => 0.6 })), false);
  assert.equal(isSeen(mark(), pane({ normal: [1, 0, 0] })), false);
  assert.equal(isSeen(mark({ kind: "probe", points: [[1, 2, 0]] }), pane({ normal: [1, 0, 0] })), true);
});

test("a pointer finds handles before lines, and nothing far away", () => {
  const all = [{ mark: mark(), look }, { mark: mark({ id: "m2", points: [[0, 0, 0], [0, 30, 0]] }), look }];
  assert.deepEqual([hitMark([119, 101], pane(), all).mark.id, hitMark([119, 101], pane(), all).handle], ["m1", 1]);
  assert.deepEqual([hitMark([101, 140], pane(), all).mark.id, hitMark([101, 140], pane(), all).part], ["m2", "line"]);
  assert.equal(hitMark([160, 160], pane(), all), null);
  assert.deepEqual(handlesOf(mark({ kind: "freehand" })), []);
  assert.equal(shapeOf(mark({ kind: "ellipse", points: [[-5, 0, 0], [5, 0, 0], [0, -3, 0], [0, 3, 0]] }), pane()).lines[0].length, 72);
});

test("the outbox sends in order, waits while nothing gets through, and keeps what was refused in sight", async () => {
  const sent = [];
  let failure = null;
  let seen = [];
  const outbox = new Outbox({
    send: async ({ id }) => { if (failure) throw failure; sent.push(id); },
    changed: (pending) => { seen = pending.map(({ id, state }) => `${id} ${state}`); },
    done: () => {},
  });
  const rest = () => new Promise((done) => setTimeout(done, 5));
  outbox.push(operation({ id: "a" }));
  outbox.push(operation({ id: "b" }));
  await rest();
  assert.deepEqual([sent, seen], [["a", "b"], []]);
  failure = new ApiProblem(0, "offline", "away");
  outbox.push(operation({ id: "c" }));
  await rest();
  assert.deepEqual(seen, ["c waiting"]);
  failure = new ApiProblem(409, "annotation_conflict", "changed", { theirs: mark({ version: 9 }) });
  outbox.retry();
  outbox.push(operation({ id: "d" })); // on the same mark: it must not overtake
  await rest();
  assert.deepEqual(seen, ["c conflict", "d waiting"]);
  failure = null;
  outbox.push(operation({ id: "e", annotation: "m2" }));
  await rest();
  assert.deepEqual([sent.at(-1), seen], ["e", ["c conflict", "d waiting"]]);
  outbox.drop(({ annotation }) => annotation === "m1");
  assert.deepEqual(seen, []);
  failure = new ApiProblem(422, "invalid", "no");
  outbox.push(operation({ id: "f" }));
  await rest();
  assert.deepEqual(seen, ["f refused"]);
  failure = null;
  outbox.retry(() => true);
  await rest();
  assert.deepEqual([sent.at(-1), seen], ["f", []]);
  outbox.close();
});
