// Colour maps of an overlay: from a value's place in its window (0 to 1) to red, green, blue (0 to 255).

/** @typedef {[number, number, number]} Rgb */

/**
 * Stops at equal distances. "pet" is the page's own (SCREENS: black, red, orange, yellow, white); "viridis" are nine
 * samples of a map whose lightness grows evenly, so that it reads the same for colour-blind eyes and in print.
 * @type {Readonly<Record<string, string[]>>}
 */
const STOPS = Object.freeze({
  pet: ["#000000", "#D01C1C", "#F08418", "#FEEE3E", "#FFFFFF"],
  hot: ["#000000", "#5C0000", "#B80000", "#FF1A00", "#FF7A00", "#FFD000", "#FFFF4D", "#FFFFFF"],
  viridis: ["#440154", "#472D7B", "#3B528B", "#2C728E", "#21918C", "#28AE80", "#5EC962", "#ADDC30", "#FDE725"],
  grey: ["#000000", "#FFFFFF"],
  "grey-inverted": ["#FFFFFF", "#000000"],
});

export const MAPS = Object.freeze(Object.keys(STOPS));

/** @param {string} hex @returns {Rgb} */
export const rgbOf = (hex) => /** @type {Rgb} */ ([1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));

/** @param {string} map  a name of MAPS; an unknown one is grey @param {number} place  0 to 1, clamped @returns {Rgb} */
export function colourAt(map, place) {
  const stops = STOPS[map] ?? STOPS.grey;
  const at = Math.min(Math.max(place, 0), 1) * (stops.length - 1);
  const below = Math.min(Math.floor(at), stops.length - 2);
  const [a, b] = [rgbOf(stops[below]), rgbOf(stops[below + 1])];
  return /** @type {Rgb} */ (a.map((value, channel) => Math.round(value + (b[channel] - value) * (at - below))));
}

/** 256 colours as RGBA bytes, for a texture or a legend. @param {string} map */
export function coloursOf(map) {
  const bytes = new Uint8Array(256 * 4);
  for (let at = 0; at < 256; at++) bytes.set([...colourAt(map, at / 255), 255], at * 4);
  return bytes;
}

/**
 * How much of the overlay is seen at a place of its window: with `seeThrough` it fades in over the lower half, so
 * that what takes nothing up leaves the picture below as it is.
 * @param {number} place  0 to 1 @param {number} opacity  0 to 1 @param {boolean} seeThrough
 */
export const shareAt = (place, opacity, seeThrough) => opacity * (seeThrough ? Math.min(1, 2 * Math.min(Math.max(place, 0), 1)) : 1);
