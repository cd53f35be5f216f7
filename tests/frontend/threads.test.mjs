// Where a surface lies now, what of a text becomes a link, and threads kept true by events that carry ids only.

import assert from "node:assert/strict";
import { test } from "node:test";

import { nearestOnSurface } from "../../frontend/static/lamina/geometry/nearest.js";
import { initialThreads, mentionAt, mentionsIn, openThreads, partsOf, placeOf, reduceThreads, segmentIn } from "../../frontend/static/lamina/state/threads.js";

/** A closed ball of many triangles. */
function ball(radius, [x, y, z], rings = 64) {
  const positions = [];
  const index = [];
  for (let i = 0; i <= rings; i++) {
    for (let j = 0; j < 2 * rings; j++) {
      const [polar, turn] = [(Math.PI * i) / rings, (Math.PI * j) / rings];
      positions.push(x + radius * Math.sin(polar) * Math.cos(turn), y + radius * Math.sin(polar) * Math.sin(turn), z + radius * Math.cos(polar));
    }
  }
  for (let i = 0; i < rings; i++) {
    for (let j = 0; j < 2 * rings; j++) {
      const [a, b] = [i * 2 * rings + j, i * 2 * rings + ((j + 1) % (2 * rings))];
      const [c, d] = [a + 2 * rings, b + 2 * rings];
      index.push(a, c, b, b, c, d);
    }
  }
  return { positions, index, offset: [0, 0, 0] };
}

const close = (value, wanted, within) => assert.ok(Math.abs(value - wanted) <= within, `${value} is not ${wanted} ± ${within}`);

test("a ball that moved by 3.2 mm says 3.2 mm", () => {
  const pinned = nearestOnSurface(ball(20, [10, -5, 40]), [60, -5, 40]);
  pinned.point.forEach((value, axis) => close(value, [30, -5, 40][axis], 0.02));
  close(nearestOnSurface(ball(20, [13.2, -5, 40]), pinned.point).distance, 3.2, 0.03);
  close(nearestOnSurface(ball(20, [6.8, -5, 40]), pinned.point).distance, 3.2, 0.03);
  close(nearestOnSurface(ball(23.2, [10, -5, 40]), pinned.point).distance, 3.2, 0.03);
  // Along its own surface a ball that moved sideways is nearer than the way it went: |centre - point| - radius.
  close(nearestOnSurface(ball(20, [10, -1.8, 40]), pinned.point).distance, Math.hypot(20, 3.2) - 20, 0.03);
  const same = nearestOnSurface({ ...ball(20, [0, 0, 0]), offset: [10, -5, 40] }, pinned.point);
  close(same.distance, 0, 1e-9);
});

test("the nearest place of one triangle lies on its face, an edge or a corner", () => {
  const triangle = { positions: [0, 0, 0, 10, 0, 0, 0, 10, 0], index: [0, 1, 2], offset: [0, 0, 0] };
  for (const [from, wanted, away] of [
    [[2, 3, 7], [2, 3, 0], 7],
    [[-3, -4, 0], [0, 0, 0], 5],
    [[5, -2, 0], [5, 0, 0], 2],
    [[-2, 5, 0], [0, 5, 0], 2],
    [[10, 10, 0], [5, 5, 0], Math.sqrt(50)],
    [[14, -1, 0], [10, 0, 0], Math.sqrt(17)],
    [[-1, 13, 0], [0, 10, 0], Math.sqrt(10)],
  ]) {
    const found = nearestOnSurface(triangle, from);
    found.point.forEach((value, axis) => close(value, wanted[axis], 1e-9));
    close(found.distance, away, 1e-9);
  }
  assert.equal(nearestOnSurface({ positions: [], index: [], offset: [0, 0, 0] }, [0, 0, 0]), null);
});

test("a thread goes along with its surface", () => {
  const state = { ...initialThreads(), moved: { a: { point: [33, -5, 40], distance: 3 } } };
  const thread = { id: "a", point_mm: [28, -5, 41], segment: { surface_mm: [30, -5, 40] } };
  assert.deepEqual(placeOf(state, thread), [31, -5, 41]);
  assert.deepEqual(placeOf(initialThreads(), thread), [28, -5, 41]);
});

test("the same segment is found in another result, and a gone one is not", () => {
  const segment = { segmentation_id: "s1", number: 2, label: "Kidney right" };
  const rows = [{ number: 2, label: "Liver" }, { number: 7, label: "Kidney right" }];
  assert.equal(segmentIn(segment, { id: "s2", segments: rows }).number, 7);
  assert.equal(segmentIn(segment, { id: "s1", segments: [{ number: 2, label: "renamed" }] }).number, 2);
  assert.equal(segmentIn(segment, { id: "s1", segments: [{ number: 3, label: "Kidney right" }] }), null);
  assert.equal(segmentIn(segment, { id: "s2", segments: [{ number: 2, label: "Liver" }] }), null);
});

const links = (text) => partsOf(text).filter(({ kind }) => kind === "link").map((part) => part.text);

test("only http and https become links, and text stays text", () => {
  assert.deepEqual(links("see https://example.org/a?b=1#c, and (http://example.org/x)."), ["https://example.org/a?b=1#c", "http://example.org/x"]);
  for (const bad of ["javascript:alert(1)", "JAVASCRIPT://%0aalert(1)", "data:text/html,<script>1</script>", "vbscript:x", "//example.org", "ftp://example.org", "https://", "http:///x", "https://user:pass@example.org/", "xhttps://example.org"]) {
    assert.deepEqual(links(`a ${bad} b`), [], bad);
  }
  for (const text of ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='https://example.org'>x</a>", "a & b < c"]) {
    assert.equal(partsOf(text).map((part) => part.text).join(""), text);
  }
  assert.deepEqual(links("<a href='https://example.org'>x</a>"), ["https://example.org"]);
});

test("names after an @ are mentions", () => {
  const people = [{ id: "1", name: "Mara" }, { id: "2", name: "Mara Lind" }, { id: null, name: "Reader A" }];
  assert.deepEqual(mentionsIn("@Mara Lind please look", people), ["2"]);
  assert.deepEqual(mentionsIn("@Mara and @Mara Lind, not @Reader A", people), ["1", "2"]);
  assert.deepEqual(mentionsIn("mara@example.org", people), []);
  assert.deepEqual(mentionAt("please @Ma", 10), { from: 7, typed: "Ma" });
  assert.equal(mentionAt("mail me a@b", 11), null);
  assert.equal(mentionAt("@Mara\nnext", 10), null);
});

const thread = (id, version, state = "open") => ({ id, version, state, created_at: `2026-01-0${id}`, comments: [] });
const told = (type, id, version) => ({ type: "event", event: { stream: "result:x", seq: 1, at: "", type, payload: { thread_id: id, version } } });

test("events make a thread stale, answers make it fresh, older answers change nothing", () => {
  let state = reduceThreads(initialThreads(), { type: "threads.loaded", threads: [thread("2", 1), thread("1", 1)], people: [] });
  assert.deepEqual(state.list.map(({ id }) => id), ["1", "2"]);
  assert.equal(reduceThreads(state, told("thread.opened", "1", 1)), state);
  state = reduceThreads(state, told("comment.added", "1", 3));
  state = reduceThreads(state, told("thread.opened", "3", 1));
  assert.deepEqual(state.stale, { 1: 3, 3: 1 });
  state = reduceThreads(state, { type: "thread.known", thread: thread("1", 2) });
  assert.deepEqual(state.stale, { 1: 3, 3: 1 });
  state = reduceThreads(state, { type: "thread.known", thread: thread("1", 3, "resolved") });
  state = reduceThreads(state, { type: "thread.known", thread: thread("1", 2) });
  assert.equal(state.list[0].version, 3);
  state = reduceThreads(state, { type: "thread.known", thread: thread("3", 1) });
  assert.deepEqual(state.stale, {});
  assert.deepEqual(openThreads(state).map(({ id }) => id), ["2", "3"]);
  state = reduceThreads(state, { type: "thread.gone", id: "2" });
  assert.deepEqual(state.list.map(({ id }) => id), ["1", "3"]);
  assert.equal(reduceThreads(state, { type: "event", event: { type: "case.moved", payload: {} } }).wanted, state.wanted + 1);
});
