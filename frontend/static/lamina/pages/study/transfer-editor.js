// The editor of a transfer function: points over the histogram, values to the right, opacity upwards. A point is dragged,
// or chosen and moved by the arrow keys; a double click or "Add" makes one, Delete takes one away.

import { h, icon } from "../../components/dom.js";
import { percent } from "../../components/format.js";
import { svg } from "../../components/svg.js";
import { pixelValue } from "../../geometry/format.js";
import { addedPoint, movedPoint, ordered, removedPoint } from "../../geometry/transfer.js";
import { clamp } from "../../geometry/vectors.js";
import { gettext, interpolate } from "../../i18n.js";

/** @import { TransferPoint } from "../../geometry/transfer.js" */

const WIDTH = 300;
const HEIGHT = 112;
const EDGE = 10;
/** Opacity grows quickly to what hides: the square root gives the thin values, where it matters, more room. */
const up = (/** @type {number} */ opacity) => HEIGHT - EDGE - Math.sqrt(opacity) * (HEIGHT - 2 * EDGE);
const opacityAt = (/** @type {number} */ y) => clamp((HEIGHT - EDGE - y) / (HEIGHT - 2 * EDGE), 0, 1) ** 2;

/** @param {(points: TransferPoint[]) => void} onChange */
export function makeTransferEditor(onChange) {
  let range = { low: 0, high: 1 };
  let unit = "";
  /** @type {TransferPoint[]} */
  let points = [];
  let chosen = 0;
  /** @type {(() => Float32Array) | null} */
  let count = null;
  let counted = false;

  const bars = svg("path", { class: "transfer__bars" });
  const line = svg("polyline", { class: "transfer__line" });
  const dots = svg("g");
  const picture = svg("svg", { class: "transfer__picture", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": gettext("Opacity by value") });
  picture.append(bars, line, dots);
  const text = h("output", { class: "transfer__text" });
  const colour = h("input", { class: "transfer__colour", type: "color", "aria-label": gettext("Colour of the point"), oninput: () => change({ colour: colour.value }) });
  const add = h("button", { class: "icon-button", type: "button", title: gettext("Add a point"), "aria-label": gettext("Add a point"), dataset: { act: "add-point" }, onclick: () => addBeside() }, icon("plus"));
  const remove = h("button", { class: "icon-button", type: "button", title: gettext("Remove the point"), "aria-label": gettext("Remove the point"), dataset: { act: "remove-point" }, onclick: () => removeChosen() }, icon("minus"));
  const element = h("div", { class: "transfer" }, picture, h("div", { class: "transfer__foot" }, colour, text, add, remove));

  const x = (/** @type {number} */ value) => EDGE + (clamp((value - range.low) / (range.high - range.low), 0, 1)) * (WIDTH - 2 * EDGE);
  const valueAt = (/** @type {number} */ at) => range.low + clamp((at - EDGE) / (WIDTH - 2 * EDGE), 0, 1) * (range.high - range.low);
  /** @param {MouseEvent} event */
  const place = (event) => {
    const box = picture.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT];
  };

  /** @param {Partial<TransferPoint>} part */
  function change(part) {
    points = movedPoint(points, chosen, part, range);
    draw();
    onChange(points);
  }

  /** @param {number} value */
  function addAt(value) {
    const before = points;
    points = addedPoint(points, value);
    chosen = points.findIndex((point) => !before.includes(point));
    draw();
    dots.children[chosen]?.focus();
    onChange(points);
  }

  /** Half way to the next point, or back from the last. */
  function addBeside() {
    const other = points[chosen + 1] ?? points[chosen - 1];
    addAt((points[chosen].value + other.value) / 2);
  }

  function removeChosen() {
    const fewer = removedPoint(points, chosen);
    if (fewer === points) return;
    points = fewer;
    chosen = Math.min(chosen, points.length - 1);
    draw();
    dots.children[chosen]?.focus();
    onChange(points);
  }

  /** @param {number} at */
  function dot(at) {
    const group = svg("g", { class: "transfer__dot", tabindex: 0, role: "slider", "data-point": at });
    group.append(svg("circle", { class: "transfer__reach", r: 12 }), svg("circle", { class: "transfer__ring", r: 6 }));
    const choose = () => {
      chosen = Number(group.dataset.point);
      draw();
    };
    group.addEventListener("focus", choose);
    group.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      event.preventDefault();
      group.focus();
      choose(); // one that had the focus already hears of no other
      group.setPointerCapture(event.pointerId);
    });
    group.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
      if (!group.hasPointerCapture(event.pointerId)) return;
      const [atX, atY] = place(event);
      change({ value: valueAt(atX), opacity: opacityAt(atY) });
    });
    group.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const step = event.shiftKey ? 5 : 1;
      const { value, opacity } = points[chosen];
      const values = ((range.high - range.low) / 200) * step;
      const height = Math.sqrt(opacity);
      const acts = {
        ArrowLeft: () => change({ value: value - values }),
        ArrowRight: () => change({ value: value + values }),
        ArrowUp: () => change({ opacity: Math.min(1, height + 0.02 * step) ** 2 }),
        ArrowDown: () => change({ opacity: Math.max(0, height - 0.02 * step) ** 2 }),
        Delete: removeChosen,
        Backspace: removeChosen,
        "+": addBeside,
      };
      const act = acts[/** @type {keyof typeof acts} */ (event.key)];
      if (!act) return;
      // The page's own keys (slices by the arrows) do not hear it.
      event.preventDefault();
      event.stopPropagation();
      act();
    });
    return group;
  }

  function draw() {
    while (dots.children.length < points.length) dots.append(dot(dots.children.length));
    while (dots.children.length > points.length) dots.lastChild.remove();
    points.forEach(({ value, opacity, colour: paint }, at) => {
      const group = dots.children[at];
      group.setAttribute("transform", `translate(${x(value).toFixed(1)} ${up(opacity).toFixed(1)})`);
      group.setAttribute("aria-label", interpolate(gettext("Point {number} of {count}"), { number: at + 1, count: points.length }));
      group.setAttribute("aria-valuemin", String(Math.round(range.low)));
      group.setAttribute("aria-valuemax", String(Math.round(range.high)));
      group.setAttribute("aria-valuenow", String(Number(value.toPrecision(5))));
      group.setAttribute("aria-valuetext", `${pixelValue(value, unit)}, ${percent(opacity)}`);
      group.toggleAttribute("data-chosen", at === chosen);
      group.lastChild.setAttribute("fill", paint);
    });
    const ends = points.length ? [[EDGE, up(points[0].opacity)], ...points.map(({ value, opacity }) => [x(value), up(opacity)]), [WIDTH - EDGE, up(points[points.length - 1].opacity)]] : [];
    line.setAttribute("points", ends.map((pair) => pair.map((one) => one.toFixed(1)).join(",")).join(" "));
    const point = points[chosen];
    if (!point) return;
    text.textContent = `${pixelValue(point.value, unit)} · ${percent(point.opacity)}`;
    colour.value = point.colour;
    remove.disabled = points.length <= 2;
  }

  picture.addEventListener("dblclick", (/** @type {MouseEvent} */ event) => {
    if (/** @type {Element} */ (event.target).closest(".transfer__dot")) return;
    addAt(valueAt(place(event)[0]));
  });

  return {
    element,
    /** @param {{ low: number, high: number }} values @param {string} name  of the unit */
    setRange(values, name) {
      range = values;
      unit = name;
      counted = false;
      bars.setAttribute("d", "");
    },
    /** How to count the values, asked once when the editor is open. @param {(() => Float32Array) | null} ask */
    setHistogram(ask) {
      count = ask;
    },
    /** @param {TransferPoint[]} next */
    show(next) {
      if (next !== points) {
        points = ordered(next);
        // A point that keeps the focus through a change of curve stays the chosen one.
        const held = Array.from(dots.children).indexOf(/** @type {Element} */ (document.activeElement));
        chosen = Math.max(0, Math.min(held < 0 ? chosen : held, points.length - 1));
      }
      if (count && !counted) {
        counted = true;
        const heights = count();
        const step = (WIDTH - 2 * EDGE) / heights.length;
        bars.setAttribute("d", Array.from(heights, (height, at) => `M${(EDGE + at * step).toFixed(1)} ${HEIGHT - EDGE}v${(-height * (HEIGHT - 2 * EDGE)).toFixed(1)}h${step.toFixed(1)}V${HEIGHT - EDGE}`).join(""));
      }
      draw();
    },
  };
}
