// One WebGL2 canvas behind all viewports: one context, so the planes and the 3D pane share the same 3D texture.
// Each viewport is a rectangle of it (scissor); only those that changed are drawn again, nothing runs when nothing
// moves.

import { Color, WebGLRenderer } from "three";

import { StageViews } from "./stage-views.js";

export class NoWebGL extends Error {}

/** True where the graphics run on the processor: then smooth edges and every extra picture are costly. @param {WebGL2RenderingContext} gl */
function isSoftware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  return /swiftshader|llvmpipe|software|softpipe/i.test(name);
}

/** Ask once, on a canvas that is thrown away: antialias has to be chosen before the real context is made. */
function probe() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) throw new NoWebGL("This browser has no WebGL2.");
  const software = isSoftware(gl);
  const largest3d = gl.getParameter(gl.MAX_3D_TEXTURE_SIZE);
  const largest2d = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return { software, largest3d, largest2d };
}

export class Stage extends StageViews {
  /** @param {HTMLElement} host  the grid of viewports; the canvas fills it */
  constructor(host) {
    const { software, largest3d, largest2d } = probe();
    super(host, software);
    this.largest3d = largest3d;
    this.largest2d = largest2d;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "stage-canvas";
    this.canvas.setAttribute("aria-hidden", "true");
    host.prepend(this.canvas);
    // The picture is kept between frames, because a frame draws only the viewports that changed.
    this.renderer = new WebGLRenderer({
      canvas: this.canvas, antialias: !software, alpha: false, stencil: false, preserveDrawingBuffer: true, powerPreference: "high-performance",
    });
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

  /** Also what no view covers any more. */
  all() {
    this.fresh = true;
  }

  resize() {
    this.sizes = new WeakMap();
    const { clientWidth, clientHeight } = this.host;
    if (clientWidth === 0 || clientHeight === 0) return;
    this.renderer.setSize(clientWidth, clientHeight, false);
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
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.canvas.remove();
  }
}
