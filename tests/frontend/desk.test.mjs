// The desk on which a labelmap is edited, without its screen: what it does when the network fails it.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { dataset: {}, lang: "en" }, cookie: "", getElementById: () => null, querySelector: () => null };
globalThis.requestAnimationFrame = (act) => setTimeout(act, 0);
globalThis.cancelAnimationFrame = clearTimeout;

const root = "../../frontend/static/lamina";
const { EditDesk } = await import(`${root}/pages/study/edit-desk.js`);
const { volumeGeometry } = await import(`${root}/geometry/volume.js`);
const { initialEdits, reduceEdits } = await import(`${root}/state/edits.js`);
const { combine, createStore } = await import(`${root}/state/store.js`);
const { UndoStack } = await import(`${root}/state/undo.js`);

const ID = "g";
/** Voxels 3 and 4 become 2, as the server says it: gap, length, label. */
const EFFECT = Buffer.from([3, 2, 2]).toString("base64");

/** A desk over ten empty voxels at operation 0. @param {(address: string) => Promise<any>} answer  of the server */
function deskWith(answer) {
  globalThis.fetch = async (address) => {
    const body = await answer(String(address));
    return { ok: true, status: 200, headers: new Headers({ "content-type": "application/json" }), json: async () => body };
  };
  const store = createStore({ edits: initialEdits() }, combine({ edits: reduceEdits }));
  const reports = [];
  const room = { store, undo: new UndoStack(), segmentation: { segments: [] }, report: (text) => reports.push(text) };
  const plane = { oblique: true };
  const view = { invalidate() {} };
  const session = {
    geometry: volumeGeometry({ shape: [1, 2, 5], affine: [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], spacing_mm: [1, 1, 1] }),
    planes: { axial: plane, coronal: plane, sagittal: plane }, views: { axial: view, coronal: view, sagittal: view }, view: { point: null },
  };
  const labelmap = new Uint8Array(10);
  const desk = new EditDesk(room, session, { id: ID, kind: "algorithm", segments: [] }, { labelmap, touch() {} }, 0);
  return { desk, labelmap, reports };
}

const edited = (seq) => ({ type: "segmentation.edited", payload: { segmentation_id: ID, operation: { seq, id: `other-${seq}` } } });

test("a change whose request was lost is asked for again, though nobody tells of it a second time", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const { desk, labelmap, reports } = deskWith(async () => {
    asked += 1;
    if (asked < 3) throw new TypeError("the network is away");
    return { operations: [{ seq: 1, id: "other-1", effect: EFFECT, changed: 2 }], more: false };
  });
  desk.heard(edited(1));
  await desk.catching;
  assert.deepEqual([asked, desk.known], [1, 0]);
  context.mock.timers.tick(2000);
  await desk.catching;
  assert.deepEqual([asked, desk.known], [2, 0]);
  context.mock.timers.tick(2000);
  await desk.catching;
  assert.deepEqual([asked, desk.known], [3, 1]);
  assert.deepEqual([...labelmap], [0, 0, 0, 2, 2, 0, 0, 0, 0, 0]);
  assert.deepEqual(reports, [], "a lost request is no news to the reader");
  context.mock.timers.tick(10_000);
  assert.equal(asked, 3);
});

test("a desk that was closed asks no more", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let asked = 0;
  const { desk } = deskWith(async () => {
    asked += 1;
    throw new TypeError("the network is away");
  });
  desk.heard(edited(1));
  await desk.catching;
  desk.close();
  context.mock.timers.tick(10_000);
  await Promise.resolve();
  assert.equal(asked, 1);
});

test("another's change comes under an own stroke that waits", async () => {
  const { desk, labelmap } = deskWith(async () => ({ operations: [{ seq: 1, id: "other-1", effect: EFFECT, changed: 2 }], more: false }));
  const stroke = desk.stroke(1, "brush stroke", null);
  stroke.draw(Int32Array.from([4, 3]));
  desk.heard(edited(1));
  await desk.catching;
  assert.deepEqual([...labelmap], [0, 0, 0, 2, 1, 1, 1, 0, 0, 0]);
  stroke.cancel();
  assert.deepEqual([...labelmap], [0, 0, 0, 2, 2, 0, 0, 0, 0, 0]);
});
