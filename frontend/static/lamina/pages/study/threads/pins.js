// Numbered pins over the planes and the 3D, where questions were asked. Page elements, so that they can be reached by
// key and pressed with any tool for looking; where they stand is asked of the picture whenever it is drawn.

import { fill, h, icon } from "../../../components/dom.js";
import { gettext, interpolate } from "../../../i18n.js";
import { numberOf, placeOf } from "../../../state/threads.js";

/** @import { Point } from "../../../geometry/vectors.js" */
/** @import { Thread } from "../../../state/threads.js" */
/** @import { Room } from "../room.js" */
/** @import { ThreadDesk } from "./desk.js" */

/** Beside its slice a pin is shown faintly as far as this, mm. */
const FAINT = 5;
/** Tools a press on a pin may interrupt: those for looking. */
const LOOKING = new Set(["window", "pan", "zoom", "crosshair", "scroll"]);
const SPOT = "spot";
/** Pins nearer than this to each other stand one above the other, px. */
const APART = 26;

/** @typedef {{ name?: string, width: number, height: number, toPixel: (point: Point) => [number, number], depth: (point: Point) => number, plane?: { step?: number } }} AnyPane */

/** @param {Room} room @param {ThreadDesk} desk @param {(id: string) => void} chosen */
export function makePins(room, desk, chosen) {
  /** The last way each viewport drew. @type {Map<string, AnyPane>} */
  const panes = new Map();
  /** By viewport and thread. @type {Map<string, { element: HTMLElement, look: string, place: string }>} */
  const pins = new Map();

  /** What is to be pinned on this series. */
  function shown() {
    const { state } = desk;
    const seriesId = room.session?.series.id;
    const list = state.list.filter((one) => one.series_id === seriesId && (one.state === "open" || one.id === state.selected));
    /** @type {{ id: string, point: Point, thread: Thread | null }[]} */
    const places = list.map((thread) => ({ id: thread.id, point: placeOf(state, thread), thread }));
    if (state.spot) places.push({ id: SPOT, point: state.spot.point, thread: null });
    return places;
  }

  /** @param {string} viewport @param {string} id */
  function pinOf(viewport, id) {
    const key = `${viewport} ${id}`;
    let pin = pins.get(key);
    if (!pin) {
      const element = id === SPOT
        ? h("span", { class: "pin pin--new", "aria-hidden": "true" })
        : h("button", { class: "pin", type: "button", hidden: true, onpointerdown: (/** @type {Event} */ event) => event.stopPropagation(), ondblclick: (/** @type {Event} */ event) => event.stopPropagation(), onclick: () => chosen(id) });
      element.dataset.pin = id;
      room.frames[/** @type {"axial"} */ (viewport)].element.append(element);
      pin = { element, look: "", place: "" };
      pins.set(key, pin);
    }
    return pin;
  }

  /** @param {string} viewport */
  function place(viewport) {
    const pane = panes.get(viewport);
    if (!pane) return;
    const there = new Set();
    /** Where the numbers stand already. @type {[number, number][]} */
    const taken = [];
    for (const { id, point, thread } of shown()) {
      const depth = pane.depth(point);
      const within = viewport === "surfaces" ? depth > 0 : Math.abs(depth) <= Math.max(FAINT, (pane.plane?.step ?? 1) / 2);
      const [x, y] = within ? pane.toPixel(point) : [-1, -1];
      if (!within || x < 0 || y < 0 || x > pane.width || y > pane.height) continue;
      there.add(`${viewport} ${id}`);
      const pin = pinOf(viewport, id);
      const faint = viewport !== "surfaces" && Math.abs(depth) > (pane.plane?.step ?? 1) / 2 + 1e-3;
      let lift = 0;
      while (taken.some(([tx, ty]) => Math.abs(tx - x) < APART && Math.abs(ty - (y - lift)) < APART)) lift += APART;
      taken.push([x, y - lift]);
      const where = `${Math.round(x)} ${Math.round(y)} ${faint} ${lift}`;
      if (pin.place !== where) {
        pin.place = where;
        pin.element.style.setProperty("left", `${Math.round(x)}px`);
        pin.element.style.setProperty("top", `${Math.round(y)}px`);
        pin.element.style.setProperty("--lift", `${lift}px`);
        // The long tip of a lifted pin goes behind the numbers below it.
        pin.element.style.setProperty("z-index", String(Math.max(0, 2 - lift / APART)));
        pin.element.toggleAttribute("data-faint", faint);
      }
      pin.element.hidden = false;
      dress(pin, thread);
    }
    for (const [key, { element }] of pins) if (key.startsWith(`${viewport} `) && !there.has(key)) element.hidden = true;
  }

  /** @param {{ element: HTMLElement, look: string }} pin @param {Thread | null} thread */
  function dress(pin, thread) {
    const number = thread ? numberOf(desk.state, thread.id) : 0;
    const look = thread ? `${number} ${thread.author?.colour} ${thread.author?.name} ${thread.state} ${thread.id === desk.state.selected}` : SPOT;
    if (pin.look === look) return;
    pin.look = look;
    if (!thread) {
      fill(pin.element, icon("message-square"));
      return;
    }
    fill(pin.element, String(number));
    pin.element.setAttribute("aria-label", interpolate(gettext("Comment {number} of {person}"), { number, person: thread.author?.name ?? gettext("somebody") }));
    pin.element.toggleAttribute("data-chosen", thread.id === desk.state.selected);
    pin.element.dataset.state = thread.state;
    if (thread.author?.colour) pin.element.style.setProperty("--pin", thread.author.colour);
    else pin.element.style.removeProperty("--pin");
  }

  function placeAll() {
    const ids = new Set(shown().map(({ id }) => id));
    for (const [key, { element }] of pins) {
      if (ids.has(key.slice(key.indexOf(" ") + 1))) continue;
      element.remove();
      pins.delete(key);
    }
    for (const viewport of panes.keys()) place(viewport);
  }

  room.store.watch((state) => state.threads, placeAll);
  room.store.watch((state) => state.view.tool, (tool) => room.grid.toggleAttribute("data-pins-let-through", !LOOKING.has(tool)));
  room.onSession((session) => {
    if (!session.addOverlay) return;
    const removes = [session.addOverlay((/** @type {any} */ _, /** @type {any} */ pane) => {
      panes.set(pane.name, pane);
      place(pane.name);
    }, { onlyHere: true })];
    if (session.space?.addOverlay) {
      removes.push(session.space.addOverlay((/** @type {any} */ _, /** @type {any} */ pane) => {
        panes.set("surfaces", pane);
        place("surfaces");
        later();
      }));
    }
    return () => {
      for (const remove of removes) remove();
      clearTimeout(timer);
      panes.clear();
      for (const { element } of pins.values()) element.remove();
      pins.clear();
    };
  });

  // A surface that was swapped is drawn again: then every thread on it looks for its place, once the picture stands.
  let timer = 0;
  function later() {
    clearTimeout(timer);
    timer = window.setTimeout(() => desk.findSurfaces(), 250);
  }
  room.store.watch((state) => state.threads.list, later);
}
