// Where this reader's pointer is, in millimetres, for the others: on a plane the place under it, in the 3D the surface
// under it or the air at the depth of what the camera turns about.

import { shifted } from "../../../geometry/orbit.js";
import { PLANES } from "../frames.js";

/** @import { Point } from "../../../geometry/vectors.js" */
/** @import { Room } from "../room.js" */
/** @import { Together } from "./together.js" */

/** Looking for a surface under the pointer may take this share of the time. */
const SHARE = 0.1;

/** @param {Room} room @param {Together} together */
export function listenToPointer(room, together) {
  const away = () => together.say({ cursor: null });
  const tell = (/** @type {Point | null} */ at, /** @type {string} */ pane, free = false) => {
    const series = room.session?.series.id;
    if (!at || !series) return;
    together.say({ cursor: { series, at: at.map((value) => Number(value.toFixed(3))), pane, free } });
  };
  const pixelOf = (/** @type {PointerEvent} */ event, /** @type {HTMLElement} */ element) => {
    const box = element.getBoundingClientRect();
    return /** @type {[number, number]} */ ([event.clientX - box.left, event.clientY - box.top]);
  };
  for (const name of PLANES) {
    const { element } = room.frames[name];
    element.addEventListener("pointermove", (event) => {
      const view = /** @type {any} */ (room.session)?.views?.[name];
      if (view) tell(view.pointAt(pixelOf(event, element)), name);
    }, { passive: true });
    element.addEventListener("pointerleave", away);
  }

  const { element } = room.frames.surfaces;
  let next = 0;
  /** @type {any} */
  let resting = 0;
  const point = (/** @type {[number, number]} */ pixel) => {
    const space = /** @type {any} */ (room.session)?.space;
    if (!space) return;
    const started = performance.now();
    const hit = space.pick(pixel);
    const took = performance.now() - started;
    next = started + took + took / SHARE;
    tell(hit ? hit.point : inTheAir(space, pixel), "surfaces", !hit);
  };
  element.addEventListener("pointermove", (event) => {
    const pixel = pixelOf(event, element);
    clearTimeout(resting);
    const wait = next - performance.now();
    if (wait <= 0 && event.buttons === 0) point(pixel);
    else resting = setTimeout(() => point(pixel), Math.max(wait, 60));
  }, { passive: true });
  element.addEventListener("pointerleave", () => {
    clearTimeout(resting);
    away();
  });
  document.addEventListener("visibilitychange", () => document.hidden && away());
}

/** The place under a pixel that lies as deep as what the camera turns about. @param {any} space @param {[number, number]} pixel @returns {Point} */
const inTheAir = ({ orbit, width, height }, [x, y]) => shifted(orbit, width / 2 - x, height / 2 - y, height).target;
