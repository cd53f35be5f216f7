/** A line of recent values, 84 x 32, without axes: it shows a course, the number beside it says how much. */

import { svg } from "./svg.js";

const WIDTH = 84;
const HEIGHT = 32;

/** Points of the line, the largest value at the top, 0 at the bottom. @param {number[]} values */
export function linePoints(values, width = WIDTH, height = HEIGHT) {
  const top = Math.max(...values, 1e-9);
  const step = width / Math.max(1, values.length - 1);
  return values.map((value, index) => [index * step, height - 1 - (Math.max(0, value) / top) * (height - 3)]);
}

/** @param {number[]} values */
export function sparkline(values) {
  const points = linePoints(values);
  const path = points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return svg("svg", { class: "sparkline", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    svg("path", { class: "sparkline__area", d: `${path}L${WIDTH} ${HEIGHT}L0 ${HEIGHT}Z` }),
    svg("path", { class: "sparkline__line", d: path }));
}
