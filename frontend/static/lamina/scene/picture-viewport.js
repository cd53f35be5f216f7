// A 2D image without a volume (an X-ray, a scout): one picture on the shared canvas, with zoom, pan and window.

import { LinearFilter, NearestFilter, NoColorSpace, ShaderMaterial, Texture, Vector2 } from "three";

import { toPlane } from "../geometry/viewing.js";
import { ramp } from "../geometry/windows.js";
import { Covering, FROM_ABOVE } from "./covering.js";
import { Viewport } from "./viewport.js";

/** @import { WebGLRenderer } from "three" */
/** @import { Viewing } from "../geometry/viewing.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { Stage } from "./stage.js" */

const FRAGMENT = /* glsl */ `
  uniform sampler2D uPicture;
  uniform vec2 uCorner;
  uniform vec2 uSpan;
  uniform vec2 uRamp;
  uniform bool uInverted;
  varying vec2 vPlace;
  void main() {
    vec2 place = uCorner + uSpan * vPlace;
    bool inside = all(greaterThanEqual(place, vec2(0.0))) && all(lessThanEqual(place, vec2(1.0)));
    float grey = clamp((texture(uPicture, place).r * 255.0 - uRamp.x) * uRamp.y, 0.0, 1.0);
    gl_FragColor = vec4(vec3(inside ? (uInverted ? 1.0 - grey : grey) : 0.0), 1.0);
  }
`;

export class PictureViewport extends Viewport {
  /**
   * @param {Stage} stage @param {HTMLElement} element
   * @param {() => { viewing: Viewing, window: Window, inverted: boolean, interpolated: boolean } | null} read
   */
  constructor(stage, element, read) {
    super(stage, element);
    this.read = read;
    /** Size in pixels of the picture; there are no millimetres. */
    this.size = { width: 1, height: 1 };
    /** @type {Uint8ClampedArray | null} */
    this.values = null;
    this.texture = new Texture();
    this.texture.colorSpace = NoColorSpace;
    this.texture.generateMipmaps = false;
    this.texture.flipY = false;
    this.texture.minFilter = LinearFilter;
    this.material = new ShaderMaterial({
      vertexShader: FROM_ABOVE, fragmentShader: FRAGMENT, depthTest: false, depthWrite: false,
      uniforms: { uPicture: { value: this.texture }, uCorner: { value: new Vector2() }, uSpan: { value: new Vector2() }, uRamp: { value: [0, 1 / 255] }, uInverted: { value: false } },
    });
    this.covering = new Covering(this.material);
    this.remove = stage.add(this);
  }

  /** @param {string} url @param {AbortSignal} signal */
  async load(url, signal) {
    const answer = await fetch(url, { signal, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
    signal.throwIfAborted();
    this.size = { width: bitmap.width, height: bitmap.height };
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
    context.drawImage(bitmap, 0, 0);
    this.values = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    bitmap.close();
    this.texture.image = canvas;
    // A new size needs a new place on the card.
    this.texture.dispose();
    this.texture.needsUpdate = true;
    this.invalidate();
  }

  /** @param {WebGLRenderer} renderer @param {number} width @param {number} height */
  draw(renderer, width, height) {
    const scene = this.read();
    if (!scene || !this.values) {
      renderer.clear();
      return;
    }
    const { uniforms } = this.material;
    const [x0, y0] = this.fraction(toPlane(this.size, scene.viewing, width, height, [0, 0]));
    const [x1, y1] = this.fraction(toPlane(this.size, scene.viewing, width, height, [width, height]));
    uniforms.uCorner.value.set(x0, y0);
    uniforms.uSpan.value.set(x1 - x0, y1 - y0);
    const { low, factor } = ramp(scene.window);
    uniforms.uRamp.value = [low, factor];
    uniforms.uInverted.value = scene.inverted;
    const filter = scene.interpolated ? LinearFilter : NearestFilter;
    if (this.texture.magFilter !== filter) {
      this.texture.magFilter = filter;
      this.texture.needsUpdate = true;
    }
    this.covering.draw(renderer);
  }

  /** From pixels about the middle to 0..1. @param {[number, number]} position @returns {[number, number]} */
  fraction([x, y]) {
    return [x / this.size.width + 0.5, y / this.size.height + 0.5];
  }

  /** Column, row (from 0) and grey 0 to 255 under a pixel of the viewport. @param {[number, number]} pixel */
  valueAt(pixel) {
    const scene = this.read();
    if (!scene || !this.values) return null;
    const [u, v] = this.fraction(toPlane(this.size, scene.viewing, this.width, this.height, pixel));
    const [column, row] = [Math.floor(u * this.size.width), Math.floor(v * this.size.height)];
    if (column < 0 || row < 0 || column >= this.size.width || row >= this.size.height) return null;
    return { column, row, value: this.values[(row * this.size.width + column) * 4] };
  }

  dispose() {
    this.remove();
    this.texture.dispose();
    this.material.dispose();
    this.covering.dispose();
    this.values = null;
  }
}
