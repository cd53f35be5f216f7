/**
 * Statistics in words: the number with its unit, its interval, how many cases it stands on and what it means. No DOM.
 *
 * A number that cannot be computed says why; it is never shown as 0 or 1.
 */

import { gettext, interpolate, ngettext } from "../i18n.js";
import { DASH, NARROW, dice, duration, ml, mm, number, percent } from "./format.js";

/** @typedef {{ value: number | null, low: number | null, high: number | null, n: number, why: string | null }} Statistic */
/** How one kind of number is written and what it means. @typedef {{ name: string, word: (value: number) => string, definition: string, of?: (n: number) => string, none?: string }} Measure */

const cases = (/** @type {number} */ n) => interpolate(ngettext("{count} case", "{count} cases", n), { count: number(n) });
const places = (/** @type {number} */ n) => interpolate(ngettext("{count} place", "{count} places", n), { count: number(n) });

/** Percent of a mean, one decimal. @param {number} value */
const percents = (value) => `${number(value, 1)}\u202f%`;

/** @param {string} key @returns {Measure} */
export function measureOf(key) {
  switch (key) {
    case "dice":
      return { name: "Dice", word: dice, definition: gettext("Overlap of both: twice the shared volume by the sum of both. 1 is the same.") };
    case "hd95_mm":
      return { name: "HD95", word: mm, definition: gettext("95 of 100 points of either surface are nearer than this to the other one.") };
    case "assd_mm":
      return { name: "ASSD", word: mm, definition: gettext("Average distance from either surface to the other one.") };
    case "volume_percent":
      return { name: gettext("Volume difference"), word: percents, definition: gettext("Difference of both volumes by their mean, without sign.") };
    case "two_way":
      return { name: "ICC(2,1)", word: dice, definition: gettext("Share of the spread of volumes that lies between cases, not readers: absolute agreement of one reader, the same readers in every case. 1 is the same.") };
    case "one_way":
      return { name: "ICC(1,1)", word: dice, definition: gettext("Share of the spread of volumes that lies between cases, not readers: one reader, other readers in each case. 1 is the same.") };
    case "cohen":
      return { name: gettext("Cohen’s kappa"), word: dice, definition: gettext("Agreement of two readers beyond what chance would give. 1 is the same, 0 is chance.") };
    case "fleiss":
      return { name: gettext("Fleiss’ kappa"), word: dice, definition: gettext("Agreement of several readers beyond what chance would give. 1 is the same, 0 is chance.") };
    case "bias":
      return { name: gettext("Bias"), word: ml, definition: gettext("Mean difference of both volumes: the first reader less the second.") };
    case "upper":
      return { name: gettext("Upper limit"), word: ml, definition: gettext("Bias plus 1.96 standard deviations: 95 of 100 differences lie between the limits of agreement.") };
    case "lower":
      return { name: gettext("Lower limit"), word: ml, definition: gettext("Bias less 1.96 standard deviations: 95 of 100 differences lie between the limits of agreement.") };
    case "within":
      return { name: gettext("Within the limits"), word: percent, definition: gettext("Cases whose reads all agree within the project’s limits, before anybody adjudicated.") };
    case "over_reliance":
      return { name: gettext("Over-reliance"), word: percent, of: places, none: gettext("no such place"), definition: gettext("Of the places where the algorithm was wrong: those where the reader went over to it.") };
    case "under_reliance":
      return { name: gettext("Under-reliance"), word: percent, of: places, none: gettext("no such place"), definition: gettext("Of the places where the algorithm was right: those where the reader kept the own outline.") };
    default:
      return { name: gettext("Time to change"), word: duration, of: places, none: gettext("not measured"), definition: gettext("Median time a place was looked at until the reader went over to the algorithm.") };
  }
}

/** The number itself. @param {Statistic} statistic @param {Measure} measure */
export const valueWord = (statistic, measure) => (statistic.value === null ? DASH : measure.word(statistic.value));

/** "0.88 to 0.93", "2.4 to 3.7 mm"; "" where there is none. @param {Statistic} statistic @param {Measure} measure */
export function intervalWord({ low, high }, measure) {
  if (low === null || high === null) return "";
  const [from, to] = [measure.word(low), measure.word(high)];
  const [bare, unit, ...more] = from.split(NARROW);
  const isShared = more.length === 0 && unit !== undefined && to.endsWith(NARROW + unit) && to.split(NARROW).length === 2;
  return interpolate(gettext("{low} to {high}"), { low: isShared ? bare : from, high: to });
}

/** Why there is no number. @param {Statistic} statistic @param {Measure} measure */
export const whyWord = ({ why }, measure) => (!why ? "" : why === "no_variation" ? gettext("no spread to judge by") : measure.none ?? gettext("too few cases"));

/** Everything a number needs said: what it is, on how many it stands, how sure it is. @param {Statistic} statistic @param {Measure} measure */
export function explained(statistic, measure) {
  const interval = intervalWord(statistic, measure);
  const count = (measure.of ?? cases)(statistic.n);
  const sure = statistic.value === null ? whyWord(statistic, measure) : interval ? interpolate(gettext("95 % interval {interval}"), { interval }) : gettext("no interval");
  return interpolate(gettext("{name}: {value}. {definition} From {count}, {sure}."), { name: measure.name, value: valueWord(statistic, measure), definition: measure.definition, count, sure });
}
