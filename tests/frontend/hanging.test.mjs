// Which layout a series opens in, by what is there and by what the reader chose before.

import assert from "node:assert/strict";
import { test } from "node:test";

import { hungOf, protocolFor } from "../../frontend/static/lamina/state/hanging.js";
import { initialView, reduceView, shownViewports } from "../../frontend/static/lamina/state/view.js";

const AXIAL = [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]];
const SAGITTAL = [[5, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]];
const volume = (modality, more = {}) => ({
  id: modality, modality, description: "", volume: { affine: AXIAL }, spacing_mm: [1, 1, 1], frame_of_reference_uid: "1.2", ...more,
});
const CT = volume("CT");
const choose = (series, all = [series], priors = [], date = "2025-01-01", kept = {}) => protocolFor(hungOf(series, all, priors, date), kept).id;

test("a volume hangs as planes and 3D, a picture alone", () => {
  assert.equal(choose(CT), "four");
  assert.equal(choose({ ...volume("CR"), volume: null }), "one");
});

test("thick slices hang large in the plane they were taken in", () => {
  const knee = volume("MR", { volume: { affine: SAGITTAL }, spacing_mm: [5, 1, 1] });
  assert.equal(choose(knee), "acquired");
  assert.equal(hungOf(knee, [knee], [], null).acquired, "sagittal");
  assert.equal(choose(volume("MR", { spacing_mm: [2.5, 1, 1] })), "four");
  assert.equal(choose(volume("MR", { spacing_mm: null })), "four");
});

test("PET joins a CT of its frame of reference only", () => {
  assert.equal(choose(CT, [CT, volume("PT")]), "fused");
  assert.equal(choose(CT, [CT, volume("PT", { frame_of_reference_uid: "9" })]), "four");
  assert.equal(choose(CT, [CT, volume("PT", { spacing_mm: null })]), "four");
  assert.equal(choose(volume("PT"), [CT, volume("PT")]), "four");
});

test("what the reader chose comes back, where it fits", () => {
  assert.equal(choose(CT, [CT], [], null, { CT: "planes" }), "planes");
  assert.equal(choose(volume("MR"), [], [], null, { CT: "planes" }), "four");
  assert.equal(choose(CT, [CT], [], null, { CT: "prior" }), "four");
  assert.equal(choose(CT, [CT], [], null, { CT: "no such" }), "four");
});

test("the prior is the newest that is not later and has the modality", () => {
  const study = (id, date, series) => ({ id, study_date: date, series });
  const priors = [study("later", "2026-01-01", [CT]), study("mr", "2024-06-01", [volume("MR")]), study("old", "2024-01-01", [CT]), study("older", "2020-01-01", [CT])];
  assert.equal(hungOf(CT, [CT], priors, "2025-01-01").prior, "old");
  assert.equal(choose(CT, [CT], priors, "2025-01-01", { CT: "prior" }), "prior");
});

test("the active viewport is always one that is shown", () => {
  const set = (view, values) => reduceView(view, { type: "view.set", values });
  const space = set(initialView(), { active: "surfaces" });
  assert.equal(set(space, { layout: "1x3" }).active, "axial");
  assert.deepEqual(shownViewports(set(space, { layout: "1x1" })), ["surfaces"]);
  assert.equal(set(initialView(), { layout: "beside", main: "coronal" }).active, "coronal");
  assert.equal(set(initialView(), { large: "sagittal" }).active, "sagittal");
});
