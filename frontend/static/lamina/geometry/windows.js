// Window width and level: presets per modality, the mapping, and the drag. Widths and levels are real values
// (HU, SUV, or the modality's own). Names are catalogue keys; the page translates them.

/** @typedef {{ width: number, level: number }} Window */
/** @typedef {{ id: string, name: string, width: number, level: number, key: number | null }} Preset */

/** Sources of the CT numbers: OHIF (1 to 5), Stone of Orthanc, dwv and a teaching site (menu only). */
const CT = [
  ["soft", "Soft tissue", 400, 40], ["lung", "Lung", 1500, -600], ["liver", "Liver", 150, 90],
  ["bone", "Bone", 2500, 480], ["brain", "Brain", 80, 40],
];
const CT_MENU = [
  ["abdomen", "Abdomen", 400, 60], ["angio", "Angio", 600, 300], ["head-wide", "Head, wide", 350, 90],
  ["bone-narrow", "Bone, narrow", 1500, 300], ["stroke", "Stroke", 40, 40],
];

/** From low and high ends to width and level. @param {number} low @param {number} high @returns {Window} */
export const between = (low, high) => ({ width: Math.max(high - low, 1e-6), level: (low + high) / 2 });

/**
 * The presets of a series, those on keys 1 to 5 first.
 * @param {string} modality
 * @param {{ window: number[], automatic_window: number[], value_range: number[] }} volume  windows as (width, level)
 * @returns {Preset[]}
 */
export function presetsFor(modality, volume) {
  if (modality === "CT") {
    return [
      ...CT.map(([id, name, width, level], place) => preset(id, name, width, level, place + 1)),
      ...CT_MENU.map(([id, name, width, level]) => preset(id, name, width, level, null)),
    ];
  }
  if (modality === "PT") {
    return [["suv-5", 5, 2], ["suv-3", 3, 1], ["suv-7", 7, 3], ["suv-10", 10, 4], ["suv-15", 15, 5]]
      .sort((a, b) => Number(a[2]) - Number(b[2]))
      .map(([id, upper, key]) => preset(id, `SUV 0–${upper}`, Number(upper), Number(upper) / 2, Number(key)));
  }
  const full = between(volume.value_range[0], volume.value_range[1]);
  return [
    preset("file", "From the file", volume.window[0], volume.window[1], 1),
    preset("automatic", "Automatic", volume.automatic_window[0], volume.automatic_window[1], 2),
    preset("full", "Full range", full.width, full.level, 3),
  ];
}

/** @param {string|number} id @param {string|number} name @param {string|number} width @param {string|number} level @param {number|null} key @returns {Preset} */
const preset = (id, name, width, level, key) => ({ id: String(id), name: String(name), width: Number(width), level: Number(level), key });

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
