// The shader of a plain slice, begun before there is a series to show: the card makes it while the page is being made.
// Whoever shows the first slice then finds it there, because equal shaders are one program.

import { volumeGeometry } from "../geometry/volume.js";
import { PlanePicture } from "./plane-picture.js";
import { VolumeImage } from "./volume-image.js";

/** @import { Stage } from "./stage.js" */

const VOXEL = { shape: [1, 1, 1], affine: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], spacing_mm: [1, 1, 1] };

export class PlaneWarmth {
  /** @param {Stage} stage */
  constructor(stage) {
    this.image = new VolumeImage(stage.renderer, volumeGeometry(VOXEL), { slope: 1, intercept: 0 });
    this.picture = new PlanePicture(this.image);
    stage.programs.has(this, [this.picture.part(null, null)], () => {});
  }

  /** Once a series shows its slices with the same program, nobody needs this any more. */
  end() {
    this.picture.dispose();
    this.image.dispose();
  }
}
