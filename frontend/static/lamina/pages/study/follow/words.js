// Numbers of a change, in words.

import { DASH, NARROW, ml, mm, number } from "../../../components/format.js";
import { gettext, interpolate, ngettext } from "../../../i18n.js";

/** "+5.0 mL", "−0.3 mm": what grew has a plus. @param {number | null} value @param {(value: number) => string} format */
export const signed = (value, format) => (value === null ? DASH : `${value > 0 ? "+" : ""}${format(value)}`);

/** @param {number | null} value  in percent */
export const signedPercent = (value) => (value === null ? "" : signed(value, (one) => `${number(one, 1)}${NARROW}%`));

/** @param {number | null} value */
export const signedMl = (value) => signed(value, ml);

/** @param {number | null} value */
export const signedMm = (value) => signed(value, mm);

/** @param {number} days */
export const daysText = (days) => interpolate(ngettext("{count} day", "{count} days", days), { count: number(days) });

/** Ten years: a longer doubling time says that nothing grows. */
const LONG = 3650;

/** "Doubles in 80 days", "Halves in 31 days". @param {number | null} days  below 0: it halves */
export function doublingText(days) {
  if (days === null) return "";
  const long = Math.abs(days) > LONG;
  const time = long ? gettext("over 10 years") : daysText(Math.max(1, Math.round(Math.abs(days))));
  return interpolate(days > 0 ? gettext("doubles in {time}") : gettext("halves in {time}"), { time });
}
