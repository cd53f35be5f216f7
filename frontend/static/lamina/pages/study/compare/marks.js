// Numbers at the places where two outlines differ, in every plane and in the 3D. Page elements, so that they can be
// pressed and reached by key; where they stand is asked of the picture whenever it is drawn. The chosen one has a plate
// with its size in the 3D.

import { fill, h } from "../../../components/dom.js";
import { ml, mm } from "../../../components/format.js";
import { gettext, interpolate } from "../../../i18n.js";
import { furtherText } from "./words.js";

/** @import { Region } from "../../../geometry/hotspots.js" */
/** @import { Point } from "../../../geometry/vectors.js" */
/** @import { VolumeSession } from "../volume-session.js" */
/** @import { Room } from "../room.js" */
/** @import { CompareDesk } from "./desk.js" */

/** Beside its slice a number is shown this far, mm. */
const NEAR = 4;
/** More numbers than these hide what they stand on; the chosen one is always shown. */
const MOST = 12;
/** Tools a press on a number may interrupt: those for looking. */
const LOOKING = new Set(["window", "pan", "zoom", "crosshair", "scroll"]);

/** @typedef {{ width: number, height: number, toPixel: (point: Point) => [number, number], depth: (point: Point) => number, plane?: { step?: number } }} AnyPane */

export class SpotMarks {
  /** @param {CompareDesk} desk @param {Room} [room]  where the numbers stand */
  constructor(desk, room = desk.room) {
    this.desk = desk;
    this.room = room;
    /** By viewport and place. @type {Map<string, HTMLElement>} */
    this.elements = new Map();
    /** @type {Map<string, AnyPane>} */
    this.panes = new Map();
    this.plate = h("div", { class: "spot-plate", hidden: true });
  }

  /** @param {VolumeSession} session @returns {() => void} */
  attach(session) {
    this.room.frames.surfaces.element.append(this.plate);
    const stops = [
      session.addOverlay((_context, pane) => this.place(pane.name, pane), { onlyHere: true }),
      session.space.addOverlay((context, pane) => this.placeInSpace(context, pane)),
    ];
    return () => {
      stops.forEach((stop) => stop());
      this.elements.forEach((element) => element.remove());
      this.elements.clear();
      this.panes.clear();
      this.plate.remove();
    };
  }

  /** Numbers may change without a new picture. */
  refresh() {
    for (const [viewport, pane] of this.panes) if (viewport !== "surfaces") this.place(viewport, pane);
    const { session } = this.room;
    if (session?.kind === "volume") /** @type {VolumeSession} */ (session).space.redrawLines();
  }

  /** @returns {Region[]} */
  get shown() {
    const { part, spots } = this.desk;
    if (!part.open) return [];
    const own = spots.filter(({ number }) => this.desk.isShown(number));
    return own.filter(({ n }, at) => at < MOST || n === part.chosen);
  }

  /** @param {string} viewport @param {AnyPane} pane */
  place(viewport, pane) {
    this.panes.set(viewport, pane);
    const there = new Set();
    const middles = viewport === "surfaces" ? new Map() : null;
    for (const region of this.shown) {
      const at = viewport === "surfaces" ? region.point_mm : region.middle_mm;
      if (!at) continue;
      const depth = pane.depth(at);
      const within = viewport === "surfaces" ? depth > 0 : Math.abs(depth) <= Math.max(NEAR, (pane.plane?.step ?? 1) / 2);
      const [x, y] = within ? pane.toPixel(at) : [-1, -1];
      if (!within || x < 0 || y < 0 || x > pane.width || y > pane.height) continue;
      const element = this.elementOf(viewport, region);
      there.add(`${viewport} ${region.n}`);
      element.hidden = false;
      if (middles) {
        if (!middles.has(region.number)) middles.set(region.number, this.desk.middleOf(region.number));
        const middle = middles.get(region.number);
        // Beyond the middle of its body one looks at it from behind.
        element.toggleAttribute("data-behind", Boolean(middle) && depth > pane.depth(middle) + 1);
      }
      element.toggleAttribute("data-chosen", region.n === this.desk.part.chosen);
      element.style.setProperty("left", `${Math.round(x)}px`);
      element.style.setProperty("top", `${Math.round(y)}px`);
    }
    for (const [key, element] of this.elements) if (key.startsWith(`${viewport} `) && !there.has(key)) element.hidden = true;
  }

  /** @param {string} viewport @param {Region} region */
  elementOf(viewport, region) {
    const key = `${viewport} ${region.n}`;
    let element = this.elements.get(key);
    if (!element) {
      element = /** @type {HTMLElement} */ (h("button", {
        class: "spot-mark", type: "button", dataset: { spot: String(region.n) },
        "aria-label": interpolate(gettext("Place {n}"), { n: region.n }),
        onpointerdown: (/** @type {Event} */ event) => LOOKING.has(this.room.store.get().view.tool) && event.stopPropagation(),
        onclick: () => this.desk.goTo(region.n),
      }, String(region.n)));
      this.elements.set(key, element);
      this.room.frames[/** @type {"axial"} */ (viewport)].element.append(element);
    }
    return element;
  }

  /** Numbers, and a line from the chosen one to its plate. @param {CanvasRenderingContext2D} context @param {AnyPane} pane */
  placeInSpace(context, pane) {
    this.place("surfaces", pane);
    const region = this.shown.find(({ n }) => n === this.desk.part.chosen);
    // In columns the heads and the list say it: a plate would hide the surface of a small pane.
    const wanted = Boolean(region?.point_mm) && !this.desk.inColumns;
    this.plate.hidden = !wanted;
    if (!wanted || !region?.point_mm) return;
    const [x, y] = pane.toPixel(region.point_mm);
    const text = [region.max_mm === null ? gettext("No counterpart") : mm(Math.abs(region.max_mm)), ml(region.volume_ml), furtherText(region, this.desk.roles)];
    const key = text.join(" ");
    if (this.plate.dataset.key !== key) {
      this.plate.dataset.key = key;
      fill(this.plate, h("p", {}, h("b", {}, text[0]), h("span", {}, text[1])), h("p", {}, text[2]));
    }
    // Beside the number, towards the middle, where there is room.
    const [wide, high] = [this.plate.offsetWidth || 150, this.plate.offsetHeight || 52];
    const left = Math.min(Math.max(x + (x > pane.width / 2 ? -wide - 44 : 44), 8), Math.max(8, pane.width - wide - 8));
    const top = Math.min(Math.max(y + (y > pane.height / 2 ? -high - 22 : 22), 48), Math.max(48, pane.height - high - 40));
    this.plate.style.setProperty("left", `${Math.round(left)}px`);
    this.plate.style.setProperty("top", `${Math.round(top)}px`);
    context.strokeStyle = "rgb(255 255 255 / 75%)";
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(left + wide / 2, top + high / 2);
    context.stroke();
  }
}
