// What every viewport of a stage is: an element with a size, drawn when it is asked for, with a canvas for lines over it.

/** @import { Stage } from "./stage.js" */
/** @import { PlainStage } from "./plain-stage.js" */

export class Viewport {
  /** @param {Stage | PlainStage} stage @param {HTMLElement} element @param {HTMLCanvasElement | null} [lines] */
  constructor(stage, element, lines = null) {
    this.stage = /** @type {Stage} */ (stage);
    this.element = element;
    this.lines = /** @type {HTMLCanvasElement} */ (lines);
    this.context = /** @type {CanvasRenderingContext2D} */ (lines && stage.linesOn(lines));
    /** Viewports that show the same: what makes this one be drawn again makes them be, too. @type {Set<Viewport>} */
    this.alongside = new Set();
  }

  get width() {
    return this.stage.sizeOf(this.element).width;
  }

  get height() {
    return this.stage.sizeOf(this.element).height;
  }

  invalidate() {
    this.stage.invalidate(/** @type {any} */ (this));
    for (const one of this.alongside) one.invalidate();
  }

  /** Empty the canvas of the lines and let it count in CSS px. @param {number} width @param {number} height */
  clearLines(width, height) {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.lines.width !== wide || this.lines.height !== high) {
      this.lines.width = wide;
      this.lines.height = high;
    }
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }
}
