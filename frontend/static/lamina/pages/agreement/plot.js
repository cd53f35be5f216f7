/** A Bland-Altman plot as SVG, drawn for the width it has, so that its words keep their size. */

import "../../components/definition.js";
import { h } from "../../components/dom.js";
import { ml, number } from "../../components/format.js";
import { roving } from "../../components/roving.js";
import { svg } from "../../components/svg.js";
import { apart, blandAltmanFrame, digitsOf } from "../../geometry/plot.js";
import { gettext, interpolate } from "../../i18n.js";

const HEIGHT = 232;
const EDGE = { top: 10, right: 54, bottom: 42, left: 58 };
const LABEL_GAP = 15;
const HIT = 12; // px around a dot: the smallest target is 24 wide

/** @typedef {{ mean_ml: number, difference_ml: number, study: string, pseudonym: string }} Point */

export class BlandAltman {
  /**
   * @param {Point[]} points @param {{ bias: number | null, lower: number | null, upper: number | null }} lines mL
   * @param {{ a: string, b: string }} names  whose volume less whose
   */
  constructor(points, lines, names) {
    this.points = [...points].sort((one, other) => one.mean_ml - other.mean_ml);
    this.lines = lines;
    this.names = names;
    this.width = 0;
    this.element = h("div", { class: "plot__frame" });
    roving(this.element, "a");
    new ResizeObserver(([entry]) => this.draw(Math.round(entry.contentRect.width))).observe(this.element);
  }

  /** @param {number} whole px */
  draw(whole) {
    if (whole < 160 || whole === this.width) return;
    this.width = whole;
    const focused = [...this.element.querySelectorAll("a")].indexOf(/** @type {any} */ (document.activeElement));
    const width = whole - EDGE.left - EDGE.right;
    const height = HEIGHT - EDGE.top - EDGE.bottom;
    const frame = blandAltmanFrame(this.points, this.lines, width, height);
    this.element.replaceChildren(svg("svg", { class: "plot__image", width: whole, height: HEIGHT, role: "group", "aria-label": gettext("Cases, from the smallest volume to the largest") },
      svg("g", { transform: `translate(${EDGE.left} ${EDGE.top})` },
        this.axes(frame, width, height),
        this.levels(frame, width, height),
        this.points.map((point, index) => this.dot(point, frame.dots[index])))));
    const dots = this.element.querySelectorAll("a");
    dots.forEach((/** @type {any} */ dot, /** @type {number} */ index) => dot.setAttribute("tabindex", index === Math.max(0, focused) ? "0" : "-1"));
    if (focused >= 0) dots[focused].focus();
  }

  /** @param {ReturnType<typeof blandAltmanFrame>} frame @param {number} width @param {number} height */
  axes(frame, width, height) {
    const words = (/** @type {number[]} */ values) => values.map((value) => number(value, digitsOf(values)));
    const [across, along] = [words(frame.across), words(frame.along)];
    return svg("g", { class: "plot__axes", "aria-hidden": "true" },
      svg("path", { class: "plot__axis", d: `M0 0V${height}H${width}` }),
      frame.across.map((value, index) => svg("text", { x: frame.x(value), y: height + 16, "text-anchor": "middle" }, across[index])),
      frame.along.map((value, index) => svg("text", { x: -8, y: frame.y(value) + 4, "text-anchor": "end" }, along[index])),
      svg("text", { class: "plot__title", x: width / 2, y: height + 34, "text-anchor": "middle" }, gettext("mean of both, mL")),
      svg("text", { class: "plot__title", transform: `translate(${12 - EDGE.left} ${height / 2}) rotate(-90)`, "text-anchor": "middle" }, gettext("difference, mL")));
  }

  /** Zero, bias and limits of agreement, each with its number at the right edge. @param {ReturnType<typeof blandAltmanFrame>} frame @param {number} width @param {number} height */
  levels(frame, width, height) {
    const shown = Object.entries(this.lines).flatMap(([key, value]) => (value === null ? [] : [{ key, value, y: frame.y(value) }]));
    const places = apart(shown.map(({ y }) => y), LABEL_GAP, height);
    return svg("g", { "aria-hidden": "true" },
      svg("line", { class: "plot__zero", x1: 0, x2: width, y1: frame.y(0), y2: frame.y(0) }),
      shown.map(({ key, value, y }, index) => [
        svg("line", { class: `plot__level plot__level--${key}`, x1: 0, x2: width, y1: y, y2: y }),
        svg("text", { class: "plot__value", x: width + 6, y: places[index] + 4 }, number(value, 1)),
      ]));
  }

  /** @param {Point} point @param {{ x: number, y: number, isOutside: boolean }} at */
  dot(point, { x, y, isOutside }) {
    const values = { case: point.pseudonym, mean: ml(point.mean_ml), difference: ml(point.difference_ml), ...this.names };
    const text = interpolate(gettext("{case}: mean {mean}, {a} less {b} {difference}."), values) + (isOutside ? ` ${gettext("Outside the limits of agreement.")}` : "");
    return svg("a", { class: isOutside ? "plot__dot plot__dot--outside" : "plot__dot", href: `/studies/${point.study}/`, "aria-label": interpolate(gettext("Open {case}"), { case: point.pseudonym }), dataset: { definition: text } },
      svg("circle", { class: "plot__hit", cx: x, cy: y, r: HIT }),
      isOutside ? svg("path", { d: `M${x} ${y - 6}l6 6l-6 6l-6 -6z` }) : svg("circle", { cx: x, cy: y, r: 4 }));
  }
}
