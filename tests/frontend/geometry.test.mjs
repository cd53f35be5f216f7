// Pure geometry against numbers worked out by hand.
import assert from "node:assert/strict";
import { test } from "node:test";

import { areaOf, contoursOf, labelSlice } from "../../frontend/static/lamina/geometry/contours.js";
import { barLength, indexPosition, pixelValue, position, windowText } from "../../frontend/static/lamina/geometry/format.js";
import { between, cubeFaces, eyeOf, basisOf, fitDistance, shifted, STANDARD_VIEWS, turned } from "../../frontend/static/lamina/geometry/orbit.js";
import { edgeLetters, orientationLetters } from "../../frontend/static/lamina/geometry/orientation.js";
import { firstKept, rayMeetsPlane } from "../../frontend/static/lamina/geometry/picking.js";
import { fromPlane, inPlane, onSlice, planesOf, sliceAt, snapped } from "../../frontend/static/lamina/geometry/planes.js";
import { chunksOf, nearest, rangeOf } from "../../frontend/static/lamina/geometry/streaming.js";
import { applyAffine, distance, invertAffine, normalise } from "../../frontend/static/lamina/geometry/vectors.js";
import { pannedBy, scaleBar, toPlane, toScreen, zoomedAt } from "../../frontend/static/lamina/geometry/viewing.js";
import { clampPoint, corners, textureTransform, toIndex, toMm, volumeGeometry, voxelAt } from "../../frontend/static/lamina/geometry/volume.js";
import { draggedWindow, grey, openingWindow, presetsFor, ramp } from "../../frontend/static/lamina/geometry/windows.js";

const close = (a, b, tolerance = 1e-9) => a.forEach((value, at) => assert.ok(Math.abs(value - b[at]) <= tolerance, `${a} is not ${b}`));

// Columns of the affine are k, j, i: 3 mm slices going up, 0.5 mm rows to the back, 0.8 mm columns to the left.
const AXIAL_CT = volumeGeometry({
  shape: [40, 60, 50],
  affine: [[0, 0, 0.8, -20], [0, 0.5, 0, -10], [3, 0, 0, 100], [0, 0, 0, 1]],
  spacing_mm: [3, 0.5, 0.8],
});
// A sagittal acquisition: slices run to the right of the patient, rows downwards, columns to the back.
const SAGITTAL_MR = volumeGeometry({
  shape: [20, 30, 40],
  affine: [[-4, 0, 0, 30], [0, 0, 1, -15], [0, -1, 0, 60], [0, 0, 0, 1]],
  spacing_mm: [4, 1, 1],
});

test("an index goes to mm and comes back", () => {
  close(toMm(AXIAL_CT, [10, 20, 30]), [4, 0, 130]);
  close(toIndex(AXIAL_CT, [4, 0, 130]), [10, 20, 30]);
  close(applyAffine(invertAffine(SAGITTAL_MR.affine), toMm(SAGITTAL_MR, [1, 2, 3])), [1, 2, 3]);
});

test("an affine with two parallel axes is refused", () => {
  assert.throws(() => invertAffine([[1, 2, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), RangeError);
});

test("a voxel is found inside and nothing outside", () => {
  assert.deepEqual(voxelAt(AXIAL_CT, [4.3, 0.2, 131]), [10, 20, 30]);
  assert.equal(voxelAt(AXIAL_CT, [4, 0, 95]), null);
  close(clampPoint(AXIAL_CT, [4, 0, 0]), [4, 0, 100]);
});

test("the box includes the outer halves of the edge voxels", () => {
  const xs = corners(AXIAL_CT).map((corner) => corner[0]);
  close([Math.min(...xs), Math.max(...xs)], [-20.4, -20 + 49 * 0.8 + 0.4]);
});

test("texture coordinates: the middle of the first voxel lies half a texel in", () => {
  const { rows, offset } = textureTransform(AXIAL_CT);
  const point = toMm(AXIAL_CT, [0, 0, 0]);
  const uvw = rows.map((row, at) => row[0] * point[0] + row[1] * point[1] + row[2] * point[2] + offset[at]);
  close(uvw, [0.5 / 50, 0.5 / 60, 0.5 / 40]);
});

test("planes of an axial CT follow the radiological habit", () => {
  const { axial, coronal, sagittal } = planesOf(AXIAL_CT);
  assert.deepEqual([axial.axis, axial.count, coronal.count, sagittal.count], [0, 40, 60, 50]);
  assert.deepEqual(edgeLetters(axial), { left: "R", right: "L", top: "A", bottom: "P" });
  assert.deepEqual(edgeLetters(coronal), { left: "R", right: "L", top: "S", bottom: "I" });
  assert.deepEqual(edgeLetters(sagittal), { left: "A", right: "P", top: "S", bottom: "I" });
  close([axial.width, axial.height, axial.step], [40, 30, 3]);
});

test("planes of a sagittal MR keep the same letters although the file runs the other way", () => {
  const planes = planesOf(SAGITTAL_MR);
  assert.deepEqual([planes.sagittal.axis, planes.axial.axis, planes.coronal.axis], [0, 1, 2]);
  assert.deepEqual(edgeLetters(planes.axial), { left: "R", right: "L", top: "A", bottom: "P" });
  assert.deepEqual(edgeLetters(planes.sagittal), { left: "A", right: "P", top: "S", bottom: "I" });
  assert.equal(planes.sagittal.count, 20);
});

test("an oblique direction has two letters, the stronger first", () => {
  const degrees = (angle) => (angle * Math.PI) / 180;
  assert.equal(orientationLetters([Math.sin(degrees(30)), -Math.cos(degrees(30)), 0]), "AL");
  assert.equal(orientationLetters([Math.sin(degrees(5)), -Math.cos(degrees(5)), 0]), "A");
  assert.equal(orientationLetters([0, 0, -1]), "I");
});

test("a slice holds its point, and moving along the slices changes nothing else", () => {
  const { coronal } = planesOf(AXIAL_CT);
  const point = toMm(AXIAL_CT, [10, 20, 30]);
  assert.equal(sliceAt(AXIAL_CT, coronal, point), 20);
  close(onSlice(AXIAL_CT, coronal, point, 25), toMm(AXIAL_CT, [10, 25, 30]));
  close(onSlice(AXIAL_CT, coronal, point, 999), toMm(AXIAL_CT, [10, 59, 30]));
  close(snapped(AXIAL_CT, [4.3, 0.2, 131]), [4, 0, 130]);
});

test("a pixel goes to a point and back, also zoomed and panned", () => {
  const { sagittal } = planesOf(SAGITTAL_MR);
  const viewing = { zoom: 2.5, pan: [3, -4] };
  const through = toMm(SAGITTAL_MR, [7, 12, 9]);
  const position2d = toPlane(sagittal, viewing, 640, 480, [123, 321]);
  const point = fromPlane(SAGITTAL_MR, sagittal, through, position2d);
  assert.equal(sliceAt(SAGITTAL_MR, sagittal, point), 7);
  close(toScreen(sagittal, viewing, 640, 480, inPlane(SAGITTAL_MR, sagittal, point)), [123, 321], 1e-6);
});

test("zoom keeps the place under the pointer and pan moves by the pixels asked for", () => {
  const { axial } = planesOf(AXIAL_CT);
  const before = toPlane(axial, { zoom: 1, pan: [0, 0] }, 500, 400, [400, 100]);
  const zoomed = zoomedAt(axial, { zoom: 1, pan: [0, 0] }, 500, 400, [400, 100], 3);
  assert.equal(zoomed.zoom, 3);
  close(toPlane(axial, zoomed, 500, 400, [400, 100]), before, 1e-9);
  const panned = pannedBy(axial, zoomed, 500, 400, [10, 0]);
  close(toScreen(axial, panned, 500, 400, before), [410, 100], 1e-6);
});

test("the scale bar is a round length of 50 to 140 px", () => {
  for (let size = 0.001; size < 60; size *= 1.13) {
    const bar = scaleBar(size);
    assert.ok(bar.pixels >= 50 && bar.pixels <= 140.001, `${bar.pixels} px at ${size}`);
    const lead = bar.millimetres / 10 ** Math.floor(Math.log10(bar.millimetres) + 1e-9);
    assert.ok([1, 2, 5].some((step) => Math.abs(step - lead) < 1e-6), `${bar.millimetres} mm`);
  }
  assert.equal(scaleBar(0), null);
});

test("grey follows PS3.3 C.11.2.1.2 and the shader's ramp agrees", () => {
  assert.equal(grey(-160, { width: 400, level: 40 }), 0);
  assert.equal(grey(239.5, { width: 400, level: 40 }), 1);
  assert.ok(Math.abs(grey(39.5, { width: 400, level: 40 }) - 0.5) < 1e-12);
  const { low, factor } = ramp({ width: 400, level: 40 });
  for (const value of [-100, 0, 39.5, 112]) assert.ok(Math.abs((value - low) * factor - grey(value, { width: 400, level: 40 })) < 1e-12);
  const suv = ramp({ width: 5, level: 2.5 });
  assert.deepEqual([suv.low, suv.factor], [0, 0.2]);
});

test("presets follow the modality; a drag of one pixel is width / 400", () => {
  const volume = { window: [300, 60], automatic_window: [200, 120], value_range: [0, 1000] };
  assert.deepEqual(presetsFor("CT", volume).filter((p) => p.key !== null).map((p) => [p.key, p.width, p.level]),
    [[1, 400, 40], [2, 1500, -600], [3, 150, 90], [4, 2500, 480], [5, 80, 40]]);
  assert.deepEqual(presetsFor("MR", volume).map((p) => [p.key, p.width, p.level]), [[1, 300, 60], [2, 200, 120], [3, 1000, 500]]);
  assert.deepEqual(presetsFor("PT", volume).map((p) => [p.key, p.width, p.level]),
    [[1, 3, 1.5], [2, 5, 2.5], [3, 7, 3.5], [4, 10, 5], [5, 15, 7.5]]);
  assert.deepEqual(openingWindow("PT", volume), { width: 5, level: 2.5 });
  assert.deepEqual(draggedWindow({ width: 400, level: 40 }, 10, -5, 1), { width: 410, level: 35 });
  assert.equal(draggedWindow({ width: 400, level: 40 }, -1000, 0, 1).width, 1);
});

test("contours: a square has its area, a ring its hole, a single voxel does not vanish", () => {
  const size = 9;
  const labels = new Uint8Array(size * size);
  for (let y = 2; y < 7; y++) for (let x = 2; x < 7; x++) labels[y * size + x] = 3;
  labels[4 * size + 4] = 0;
  labels[0] = 5;
  const contours = contoursOf(labels, size, size);
  const areas = contours.get(3).map(areaOf).sort((a, b) => b - a);
  assert.equal(areas.length, 2);
  // Marching squares cut half a voxel square's corner off (4 x 1/8), corner cutting a little more.
  assert.ok(Math.abs(areas[0] - 24.5) < 0.2, String(areas));
  assert.ok(areas[1] < 0 && areas[1] > -0.6, String(areas));
  assert.ok(areaOf(contours.get(5)[0]) > 0.3);
});

test("diagonal voxels stay two rings", () => {
  assert.equal(contoursOf(Uint8Array.from([1, 0, 0, 1]), 2, 2).get(1).length, 2);
});

test("a slice of a labelmap lies the way its plane says", () => {
  const shape = [2, 3, 4];
  const labelmap = Uint8Array.from({ length: 24 }, (_, at) => at);
  assert.deepEqual([...labelSlice(labelmap, shape, { axis: 0, rightAxis: 2, downAxis: 1 }, 1).labels], [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
  const sagittal = labelSlice(labelmap, shape, { axis: 2, rightAxis: 1, downAxis: 0 }, 3);
  assert.deepEqual([sagittal.width, sagittal.height, ...sagittal.labels], [3, 2, 3, 7, 11, 15, 19, 23]);
});

test("texts on the image read as on the screens", () => {
  assert.equal(position([-66, -6, 258]), "R\u00a066.0 A\u00a06.0 S\u00a0258.0\u202fmm");
  assert.equal(pixelValue(112, "HU"), "112\u202fHU");
  assert.equal(pixelValue(-1000, "HU"), "\u22121,000\u202fHU");
  assert.equal(pixelValue(5.81, "SUV"), "SUV\u00a05.8");
  assert.equal(windowText({ width: 400, level: 40 }, "HU"), "W\u00a0400 L\u00a040\u00a0HU");
  assert.deepEqual([barLength(50), barLength(0.5), barLength(0.02)], ["50\u202fmm", "0.5\u202fmm", "0.02\u202fmm"]);
  assert.equal(indexPosition([4, 3, 2]), "x\u00a03 y\u00a04 z\u00a05");
});

test("chunks cover every slice once and come from the centre outward", () => {
  const chunks = chunksOf(112, 122 * 101 * 2);
  assert.equal(chunks.reduce((sum, chunk) => sum + chunk.count, 0), 112);
  const order = [];
  const waiting = [...chunks];
  while (waiting.length) {
    const chunk = nearest(waiting, 56);
    order.push(Math.abs(chunk.first + (chunk.count - 1) / 2 - 56));
    waiting.splice(waiting.indexOf(chunk), 1);
  }
  assert.deepEqual(order, [...order].sort((a, b) => a - b));
  assert.deepEqual(rangeOf({ first: 2, count: 3 }, 10), { start: 20, end: 49 });
});

test("picking: clipped hits are passed over, but not on the cut face itself; rays meet planes", () => {
  const hits = [{ point: [0, 0, 10] }, { point: [0, 0, 5] }];
  assert.equal(firstKept(hits, [{ normal: [0, 0, -1], constant: 7 }]), hits[1]);
  assert.equal(firstKept(hits, [{ normal: [0, 0, -1], constant: 0 }]), null);
  const face = { point: [0, 0, 7.0001], cut: 0 };
  assert.equal(firstKept([face, ...hits], [{ normal: [0, 0, -1], constant: 7 }]), face);
  assert.equal(firstKept([face, ...hits], [{ normal: [0, 0, -1], constant: 7 }, { normal: [0, 0, -1], constant: 6 }]), hits[1]);
  close(rayMeetsPlane([0, 0, 10], normalise([0, 3, -4]), [0, 0, 2], [0, 0, 1]), [0, 6, 2]);
  assert.equal(rayMeetsPlane([0, 0, 10], [0, 0, 1], [0, 0, 2], [0, 0, 1]), null);
  assert.equal(distance([0, 0, 0], [3, 4, 0]), 5);
});

const STAND = { target: [10, 20, 30], azimuth: 0, elevation: 0, distance: 100 };

test("the camera: front view stands before the patient with the head up and the left side at the right", () => {
  close(eyeOf(STAND), [10, -80, 30]);
  close(basisOf(STAND).up, [0, 0, 1]);
  close(basisOf(STAND).right, [1, 0, 0]);
  // From below the patient lies as in an axial slice: front up, left side at the right.
  const below = { ...STAND, ...STANDARD_VIEWS.I };
  close(eyeOf(below), [10, 20, -70], 1e-9);
  close(basisOf(below).up, [0, -1, 0], 1e-9);
  close(basisOf(below).right, [1, 0, 0], 1e-9);
});

test("the camera: turning stops at the poles, shifting follows the pointer, flights take the short way", () => {
  assert.equal(turned(STAND, 0, 10_000, 400).elevation, 90);
  const moved = shifted(STAND, 50, 0, 400);
  assert.ok(moved.target[0] < 10 && moved.target[2] === 30);
  const half = between({ ...STAND, azimuth: 170 }, { ...STAND, azimuth: -170 }, 0.5);
  assert.equal(Math.abs(half.azimuth), 180);
  assert.ok(fitDistance(100, 0.5) > fitDistance(100, 1));
});

test("the cube shows the face the camera stands before", () => {
  assert.deepEqual(cubeFaces(STAND).map((face) => face.letter), ["A"]);
  assert.deepEqual(cubeFaces({ ...STAND, azimuth: 45, elevation: 30 }).map((face) => face.letter).sort(), ["A", "L", "S"]);
});
