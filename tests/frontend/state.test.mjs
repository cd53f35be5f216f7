// The reducers and the socket client, with a hand-driven socket and clock.
import assert from "node:assert/strict";
import { test } from "node:test";

import { StreamClient } from "../../frontend/static/lamina/state/socket.js";
import { combine, createStore } from "../../frontend/static/lamina/state/store.js";
import { openingSeries, reduceEvent, reduceStudyState, shownJobs, studyState } from "../../frontend/static/lamina/state/study.js";
import { initialView, reduceView, startingLooks } from "../../frontend/static/lamina/state/view.js";

const event = (seq, type, payload) => ({ stream: "study:1", seq, type, at: "2026-01-01T00:00:00Z", payload });
const job = (over = {}) => ({ id: "j1", kind: "reconstruction", state: "queued", created_at: "2026-01-01T00:00:00Z", fraction: 0, can_cancel: true, ...over });
const empty = () => studyState({ id: "1", state: "active", series: [], segmentations: [], jobs: [] });

test("a job lives through its events and its surfaces arrive", () => {
  let state = empty();
  state = reduceEvent(state, event(1, "job.queued", { job: job({ place: 2 }) }));
  assert.deepEqual(shownJobs(state).map((one) => one.place), [2]);
  state = reduceEvent(state, event(2, "job.started", { job_id: "j1", attempt: 1, worker: "w", device: "cpu" }));
  assert.equal(state.jobs[0].state, "running");
  state = reduceStudyState(state, { type: "job.seen", job: job({ state: "running", fraction: 0.4, phase: "infer" }) });
  assert.equal(state.jobs[0].fraction, 0.4);
  state = reduceEvent(state, event(3, "job.succeeded", { job_id: "j1", result: {} }));
  state = reduceEvent(state, event(4, "segmentation.ready", { segmentation: { id: "s1", series_id: "x", segments: [], created_at: "2026" } }));
  assert.equal(shownJobs(state).length, 0);
  assert.equal(state.segmentations[0].id, "s1");
});

test("progress that comes late does not wake an ended job", () => {
  let state = reduceEvent(empty(), event(1, "job.queued", { job: job() }));
  state = reduceEvent(state, event(2, "job.failed", { job_id: "j1", error: { code: "out_of_memory", message: "m", facts: {} } }));
  state = reduceStudyState(state, { type: "job.seen", job: job({ state: "running", fraction: 0.9 }) });
  assert.equal(state.jobs[0].state, "failed");
  assert.equal(shownJobs(state)[0].error.code, "out_of_memory");
  assert.equal(shownJobs(state)[0].can_retry, true);
});

test("a damaged file is noted once on its result", () => {
  let state = { ...empty(), segmentations: [{ id: "s1", created_at: "2026" }] };
  for (const seq of [1, 2]) state = reduceEvent(state, event(seq, "segmentation.damaged", { segmentation_id: "s1", artefact: "surfaces" }));
  assert.deepEqual(state.segmentations[0].damaged, ["surfaces"]);
});

test("a study opens with a volume that has a result, else with a volume, else with what there is", () => {
  const [picture, ct, mr] = [{ id: "p", volume: null }, { id: "ct", volume: {} }, { id: "mr", volume: {} }];
  assert.equal(openingSeries({ series: [picture, ct, mr], segmentations: [{ series_id: "mr" }] }), mr);
  assert.equal(openingSeries({ series: [picture, ct, mr] }), ct);
  assert.equal(openingSeries({ series: [picture] }), picture);
  assert.equal(openingSeries({}), undefined);
});

test("an event of no family changes nothing, not even the object", () => {
  const state = empty();
  assert.equal(reduceEvent(state, event(1, "reading.submitted", {})), state);
  assert.equal(reduceEvent(state, event(2, "study.binned", {})).study.state, "binned");
});

test("a store tells only those who look, in order, also when a listener dispatches", () => {
  const store = createStore({ a: 0, b: 0 }, combine({ a: (n, { type }) => (type === "a" ? n + 1 : n), b: (n, { type }) => (type === "b" ? n + 1 : n) }));
  const seen = [];
  store.watch((state) => state.a, (a) => { seen.push(`a${a}`); if (a === 1) store.dispatch({ type: "b" }); });
  const stop = store.watch((state) => state.b, (b) => seen.push(`b${b}`));
  store.dispatch({ type: "a" });
  stop();
  store.dispatch({ type: "b" });
  assert.deepEqual(seen, ["a0", "b0", "a1", "b1"]);
});

test("linked planes share zoom and window, unlinked ones do not", () => {
  let view = reduceView(initialView(), { type: "view.series", seriesId: "x", point: [0, 0, 0], window: { width: 400, level: 40 } });
  view = reduceView(view, { type: "view.viewing", plane: "axial", viewing: { zoom: 2, pan: [5, 5] } });
  assert.deepEqual([view.viewing.coronal.zoom, view.viewing.coronal.pan], [2, [0, 0]]);
  view = reduceView(view, { type: "view.set", values: { linked: false } });
  view = reduceView(view, { type: "view.window", plane: "axial", window: { width: 80, level: 40 } });
  assert.deepEqual([view.windows.axial.width, view.windows.coronal.width], [80, 400]);
  assert.throws(() => reduceView(view, { type: "view.set", values: { colour: 1 } }), TypeError);
});

test("segments start as the server says and change one at a time", () => {
  const looks = startingLooks([{ number: 1, colour: "#FB9202" }, { number: 2, colour: "#90A6FF" }]);
  let view = reduceView(initialView(), { type: "view.segmentation", segmentationId: "s", segments: looks });
  view = reduceView(view, { type: "view.segment", number: 2, look: { opacity: 0.4 } });
  assert.deepEqual([view.segments[1].opacity, view.segments[2].opacity], [1, 0.4]);
});

test("a shell that holds everything else starts see-through", () => {
  const skin = { number: 2, colour: "#CB9BBC", voxels: 900, bounds_mm: [-50, 50, -50, 50, -50, 50] };
  const bone = { number: 1, colour: "#E9E4D6", voxels: 100, bounds_mm: [-20, 20, -20, 20, -52, 50] };
  assert.deepEqual([startingLooks([bone, skin])[1].opacity, startingLooks([bone, skin])[2].opacity], [1, 0.25]);
  assert.equal(startingLooks([skin])[2].opacity, 1);
  assert.equal(startingLooks([{ ...bone, bounds_mm: [-80, 20, 0, 1, 0, 1] }, skin])[2].opacity, 1);
});

// --- the socket -----------------------------------------------------------------------------------------------------

function world() {
  const links = [];
  const timers = [];
  const polls = [];
  const around = {
    open: () => { const link = { readyState: 0, sent: [], send(text) { this.sent.push(JSON.parse(text)); }, close(code) { this.readyState = 3; this.onclose?.({ code }); } }; links.push(link); return link; },
    poll: async (stream, after) => { polls.push([stream, after]); return { events: [event(after + 1, "study.binned", {})], last: after + 1 }; },
    later: (callback, milliseconds) => { const timer = { callback, milliseconds }; timers.push(timer); return timer; },
    forget: (timer) => { const at = timers.indexOf(timer); if (at >= 0) timers.splice(at, 1); },
    random: () => 0.5,
  };
  const open = (link) => { link.readyState = 1; link.onopen(); };
  const say = (link, message) => link.onmessage({ data: JSON.stringify(message) });
  const fire = (least) => { const timer = timers.filter((one) => one.milliseconds >= least).sort((a, b) => a.milliseconds - b.milliseconds)[0]; timers.splice(timers.indexOf(timer), 1); return timer.callback(); };
  return { client: new StreamClient(around), links, timers, polls, open, say, fire };
}

test("it says its last number, keeps the order and never repeats", () => {
  const { client, links, open, say } = world();
  const seen = [];
  client.subscribe("study:1", 7, { onEvent: ({ seq }) => seen.push(seq) });
  open(links[0]);
  assert.deepEqual(links[0].sent, [{ subscribe: { "study:1": 7 } }]);
  for (const seq of [7, 8, 8, 10]) say(links[0], { event: event(seq, "x", {}) });
  assert.deepEqual(seen, [8]);
  assert.deepEqual(links[0].sent.at(-1), { subscribe: { "study:1": 8 } });
  for (const seq of [9, 10]) say(links[0], { event: event(seq, "x", {}) });
  assert.deepEqual(seen, [8, 9, 10]);
});

test("after a break it comes back with what it has, waiting longer each time", () => {
  const { client, links, open, say, timers, fire } = world();
  client.subscribe("study:1", 0, {});
  open(links[0]);
  say(links[0], { event: event(1, "x", {}) });
  links[0].close(1006);
  const first = timers.find((timer) => timer.milliseconds === 500);
  assert.ok(first);
  fire(500);
  links[1].close(1006);
  assert.ok(timers.some((timer) => timer.milliseconds === 1000));
  fire(1000);
  open(links[2]);
  assert.deepEqual(links[2].sent, [{ subscribe: { "study:1": 1 } }]);
});

test("when it stays away it says delayed and polls; live again it stops", async () => {
  const { client, links, polls, open, fire, timers } = world();
  const states = [];
  const seen = [];
  client.onState((state) => states.push(state));
  client.subscribe("study:1", 3, { onEvent: ({ seq }) => seen.push(seq) });
  await fire(3000);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([states.at(-1), polls, seen], ["delayed", [["study:1", 3]], [4]]);
  open(links[0]);
  assert.equal(states.at(-1), "live");
  assert.ok(!timers.some((timer) => timer.milliseconds === 4000));
});

test("signed out means stay away", () => {
  const { client, links, open, timers } = world();
  client.subscribe("study:1", 0, {});
  open(links[0]);
  links[0].close(4401);
  assert.equal(client.state, "signed_out");
  assert.equal(timers.length, 0);
});

test("a reload takes the new number from the page and goes on from there", async () => {
  const { client, links, open, say } = world();
  client.subscribe("study:1", 1, { onReload: async () => 40 });
  open(links[0]);
  say(links[0], { reload: "study:1" });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(links[0].sent.at(-1), { subscribe: { "study:1": 40 } });
});
