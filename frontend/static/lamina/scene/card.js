// The canvas and its graphics context, made while three.js is still on its way: the first context of a page takes as
// long as the browser needs to start its graphics process. Knows nothing of three.js.

/**
 * @typedef {object} Card
 * @property {HTMLCanvasElement} canvas @property {WebGL2RenderingContext} gl
 * @property {boolean} software  the processor draws: smooth edges and every extra picture are costly
 * @property {number} largest3d  voxels along a side of a 3D texture @property {number} largest2d
 */

/** @type {Card | null | undefined} */
let opened;

/** @param {boolean} smooth  edges drawn with several samples for each pixel */
function made(smooth) {
  const canvas = document.createElement("canvas");
  canvas.className = "stage-canvas";
  canvas.setAttribute("aria-hidden", "true");
  // The picture is kept between frames, because a frame draws only the viewports that changed.
  const gl = canvas.getContext("webgl2", {
    antialias: smooth, alpha: false, depth: true, stencil: false, preserveDrawingBuffer: true, powerPreference: "high-performance",
  });
  return gl && { canvas, gl };
}

/** @param {WebGL2RenderingContext} gl */
function isSoftware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return /swiftshader|llvmpipe|software|softpipe/i.test(String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
}

/** The one card of this page; null where the browser has no WebGL2. Whoever draws calls `takeCard`. */
export function openCard() {
  if (opened !== undefined) return opened;
  let one = made(false);
  const software = Boolean(one && isSoftware(one.gl));
  if (one && !software) {
    // A real card draws smooth edges, and that has to be chosen when the context is made; there it is quick.
    one.gl.getExtension("WEBGL_lose_context")?.loseContext();
    one = made(true);
  }
  opened = one && { ...one, software, largest3d: one.gl.getParameter(one.gl.MAX_3D_TEXTURE_SIZE), largest2d: one.gl.getParameter(one.gl.MAX_TEXTURE_SIZE) };
  return opened;
}

/** The card, for the one who draws with it and ends it. */
export function takeCard() {
  const card = openCard();
  opened = undefined;
  return card;
}
