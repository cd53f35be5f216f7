// A second volume over the first: its own texture, its colour map and how it is mixed in. The planes on the page and
// in the 3D share one.

import { DataTexture, LinearFilter, RGBAFormat, UnsignedByteType } from "three";

import { coloursOf } from "../geometry/colours.js";
import { ramp } from "../geometry/windows.js";
import { VolumeImage } from "./volume-image.js";

/** @import { WebGLRenderer } from "three" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { Window } from "../geometry/windows.js" */

/** @typedef {"blend" | "checker" | "swipe"} FusionMode */
/** @typedef {{ map: string, mode: FusionMode, opacity: number, window: Window, place: number, seeThrough: boolean }} FusionLook */

const MODES = Object.freeze({ blend: 0, checker: 1, swipe: 2 });

export class FusionImage {
  /**
   * @param {WebGLRenderer} renderer @param {VolumeGeometry} geometry  in the frame of the volume below
   * @param {{ slope: number, intercept: number }} values
   */
  constructor(renderer, geometry, values) {
    this.geometry = geometry;
    this.image = new VolumeImage(renderer, geometry, values);
    this.colours = new DataTexture(new Uint8Array(256 * 4), 256, 1, RGBAFormat, UnsignedByteType);
    this.colours.minFilter = this.colours.magFilter = LinearFilter;
    /** @type {string | null} */
    this.map = null;
    this.changes = 0;
    this.uniforms = {
      // Names as SAMPLE_OVERLAY has them.
      ...Object.fromEntries(Object.entries(this.image.uniforms).map(([name, uniform]) => [`o${name}`, uniform])),
      uMap: { value: this.colours },
      uOverRamp: { value: [0, 1] },
      uOpacity: { value: 0.72 },
      uSwipe: { value: 0.5 },
      uFusing: { value: 0 },
      uSeeThrough: { value: false },
    };
  }

  /** Grows with every change of the picture. */
  get version() {
    return this.changes + this.image.version;
  }

  /** @param {FusionLook} look */
  setLook({ map, mode, opacity, window, place, seeThrough }) {
    if (map !== this.map) {
      this.map = map;
      /** @type {Uint8Array} */ (this.colours.image.data).set(coloursOf(map));
      this.colours.needsUpdate = true;
    }
    const { low, factor } = ramp(window);
    this.uniforms.uOverRamp.value = [low, factor];
    this.uniforms.uOpacity.value = opacity;
    this.uniforms.uSwipe.value = place;
    this.uniforms.uFusing.value = MODES[mode] ?? 0;
    this.uniforms.uSeeThrough.value = seeThrough;
    this.changes += 1;
  }

  dispose() {
    this.colours.dispose();
    this.image.dispose();
  }
}
