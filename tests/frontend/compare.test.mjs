// Comparing two outlines: the ramp of SCREENS, the legend, places in their order, the way to look at one, the table.

import assert from "node:assert/strict";
import test from "node:test";

import { areaShares, hexOf, rampAt, rampPixels, ticksOf } from "../../frontend/static/lamina/geometry/distance.js";
import { csvOf, directionsOf, facing, hotspots, spotBeside, unionOf } from "../../frontend/static/lamina/geometry/hotspots.js";
import { basisOf } from "../../frontend/static/lamina/geometry/orbit.js";
import { dot, normalise } from "../../frontend/static/lamina/geometry/vectors.js";
import { initialCompare, rangeFor, reduceCompare, startingFrom } from "../../frontend/static/lamina/state/compare.js";

const region = (n, size, more = {}) => ({ n, key: `1:${n}`, number: 1, label: "Liver", side: size < 0 ? "a_only" : "b_only", voxels: 10, volume_ml: 1, max_mm: size, centroid_mm: [0, 0, 0], point_mm: [0, 0, 0], middle_mm: [0, 0, 0], bounds_mm: [0, 1, 0, 1, 0, 1], ...more });

test("the ramp has the designed colours at the designed millimetres, scaled with the range", () => {
  const designed = { "-12": "#2F4BD8", "-8": "#5C80F2", "-4.5": "#9DB9F7", "-2": "#D5DCE8", 0: "#E6E4DF", 2: "#EBD9C0", 4.5: "#F5B96A", 8: "#F08418", 12: "#C24A00" };
  for (const [mm, hex] of Object.entries(designed)) assert.equal(hexOf(rampAt(Number(mm) / 12)), hex, `${mm} mm`);
  assert.equal(hexOf(rampAt(-3)), "#2F4BD8");
  assert.equal(hexOf(rampAt(7)), "#C24A00");
  const pixels = rampPixels(256);
  assert.equal(pixels.length, 1024);
  assert.deepEqual([...pixels.slice(0, 3)], rampAt(-1 + 1 / 256));
  assert.deepEqual(ticksOf(12), [12, 8, 4, 0, -4, -8, -12]);
});

test("shares of the surface count area, not vertices, and what lies beyond goes to the ends", () => {
  // Two triangles: one of area 3 at -1 mm, one of area 1 at +20 mm.
  const positions = [0, 0, 0, 3, 0, 0, 0, 2, 0, 10, 0, 0, 12, 0, 0, 10, 1, 0];
  const shares = areaShares(positions, [0, 1, 2, 3, 4, 5], [-1, -1, -1, 20, 20, 20], 4, 4);
  assert.deepEqual(shares, [0, 0.75, 0, 0.25]);
});

test("hot spots are those large enough, and what has no counterpart always", () => {
  const regions = [region(1, null), region(2, -7), region(3, 3), region(4, 1)];
  assert.deepEqual(hotspots(regions, 3).map(({ n }) => n), [1, 2, 3]);
  assert.deepEqual(hotspots(regions, 0).length, 4);
});

test("one goes through the places in a ring, from none to the first or the last", () => {
  const spots = [region(1, 9), region(3, 5), region(4, 2)];
  assert.equal(spotBeside(spots, null, 1), 1);
  assert.equal(spotBeside(spots, null, -1), 4);
  assert.equal(spotBeside(spots, 1, 1), 3);
  assert.equal(spotBeside(spots, 4, 1), 1);
  assert.equal(spotBeside(spots, 1, -1), 4);
  assert.equal(spotBeside([], 1, 1), null);
});

test("the 3D turns so that the place faces the camera", () => {
  for (const out of [[1, 0, 0], [-1, 0, 0], [0, -1, 0], [0, 1, 0], [0.5, -0.7, 0.4]]) {
    const way = facing(region(1, 4, { point_mm: out.map((v) => v * 4 + 10), middle_mm: [10, 10, 10].map((v, axis) => v + out[axis] * 2) }), null);
    const { back } = basisOf({ target: [0, 0, 0], distance: 1, ...way });
    assert.ok(dot(back, normalise(out)) > 0.999, `${out} seen along ${back}`);
  }
  // From above one would see a lid only.
  assert.equal(facing(region(1, 4, { point_mm: [0, 0, 9], middle_mm: [0, 0, 5] }), null).elevation, 70);
  // Without a way out of its own it is looked at from outside the segment.
  assert.ok(Math.abs(facing(region(1, null, { point_mm: [8, 0, 0], middle_mm: [8, 0, 0] }), [0, 0, 0]).azimuth - 90) < 1e-9);
  assert.equal(facing(region(1, null, { point_mm: null }), [0, 0, 0]), null);
});

test("a place is told by the outer thirds of its segment in LPS", () => {
  const bounds = [0, 90, 0, 90, 0, 90];
  assert.deepEqual(directionsOf([45, 45, 45], bounds), ["middle"]);
  assert.deepEqual(directionsOf([45, 5, 85], bounds), ["upper", "front"]);
  assert.deepEqual(directionsOf([88, 45, 45], bounds), ["left"]);
  assert.deepEqual(directionsOf([2, 20, 5], bounds), ["lower", "right"]); // at most two: those farthest out
  assert.deepEqual(unionOf([[0, 1, 2, 3, 4, 5], null, [-1, 0, 2, 9, 4, 4]]), [-1, 1, 2, 9, 4, 5]);
  assert.equal(unionOf([null]), null);
});

test("the table for other programs has plain numbers and quotes what needs it", () => {
  const one = { number: 1, label: 'Liver, "left"', dice: 0.9, hd95_mm: 2.5, assd_mm: 1, max_mm: 4, volume_a_ml: 10, volume_b_ml: 11, volume_difference_percent: 10 };
  const lines = csvOf({ result: { segments: [one], regions: [region(1, null, { point_mm: null })] } }, "Not for clinical use").split("\r\n");
  assert.equal(lines[0], "Not for clinical use");
  assert.equal(lines[3], '1,"Liver, ""left""",0.9,2.5,1,4,10,11,10');
  assert.equal(lines[6], "1,1:1,1,Liver,b_only,,1,10,,,");
});

test("a comparison opens with colours and places that fit it; asking again changes nothing the reader chose", () => {
  assert.equal(rangeFor([region(1, -7)]), 12);
  assert.equal(rangeFor([region(1, 1.2), region(2, null)]), 1.5);
  assert.deepEqual([startingFrom([region(1, 9)]), startingFrom([region(1, 1.4)]), startingFrom([])], [2, 1, 0]);
  const working = reduceCompare(initialCompare(), { type: "compare.loaded", comparison: { id: "c", state: "queued", result: null } });
  assert.equal(working.range, 12);
  const ready = { id: "c", state: "succeeded", result: { segments: [{ number: 1 }, { number: 2 }], regions: [region(1, 2.4, { number: 2 })] } };
  const loaded = reduceCompare(working, { type: "compare.loaded", comparison: ready });
  assert.deepEqual([loaded.range, loaded.from, loaded.segment], [3, 2, 2]);
  const chosen = reduceCompare(loaded, { type: "compare.set", values: { range: 7, chosen: 1 } });
  assert.equal(reduceCompare(chosen, { type: "compare.loaded", comparison: { ...ready } }).range, 7);
  assert.deepEqual(reduceCompare(chosen, { type: "view.series" }), initialCompare());
});
