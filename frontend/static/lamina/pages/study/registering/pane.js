// One series in the dialog of landmarks: its slices as they were acquired, made by the server, with numbered places in
// them. A click says where in millimetres.

import { fill, h } from "../../../components/dom.js";
import { number } from "../../../components/format.js";
import { toIndex, toMm, volumeGeometry } from "../../../geometry/volume.js";
import { gettext, interpolate } from "../../../i18n.js";

/** @import { Point, Vec3 } from "../../../geometry/vectors.js" */

/** Longest side of the picture, px. */
const SIDE = 380;
/** Slices a place shows through before it is gone. */
const NEAR = 1.5;

export class LandmarkPane {
  /** @param {any} series  as the API gives it @param {string} title @param {(point: Point) => void} onPlace */
  constructor(series, title, onPlace) {
    this.series = series;
    this.geometry = volumeGeometry({ ...series.volume, spacing_mm: series.volume.spacing_mm ?? null });
    const [depth, rows, columns] = this.geometry.shape;
    const [, down, across] = this.geometry.spacing;
    const scale = SIDE / Math.max(rows * down, columns * across);
    this.width = Math.round(columns * across * scale);
    this.height = Math.round(rows * down * scale);
    this.slice = Math.floor(depth / 2);
    /** @type {{ point: Point, text: string }[]} */
    this.places = [];
    this.image = h("img", { class: "landmarks__image", alt: "", draggable: "false" });
    this.marks = h("canvas", { class: "landmarks__marks", width: String(this.width), height: String(this.height) });
    // A picture has as many pixels as the slice has voxels: it takes the size of the marks over it.
    for (const element of [this.image, this.marks]) {
      element.style.setProperty("width", `${this.width}px`);
      element.style.setProperty("aspect-ratio", `${this.width} / ${this.height}`);
    }
    this.range = h("input", { class: "range", type: "range", min: "1", max: String(depth), value: String(this.slice + 1), "aria-label": interpolate(gettext("Slice of {name}"), { name: title }), oninput: () => this.go(Number(this.range.value) - 1) });
    this.text = h("output", { class: "tool-value" });
    const stage = h("div", {
      class: "landmarks__stage", dataset: { series: series.id },
      onclick: (/** @type {MouseEvent} */ event) => {
        const box = this.marks.getBoundingClientRect();
        onPlace(this.pointAt([((event.clientX - box.left) / box.width) * this.width, ((event.clientY - box.top) / box.height) * this.height]));
      },
      onwheel: (/** @type {WheelEvent} */ event) => {
        event.preventDefault();
        if (event.deltaY !== 0) this.go(this.slice + Math.sign(event.deltaY));
      },
    }, this.image, this.marks);
    this.element = h("section", { class: "landmarks__pane" }, h("h3", { class: "landmarks__title" }, title), stage, h("label", { class: "landmarks__slider" }, this.range, this.text));
    this.go(this.slice);
  }

  /** @param {number} slice */
  go(slice) {
    this.slice = Math.min(this.geometry.shape[0] - 1, Math.max(0, slice));
    const [width, level] = this.series.volume.window;
    const query = new URLSearchParams({ width: String(width), level: String(level) });
    if (this.series.modality === "PT") query.set("inverted", "1");
    this.image.setAttribute("src", `${this.series.urls.slices}k/${this.slice}/?${query}`);
    this.range.value = String(this.slice + 1);
    this.text.textContent = interpolate(gettext("{at} of {count}"), { at: number(this.slice + 1), count: number(this.geometry.shape[0]) });
    this.draw();
  }

  /** LPS mm of a place in the picture, px. @param {[number, number]} pixel @returns {Point} */
  pointAt([x, y]) {
    const [, rows, columns] = this.geometry.shape;
    return toMm(this.geometry, [this.slice, (y / this.height) * rows - 0.5, (x / this.width) * columns - 0.5]);
  }

  /** Place in the picture, px, and how many slices away it lies. @param {Point} point */
  seen(point) {
    const [k, j, i] = /** @type {Vec3} */ (toIndex(this.geometry, point));
    const [, rows, columns] = this.geometry.shape;
    return { x: ((i + 0.5) / columns) * this.width, y: ((j + 0.5) / rows) * this.height, away: Math.abs(k - this.slice) };
  }

  /** @param {{ point: Point, text: string }[]} places */
  show(places) {
    this.places = places;
    this.draw();
  }

  /** The slice of a place. @param {Point} point */
  goTo(point) {
    this.go(Math.round(toIndex(this.geometry, point)[0]));
  }

  draw() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.marks.getContext("2d"));
    context.clearRect(0, 0, this.width, this.height);
    context.font = "600 12px Inter, sans-serif";
    for (const { point, text } of this.places) {
      const { x, y, away } = this.seen(point);
      if (away > NEAR) continue;
      context.globalAlpha = away < 0.5 ? 1 : 0.5;
      for (const [colour, wide] of /** @type {[string, number][]} */ ([["#000000", 4], ["#FEEE3E", 1.5]])) {
        context.strokeStyle = colour;
        context.lineWidth = wide;
        context.beginPath();
        for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
          context.moveTo(x + 3 * dx, y + 3 * dy);
          context.lineTo(x + 9 * dx, y + 9 * dy);
        }
        context.stroke();
      }
      context.lineWidth = 3;
      context.strokeStyle = "#000000";
      context.strokeText(text, x + 7, y - 7);
      context.fillStyle = "#FEEE3E";
      context.fillText(text, x + 7, y - 7);
    }
    context.globalAlpha = 1;
  }

  close() {
    fill(this.element);
  }
}
