// A plane whose picture the server makes: one 8-bit slice at a time, drawn on the viewport's own canvas under the lines.

import { inPlane, sliceAt } from "../geometry/planes.js";
import { toScreen } from "../geometry/viewing.js";
import { toMm } from "../geometry/volume.js";
import { PlaneViewport } from "./plane-viewport.js";

/** @import { PlaneScene } from "./plane-viewport.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Vec3 } from "../geometry/vectors.js" */

/** Pictures kept per plane: scrolling back and forth costs nothing. */
const KEPT = 12;
const TRIES = 3;
const PAUSE = 400;

/** @typedef {{ address: string, slice: number }} Wanted */

export class SliceViewport extends PlaneViewport {
  /**
   * @param {Stage} stage @param {HTMLElement} element @param {HTMLCanvasElement} lines @param {() => PlaneScene | null} read
   * @param {string} base  where slices are made: base + "k/87/"
   * @param {{ onShown: () => void, onFailed: (slice: number, error: Error | null) => void }} tell  null: it came after all
   */
  constructor(stage, element, lines, read, base, tell) {
    super(stage, element, lines, read);
    this.base = base;
    this.tell = tell;
    this.abort = new AbortController();
    /** @type {Map<string, ImageBitmap>} */
    this.pictures = new Map();
    /** What stands on the screen: another slice than the wanted one while that is on its way. @type {(Wanted & { bitmap: ImageBitmap }) | null} */
    this.shown = null;
    this.asking = false;
    /** @type {string | null} */
    this.failed = null;
  }

  /** The address of the picture a scene needs. @param {PlaneScene} scene @param {number} width @param {number} height @returns {Wanted} */
  wantedFor({ geometry, plane, point, window: shades, inverted }, width, height) {
    const slice = sliceAt(geometry, plane, point);
    const size = Math.ceil((Math.max(width, height) * Math.min(window.devicePixelRatio || 1, 2)) / 256) * 256;
    const query = new URLSearchParams({ width: String(shades.width), level: String(shades.level), size: String(size) });
    if (inverted) query.set("inverted", "1");
    return { slice, address: `${this.base}${"kji"[plane.axis]}/${slice}/?${query}` };
  }

  /** @param {any} renderer  the card's, where there is one @param {number} width @param {number} height */
  draw(renderer, width, height) {
    renderer?.clear();
    const scene = this.read();
    this.clearLines(width, height);
    if (!scene) return;
    const wanted = this.wantedFor(scene, width, height);
    const bitmap = this.pictures.get(wanted.address);
    if (bitmap && this.shown?.address !== wanted.address) {
      this.shown = { ...wanted, bitmap };
      this.tell.onShown();
    } else if (!bitmap && this.failed !== wanted.address) void this.ask();
    if (this.shown) this.paint(scene, this.shown.bitmap, width, height);
    this.drawLines(scene, width, height);
  }

  /** The picture where its voxels lie, whichever way the reader turned the plane. @param {PlaneScene} scene @param {ImageBitmap} bitmap @param {number} width @param {number} height */
  paint({ geometry, plane, viewing }, bitmap, width, height) {
    const { context } = this;
    const [rows, columns] = [0, 1, 2].filter((axis) => axis !== plane.axis);
    const at = (/** @type {number} */ row, /** @type {number} */ column) => {
      const index = /** @type {Vec3} */ ([0, 0, 0]);
      [index[rows], index[columns]] = [row - 0.5, column - 0.5];
      return toScreen(plane, viewing, width, height, inPlane(geometry, plane, toMm(geometry, index)));
    };
    const [corner, right, down] = [at(0, 0), at(0, geometry.shape[columns]), at(geometry.shape[rows], 0)];
    context.save();
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.transform(
      (right[0] - corner[0]) / bitmap.width, (right[1] - corner[1]) / bitmap.width,
      (down[0] - corner[0]) / bitmap.height, (down[1] - corner[1]) / bitmap.height, corner[0], corner[1],
    );
    context.drawImage(bitmap, 0, 0);
    context.restore();
  }

  /** One picture at a time, always the one that is wanted now: a quick scroll skips what it passed. */
  async ask() {
    if (this.asking) return;
    this.asking = true;
    for (;;) {
      const scene = this.read();
      if (!scene || this.abort.signal.aborted) break;
      const wanted = this.wantedFor(scene, this.width, this.height);
      if (this.pictures.has(wanted.address) || this.failed === wanted.address) break;
      try {
        this.keep(wanted.address, await this.fetchPicture(wanted.address));
        if (this.failed) this.tell.onFailed(wanted.slice, null);
        this.failed = null;
      } catch (error) {
        if (this.abort.signal.aborted) break;
        this.failed = wanted.address;
        this.tell.onFailed(wanted.slice, /** @type {Error} */ (error));
      }
      this.invalidate();
    }
    this.asking = false;
  }

  /** Once more, when a person asks. */
  retry() {
    this.failed = null;
    void this.ask();
  }

  /** @param {string} address @returns {Promise<ImageBitmap>} */
  async fetchPicture(address) {
    const { signal } = this.abort;
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await fetch(address, { signal, credentials: "same-origin" });
        if (!answer.ok) throw new Error(`${answer.status}`);
        return await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
      } catch (error) {
        if (signal.aborted || attempt >= TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE * attempt));
      }
    }
  }

  /** @param {string} address @param {ImageBitmap} bitmap */
  keep(address, bitmap) {
    this.pictures.set(address, bitmap);
    for (const [old, picture] of this.pictures) {
      if (this.pictures.size <= KEPT) break;
      if (picture === this.shown?.bitmap) continue;
      this.pictures.delete(old);
      picture.close();
    }
  }

  dispose() {
    this.abort.abort();
    super.dispose();
    for (const picture of this.pictures.values()) picture.close();
    this.pictures.clear();
    this.shown = null;
  }
}
