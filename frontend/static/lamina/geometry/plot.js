/** Where things of a small chart lie, in px. Pure: numbers in, numbers out. */

/**
 * From data to px and the other way round is not needed: charts here are looked at.
 * @param {[number, number]} domain @param {[number, number]} range px @returns {(value: number) => number}
 */
export const scale = ([low, high], [from, to]) => (value) => from + ((value - low) / (high - low)) * (to - from);

/** 1, 2 or 5 times a power of ten, so that at most `most` of them fit. @param {number} span @param {number} most */
export function roundStep(span, most) {
  const rough = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** Round numbers inside the domain. @param {[number, number]} domain @param {number} most @returns {number[]} */
export function ticks([low, high], most) {
  const step = roundStep(high - low, most);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}

/** Decimals that tell neighbouring ticks apart. @param {number[]} values */
export const digitsOf = (values) => (values.length < 2 ? 1 : Math.max(0, -Math.floor(Math.log10(values[1] - values[0]) + 1e-9)));

/**
 * The smallest and largest with room around; never empty, also where all are the same.
 * @param {number[]} values @param {number} [room] share of the span on each side @returns {[number, number]}
 */
export function domainOf(values, room = 0.08) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || Math.abs(high) || 1;
  return [low - span * room, high + span * room];
}

/**
 * Labels on one edge, kept apart: each as near to where it belongs as the others allow, inside 0 to `height`.
 * @param {number[]} places px, in any order @param {number} gap px @param {number} height px @returns {number[]}
 */
export function apart(places, gap, height) {
  const order = places.map((_, index) => index).sort((a, b) => places[a] - places[b]);
  const found = [...places];
  order.forEach((index, at) => {
    if (at) found[index] = Math.max(found[index], found[order[at - 1]] + gap);
  });
  for (let at = order.length - 1; at >= 0; at -= 1) {
    const below = at === order.length - 1 ? height + gap / 2 : found[order[at + 1]];
    found[order[at]] = Math.min(found[order[at]], below - gap);
  }
  return found;
}

/**
 * A Bland-Altman plot. `x`, `y` of a dot in px from the top left of the inner frame; `isOutside`: beyond the limits.
 * @param {{ mean_ml: number, difference_ml: number }[]} points
 * @param {{ bias: number | null, lower: number | null, upper: number | null }} lines
 * @param {number} width px @param {number} height px
 */
export function blandAltmanFrame(points, lines, width, height) {
  const { bias, lower, upper } = lines;
  const marks = [bias, lower, upper].filter((one) => one !== null);
  const across = domainOf(points.map((one) => one.mean_ml));
  const along = domainOf([0, ...points.map((one) => one.difference_ml), .../** @type {number[]} */ (marks)]);
  const x = scale(across, [0, width]);
  const y = scale(along, [height, 0]);
  return {
    x,
    y,
    across: ticks(across, Math.max(2, Math.floor(width / 70))),
    along: ticks(along, Math.max(2, Math.floor(height / 36))),
    dots: points.map((one) => ({
      x: x(one.mean_ml),
      y: y(one.difference_ml),
      isOutside: lower !== null && upper !== null && (one.difference_ml < lower || one.difference_ml > upper),
    })),
  };
}
