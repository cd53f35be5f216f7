// Texts on the image: position, value, window. Numbers as everywhere (components/format.js).

import { NARROW, number } from "../components/format.js";

/** Between a letter and its number; the narrow space before a unit would run them together at this size. */
const SPACE = "\u00a0";

/** @import { Vec3 } from "./vectors.js" */

/** @param {number} value @param {string} unit @param {number} [decimals] */
const withUnit = (value, unit, decimals = 0) => number(value, decimals) + (unit ? NARROW + unit : "");

/** A length of a scale bar without useless zeros: 50, 0.5. @param {number} value */
export const barLength = (value) => withUnit(value, "mm", value >= 1 ? 0 : Math.ceil(-Math.log10(value)));

/** "R 66.0 A 6.0 S 258.0 mm" from an LPS point. @param {Vec3} point */
export function position(point) {
  const letters = [["L", "R"], ["P", "A"], ["S", "I"]];
  const parts = point.map((value, axis) => `${letters[axis][value >= 0 ? 0 : 1]}${SPACE}${number(Math.abs(value), 1)}`);
  return `${parts.join(" ")}${NARROW}mm`;
}

/** Where there are no millimetres: "column 12 row 34 slice 5", counted from 1. @param {Vec3} index  (k, j, i) */
export const indexPosition = ([k, j, i]) => `x${SPACE}${i + 1} y${SPACE}${j + 1} z${SPACE}${k + 1}`;

/** A voxel's value with its unit: HU whole, SUV with one decimal in front, others as they are. @param {number} value @param {string} unit */
export function pixelValue(value, unit) {
  if (unit === "SUV") return `SUV${SPACE}${number(value, 1)}`;
  const decimals = unit === "HU" || Math.abs(value - Math.round(value)) < 1e-6 || Math.abs(value) >= 100 ? 0 : 2;
  return withUnit(value, unit, decimals);
}

/** "W 400 L 40 HU" or "SUV 0.0 – 5.0". @param {{width: number, level: number}} window @param {string} unit */
export function windowText({ width, level }, unit) {
  if (unit === "SUV") return `SUV${SPACE}${number(level - width / 2, 1)} – ${number(level + width / 2, 1)}`;
  const decimals = width < 10 ? 2 : 0;
  return `W${SPACE}${number(width, decimals)} L${SPACE}${number(level, decimals)}${unit ? SPACE + unit : ""}`;
}
