// One WebGL2 canvas behind all viewports: one context, so the planes and the 3D pane share the same 3D texture.
// Each viewport is a rectangle of it (scissor); only those that changed are drawn again, nothing runs when nothing
// moves.

import { Color, Vector2, WebGLRenderer, WebGLRenderTarget } from "three";

import { takeCard } from "./card.js";
import { Programs } from "./programs.js";
import { StageViews } from "./stage-views.js";

/** @import { Part } from "./programs.js" */
/** @import { StageView } from "./stage-views.js" */

export class NoWebGL extends Error {}

export class Stage extends StageViews {
  /** @param {HTMLElement} host  the grid of viewports; the canvas fills it */
  constructor(host) {
    const card = takeCard();
    if (!card) throw new NoWebGL("This browser has no WebGL2.");
    const { canvas, gl, software } = card;
    super(host, software);
    this.largest3d = card.largest3d;
    this.largest2d = card.largest2d;
    this.canvas = canvas;
    host.prepend(canvas);
    this.renderer = new WebGLRenderer({ canvas, context: gl });
    // Reading the driver's words would wait for it; a program that does not work says so itself.
    this.renderer.debug.checkShaderErrors = false;
    this.settle();
    const aside = new WebGLRenderTarget(1, 1);
    this.renderer.initRenderTarget(aside);
    this.programs = new Programs(this.renderer, aside);
    this.renderer.setPixelRatio(software ? 1 : Math.min(window.devicePixelRatio, 2));
    this.renderer.localClippingEnabled = true;
    this.renderer.autoClear = false;
    this.renderer.setScissorTest(true);
    this.black = new Color(0x000000);
    /** Between the viewports; dark in both themes, as the images are. */
    this.gap = new Color(0x20262f);
    this.fresh = true;
    /** @type {Set<(lost: boolean) => void>} */
    this.lossListeners = new Set();
    this.canvas.addEventListener("webglcontextlost", this.onLost);
    this.canvas.addEventListener("webglcontextrestored", this.onRestored);
    this.resize();
  }

  /** How bytes lie in memory, said once: three.js asks the card for what was never said, and waits until it is idle. */
  settle() {
    const { state } = this.renderer;
    const gl = /** @type {WebGL2RenderingContext} */ (this.renderer.getContext());
    for (const name of [gl.UNPACK_ROW_LENGTH, gl.UNPACK_IMAGE_HEIGHT, gl.UNPACK_SKIP_PIXELS, gl.UNPACK_SKIP_ROWS, gl.UNPACK_SKIP_IMAGES]) state.pixelStorei(name, 0);
  }

  /**
   * May a view draw these now? If their programs are still on their way, it is drawn again once they are there.
   * @param {StageView} view @param {Part[]} parts @returns {boolean}
   */
  ready(view, parts) {
    return this.programs.has(view, parts, () => this.views.has(view) && this.invalidate(view));
  }

  /** Resolves when everything that was asked for stands on the canvas. */
  async settled() {
    while (this.frame || this.programs.busy) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Also what no view covers any more. */
  all() {
    this.fresh = true;
  }

  resize() {
    this.sizes = new WeakMap();
    const { clientWidth, clientHeight } = this.host;
    if (clientWidth === 0 || clientHeight === 0) return;
    const { x: wide, y: high } = this.renderer.getSize(new Vector2());
    // A canvas that gets a size is empty, be it the one it had.
    if (wide !== clientWidth || high !== clientHeight) this.renderer.setSize(clientWidth, clientHeight, false);
    this.invalidate();
    // Drawn at once: a resized canvas is empty, and waiting for the next frame would flash.
    this.render();
  }

  render() {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = 0;
    if (this.lost) return;
    this.frames += 1;
    const base = this.host.getBoundingClientRect();
    const { fresh } = this;
    this.fresh = false;
    if (fresh) {
      this.renderer.setScissorTest(false);
      this.renderer.setClearColor(this.gap, 1);
      this.renderer.clear();
      this.renderer.setScissorTest(true);
      this.renderer.setClearColor(this.black, 1);
    }
    const views = fresh ? [...this.views] : [...this.dirty];
    this.dirty.clear();
    for (const view of views) {
      const box = view.element.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      const x = Math.round(box.left - base.left);
      const y = Math.round(base.bottom - box.bottom);
      this.renderer.setViewport(x, y, box.width, box.height);
      this.renderer.setScissor(x, y, box.width, box.height);
      view.draw(this.renderer, box.width, box.height, fresh);
    }
  }

  /** @param {(lost: boolean) => void} listener @returns {() => void} */
  onLoss(listener) {
    this.lossListeners.add(listener);
    return () => this.lossListeners.delete(listener);
  }

  onLost = (/** @type {Event} */ event) => {
    event.preventDefault();
    this.lost = true;
    for (const listener of this.lossListeners) listener(true);
  };

  onRestored = () => {
    this.lost = false;
    this.settle();
    this.programs.forget();
    for (const listener of this.lossListeners) listener(false);
    this.invalidate();
  };

  /** What three.js still holds, for the test that opens and closes. */
  memory() {
    return { ...this.renderer.info.memory };
  }

  dispose() {
    super.dispose();
    this.canvas.removeEventListener("webglcontextlost", this.onLost);
    this.canvas.removeEventListener("webglcontextrestored", this.onRestored);
    this.programs.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.canvas.remove();
  }
}
