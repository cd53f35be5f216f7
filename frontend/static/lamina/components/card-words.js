/** Reading an algorithm's card: measured numbers on one side, what else it says on the other. No DOM. */

import { gettext, known } from "../i18n.js";
import { NARROW, number } from "./format.js";

/**
 * @typedef {object} Measure
 * @property {string} name
 * @property {string} group which set or segment it speaks of, "" for all
 * @property {number} mean
 * @property {number | null} low
 * @property {number | null} high
 * @property {number | null} worst
 * @property {string} worstCase
 * @property {number | null} n
 * @property {string} definition
 * @property {string} unit
 */

const CONTAINERS = new Set(["metrics", "summary", "measured", "evaluation"]);

const isMeasure = (/** @type {any} */ value) => value && typeof value === "object" && typeof value.mean === "number";

/**
 * Every entry with a mean, wherever the card keeps it; the path above its name becomes the group.
 * @param {any} card @param {string[]} [path] @returns {Measure[]}
 */
export function measuresOf(card, path = []) {
  if (!card || typeof card !== "object" || path.length > 4) return [];
  return Object.entries(card).flatMap(([name, value]) => {
    if (!isMeasure(value)) return measuresOf(value, [...path, name]);
    // "whole.hd95_mm" speaks of the whole, "hd95_mm" in a part named "localiser" of the localiser.
    const parts = name.split(".");
    const measure = parts.pop() ?? name;
    const group = [...path.filter((part) => !CONTAINERS.has(part)), ...parts].join(", ");
    return {
      name: measure,
      group,
      mean: value.mean,
      low: value.low ?? null,
      high: value.high ?? null,
      worst: value.worst ?? null,
      worstCase: String(value.worst_case ?? ""),
      n: value.n ?? null,
      definition: value.definition ?? "",
      unit: value.unit ?? "",
    };
  });
}

const NAMES = /** @type {Record<string, string>} */ ({ dice: "Dice", hd95: "HD95", assd: "ASSD", auc: "AUC" });
const UNITS = /_(mm|ml|percent|seconds|s)$/i;

/** A measure's name as people say it; its unit stands with the numbers. "hd95_mm" -> "HD95". @param {string} key */
export function measureTitle(key) {
  const plainKey = key.replace(UNITS, "");
  return NAMES[plainKey] ?? title(plainKey);
}

/** "known_failures" -> "Known failures". @param {string} key */
export function title(key) {
  const text = key.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const plain = (/** @type {any} */ value) =>
  typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 3) : typeof value === "boolean" ? (value ? gettext("yes") : gettext("no")) : String(value);

/**
 * The card's other lines as [title, text], long texts last.
 * @param {any} card @returns {[string, string][]}
 */
export function linesOf(card) {
  return Object.entries(card ?? {})
    .filter(([, value]) => value !== null && (typeof value !== "object" || (Array.isArray(value) && value.every((v) => typeof v !== "object"))))
    .map(([key, value]) => /** @type {[string, string]} */ ([title(key), Array.isArray(value) ? value.map((one) => known(plain(one))).join(" ") : plain(value)]))
    .sort((a, b) => Number(a[1].length > 60) - Number(b[1].length > 60));
}

const DIGITS = { mm: 1, mL: 1, HU: 0, "%": 0, "": 2 };

/**
 * A measured number with its unit, rounded as everywhere; `bare` leaves the unit to a neighbour.
 * @param {number | null} value @param {string} unit @param {boolean} [bare]
 */
export function measured(value, unit, bare = false) {
  if (value === null) return "";
  const digits = /** @type {Record<string, number>} */ (DIGITS)[unit] ?? 2;
  return unit && !bare ? `${number(value, digits)}${NARROW}${unit}` : number(value, digits);
}
