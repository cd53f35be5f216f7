// What a stage with a graphics card and one without share: the viewports, their sizes, which are to be drawn next.

/**
 * @typedef {object} StageView
 * @property {HTMLElement} element  where on the page; hidden elements are skipped
 * @property {(renderer: any, width: number, height: number, fresh: boolean) => void} draw  sizes in CSS px;
 *   `fresh` means that the old picture is gone, otherwise a view may leave its part of the canvas as it is
 */

export class StageViews {
  /** @param {HTMLElement} host  the grid of viewports @param {boolean} software  the processor draws */
  constructor(host, software) {
    this.host = host;
    this.software = software;
    this.frame = 0;
    this.frames = 0;
    this.lost = false;
    /** @type {Set<StageView>} */
    this.views = new Set();
    /** @type {Set<StageView>} */
    this.dirty = new Set();
    /** Sizes as last measured: asking the page for them on every pointer move would make it lay itself out again. @type {WeakMap<HTMLElement, { width: number, height: number }>} */
    this.sizes = new WeakMap();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(host);
  }

  /** @param {StageView} view @returns {() => void} */
  add(view) {
    this.views.add(view);
    this.observer.observe(view.element);
    this.invalidate();
    return () => {
      this.views.delete(view);
      this.dirty.delete(view);
      this.observer.unobserve(view.element);
      this.invalidate();
    };
  }

  /** Draw a view again in the next frame; without one, everything from the ground up. @param {StageView} [view] */
  invalidate(view) {
    if (view) this.dirty.add(view);
    else this.all();
    if (!this.frame && !this.lost) this.frame = requestAnimationFrame(() => this.render());
  }

  all() {
    for (const view of this.views) this.dirty.add(view);
  }

  render() {}

  resize() {
    this.sizes = new WeakMap();
    this.invalidate();
  }

  /** Viewports were placed anew: drawn with the next frame, as the page is. */
  moved() {
    this.sizes = new WeakMap();
    this.invalidate();
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

  /**
   * A canvas for lines over the picture. Where graphics run on the processor, paths drawn by it directly are many
   * times faster than through the emulated card.
   * @param {HTMLCanvasElement} canvas
   */
  linesOn(canvas) {
    return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: this.software }));
  }

  dispose() {
    cancelAnimationFrame(this.frame);
    this.observer.disconnect();
  }
}
