/**
 * Numbers and times as SCREENS "Words" has them: one rounding for one kind of number, a unit behind a narrow space,
 * thousands with commas in both languages, a real minus sign. No DOM, so node tests it.
 */

import { gettext, interpolate, language } from "../i18n.js";

export const NARROW = "\u202f";
const MINUS = "\u2212";
export const DASH = "\u2014";

/** Making one takes longer than using it a hundred times, and every text of every viewport has numbers. @type {Map<number, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} value @param {number} digits */
export function number(value, digits = 0) {
  let format = formats.get(digits);
  if (!format) formats.set(digits, (format = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })));
  const text = format.format(Math.abs(value));
  return value < 0 && Number(text.replaceAll(",", "")) !== 0 ? MINUS + text : text;
}

/** @param {number | null | undefined} value @param {number} digits @param {string} unit */
const withUnit = (value, digits, unit) =>
  value === null || value === undefined || !Number.isFinite(value) ? DASH : number(value, digits) + NARROW + unit;

/** @param {number | null | undefined} value */
export const mm = (value) => withUnit(value, 1, "mm");
/** What is there but too little for one decimal is not nothing: "< 0.1 mL". @param {number | null | undefined} value */
export const ml = (value) => (value && value > 0 && value < 0.05 ? `<${NARROW}0.1${NARROW}mL` : withUnit(value, 1, "mL"));
/** People say PET where DICOM says PT. @param {string} modality */
export const modalityName = (modality) => (modality === "PT" ? "PET" : modality);

/** @param {number | null | undefined} value */
export const hu = (value) => withUnit(value, 0, "HU");
/** @param {number | null | undefined} value */
export const degrees = (value) => (value === null || value === undefined ? DASH : `${number(value, 1)}°`);
/** @param {number | null | undefined} fraction 0 to 1 */
export const percent = (fraction) => withUnit(fraction === null || fraction === undefined ? null : fraction * 100, 0, "%");
/** @param {number} value */
export const dice = (value) => number(value, 2);

/**
 * Spacing as people say it, in-plane first: (k, j, i) becomes "0.98 × 0.98 × 3.27 mm".
 * @param {number[] | null | undefined} kji
 */
export const spacing = (kji) =>
  kji ? [...kji].reverse().map((v) => number(v, 2)).join(" × ") + NARROW + "mm" : gettext("Spacing unknown");

/** @param {number} value */
export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let step = 0;
  while (size >= 1000 && step < units.length - 1) {
    size /= 1000;
    step += 1;
  }
  return number(size, step > 1 && size < 100 ? 1 : 0) + NARROW + units[step];
}

/** Seconds as "0:48", "12:05", "1:02:03". @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const [hours, minutes, rest] = parts;
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A stretch of time in words: "41 s", "1 min 24 s", "2 h 5 min". @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  if (whole < 60) return interpolate(gettext("{seconds}\u202fs"), { seconds: rest });
  if (whole < 3600) return interpolate(gettext("{minutes}\u202fmin {seconds}\u202fs"), { minutes, seconds: rest });
  return interpolate(gettext("{hours}\u202fh {minutes}\u202fmin"), { hours, minutes });
}

/** Hours and minutes, "14:05". @param {Date} [at] @param {string} [timeZone] */
export const timeOfDay = (at = new Date(), timeZone = zone()) =>
  new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone }).format(at);

const zone = () =>
  (typeof document !== "undefined" && document.documentElement.dataset.timeZone) ||
  Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * "now", "4 min" up to an hour, the clock up to a day, then the date.
 * @param {string} iso @param {Date} [now] @param {string} [timeZone]
 */
export function ago(iso, now = new Date(), timeZone = zone()) {
  const then = new Date(iso);
  // Rounded to the day, as while names are hidden: a clock would be made up.
  if (/T00:00:00(\.0+)?(Z|\+00:00)$/.test(iso)) return day(iso.slice(0, 10));
  const seconds = (now.getTime() - then.getTime()) / 1000;
  if (seconds < 60 && seconds > -60) return gettext("now");
  if (seconds >= 0 && seconds < 3600) return interpolate(gettext("{minutes}\u202fmin"), { minutes: Math.floor(seconds / 60) });
  if (seconds >= 0 && seconds < 86400) {
    return timeOfDay(then, timeZone);
  }
  return day(iso, timeZone);
}

/** A calendar day, "22 Nov 2026". @param {string} iso @param {string} [timeZone] */
export function day(iso, timeZone = zone()) {
  const dateOnly = /^\d{4}-\d{2}-\d{2}$/.test(iso);
  return new Intl.DateTimeFormat(language.startsWith("zh") ? "zh-Hans" : "en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: dateOnly ? "UTC" : timeZone,
  }).format(new Date(iso));
}

/** The full UTC time, for the tooltip. @param {string} iso */
export const utc = (iso) => `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Two letters for a person's round mark. @param {string} name */
export function initials(name) {
  const words = name.trim().split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words[words.length - 1] : ""].map((w) => w?.[0] ?? "").join("").toUpperCase() || "?";
}

/** @param {number | null | undefined} seconds */
export const timeLeft = (seconds) =>
  seconds === null || seconds === undefined ? "" : interpolate(gettext("{time} left"), { time: clock(seconds) });
