// Signed distance as colour: the ramp of SCREENS, its legend, and how much of a surface lies how far away.

/** Places of the ramp's colours, as shares of the range: -1 is the far end inside. */
const PLACES = [-1, -8 / 12, -4.5 / 12, -2 / 12, 0, 2 / 12, 4.5 / 12, 8 / 12, 1];
const COLOURS = ["#2F4BD8", "#5C80F2", "#9DB9F7", "#D5DCE8", "#E6E4DF", "#EBD9C0", "#F5B96A", "#F08418", "#C24A00"];

/** @typedef {[number, number, number]} Colour  sRGB, 0 to 255 */

/** @type {Colour[]} */
const STOPS = COLOURS.map((hex) => /** @type {Colour} */ ([1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))));

/** Between two places of the ramp, evenly in sRGB as a picture is mixed. @param {number} share  -1 to 1; beyond stays at the end @returns {Colour} */
export function rampAt(share) {
  const wanted = Math.min(1, Math.max(-1, share));
  const after = Math.max(1, PLACES.findIndex((place) => place >= wanted - 1e-9));
  const [from, to] = [PLACES[after - 1], PLACES[after]];
  const along = (wanted - from) / (to - from);
  return /** @type {Colour} */ (STOPS[after - 1].map((value, channel) => Math.round(value + (STOPS[after][channel] - value) * along)));
}

/** @param {Colour} colour */
export const hexOf = (colour) => `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`.toUpperCase();

/** The ramp as a picture of one row, for the graphics card: RGBA, 0 to 255. @param {number} width @returns {Uint8Array} */
export function rampPixels(width) {
  const pixels = new Uint8Array(width * 4);
  for (let x = 0; x < width; x++) pixels.set([...rampAt((2 * (x + 0.5)) / width - 1), 255], x * 4);
  return pixels;
}

/** Where the legend is labelled: thirds of the range, from the top down. @param {number} range mm @returns {number[]} */
export const ticksOf = (range) => [1, 2 / 3, 1 / 3, 0, -1 / 3, -2 / 3, -1].map((share) => share * range);

/**
 * How much of a surface lies how far from the other one: shares of its area, each triangle at the mean of its corners.
 * What lies beyond the range counts to the ends.
 * @param {ArrayLike<number>} positions  x, y, z of every vertex @param {ArrayLike<number>} index  three per triangle
 * @param {ArrayLike<number>} values  mm per vertex @param {number} range  mm @param {number} bins @returns {number[]}
 */
export function areaShares(positions, index, values, range, bins) {
  const shares = new Array(bins).fill(0);
  let total = 0;
  for (let at = 0; at < index.length; at += 3) {
    const [a, b, c] = [index[at] * 3, index[at + 1] * 3, index[at + 2] * 3];
    const [ux, uy, uz] = [positions[b] - positions[a], positions[b + 1] - positions[a + 1], positions[b + 2] - positions[a + 2]];
    const [vx, vy, vz] = [positions[c] - positions[a], positions[c + 1] - positions[a + 1], positions[c + 2] - positions[a + 2]];
    const area = Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
    const mean = (values[a / 3] + values[b / 3] + values[c / 3]) / 3;
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(((mean / range + 1) / 2) * bins)));
    shares[bin] += area;
    total += area;
  }
  return total > 0 ? shares.map((area) => area / total) : shares;
}
