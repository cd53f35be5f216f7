// Window width and level: presets per modality, the mapping, and the drag. Widths and levels are real values
// (HU, SUV, or the modality's own). A preset carries its id; the page has the words (pages/study/words.js).

/** @typedef {{ width: number, level: number }} Window */
/** @typedef {{ id: string, width: number, level: number, key: number | null }} Preset  key: 1 to 5, or menu only */

/** Sources of the CT numbers: OHIF (1 to 5), Stone of Orthanc, dwv and a teaching site (menu only). */
const CT = [preset("soft", 400, 40, 1), preset("lung", 1500, -600, 2), preset("liver", 150, 90, 3), preset("bone", 2500, 480, 4),
  preset("brain", 80, 40, 5), preset("abdomen", 400, 60), preset("angio", 600, 300), preset("head-wide", 350, 90),
  preset("bone-narrow", 1500, 300), preset("stroke", 40, 40)];
/** Upper ends of the SUV windows on keys 1 to 5. */
const SUV = [3, 5, 7, 10, 15];

/** @param {string} id @param {number} width @param {number} level @param {number | null} [key] @returns {Preset} */
function preset(id, width, level, key = null) {
  return Object.freeze({ id, width, level, key });
}

/** From low and high ends to width and level. @param {number} low @param {number} high @returns {Window} */
export const between = (low, high) => ({ width: Math.max(high - low, 1e-6), level: (low + high) / 2 });

/**
 * The presets of a series, those on keys 1 to 5 first.
 * @param {string} modality
 * @param {{ window: number[], automatic_window: number[], value_range: number[] }} volume  windows as (width, level)
 * @returns {Preset[]}
 */
export function presetsFor(modality, volume) {
  if (modality === "CT") return CT;
  if (modality === "PT") return SUV.map((upper, place) => preset(`suv-${upper}`, upper, upper / 2, place + 1));
  const full = between(volume.value_range[0], volume.value_range[1]);
  return [
    preset("file", volume.window[0], volume.window[1], 1),
    preset("automatic", volume.automatic_window[0], volume.automatic_window[1], 2),
    preset("full", full.width, full.level, 3),
  ];
}

/**
 * The window a series opens with: PET 0 to 5 by habit, everything else as the server says.
 * @param {string} modality @param {{ window: number[], automatic_window: number[], value_range: number[] }} volume @returns {Window}
 */
export function openingWindow(modality, volume) {
  if (modality === "PT") return { width: 5, level: 2.5 };
  const [width, level] = volume.window;
  return width > 0 ? { width, level } : between(volume.value_range[0], volume.value_range[1]);
}

/**
 * Grey between 0 and 1 by DICOM PS3.3 C.11.2.1.2.1 (linear), the definition with the half and the one.
 * @param {number} value @param {Window} window
 */
export function grey(value, { width, level }) {
  const centre = level - 0.5;
  const span = Math.max(width - 1, 1e-6);
  return Math.min(1, Math.max(0, (value - centre) / span + 0.5));
}

/**
 * The same line as low end and factor, for a shader: grey = (value - low) * factor, clamped.
 * Windows of one unit or less (SUV) take C.11.2.1.3.2 (linear exact), where the half and one would eat the image.
 * @param {Window} window
 */
export function ramp({ width, level }) {
  if (width <= 16) return { low: level - width / 2, factor: 1 / Math.max(width, 1e-6) };
  const span = width - 1;
  return { low: level - 0.5 - span / 2, factor: 1 / span };
}

/**
 * Drag to the right widens, drag down darkens nothing but raises the level: one pixel is width / 400.
 * @param {Window} window  at the start of the drag @param {number} dx  px @param {number} dy  px
 * @param {number} smallest  the narrowest width, one step of the values @returns {Window}
 */
export function draggedWindow(window, dx, dy, smallest) {
  const step = window.width / 400;
  return { width: Math.max(smallest, window.width + dx * step), level: window.level + dy * step };
}

/** Is this the preset? Half a unit in a hundred is close enough. @param {Window} window @param {Window} other */
export const sameWindow = (window, other) =>
  Math.abs(window.width - other.width) <= 0.005 * other.width && Math.abs(window.level - other.level) <= 0.005 * other.width;
