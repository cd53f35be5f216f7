// A view as an address and back: nothing lost, nothing about a patient, nonsense falls back and is named.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode, rowOf } from "../../frontend/static/lamina/state/address.js";

const SERIES = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const all = (value) => ({ axial: value, coronal: value, sagittal: value });
const START = {
  series: SERIES, result: null, layout: "2x2", main: "axial", large: null, active: "axial", tool: "window", at: [0, 0, 0],
  zoom: all({ zoom: 1, pan: [0, 0] }), window: all({ width: 400, level: 40 }), linked: true, smooth: true, inverted: false, texts: true,
  outlines: true, fill: 0.24, planes3d: null, clip: null, segments: { 1: { shown: true, opacity: 1, colour: "#FB9202" } }, camera: null,
  turns: {}, tilts: {}, slabs: {}, fusion: null, beside: null, space: null,
};

test("a view as it opens needs no more than its series and layout", () => {
  assert.equal(encode(START, START), "v=1&series=3fa85f64&layout=2x2");
});

test("every setting comes back as it was", () => {
  const seen = {
    ...START, result: "aaaaaaaa-0000-4000-8000-000000000000", layout: "1+3", main: "coronal", large: "surfaces", active: "sagittal", tool: "crosshair",
    at: [12.5, -30.25, 4], zoom: { ...START.zoom, axial: { zoom: 2.5, pan: [3.5, -1] } }, window: { ...START.window, sagittal: { width: 2500, level: -600.5 } },
    linked: false, smooth: false, inverted: true, texts: false, outlines: false, fill: 0.4, planes3d: false,
    clip: { plane: "coronal", position: 0.375, flipped: true }, segments: { 1: { shown: false, opacity: 0.25, colour: "#90A6FF" } },
    camera: { azimuth: -45.5, elevation: 20, distance: 812.3, target: [1, 2, 3] }, turns: { axial: { turn: 3, mirrored: true } },
    tilts: { coronal: [0, 0.6, 0, 0.8] }, slabs: { axial: { mode: "max", mm: 12.5 } },
    fusion: { seriesId: "bbbbbbbb-0000-4000-8000-000000000000", map: "pet", mode: "swipe", opacity: 0.6, place: 0.25, seeThrough: true, window: { width: 5, level: 2.5 } },
    space: {
      volume: { preset: "own", style: "shaded", surfaces: true, points: [{ value: -220, opacity: 0, colour: "#c98f6a" }, { value: 130.5, opacity: 0.025, colour: "#ffffff" }] },
      box: { axial: [0, 0.5], coronal: [0.25, 1], sagittal: [0, 1] },
    },
    beside: { study: "cccccccc-0000-4000-8000-000000000000", series: "dddddddd-0000-4000-8000-000000000000", linked: true, offset: [0, -1.5, 20], window: { width: 80, level: 40 } },
  };
  const { seen: back, bad } = decode(`#${encode(seen, START)}`);
  assert.deepEqual(bad, []);
  const short = (id) => id.slice(0, 8);
  assert.deepEqual(back, {
    ...seen, series: short(seen.series), result: short(seen.result), segments: { 1: { shown: false, opacity: 0.25, colour: "#90A6FF" } },
    fusion: { ...seen.fusion, seriesId: "bbbbbbbb" }, beside: { ...seen.beside, study: "cccccccc", series: "dddddddd" },
  });
});

test("a mail program may escape the signs", () => {
  assert.deepEqual(decode("#v%3D1%26at%3D1%2C2%2C3").seen, { at: [1, 2, 3] });
});

test("unknown keys are ignored, bad values fall back and are named", () => {
  const { seen, bad } = decode("#v=1&later=thing&layout=9x9&at=1,2&zoom=axial:0,0,0&window=axial:400,40&fill=99&tool=<b>&clip=coronal,2,0&tilts=axial:0,0,0,0");
  assert.deepEqual(seen, { window: { axial: { width: 400, level: 40 } } });
  assert.deepEqual(bad, ["layout", "tool", "at", "zoom", "fill", "clip", "tilts"]);
});

test("another version is named, another fragment is not ours", () => {
  assert.deepEqual(decode("#v=2&layout=2x2"), { seen: {}, bad: ["v"] });
  assert.deepEqual(decode("#v=%"), { seen: {}, bad: ["v"] });
  assert.equal(decode("#main"), null);
  assert.equal(decode(""), null);
});

test("hostile numbers are no numbers", () => {
  for (const text of ["1e9,0,0", "NaN,0,0", "Infinity,0,0", "0x1,0,0", " 1,0,0", "9999999,0,0", "__proto__,0,0"]) {
    assert.deepEqual(decode(`v=1&at=${text}`).bad, ["at"], text);
  }
});

test("a short id finds its row", () => {
  assert.equal(rowOf([{ id: SERIES }], "3fa85f64")?.id, SERIES);
  assert.equal(rowOf([{ id: SERIES }], "00000000"), undefined);
  assert.equal(rowOf([{ id: SERIES }], null), undefined);
});
