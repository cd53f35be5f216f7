// What stands in for the stage where there is no WebGL2: the same clock for views that draw on canvases of their own.

import { StageViews } from "./stage-views.js";

export class PlainStage extends StageViews {
  /** @param {HTMLElement} host */
  constructor(host) {
    super(host, true);
    /** No 3D texture at all. */
    this.largest3d = 0;
    this.largest2d = 0;
    /** Pictures need no card here. @type {any} */
    this.renderer = null;
  }

  render() {
    this.frame = 0;
    this.frames += 1;
    const views = [...this.dirty];
    this.dirty.clear();
    for (const view of views) {
      const { width, height } = this.sizeOf(view.element);
      if (width >= 2 && height >= 2) view.draw(null, width, height, true);
    }
  }

  /** There is no card that could be lost. @param {(lost: boolean) => void} _listener @returns {() => void} */
  onLoss(_listener) {
    return () => {};
  }

  memory() {
    return { geometries: 0, textures: 0 };
  }
}
