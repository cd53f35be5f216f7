// Numbers as SCREENS has them: narrow space before the unit, a real minus, thousands with a comma in every language.

/** @import { Vec3 } from "./vectors.js" */

export const NARROW_SPACE = "\u202f";
const MINUS = "\u2212";

/** @param {number} value @param {number} [decimals] */
export function number(value, decimals = 0) {
  const text = Math.abs(value).toFixed(decimals);
  const [whole, fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const negative = value < 0 && Number(text) !== 0;
  return (negative ? MINUS : "") + grouped + (fraction ? "." + fraction : "");
}

/** @param {number} value @param {string} unit @param {number} [decimals] */
export const withUnit = (value, unit, decimals = 0) => (unit ? number(value, decimals) + NARROW_SPACE + unit : number(value, decimals));

/** @param {number} value */
export const millimetres = (value) => withUnit(value, "mm", 1);

/** mL with one decimal; two below 10, where a hippocampus would lose its difference. @param {number} value */
export const millilitres = (value) => withUnit(value, "mL", Math.abs(value) < 10 ? 2 : 1);

/** @param {number} fraction 0 to 1 */
export const percent = (fraction) => withUnit(Math.round(fraction * 100), "%");

/** A length of a scale bar without useless zeros: 50, 0.5. @param {number} value */
export const barLength = (value) => withUnit(value, "mm", value >= 1 ? 0 : Math.ceil(-Math.log10(value)));

/** "R 66.0 A 6.0 S 258.0 mm" from an LPS point. @param {Vec3} point */
export function position(point) {
  const letters = [["L", "R"], ["P", "A"], ["S", "I"]];
  const parts = point.map((value, axis) => `${letters[axis][value >= 0 ? 0 : 1]}${NARROW_SPACE}${number(Math.abs(value), 1)}`);
  return `${parts.join(" ")}${NARROW_SPACE}mm`;
}

/** A voxel's value with its unit: HU whole, SUV with one decimal in front, others as they are. @param {number} value @param {string} unit */
export function pixelValue(value, unit) {
  if (unit === "SUV") return `SUV${NARROW_SPACE}${number(value, 1)}`;
  const decimals = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 2;
  return withUnit(value, unit, unit === "HU" ? 0 : decimals);
}

/** "W 400 L 40 HU" or "SUV 0 to 5". @param {{width: number, level: number}} window @param {string} unit */
export function windowText({ width, level }, unit) {
  if (unit === "SUV") return `SUV ${number(level - width / 2, 1)} – ${number(level + width / 2, 1)}`;
  const decimals = width < 10 ? 2 : 0;
  return `W${NARROW_SPACE}${number(width, decimals)} L${NARROW_SPACE}${number(level, decimals)}${unit ? NARROW_SPACE + unit : ""}`;
}

/** "0:48" or "12 min". @param {number} seconds */
export function duration(seconds) {
  if (seconds < 600) return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  return withUnit(Math.round(seconds / 60), "min");
}
