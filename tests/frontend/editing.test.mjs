// Editing labels in pure geometry: against formulas, and against counting voxel by voxel.
import assert from "node:assert/strict";
import { test } from "node:test";

import { nextSize, strokeSpans, withinLimits } from "../../frontend/static/lamina/geometry/brush.js";
import { EditedLabels, voxelsOf } from "../../frontend/static/lamina/geometry/edited-labels.js";
import { fillBetween, signedDistances } from "../../frontend/static/lamina/geometry/fill-between.js";
import { prismSpans, rectangleOf, rowInside } from "../../frontend/static/lamina/geometry/scissors.js";
import { boxOf, countOf, narrowed, spansWhere, unionOf } from "../../frontend/static/lamina/geometry/spans.js";
import { EditSender } from "../../frontend/static/lamina/state/edit-sender.js";
import { initialEdits, mayReplace, reduceEdits } from "../../frontend/static/lamina/state/edits.js";
import { reduceStudyState } from "../../frontend/static/lamina/state/study.js";
import { decodeEffect, decodeSpans, encodeSpans, fromBase64, fromVarints, toBase64, toVarints } from "../../frontend/static/lamina/geometry/varints.js";

const GRID = { shape: [40, 60, 50], spacing: [3, 0.5, 0.8] };
const BALL = (radius) => (4 / 3) * Math.PI * radius ** 3;
const volumeOf = (spans, { spacing: [k, j, i] }) => countOf(spans) * k * j * i;
const offsetsOf = (spans) => {
  const all = [];
  for (let at = 0; at < spans.length; at += 2) for (let one = 0; one < spans[at + 1]; one++) all.push(spans[at] + one);
  return all;
};

/** Every voxel whose middle lies within `radius` of the segment, tried one by one. */
function tried({ shape, spacing }, from, to, radius, axis = null) {
  const found = [];
  const [a, b] = [from, to].map((point) => point.map((value, at) => (at === axis ? Math.round(from[axis]) : value) * spacing[at]));
  const way = b.map((value, at) => value - a[at]);
  const square = way.reduce((sum, value) => sum + value * value, 0);
  for (let k = 0, offset = 0; k < shape[0]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      for (let i = 0; i < shape[2]; i++, offset++) {
        if (axis !== null && [k, j, i][axis] !== Math.round(from[axis])) continue;
        const p = [k * spacing[0] - a[0], j * spacing[1] - a[1], i * spacing[2] - a[2]];
        const along = square > 0 ? Math.min(1, Math.max(0, (p[0] * way[0] + p[1] * way[1] + p[2] * way[2]) / square)) : 0;
        if (Math.hypot(...p.map((value, at) => value - along * way[at])) <= radius * (1 + 1e-9)) found.push(offset);
      }
    }
  }
  return found;
}

test("a ball brush has the volume of a ball, in voxels longer than wide, too", () => {
  const cube = { shape: [80, 80, 80], spacing: [1, 1, 1] };
  for (const [grid, middle, radius] of [[cube, [40, 40, 40], 15], [cube, [40.3, 39.6, 40.1], 10], [{ shape: [50, 120, 100], spacing: [1.5, 0.5, 0.8] }, [25, 60, 50], 18]]) {
    const volume = volumeOf(strokeSpans(grid, middle, middle, radius), grid);
    assert.ok(Math.abs(volume / BALL(radius) - 1) < 0.01, `${volume} mm3 is not ${BALL(radius)}`);
  }
});

test("a disc has the area of a disc and stays in its slice, along each axis", () => {
  const grid = { shape: [90, 90, 90], spacing: [1.2, 0.5, 0.8] };
  for (const axis of [0, 1, 2]) {
    const spans = strokeSpans(grid, [45, 45, 45], [45, 45, 45], 12, axis);
    const box = boxOf(spans, grid.shape);
    assert.deepEqual([box[2 * axis], box[2 * axis + 1]], [45, 45]);
    const area = volumeOf(spans, grid) / grid.spacing[axis];
    assert.ok(Math.abs(area / (Math.PI * 144) - 1) < 0.02, `axis ${axis}: ${area}`);
  }
});

test("a sweep covers exactly the voxels near the path", () => {
  for (const [from, to, radius, axis] of [
    [[10, 20, 10], [14, 45, 38], 6, null], [[10, 20, 10], [10, 20, 40], 5, null], [[5, 10, 25], [30, 10, 25], 4, null],
    [[12.4, 20, 8], [12.4, 44.5, 40.2], 7.5, 0], [[3, 30, 8], [33, 30, 30], 5, 1], [[3, 8, 24.6], [30, 50, 24.6], 5, 2],
    [[-3, -5, -4], [2, 3, 1], 8, null],
  ]) {
    assert.deepEqual(offsetsOf(strokeSpans(GRID, from, to, radius, axis)), tried(GRID, from, to, radius, axis), JSON.stringify([from, to, axis]));
  }
});

test("a brush outside of the volume or of its slices paints nothing", () => {
  assert.equal(strokeSpans(GRID, [-20, 0, 0], [-20, 0, 0], 5).length, 0);
  assert.equal(strokeSpans(GRID, [41, 10, 10], [41, 10, 10], 5, 0).length, 0);
});

test("limits in real values, also where the slope is not 1", () => {
  const stored = Int16Array.from([0, 549, 550, 600, 650, 651, 900]);
  const paint = withinLimits(stored, { slope: 2, intercept: -1000 }, 300, 100);
  assert.deepEqual(offsetsOf(narrowed(Int32Array.from([0, 7]), paint)), [2, 3, 4]);
});

test("brush sizes go up and down over the same steps", () => {
  let size = 1;
  const up = Array.from({ length: 40 }, () => (size = nextSize(size, 1, 1, 60)));
  assert.deepEqual(up.slice(0, 9), [1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6]);
  assert.equal(up.at(-1), 60);
  const down = Array.from({ length: 40 }, () => (size = nextSize(size, -1, 1, 60)));
  assert.deepEqual(down.slice(0, 3), [55, 50, 45]);
  assert.equal(down.at(-1), 1);
});

test("scissors cut a prism: a rectangle's corners, a triangle's area, every plane", () => {
  assert.deepEqual(rowInside(rectangleOf([2, 3], [6, 8]), 5, 50), [2, 6]);
  const shape = [10, 40, 50];
  const axial = { axis: 0, rightAxis: 2, downAxis: 1 };
  const box = prismSpans(shape, axial, rectangleOf([1.6, 2.6], [6.4, 8.4]), 3, 4);
  assert.equal(countOf(box), 5 * 6 * 2);
  assert.deepEqual(boxOf(box, shape), [3, 4, 3, 8, 2, 6]);
  const triangle = prismSpans(shape, axial, [[0.5, 0.5], [40.5, 0.5], [0.5, 30.5]], 0, 9);
  assert.ok(Math.abs(countOf(triangle) / (600 * 10) - 1) < 0.02);
  const sagittal = prismSpans(shape, { axis: 2, rightAxis: 1, downAxis: 0 }, rectangleOf([9.5, 1.5], [19.5, 4.5]), 7, 7);
  assert.deepEqual(boxOf(sagittal, shape), [2, 4, 10, 19, 7, 7]);
  assert.equal(countOf(sagittal), 30);
});

test("signed distances are millimetres to the outline", () => {
  const inside = new Uint8Array(21 * 21);
  for (let y = 5; y <= 15; y++) inside.fill(1, y * 21 + 5, y * 21 + 16);
  const distances = signedDistances(inside, 21, 21, 2, 2);
  assert.ok(Math.abs(distances[10 * 21 + 10] - -11) < 1e-6, "the middle of a square of 22 mm");
  assert.ok(Math.abs(distances[10 * 21 + 0] - 9) < 1e-6);
  assert.ok(Math.abs(distances[0] - (Math.hypot(10, 10) - 1)) < 1e-6);
});

test("between two discs of 6 and 12 mm aslant lies a cone", () => {
  const grid = { shape: [9, 80, 80], spacing: [3, 0.5, 0.5] };
  const labels = new Uint8Array(9 * 80 * 80);
  const [low, high] = [[0, 30, 30], [8, 46, 50]];
  for (const [middle, radius] of [[low, 6], [high, 12]]) for (const at of offsetsOf(strokeSpans(grid, middle, middle, radius, 0))) labels[at] = 3;
  const axial = { axis: 0, rightAxis: 2, downAxis: 1 };
  const spans = fillBetween(labels, grid, axial, 3);
  for (let slice = 1; slice < 8; slice++) {
    const own = narrowed(spans, (at) => Math.floor(at / 6400) === slice);
    const radius = 6 + (6 * slice) / 8;
    assert.ok(Math.abs((countOf(own) * 0.25) / (Math.PI * radius ** 2) - 1) < 0.04, `slice ${slice}`);
    const [, , j0, j1, i0, i1] = boxOf(own, grid.shape);
    assert.ok(Math.abs((j0 + j1) / 2 - (30 + 2 * slice)) <= 1 && Math.abs((i0 + i1) / 2 - (30 + 2.5 * slice)) <= 1);
  }
  assert.equal(countOf(narrowed(spans, (at) => at < 6400 || at >= 8 * 6400)), 0, "drawn slices stay as they are");
  assert.equal(fillBetween(labels, grid, axial, 4).length, 0);
});

test("spans unite, and their box is the voxels' box", () => {
  assert.deepEqual([...unionOf(Int32Array.from([0, 5, 10, 2]), Int32Array.from([3, 4, 12, 3, 40, 1]))], [0, 7, 10, 5, 40, 1]);
  assert.deepEqual(boxOf(Int32Array.from([55, 10]), [4, 6, 10]), [0, 1, 0, 5, 0, 9]);
  assert.deepEqual([...spansWhere(8, (at) => at % 4 > 1)], [2, 2, 6, 2]);
});

test("spans and effects are written as the server writes them", () => {
  assert.deepEqual([...fromBase64(encodeSpans(Int32Array.from([5, 3, 10, 1])))], [5, 3, 2, 1]);
  assert.deepEqual(decodeEffect(toBase64(Uint8Array.from([5, 3, 2, 2, 1, 2]))), { spans: Int32Array.from([5, 3, 10, 1]), labels: Uint8Array.from([2, 2]) });
  const large = Int32Array.from([127, 128, 16384, 1, 134217727, 300]);
  assert.deepEqual(decodeSpans(encodeSpans(large)), large);
  assert.deepEqual(fromVarints(toVarints([0, 127, 128, 2 ** 31 - 1])), [0, 127, 128, 2 ** 31 - 1]);
  assert.throws(() => fromVarints(Uint8Array.from([200])), RangeError);
});

const SMALL = [2, 3, 4];
const effect = (...runs) => ({ spans: Int32Array.from(runs.flatMap(([start, length]) => [start, length])), labels: Uint8Array.from(runs.map((run) => run[2])) });

test("strokes respect what they may replace, and counts stay true", () => {
  const labels = new Uint8Array(24).fill(2, 4, 8);
  const seen = [];
  const edited = new EditedLabels(labels, SMALL, (box, touched) => seen.push([box, [...touched].sort()]));
  const stroke = edited.begin("a", 1, [0]);
  assert.equal(edited.draw(stroke, Int32Array.from([2, 4])), 2);
  assert.deepEqual([...labels.subarray(0, 9)], [0, 0, 1, 1, 2, 2, 2, 2, 0]);
  assert.deepEqual(seen, [[[0, 0, 0, 1, 0, 3], [1]]]);
  assert.deepEqual([...edited.counts.subarray(0, 3)], [18, 2, 4]);
  edited.withdraw("a");
  assert.deepEqual([...labels], [...new Uint8Array(24).fill(2, 4, 8)]);
  assert.deepEqual([...edited.counts.subarray(0, 3)], [20, 0, 4]);
});

test("another's operation that came first lies under the own waiting stroke", () => {
  const edited = new EditedLabels(new Uint8Array(24), SMALL);
  const mine = edited.begin("mine", 1, [0]);
  edited.draw(mine, Int32Array.from([0, 3]));
  edited.draw(mine, Int32Array.from([2, 3]));
  // The other painted 3 to 5 before: the own stroke may only replace 0.
  edited.settle(null, effect([3, 3, 2]));
  assert.deepEqual([...edited.labels.subarray(0, 7)], [1, 1, 1, 2, 2, 2, 0]);
  // The server's answer to the own one says the same, and nothing waits any more.
  edited.settle("mine", effect([0, 3, 1]));
  assert.deepEqual([...edited.labels.subarray(0, 7)], [1, 1, 1, 2, 2, 2, 0]);
  assert.equal(edited.waiting.length, 0);
  // Undo is but another effect.
  edited.settle("undo", effect([0, 3, 0]));
  assert.deepEqual([...edited.counts.subarray(0, 3)], [21, 0, 3]);
});

test("any order of answers ends in the same labelmap", () => {
  // Two browsers draw at once; the server's order decides for both.
  const first = new EditedLabels(new Uint8Array(24), SMALL);
  const second = new EditedLabels(new Uint8Array(24), SMALL);
  first.draw(first.begin("f", 1, null), Int32Array.from([0, 10]));
  second.draw(second.begin("s", 2, null), Int32Array.from([5, 10]));
  const [one, two] = [effect([0, 10, 1]), effect([5, 10, 2])];
  first.settle("f", one);
  first.settle("s", two);
  second.settle("f", one);
  second.settle("s", two);
  assert.deepEqual(first.labels, second.labels);
  assert.deepEqual([...first.counts.subarray(0, 3)], [9, 5, 10]);
});

// --- on the way to the server ---

const refusal = (status, code = "") => Object.assign(new Error("no"), { status, code });

test("operations leave in order, one at a time, and go again after a lost connection", async () => {
  const [sent, states, timers] = [[], [], []];
  const answers = [refusal(0), refusal(503), "one", "two"];
  const sender = new EditSender({
    send: async (operation) => {
      sent.push(operation.id);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onAnswer: () => {}, onRefused: () => assert.fail("nothing was refused"),
    onState: (state) => states.push([state.waiting, state.away, state.saved]),
    later: (act) => timers.push(act),
  });
  const both = Promise.all([sender.add({ id: "a" }), sender.add({ id: "b" })]);
  for (let tries = 0; tries < 2; tries++) {
    while (timers.length <= tries) await new Promise(setImmediate);
    timers[tries]();
  }
  assert.deepEqual(await both, ["one", "two"]);
  assert.deepEqual(sent, ["a", "a", "a", "b"]);
  assert.deepEqual(states.filter(([, away]) => away)[0], [2, true, false]);
  assert.deepEqual(states.at(-1), [0, false, true]);
});

test("what has not left can be taken out; what is refused goes back to who asked, the rest goes on", async () => {
  const refused = [];
  let let_go;
  const held = new Promise((done) => (let_go = done));
  const sender = new EditSender({
    send: async ({ id }) => {
      await held;
      if (id === "a") throw refusal(409, "segment_gone");
      return id;
    },
    onAnswer: () => {}, onRefused: ({ id }, error) => refused.push([id, error.code]), onState: () => {},
  });
  const [a, b, c] = ["a", "b", "c"].map((id) => sender.add({ id }));
  a.catch(() => {});
  assert.equal(sender.drop("b"), true);
  assert.equal(sender.drop("a"), false, "it is on its way");
  let_go();
  assert.deepEqual([await b, await c], [null, "c"]);
  await assert.rejects(a);
  await sender.idle();
  assert.deepEqual(refused, [["a", "segment_gone"]]);
});

test("what a stroke may replace: rule, erased segment, locks", () => {
  const edits = { ...initialEdits(), active: 2 };
  assert.equal(mayReplace(edits, [1, 2, 3], 2), null);
  assert.deepEqual(mayReplace({ ...edits, overwrite: "empty" }, [1, 2, 3], 2), [0]);
  assert.deepEqual(mayReplace({ ...edits, locked: [3] }, [1, 2, 3], 2), [0, 1, 2]);
  assert.deepEqual(mayReplace(edits, [1, 2, 3], 0), [2]);
  assert.deepEqual(mayReplace({ ...edits, erases: "all", locked: [1] }, [1, 2, 3], 0), [0, 2, 3]);
  const locked = reduceEdits(edits, { type: "edits.lock", number: 3, locked: true });
  assert.deepEqual(locked.locked, [3]);
  assert.deepEqual(reduceEdits(locked, { type: "edits.lock", number: 3, locked: false }).locked, []);
});

test("rows of segments never go back to an older operation", () => {
  const row = (number, voxels, more = {}) => ({ number, voxels, place: number, surface_seq: 0, ...more });
  const start = { study: {}, series: [], jobs: [], segmentations: [{ id: "s", segments: [row(1, 10), row(2, 20)], seq: 0 }] };
  const say = (state, seq, segments, removed = []) => reduceStudyState(state, { type: "segmentation.rows", segmentation_id: "s", seq, segments, removed });
  let state = say(start, 2, [row(1, 30), row(3, 5)]);
  assert.deepEqual(state.segmentations[0].segments.map(({ number, voxels }) => [number, voxels]), [[1, 30], [2, 20], [3, 5]]);
  state = say(state, 1, [row(1, 15)]);
  assert.equal(state.segmentations[0].segments[0].voxels, 30, "the answer to operation 1 came after that to 2");
  state = reduceStudyState(state, { type: "event", event: { type: "surface.remade", payload: { segmentation_id: "s", segments: [row(1, 0, { surface_seq: 2, surface_url: "/x" })] } } });
  assert.deepEqual([state.segmentations[0].segments[0].surface_url, state.segmentations[0].segments[0].voxels], ["/x", 30]);
  state = say(state, 3, [row(2, 20, { place: 0 })], [3]);
  assert.deepEqual(state.segmentations[0].segments.map(({ number }) => number), [2, 1]);
});

test("a skin counts what it encloses, as the server does, as long as it is there itself", () => {
  const counts = [0, 41, 13, 7];
  assert.deepEqual([1, 2, 3].map((number) => voxelsOf(counts, number, { 2: [1] })), [41, 54, 7]);
  assert.equal(voxelsOf([0, 41, 0], 2, { 2: [1] }), 0);
});
