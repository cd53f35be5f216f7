// One plane cut out of the volume by a shader: for every pixel the place in millimetres, the value there (or a slab's),
// the grey, and a second series over it. Slab and second series are compiled the first time they are asked for, so
// that a plain slice costs what it did.

import { ShaderMaterial, Vector3 } from "three";

import { ramp } from "../geometry/windows.js";
import { Covering, FROM_ABOVE } from "./covering.js";
import { PLANE_SHADING, SLAB_MODES, shadingDefines } from "./plane-shading.js";

/** @import { WebGLRenderer } from "three" */
/** @import { SlabMode } from "../geometry/slab.js" */
/** @import { Vec3 } from "../geometry/vectors.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { FusionImage } from "./fusion-image.js" */
/** @import { Part } from "./programs.js" */
/** @import { VolumeImage } from "./volume-image.js" */

/** @typedef {{ step: Vec3, each: number, mode: SlabMode }} SlabLook  samples at step * (-each ... each), LPS mm */
/** @typedef {{ window: Window, inverted: boolean, slab: SlabLook | null, fusion: FusionImage | null }} PictureLook */

/** Side of a tile of the checkerboard, px. */
const TILE = 64;

const FRAGMENT = /* glsl */ `
  ${PLANE_SHADING}
  uniform vec3 uCorner;
  uniform vec3 uAcross;
  uniform vec3 uAlong;
  uniform vec2 uRamp;
  uniform vec2 uTiles;
  uniform bool uInverted;
  varying vec2 vPlace;
  void main() {
    bool inside;
    vec3 point = uCorner + uAcross * vPlace.x + uAlong * vPlace.y;
    float value = shownAt(point, inside);
    float grey = clamp((value - uRamp.x) * uRamp.y, 0.0, 1.0);
    if (uInverted) grey = 1.0 - grey;
    vec3 colour = vec3(inside ? grey : 0.0);
    #ifdef FUSED
    colour = fused(colour, point, vPlace * uTiles, vPlace.x);
    #endif
    gl_FragColor = vec4(colour, 1.0);
  }
`;

export class PlanePicture {
  /** @param {VolumeImage} image */
  constructor(image) {
    this.image = image;
    /** Shared by the materials of this picture. */
    this.own = {
      uCorner: { value: new Vector3() },
      uAcross: { value: new Vector3() },
      uAlong: { value: new Vector3() },
      uRamp: { value: [0, 1] },
      uTiles: { value: [1, 1] },
      uInverted: { value: false },
      uSlabStep: { value: new Vector3() },
      uSlabEach: { value: 0 },
      uSlabMode: { value: 0 },
    };
    /** By what is compiled in. @type {Map<string, ShaderMaterial>} */
    this.materials = new Map();
    this.covering = new Covering(this.materialFor(false, null));
  }

  get version() {
    return this.image.version;
  }

  /** @param {boolean} slab @param {FusionImage | null} fusion */
  materialFor(slab, fusion) {
    const key = `${slab} ${Boolean(fusion)}`;
    let material = this.materials.get(key);
    // A second series brings uniforms of its own, so its material leaves with it.
    if (material && fusion && material.userData.fusion !== fusion) {
      material.dispose();
      material = undefined;
    }
    if (!material) {
      material = new ShaderMaterial({
        vertexShader: FROM_ABOVE, fragmentShader: FRAGMENT, depthTest: false, depthWrite: false,
        defines: shadingDefines({ slab, fusion }),
        uniforms: { ...this.image.uniforms, ...this.own, ...fusion?.uniforms },
      });
      material.userData.fusion = fusion;
      this.materials.set(key, material);
    }
    return material;
  }

  /** Forget what belongs to a second series that leaves. */
  dropFusion() {
    this.covering.material = this.materialFor(false, null);
    for (const [key, material] of this.materials) {
      if (!material.userData.fusion) continue;
      material.dispose();
      this.materials.delete(key);
    }
  }

  /** What will be drawn, so that its program can be begun. @param {SlabLook | null} slab @param {FusionImage | null} fusion @returns {Part} */
  part(slab, fusion) {
    this.covering.material = this.materialFor(Boolean(slab), fusion);
    return this.covering;
  }

  /**
   * @param {WebGLRenderer} renderer
   * @param {{ corner: Vec3, across: Vec3, along: Vec3 }} rectangle  LPS mm: top left, and the whole width and height
   * @param {PictureLook} look @param {number} width  px @param {number} height  px
   */
  draw(renderer, rectangle, { window, inverted, slab, fusion }, width, height) {
    const { own } = this;
    own.uCorner.value.fromArray(rectangle.corner);
    own.uAcross.value.fromArray(rectangle.across);
    own.uAlong.value.fromArray(rectangle.along);
    const { low, factor } = ramp(window);
    own.uRamp.value = [low, factor];
    own.uTiles.value = [width / TILE, height / TILE];
    own.uInverted.value = inverted;
    if (slab) {
      own.uSlabStep.value.fromArray(slab.step);
      own.uSlabEach.value = slab.each;
      own.uSlabMode.value = SLAB_MODES[slab.mode];
    }
    this.covering.material = this.materialFor(Boolean(slab), fusion);
    this.covering.draw(renderer);
  }

  dispose() {
    this.covering.dispose();
    for (const material of this.materials.values()) material.dispose();
  }
}
