// Pointer and wheel in a viewport, turned into what they mean. Whoever listens takes the listeners away again.

/**
 * What goes on while a button is held. A plain function is a `move` without an end.
 * @typedef {((pixel: [number, number]) => void) | { move: (pixel: [number, number], event: PointerEvent) => void, end?: (pixel: [number, number], moved: boolean) => void, cancel?: () => void }} Drag
 */

/**
 * @typedef {object} Acts
 * @property {(pixel: [number, number], event: PointerEvent) => Drag | null} press  answers what to do with further moves
 * @property {(pixel: [number, number], event: PointerEvent) => Drag | null} [both]  the other of left and right went down too; null: what the first began goes on
 * @property {(pixel: [number, number] | null) => void} hover  null when the pointer has left
 * @property {(pixel: [number, number], event: PointerEvent) => void} click  pressed and let go in place
 * @property {(pixel: [number, number]) => void} twice
 * @property {(steps: number) => void} scroll  whole slices, down is positive
 * @property {(factor: number, pixel: [number, number]) => void} zoom
 */

const CLICK_WITHIN = 4;
/** Left and right, as `PointerEvent.buttons` counts them. */
const LEFT_AND_RIGHT = 3;
/** A wheel notch is about 100 px; a touchpad sends many small ones. */
const WHEEL_STEP = 60;
/** Three fingers go one slice on for so many px down. */
const FINGER_STEP = 12;

/** @param {Drag | null | undefined} drag */
const cancel = (drag) => {
  if (drag && typeof drag !== "function") drag.cancel?.();
};

/** @param {HTMLElement} element @param {Acts} acts @returns {() => void} */
export function listen(element, acts) {
  const listeners = new AbortController();
  const { signal } = listeners;
  /** @type {{ id: number, from: [number, number], moved: boolean, drag: Drag | null, both?: boolean } | null} */
  let held = null;
  /** @type {Map<number, [number, number]>} */
  const fingers = new Map();
  /** Where two fingers were, and how far apart; how high three were. */
  let spread = 0;
  let height = 0;
  let turned = 0;

  /** @param {MouseEvent} event @returns {[number, number]} */
  const pixelOf = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const fingerSpread = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  const fingerHeight = () => [...fingers.values()].reduce((sum, [, y]) => sum + y, 0) / fingers.size;

  element.addEventListener("pointerdown", (event) => {
    if (/** @type {HTMLElement} */ (event.target).closest("button, input, select, .pane-card")) return;
    const pixel = pixelOf(event);
    if (event.pointerType === "touch") fingers.set(event.pointerId, pixel);
    element.setPointerCapture(event.pointerId);
    if (event.button === 1) event.preventDefault();
    if (fingers.size > 1) {
      // What the first finger began was no drag after all.
      cancel(held?.drag);
      held = null;
      spread = fingerSpread();
      height = fingerHeight();
      return;
    }
    held = { id: event.pointerId, from: pixel, moved: false, drag: acts.press(pixel, event) };
  }, { signal });

  element.addEventListener("pointermove", (event) => {
    const pixel = pixelOf(event);
    if (fingers.has(event.pointerId)) {
      fingers.set(event.pointerId, pixel);
      if (fingers.size === 2) {
        const now = fingerSpread();
        const [a, b] = [...fingers.values()];
        if (spread > 0) acts.zoom(now / spread, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
        spread = now;
        return;
      }
      if (fingers.size > 2) {
        const steps = Math.trunc((fingerHeight() - height) / FINGER_STEP);
        if (steps !== 0) {
          height += steps * FINGER_STEP;
          acts.scroll(steps);
        }
        return;
      }
    }
    if (held && held.id === event.pointerId) {
      // A further button is no press of its own: it comes as a move with more buttons.
      const second = !held.both && (event.buttons & LEFT_AND_RIGHT) === LEFT_AND_RIGHT ? acts.both?.(pixel, event) : null;
      if (second) {
        cancel(held.drag);
        held = { ...held, moved: true, drag: second, both: true };
      }
      held.moved ||= Math.hypot(pixel[0] - held.from[0], pixel[1] - held.from[1]) > CLICK_WITHIN;
      if (typeof held.drag === "function") held.drag(pixel);
      else held.drag?.move(pixel, event);
    }
    acts.hover(pixel);
  }, { signal });

  const release = (/** @type {PointerEvent} */ event) => {
    fingers.delete(event.pointerId);
    // Two that stay of three go on from where they are now.
    if (fingers.size > 1) [spread, height] = [fingerSpread(), fingerHeight()];
    if (!held || held.id !== event.pointerId) return;
    const { moved, drag } = held;
    held = null;
    if (event.type === "pointercancel") cancel(drag);
    else if (drag && typeof drag !== "function") drag.end?.(pixelOf(event), moved);
    if (!moved && event.type === "pointerup") acts.click(pixelOf(event), event);
  };
  element.addEventListener("pointerup", release, { signal });
  element.addEventListener("pointercancel", release, { signal });
  element.addEventListener("pointerleave", () => acts.hover(null), { signal });
  element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  element.addEventListener("dblclick", (event) => {
    if (/** @type {HTMLElement} */ (event.target).closest("button, input, select, .pane-card")) return;
    acts.twice(pixelOf(event));
  }, { signal });

  element.addEventListener("wheel", (event) => {
    if (/** @type {HTMLElement} */ (event.target).closest(".pane-card")) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1);
    if (event.ctrlKey) {
      acts.zoom(2 ** (-pixels / 300), pixelOf(event));
      return;
    }
    if (Math.sign(pixels) !== Math.sign(turned)) turned = 0;
    turned += pixels;
    const steps = Math.abs(pixels) >= WHEEL_STEP ? Math.round(pixels / 100) || Math.sign(pixels) : Math.trunc(turned / WHEEL_STEP);
    if (steps === 0) return;
    turned = 0;
    acts.scroll(steps);
  }, { signal, passive: false });

  return () => listeners.abort();
}
