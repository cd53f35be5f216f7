// Transfer functions of volume rendering: points of value -> colour and opacity, straight lines between them. Values
// are real ones (HU, SUV, the modality's own); opacity is that of one millimetre. Presets are our own numbers.

import { clamp } from "./vectors.js";

/** @typedef {{ value: number, colour: string, opacity: number }} TransferPoint  colour "#rrggbb" */
/** @typedef {"shaded" | "brightest"} TransferStyle  "brightest": the highest value along each line of sight (MIP) */
/** @typedef {{ id: string, style: TransferStyle, points: TransferPoint[] }} TransferPreset */

/** @param {[number, string, number][]} rows @returns {TransferPoint[]} */
const points = (rows) => rows.map(([value, colour, opacity]) => Object.freeze({ value, colour, opacity }));

/** @type {TransferPreset[]} */
const CT = [
  { id: "volume-bone", style: "shaded", points: points([[130, "#7a3f28", 0], [230, "#b98a62", 0.16], [420, "#e3d2b2", 0.62], [900, "#f6eddb", 0.9], [1800, "#fffdf6", 0.98]]) },
  { id: "volume-soft", style: "shaded", points: points([[-220, "#c98f6a", 0], [-110, "#d8a27a", 0.025], [-10, "#c46f55", 0.04], [45, "#b24a3a", 0.2], [130, "#c4684f", 0.42], [260, "#ead8ba", 0.75], [1000, "#fffaf0", 0.95]]) },
  { id: "volume-lung", style: "shaded", points: points([[-985, "#7fb4e6", 0], [-930, "#7fb4e6", 0.006], [-860, "#e9b3a2", 0.02], [-680, "#dd7f66", 0.05], [-520, "#b8483a", 0.12], [-380, "#8e2b24", 0.02], [-250, "#8e2b24", 0]]) },
  { id: "volume-vessel", style: "shaded", points: points([[120, "#6d150f", 0], [170, "#a8231a", 0.14], [280, "#dc4a34", 0.6], [480, "#f0a383", 0.8], [800, "#f4ead6", 0.9], [1800, "#fffdf6", 0.98]]) },
];

/** Black, red, orange, yellow, white (SCREENS, "PET"). @param {number} upper @returns {TransferPreset} */
const hot = (upper) => ({
  id: "volume-pet", style: "brightest",
  points: points([[0.08 * upper, "#000000", 0], [0.25 * upper, "#8a1206", 0.35], [0.5 * upper, "#ee5a12", 0.8], [0.75 * upper, "#ffc72e", 0.95], [upper, "#ffffff", 1]]),
});

/**
 * The presets that make sense for a series, the first one first.
 * @param {string} modality @param {{ unit?: string | null, automatic_window: number[], value_range: number[] }} volume
 * @returns {TransferPreset[]}
 */
export function transferPresets(modality, volume) {
  if (modality === "CT") return CT;
  const [width, level] = volume.automatic_window;
  const low = level - width / 2;
  const at = (/** @type {number} */ share) => low + share * width;
  if (modality === "PT") return [hot(volume.unit === "SUV" ? 8 : low + width)];
  return [
    { id: "volume-mr", style: "shaded", points: points([[at(0.14), "#5b4638", 0], [at(0.3), "#8d7463", 0.06], [at(0.55), "#cdb8a2", 0.3], [at(0.85), "#f1e6d6", 0.6], [at(1.2), "#ffffff", 0.8]]) },
    { id: "volume-mr-bright", style: "brightest", points: points([[at(0.1), "#000000", 0], [at(0.5), "#7d8a99", 0.6], [at(1), "#ffffff", 1]]) },
  ];
}

/** @param {TransferPoint[]} list @returns {TransferPoint[]}  by growing value */
export const ordered = (list) => list.slice().sort((a, b) => a.value - b.value);

/** @param {string} colour "#rrggbb" @returns {[number, number, number]}  0 to 255 */
export const rgbOf = (colour) => /** @type {any} */ ([1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16) || 0));

/** @param {number[]} rgb @returns {string} */
export const colourOf = (rgb) => `#${rgb.map((one) => Math.round(clamp(one, 0, 255)).toString(16).padStart(2, "0")).join("")}`;

/**
 * Colour and opacity at a value: straight between the points, the outer ones go on.
 * @param {TransferPoint[]} list  ordered, at least one @param {number} value @returns {TransferPoint}
 */
export function transferAt(list, value) {
  const above = list.findIndex((point) => point.value >= value);
  if (above === 0) return { ...list[0], value };
  if (above < 0) return { ...list[list.length - 1], value };
  const [a, b] = [list[above - 1], list[above]];
  const along = (value - a.value) / Math.max(b.value - a.value, 1e-9);
  const [from, to] = [rgbOf(a.colour), rgbOf(b.colour)];
  return { value, colour: colourOf(from.map((one, at) => one + (to[at] - one) * along)), opacity: a.opacity + (b.opacity - a.opacity) * along };
}

/**
 * The function as a table for the graphics card, from the first to the last point.
 * @param {TransferPoint[]} list @param {number} size @returns {{ table: Uint8Array, low: number, high: number }}  RGBA
 */
export function transferTable(list, size = 1024) {
  const sorted = ordered(list);
  const low = sorted[0].value;
  const high = Math.max(sorted[sorted.length - 1].value, low + 1e-6);
  const table = new Uint8Array(size * 4);
  for (let at = 0; at < size; at++) {
    const { colour, opacity } = transferAt(sorted, low + ((high - low) * at) / (size - 1));
    table.set(rgbOf(colour), at * 4);
    table[at * 4 + 3] = Math.round(clamp(opacity, 0, 1) * 255);
  }
  return { table, low, high };
}

/**
 * The largest opacity between two values, asked often: answers in constant time by counting the entries above zero.
 * @param {{ table: Uint8Array, low: number, high: number }} made @returns {(from: number, to: number) => boolean}  anything to see?
 */
export function visibleBetween({ table, low, high }) {
  const size = table.length / 4;
  const seen = new Uint32Array(size + 1);
  for (let at = 0; at < size; at++) seen[at + 1] = seen[at] + (table[at * 4 + 3] > 0 ? 1 : 0);
  const place = (/** @type {number} */ value) => clamp(((value - low) / (high - low)) * (size - 1), 0, size - 1);
  return (from, to) => seen[Math.ceil(place(to)) + 1] > seen[Math.floor(place(from))];
}

/**
 * A point moved; it keeps its place in the order, because a drag that jumps over a neighbour loses the point.
 * @param {TransferPoint[]} list  ordered @param {number} at @param {Partial<TransferPoint>} change @param {{ low: number, high: number }} range
 * @returns {TransferPoint[]}
 */
export function movedPoint(list, at, change, { low, high }) {
  const gap = (high - low) / 2000;
  const lowest = at > 0 ? list[at - 1].value + gap : low;
  const highest = at < list.length - 1 ? list[at + 1].value - gap : high;
  const next = { ...list[at], ...change };
  next.value = clamp(next.value, Math.min(lowest, highest), Math.max(lowest, highest));
  next.opacity = clamp(next.opacity, 0, 1);
  return list.map((point, place) => (place === at ? next : point));
}

/** A new point on the line, so that adding changes nothing by itself. @param {TransferPoint[]} list @param {number} value @returns {TransferPoint[]} */
export const addedPoint = (list, value) => ordered([...list, transferAt(list, value)]);

/** Two points always stay. @param {TransferPoint[]} list @param {number} at @returns {TransferPoint[]} */
export const removedPoint = (list, at) => (list.length > 2 ? list.filter((_, place) => place !== at) : list);

/**
 * How often values occur, every so many voxels looked at.
 * @param {ArrayLike<number>} stored @param {{ slope: number, intercept: number }} scale @param {{ low: number, high: number }} range
 * @param {number} [bins] @returns {Float32Array}  logarithm of the count, the fullest bin is 1
 */
export function histogram(stored, { slope, intercept }, { low, high }, bins = 128) {
  const counts = new Float64Array(bins);
  // A prime step does not walk in rhythm with the rows.
  const step = Math.max(1, Math.floor(stored.length / 300_007)) | 1;
  for (let at = 0; at < stored.length; at += step) {
    const bin = Math.floor(((stored[at] * slope + intercept - low) / (high - low)) * bins);
    if (bin >= 0 && bin < bins) counts[bin] += 1;
  }
  const most = Math.log1p(Math.max(...counts, 1));
  return Float32Array.from(counts, (count) => Math.log1p(count) / most);
}
