// How the 3D becomes a picture. Solid surfaces and planes alone go straight onto the canvas. As soon as something is
// see-through, or the volume itself is shown, the solids are drawn into a texture with their depth; see-through surfaces
// follow as layers from near to far (depth peeling: right at every pixel, also where surfaces go through each other),
// what lies behind the last layer is blended by weight, and the ray march goes on between the layers.

import { Color, DepthTexture, FloatType, GLSL3, HalfFloatType, LinearFilter, NearestFilter, NoBlending, RGBAFormat, ShaderMaterial, UnsignedByteType, WebGLRenderTarget } from "three";

import { Covering, FROM_BELOW } from "./covering.js";
import { CLEAR_LAYER, PASS, passUniforms, setPass } from "./surface-material.js";

/** @import { Mesh, PerspectiveCamera, Scene, WebGLRenderer } from "three" */
/** @import { Part } from "./programs.js" */
/** @import { VolumeRendering } from "./volume-rendering.js" */
/** @import { Stage } from "./stage.js" */

/** The most layers that are kept apart; each costs two textures in the ray march, which may have sixteen. */
export const MOST_LAYERS = 4;

/** Rest of a picture on a processor: so many strips, one per frame, so that the page stays awake. */
const STRIPS = 12;

const FRAGMENT = /* glsl */ `
  layout(location = 0) out vec4 outColour;
  uniform sampler2D uPicture;
  uniform sampler2D uLayer[${MOST_LAYERS}];
  uniform sampler2D uRest;
  uniform sampler2D uRestWeight;
  uniform sampler2D uFine;
  uniform sampler2D uCoarse;
  uniform int uLayers;
  uniform bool uHasRest;
  uniform bool uHasVolume;
  uniform float uDone;
  varying vec2 vPlace;
  void under(inout vec4 sum, vec4 colour) {
    sum += (1.0 - sum.a) * vec4(colour.rgb * colour.a, colour.a);
  }
  void main() {
    vec3 solid = texture(uPicture, vPlace).rgb;
    vec4 sum = vec4(0.0);
    if (uHasVolume) sum = vPlace.y < uDone ? texture(uFine, vPlace) : texture(uCoarse, vPlace);
    else {
      if (uLayers > 0) under(sum, texture(uLayer[0], vPlace));
      if (uLayers > 1) under(sum, texture(uLayer[1], vPlace));
      if (uLayers > 2) under(sum, texture(uLayer[2], vPlace));
      if (uLayers > 3) under(sum, texture(uLayer[3], vPlace));
      if (uHasRest) {
        vec4 rest = texture(uRest, vPlace);
        float weight = texture(uRestWeight, vPlace).r;
        if (weight > 0.0) under(sum, vec4(rest.rgb / weight, 1.0 - rest.a));
      }
    }
    outColour = vec4(sum.rgb + (1.0 - sum.a) * solid, 1.0);
  }
`;

const BLACK = new Color(0x000000);

/**
 * @typedef {object} Shown
 * @property {Mesh[]} clear  the see-through surfaces that are visible
 * @property {VolumeRendering | null} volume
 * @property {boolean} moving  a cheaper picture will do; a better one follows at rest
 */

export class SpacePicture {
  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Map<string, WebGLRenderTarget>} */
    this.targets = new Map();
    this.full = new Covering(new ShaderMaterial({
      vertexShader: FROM_BELOW, fragmentShader: FRAGMENT, glslVersion: GLSL3, depthTest: false, depthWrite: false, blending: NoBlending,
      uniforms: {
        uPicture: { value: null }, uLayer: { value: new Array(MOST_LAYERS).fill(null) }, uRest: { value: null }, uRestWeight: { value: null },
        uFine: { value: null }, uCoarse: { value: null }, uLayers: { value: 0 }, uHasRest: { value: false }, uHasVolume: { value: false }, uDone: { value: 0 },
      },
    }));
    /** Strips of the good picture of the volume that are there. */
    this.strips = 0;
    /** The coarse picture is of something else than what is wanted now. */
    this.coarseIsOld = true;
    /** How coarse a moving volume is: side of its picture over the viewport's. Follows what the machine can do. */
    this.scale = stage.software ? 0.3 : 1;
    this.lastMove = 0;
    /** Solids and layers of the picture that is being made. @type {{ solid: WebGLRenderTarget, layers: WebGLRenderTarget[] } | null} */
    this.kept = null;
  }

  /** @param {string} name @param {number} width @param {number} height @param {object} options @param {boolean} [depth] */
  target(name, width, height, options, depth = false) {
    let target = this.targets.get(name);
    if (!target) {
      target = new WebGLRenderTarget(width, height, { format: RGBAFormat, type: UnsignedByteType, minFilter: NearestFilter, magFilter: NearestFilter, depthBuffer: depth, ...options });
      if (depth) {
        target.depthTexture = new DepthTexture(width, height, FloatType);
        target.depthTexture.minFilter = target.depthTexture.magFilter = NearestFilter;
      }
      this.targets.set(name, target);
    }
    if (target.width !== width || target.height !== height) {
      target.setSize(width, height);
      this.kept = null;
    }
    return target;
  }

  /** Give back the textures whose names begin so. @param {string} start */
  free(start) {
    for (const [name, target] of this.targets) {
      if (!name.startsWith(start)) continue;
      target.depthTexture?.dispose();
      target.dispose();
      this.targets.delete(name);
    }
  }

  /** The camera or what it sees has changed: the good picture of the volume starts anew. */
  stale() {
    this.strips = 0;
    this.coarseIsOld = true;
  }

  /**
   * What will be drawn, so that its programs can be begun.
   * @param {Scene} scene @param {PerspectiveCamera} camera @param {Omit<Shown, "moving">} shown @returns {Part[]}
   */
  parts(scene, camera, { clear, volume }) {
    const aside = clear.length > 0 || volume !== null;
    /** @type {Part[]} */
    const parts = [{ scene, camera, aside }];
    if (aside) parts.push(this.full);
    if (volume) parts.push({ scene: volume.full.scene, camera: volume.full.camera, aside });
    return parts;
  }

  /**
   * @param {WebGLRenderer} renderer @param {Scene} scene @param {PerspectiveCamera} camera @param {number} width @param {number} height  CSS px
   * @param {Shown} shown @returns {boolean}  more is to come: draw again
   */
  draw(renderer, scene, camera, width, height, { clear, volume, moving }) {
    passUniforms.uPass.value = 0;
    renderer.setClearColor(BLACK, 1);
    if (clear.length === 0 && !volume) {
      if (this.targets.size > 0) this.free("");
      this.kept = null;
      renderer.clear();
      renderer.render(scene, camera);
      return false;
    }
    const ratio = renderer.getPixelRatio();
    const [wide, high] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    const solid = this.target("solid", wide, high, { samples: this.stage.software ? 0 : 4 }, true);
    // Strip by strip only the volume goes on; what stands round it is there from the first strip.
    if (moving || !volume || this.strips === 0 || !this.kept || solid !== this.kept.solid) {
      renderer.setRenderTarget(solid);
      renderer.clear();
      renderer.render(scene, camera);
      this.kept = { solid, layers: this.peel(renderer, scene, camera, wide, high, solid, clear, moving) };
    }
    const { layers } = this.kept;
    const rest = layers.length > 0 ? this.targets.get("rest") ?? null : null;
    let more = false;
    const { uniforms } = this.full.material;
    if (volume) more = this.march(renderer, camera, wide, high, solid, layers, rest, volume, moving);
    else this.free("volume");
    renderer.setRenderTarget(null);
    uniforms.uPicture.value = solid.texture;
    uniforms.uLayer.value = Array.from({ length: MOST_LAYERS }, (_, at) => (layers[at] ?? solid).texture);
    uniforms.uLayers.value = layers.length;
    uniforms.uHasRest.value = Boolean(rest);
    uniforms.uRest.value = rest?.textures[0] ?? solid.texture;
    uniforms.uRestWeight.value = rest?.textures[1] ?? solid.texture;
    uniforms.uHasVolume.value = Boolean(volume);
    uniforms.uFine.value = this.targets.get("volume fine")?.texture ?? solid.texture;
    uniforms.uCoarse.value = this.targets.get("volume coarse")?.texture ?? uniforms.uFine.value;
    uniforms.uDone.value = volume ? this.strips / this.stripCount : 0;
    this.full.draw(renderer);
    return more;
  }

  get stripCount() {
    return this.stage.software ? STRIPS : 1;
  }

  /**
   * Layers of the see-through surfaces, nearest first.
   * @param {WebGLRenderer} renderer @param {Scene} scene @param {PerspectiveCamera} camera @param {number} wide @param {number} high
   * @param {WebGLRenderTarget} solid @param {Mesh[]} clear @param {boolean} moving
   */
  peel(renderer, scene, camera, wide, high, solid, clear, moving) {
    if (clear.length === 0) {
      this.free("layer");
      this.free("rest");
      return [];
    }
    // On a processor each layer is another pass over the triangles: one while it moves, enough at rest.
    const count = this.stage.software ? (moving ? 1 : 3) : MOST_LAYERS;
    const materials = clear.map((mesh) => /** @type {ShaderMaterial} */ (mesh.material));
    passUniforms.uSolid.value = solid.depthTexture;
    passUniforms.uRange.value.set(camera.near, camera.far);
    camera.layers.set(CLEAR_LAYER);
    renderer.setClearColor(BLACK, 0);
    materials.forEach((material) => setPass(material, PASS.nearest));
    passUniforms.uPass.value = PASS.nearest;
    /** @type {WebGLRenderTarget[]} */
    const layers = [];
    for (let at = 0; at < count; at++) {
      const layer = this.target(`layer ${at}`, wide, high, {}, true);
      passUniforms.uFirst.value = at === 0;
      passUniforms.uNearer.value = at === 0 ? solid.depthTexture : layers[at - 1].depthTexture;
      renderer.setRenderTarget(layer);
      renderer.clear();
      renderer.render(scene, camera);
      layers.push(layer);
    }
    const rest = this.target("rest", wide, high, { count: 2, type: HalfFloatType });
    materials.forEach((material) => setPass(material, PASS.rest));
    passUniforms.uPass.value = PASS.rest;
    passUniforms.uFirst.value = false;
    passUniforms.uNearer.value = layers[count - 1].depthTexture;
    renderer.setClearColor(BLACK, 1);
    renderer.setRenderTarget(rest);
    renderer.clear();
    renderer.render(scene, camera);
    camera.layers.set(0);
    passUniforms.uPass.value = 0;
    // The next picture draws into these: a texture may not be read while it is drawn into.
    passUniforms.uSolid.value = passUniforms.uNearer.value = null;
    return layers;
  }

  /**
   * @param {WebGLRenderer} renderer @param {PerspectiveCamera} camera @param {number} wide @param {number} high @param {WebGLRenderTarget} solid
   * @param {WebGLRenderTarget[]} layers @param {WebGLRenderTarget | null} rest @param {VolumeRendering} volume @param {boolean} moving
   * @returns {boolean}
   */
  march(renderer, camera, wide, high, solid, layers, rest, volume, moving) {
    const inputs = { camera, solid, layers, rest };
    const smooth = { minFilter: LinearFilter, magFilter: LinearFilter };
    const { software } = this.stage;
    if (moving) this.keepPace();
    else this.lastMove = 0;
    // At rest, too: something has to stand there until the strips of the good picture come.
    if (moving || (software && this.coarseIsOld)) {
      const coarse = this.target("volume coarse", Math.max(1, Math.round(wide * this.scale)), Math.max(1, Math.round(high * this.scale)), smooth);
      volume.march(renderer, coarse, { ...inputs, step: software ? 2 : 1 });
      this.strips = 0;
      this.coarseIsOld = false;
      if (moving) return false;
    }
    const before = this.targets.get("volume fine");
    if (before && (before.width !== wide || before.height !== high)) this.strips = 0;
    const fine = this.target("volume fine", wide, high, smooth);
    if (this.strips >= this.stripCount) return false;
    const from = Math.round((this.strips * high) / this.stripCount);
    const to = Math.round(((this.strips + 1) * high) / this.stripCount);
    fine.scissorTest = true;
    fine.scissor.set(0, from, wide, to - from);
    volume.march(renderer, fine, { ...inputs, step: software ? 0.7 : 0.5 });
    fine.scissorTest = false;
    this.strips += 1;
    return this.strips < this.stripCount;
  }

  /** Coarser when pictures come late, finer when there is time. */
  keepPace() {
    const now = performance.now();
    const took = now - this.lastMove;
    this.lastMove = now;
    if (took > 1000) return;
    const [least, most] = this.stage.software ? [0.15, 0.5] : [0.35, 1];
    if (took > (this.stage.software ? 150 : 40)) this.scale = Math.max(least, this.scale * 0.85);
    else if (took < (this.stage.software ? 70 : 20)) this.scale = Math.min(most, this.scale * 1.06);
  }

  dispose() {
    this.free("");
    this.full.material.dispose();
    this.full.dispose();
  }
}
