// What stands in for the stage where there is no WebGL2: the same clock for views that draw on canvases of their own.

/** @import { StageView } from "./stage.js" */

export class PlainStage {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    this.software = true;
    /** No 3D texture at all. */
    this.largest3d = 0;
    this.largest2d = 0;
    /** Pictures need no card here. @type {any} */
    this.renderer = null;
    this.frame = 0;
    this.frames = 0;
    this.lost = false;
    /** @type {Set<StageView>} */
    this.views = new Set();
    /** @type {Set<StageView>} */
    this.dirty = new Set();
    /** @type {WeakMap<HTMLElement, { width: number, height: number }>} */
    this.sizes = new WeakMap();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
  }

  /** @param {StageView} view @returns {() => void} */
  add(view) {
    this.views.add(view);
    this.observer.observe(view.element);
    this.invalidate(view);
    return () => {
      this.views.delete(view);
      this.dirty.delete(view);
      this.observer.unobserve(view.element);
    };
  }

  /** @param {StageView} [view]  without one, all of them */
  invalidate(view) {
    for (const one of view ? [view] : this.views) this.dirty.add(one);
    if (!this.frame) this.frame = requestAnimationFrame(this.render);
  }

  /** Size of a viewport in CSS px. @param {HTMLElement} element */
  sizeOf(element) {
    let size = this.sizes.get(element);
    if (!size) {
      size = { width: element.clientWidth, height: element.clientHeight };
      this.sizes.set(element, size);
    }
    return size;
  }

  /** @param {HTMLCanvasElement} canvas */
  linesOn(canvas) {
    return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  resize() {
    this.sizes = new WeakMap();
    this.invalidate();
  }

  render = () => {
    this.frame = 0;
    this.frames += 1;
    const views = [...this.dirty];
    this.dirty.clear();
    for (const view of views) {
      const { width, height } = this.sizeOf(view.element);
      if (width >= 2 && height >= 2) view.draw(/** @type {any} */ (null), width, height, true);
    }
  };

  /** There is no card that could be lost. @param {(lost: boolean) => void} _listener @returns {() => void} */
  onLoss(_listener) {
    return () => {};
  }

  memory() {
    return { geometries: 0, textures: 0 };
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
  }
}
