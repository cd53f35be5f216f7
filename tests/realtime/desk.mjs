// One reader's browser without its screen: the page's own desk, sender, stream client and labels, on a real connection.
//
// Told what to do by lines of JSON on its standard input; answers each with one line. Started by test_converge.py.

import { createInterface } from "node:readline";

const given = JSON.parse(process.argv[2]);
const FASTER = 10;

// What the modules touch of a page. Waiting is ten times shorter than in a browser.
const plainTimeout = globalThis.setTimeout;
globalThis.setTimeout = /** @type {any} */ ((act, ms, ...values) => plainTimeout(act, (ms ?? 0) / FASTER, ...values));
globalThis.requestAnimationFrame = (act) => plainTimeout(() => act(performance.now()), 2);
globalThis.cancelAnimationFrame = clearTimeout;
globalThis.document = /** @type {any} */ ({
  documentElement: { dataset: {}, lang: "en" }, cookie: `lamina_csrf=${given.csrf}`,
  getElementById: (id) => (id === "shell-data" ? { textContent: JSON.stringify({ person: { id: given.me } }) } : null),
  querySelector: () => null, addEventListener: () => {},
});

/** Answers about operations that get lost on their way back: what was asked has happened all the same. */
let losing = 0;
const plainFetch = globalThis.fetch;
globalThis.fetch = async (address, init = {}) => {
  const headers = { ...init.headers, Cookie: given.cookie, Origin: given.base, Referer: `${given.base}/` };
  const answer = await plainFetch(`${given.base}${address}`, { ...init, headers });
  if (losing > 0 && address.includes("/operations/")) {
    losing -= 1;
    await answer.arrayBuffer();
    throw new TypeError("lost");
  }
  return answer;
};

const root = "../../frontend/static/lamina";
const { EditDesk } = await import(`${root}/pages/study/edit-desk.js`);
const { volumeGeometry } = await import(`${root}/geometry/volume.js`);
const { initialEdits, reduceEdits } = await import(`${root}/state/edits.js`);
const { StreamClient } = await import(`${root}/state/socket.js`);
const { combine, createStore } = await import(`${root}/state/store.js`);
const { reduceStudyState, studyState } = await import(`${root}/state/study.js`);
const { UndoStack } = await import(`${root}/state/undo.js`);
const { gunzipSync } = await import("node:zlib");
const { createHash } = await import("node:crypto");

const json = async (address) => (await fetch(address)).json();
const state = await json(`/api/studies/${given.study}/`);
const segmentation = state.segmentations.find(({ id }) => id === given.segmentation);
const series = state.series.find(({ id }) => id === segmentation.series_id);
const stored = async () => {
  const answer = await fetch(`/api/segmentations/${segmentation.id}/labelmap/`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  return { seq: Number(answer.headers.get("Lamina-Seq")), labels: new Uint8Array(plain) };
};
const begun = await stored();

const store = createStore({ study: studyState(state), edits: initialEdits() }, combine({ study: reduceStudyState, edits: reduceEdits }));
const reports = [];
const room = {
  store, undo: new UndoStack(), wantedSegmentation: null, report: (text, error) => reports.push(`${error?.code ?? ""} ${text}`),
  get segmentation() {
    return store.get().study.segmentations.find(({ id }) => id === segmentation.id);
  },
};
const byPlane = (part) => Object.fromEntries(["axial", "coronal", "sagittal"].map((name) => [name, part]));
const [planes, views] = [byPlane({ oblique: true }), byPlane({ invalidate() {} })];
const geometry = volumeGeometry({ ...series.volume, spacing_mm: series.volume.spacing_mm ?? null });
const session = { geometry, planes, views, view: { point: null, segments: {} }, surfaces: null, leaving: new AbortController(), result: { renew() {} } };
const outlines = { labelmap: begun.labels, touch() {} };
const desk = new EditDesk(/** @type {any} */ (room), /** @type {any} */ (session), segmentation, /** @type {any} */ (outlines), begun.seq);

const client = new StreamClient({
  open: () => new WebSocket(`${given.base.replace("http", "ws")}/ws/`, /** @type {any} */ ({ headers: { Cookie: given.cookie, Origin: given.base } })),
  poll: (stream, after) => json(`/api/events/?${new URLSearchParams({ stream, after: String(after) })}`),
  later: (act, ms) => setTimeout(act, ms), forget: (timer) => clearTimeout(timer), random: Math.random,
});
client.subscribe(given.stream, state.streams[given.stream] ?? 0, {
  onEvent(event) {
    store.dispatch({ type: "event", event });
    desk.heard(event);
  },
  onReload: () => void desk.catchUp(),
});
client.onState((now) => now === "live" && desk.sender.hurry());

// --- what a hand does ---------------------------------------------------------------------------------------------

/** mulberry32: the same seed, the same hand. */
let seed = given.seed >>> 0;
const chance = () => {
  seed = (seed + 0x6d2b79f5) >>> 0;
  let value = Math.imul(seed ^ (seed >>> 15), seed | 1);
  value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
  return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
};
const pick = (list) => list[Math.floor(chance() * list.length)];
const rest = (ms) => new Promise((done) => plainTimeout(done, ms));
const [depth, height, width] = geometry.shape;

/** Rows of a box somewhere. */
function spans() {
  const range = (count) => {
    const from = Math.floor(chance() * count);
    return [from, Math.min(count, from + 1 + Math.floor(chance() * 3))];
  };
  const [[k0, k1], [j0, j1], [i0, i1]] = [range(depth), range(height), range(width)];
  const runs = [];
  for (let k = k0; k < k1; k++) for (let j = j0; j < j1; j++) runs.push((k * height + j) * width + i0, i1 - i0);
  return Int32Array.from(runs);
}

/** A stroke of one to three dabs; other people's operations may come in between. */
async function stroke() {
  const label = pick([0, ...given.labels]);
  const one = desk.stroke(label, label ? "brush stroke" : "eraser stroke", pick([null, null, [0], [0, given.labels[0]]]));
  for (let dab = 0; dab <= chance() * 3; dab++) {
    one.draw(spans());
    if (chance() < 0.5) await rest(chance() * 20);
  }
  if (chance() < 0.1) one.cancel();
  else one.end();
}

const quietly = (promise) => promise.catch((error) => reports.push(`${error.code ?? error.name} ${error.message}`));
const ACTS = {
  stroke, undo: () => quietly(room.undo.undo()), redo: () => quietly(room.undo.redo()),
  cut: () => client.link?.close(), lose: () => (losing += 1 + Math.floor(chance() * 2)),
};
const OFTEN = ["stroke", "stroke", "stroke", "stroke", "undo", "undo", "redo", "cut", "lose"];

/** @type {Record<string, (words: any) => any>} */
const ORDERS = {
  async run({ acts }) {
    const did = {};
    for (let at = 0; at < acts; at++) {
      const act = pick(OFTEN);
      did[act] = (did[act] ?? 0) + 1;
      const done = ACTS[act]();
      // Now and then the next act does not wait for the last one.
      if (chance() < 0.7) await Promise.race([done, rest(400)]);
      await rest(chance() * 60);
    }
    losing = 0;
    return { did };
  },
  async hash({ seq }) {
    await desk.sender.idle();
    await room.undo.turn;
    // Told, not asked for: what is shown has to come by itself.
    for (let tries = 0; tries < 400 && (desk.known < seq || desk.labels.waiting.length > 0); tries++) await rest(25);
    return { known: desk.known, waiting: desk.labels.waiting.length, hash: createHash("sha256").update(desk.labels.labels).digest("hex"), reports };
  },
  lose({ answers }) {
    losing = answers;
    return {};
  },
  async fill({ label }) {
    desk.apply(Int32Array.from([0, depth * height * width]), label, "all of it", null);
    await desk.sender.idle();
    return { known: desk.known };
  },
  async stored() {
    const { seq, labels } = await stored();
    return { known: seq, hash: createHash("sha256").update(labels).digest("hex") };
  },
};

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
say({ ready: desk.known });
for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...words } = JSON.parse(line);
  say(await ORDERS[order](words));
}
client.stop();
process.exit(0);
