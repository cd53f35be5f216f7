// The others' cursors over the viewports: an arrow, a name, the ring of a brush. Page elements, so that moving them costs
// no drawing of the pictures; where they go is asked of the picture itself, at every drawing of it.

import { h } from "../../../components/dom.js";
import { freshness, isMoving, nearness, nextChange, placeAt } from "../../../geometry/cursors.js";
import { colourOf, otherMember } from "../../../state/presence.js";
import { PLANES, VIEWPORTS } from "../frames.js";

/** @import { Member } from "../../../state/presence.js" */
/** @import { Pane } from "../../../scene/plane-viewport.js" */
/** @import { SpacePane } from "../../../scene/orbit-viewport.js" */
/** @import { ViewportName } from "../frames.js" */
/** @import { Room } from "../room.js" */
/** @import { Together } from "./together.js" */

/** @typedef {{ element: HTMLElement, name: HTMLElement, ring: HTMLElement }} Mark */

/** @returns {Mark} */
export function makeMark() {
  const name = h("span", { class: "cursor__name" });
  const ring = h("span", { class: "cursor__ring", hidden: true });
  const element = h("div", { class: "cursor", "aria-hidden": "true", hidden: true }, ring, h("span", { class: "cursor__arrow" }), name);
  return { element, name, ring };
}

/** @param {Room} room @param {Together} together */
export function makeCursors(room, { store }) {
  /** How each viewport shows places now; the picture says so whenever it is drawn. @type {Partial<Record<ViewportName, Pane | SpacePane>>} */
  let panes = {};
  /** By viewport and member. @type {Map<string, Mark>} */
  const marks = new Map();
  let frame = 0;
  /** @type {any} */
  let timer = 0;

  /** @param {ViewportName} viewport @param {Member} member */
  function markOf(viewport, { member }) {
    const key = `${viewport} ${member}`;
    let mark = marks.get(key);
    if (!mark) {
      mark = makeMark();
      mark.element.dataset.member = member;
      marks.set(key, mark);
      room.frames[viewport].element.append(mark.element);
    }
    return mark;
  }

  /** @param {ViewportName} viewport @param {number} now */
  function placeIn(viewport, now) {
    const pane = panes[viewport];
    const { tracks, strokes } = store.get();
    for (const [member, track] of Object.entries(tracks)) {
      const one = otherMember(store.get(), member);
      if (!one) continue;
      const at = placeAt(track, now);
      const mark = markOf(viewport, one);
      // Who draws is there, however still the hand.
      const fresh = strokes[member] ? 1 : freshness(track, now);
      const strength = pane && track.series === room.session?.series.id ? shownIn(pane, at, track.free) * fresh : 0;
      mark.element.hidden = strength === 0;
      if (!pane || strength === 0) continue;
      const [x, y] = pane.toPixel(at);
      const { style } = mark.element;
      style.setProperty("transform", `translate(${x.toFixed(2)}px, ${y.toFixed(2)}px)`);
      style.setProperty("opacity", strength.toFixed(3));
      style.setProperty("--person", colourOf(one));
      if (mark.name.textContent !== one.name) mark.name.textContent = one.name;
      // Near the right edge the name goes to the left of the arrow.
      mark.element.toggleAttribute("data-left", x > pane.width - 24 - 8 * Math.min(one.name.length, 18));
      const stroke = "pixel" in pane ? strokes[member] : undefined;
      mark.ring.hidden = !stroke;
      mark.element.toggleAttribute("data-drawing", Boolean(strokes[member]));
      if (stroke && "pixel" in pane) {
        const wide = `${Math.max(2, stroke.mm / pane.pixel).toFixed(1)}px`;
        mark.ring.style.setProperty("width", wide);
        mark.ring.style.setProperty("height", wide);
        mark.ring.toggleAttribute("data-erases", stroke.erases);
      }
    }
  }

  function place() {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    const now = performance.now();
    for (const viewport of VIEWPORTS) placeIn(viewport, now);
    const tracks = Object.values(store.get().tracks);
    if (tracks.some((track) => isMoving(track, now))) frame = requestAnimationFrame(place);
    else {
      const next = Math.min(Infinity, ...tracks.map((track) => nextChange(track, now)));
      if (next < Infinity) timer = setTimeout(place, Math.max(16, next - now));
    }
  }
  const soon = () => {
    frame ||= requestAnimationFrame(place);
  };

  store.watch((presence) => presence.tracks, (tracks) => {
    for (const [key, { element }] of marks) {
      if (key.split(" ")[1] in tracks) continue;
      element.remove();
      marks.delete(key);
    }
    soon();
  });
  store.watch((presence) => presence.strokes, soon);
  store.watch((presence) => presence.people, soon);

  room.onSession((session) => {
    panes = {};
    const drawn = (/** @type {ViewportName} */ viewport) => (/** @type {CanvasRenderingContext2D} */ _context, /** @type {Pane | SpacePane} */ pane) => {
      panes[viewport] = pane;
      // The picture has moved under the cursors: they go with it, not a frame later.
      if (Object.keys(store.get().tracks).length > 0) placeIn(viewport, performance.now());
    };
    const byPlane = Object.fromEntries(PLANES.map((name) => [name, drawn(name)]));
    const stops = [
      session.addOverlay?.((/** @type {CanvasRenderingContext2D} */ context, /** @type {Pane} */ pane) => byPlane[pane.name]?.(context, pane), { onlyHere: true }),
      session.space?.addOverlay(drawn("surfaces")),
    ];
    return () => {
      stops.forEach((stop) => stop?.());
      panes = {};
      soon();
    };
  });
}

/** How strongly a pane shows a place. @param {Pane | SpacePane} pane @param {import("../../../geometry/vectors.js").Point} at @param {boolean} free */
function shownIn(pane, at, free) {
  if ("pixel" in pane) return free ? 0 : nearness(pane.depth(at), pane.plane.step);
  return pane.depth(at) > 0 ? 1 : 0;
}
