// The volume itself in 3D: a ray per pixel through the same 3D texture that the planes use (the 8-bit preview while the
// slices are still coming). Rays start with a jitter, leap over empty bricks, stop when nothing more can be seen, at
// solid surfaces and at the clipping planes, and take see-through surfaces in on their way.

import { ClampToEdgeWrapping, Data3DTexture, DataTexture, GLSL3, LinearFilter, Matrix3, Matrix4, NearestFilter, NoBlending, RGBAFormat, RedFormat, ShaderMaterial, UnsignedByteType, Vector2, Vector3, Vector4 } from "three";

import { BRICK, countSlices, emptyBricks, leaps } from "../geometry/occupancy.js";
import { transferTable, visibleBetween } from "../geometry/transfer.js";
import { Covering, FROM_BELOW } from "./covering.js";
import { MOST_LAYERS } from "./space-picture.js";
import { LIGHT } from "./surface-material.js";

/** @import { PerspectiveCamera, Plane as ClippingPlane, WebGLRenderTarget, WebGLRenderer } from "three" */
/** @import { Bricks } from "../geometry/occupancy.js" */
/** @import { TransferPoint, TransferStyle } from "../geometry/transfer.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { VolumeImage } from "./volume-image.js" */

const MOST_PLANES = 8;
const TABLE = 1024;

const FRAGMENT = /* glsl */ `
  precision highp sampler3D;
  layout(location = 0) out vec4 outColour;
  uniform sampler3D uVolume;
  uniform sampler3D uLeaps;
  uniform sampler2D uTable;
  uniform highp sampler2D uSolid;
  uniform sampler2D uLayer[${MOST_LAYERS}];
  uniform highp sampler2D uLayerDepth[${MOST_LAYERS}];
  uniform sampler2D uRest;
  uniform sampler2D uRestWeight;
  uniform int uLayers;
  uniform bool uHasRest;
  uniform mat4 uFromClip;
  uniform mat4 uToTexture;
  uniform mat3 uToView;
  uniform vec3 uEye;
  uniform vec3 uTexel;
  uniform vec3 uBricks;
  uniform bool uHasBricks;
  uniform vec2 uValues;
  uniform vec2 uSpan;
  uniform vec2 uDepthRange;
  uniform float uStep;
  uniform bool uBrightest;
  uniform vec4 uClip[${MOST_PLANES}];
  uniform int uClips;
  varying vec2 vPlace;
  ${LIGHT}

  float alongOf(float depth) {
    float away = uDepthRange.x * uDepthRange.y / (uDepthRange.y - depth * (uDepthRange.y - uDepthRange.x));
    return (away - uDepthRange.x) / (uDepthRange.y - uDepthRange.x);
  }
  float valueAt(vec3 place) { return texture(uVolume, place).r * uValues.x + uValues.y; }
  vec4 seen(float value) {
    float at = clamp((value - uSpan.x) * uSpan.y, 0.0, 1.0);
    return texture(uTable, vec2(at * ${((TABLE - 1) / TABLE).toFixed(8)} + ${(0.5 / TABLE).toFixed(8)}, 0.5));
  }
  void under(inout vec4 sum, vec4 colour) {
    sum += (1.0 - sum.a) * vec4(colour.rgb * colour.a, colour.a);
  }
  vec4 layerAt(int at) {
    if (at == 0) return texture(uLayer[0], vPlace);
    if (at == 1) return texture(uLayer[1], vPlace);
    if (at == 2) return texture(uLayer[2], vPlace);
    return texture(uLayer[3], vPlace);
  }
  float layerStart(int at) {
    if (at >= uLayers) return 2.0;
    float depth = at == 0 ? texture(uLayerDepth[0], vPlace).r : at == 1 ? texture(uLayerDepth[1], vPlace).r
      : at == 2 ? texture(uLayerDepth[2], vPlace).r : texture(uLayerDepth[3], vPlace).r;
    return depth >= 1.0 ? 2.0 : alongOf(depth);
  }
  vec3 unit(vec3 v) { float size = length(v); return size > 1e-12 ? v / size : vec3(0.0); }

  void main() {
    vec4 near = uFromClip * vec4(vPlace * 2.0 - 1.0, -1.0, 1.0);
    vec4 far = uFromClip * vec4(vPlace * 2.0 - 1.0, 1.0, 1.0);
    vec3 from = near.xyz / near.w;
    vec3 to = far.xyz / far.w;
    float reach = length(to - from);
    vec3 start = (uToTexture * vec4(from, 1.0)).xyz;
    vec3 way = (uToTexture * vec4(to, 1.0)).xyz - start;
    way = mix(way, vec3(1e-9), lessThan(abs(way), vec3(1e-9)));
    vec3 a = -start / way;
    vec3 b = (1.0 - start) / way;
    vec3 first = min(a, b);
    vec3 last = max(a, b);
    float enter = max(max(first.x, first.y), max(first.z, 0.0));
    float leave = min(min(last.x, last.y), min(last.z, 1.0));
    float body = enter;
    for (int at = 0; at < ${MOST_PLANES}; at++) {
      if (at >= uClips) break;
      float f0 = dot(uClip[at].xyz, from) + uClip[at].w;
      float f1 = dot(uClip[at].xyz, to) + uClip[at].w;
      if (f0 < 0.0 && f1 < 0.0) { leave = -1.0; break; }
      float crossing = f0 / (f0 - f1);
      if (f0 < 0.0) enter = max(enter, crossing);
      else if (f1 < 0.0) leave = min(leave, crossing);
    }
    leave = min(leave, alongOf(texture(uSolid, vPlace).r));

    vec4 sum = vec4(0.0);
    int layer = 0;
    float next = layerStart(0);
    float stride = uStep / reach;
    // Every ray starts somewhere else within its first step: grain, which the eye overlooks, in the place of rings.
    uvec2 seed = uvec2(gl_FragCoord.xy) * uvec2(1597334677u, 3812015801u);
    float jitter = float(((seed.x ^ seed.y) * 1597334677u) >> 8) / 16777216.0;
    float t = enter + stride * jitter;
    float most = -1e30;
    float mostAt = 2.0;
    vec3 towards = unit(uToView * (uEye - mix(from, to, enter)));
    if (leave > enter) {
      for (int n = 0; n < 4096; n++) {
        if (t >= leave) break;
        vec3 place = start + way * t;
        if (uHasBricks) {
          vec3 brick = floor(clamp(place, 0.0, 0.99999) * uBricks);
          float empty = floor(texelFetch(uLeaps, ivec3(brick), 0).r * 255.0 + 0.5);
          if (empty > 0.5) {
            vec3 low = (brick - (empty - 1.0)) / uBricks;
            vec3 high = (brick + empty) / uBricks;
            vec3 out3 = (mix(low, high, greaterThan(way, vec3(0.0))) - start) / way;
            float out1 = min(out3.x, min(out3.y, out3.z));
            t += stride * max(ceil((out1 - t) / stride), 1.0);
            continue;
          }
        }
        float value = valueAt(place);
        if (uBrightest) {
          if (value > most) { most = value; mostAt = t; }
          t += stride;
          continue;
        }
        while (next <= t) {
          under(sum, layerAt(layer));
          layer += 1;
          next = layerStart(layer);
        }
        vec4 colour = seen(value);
        if (colour.a > 0.002) {
          colour.a = 1.0 - pow(1.0 - min(colour.a, 0.999), uStep);
          vec3 slope = vec3(
            valueAt(place + vec3(uTexel.x, 0.0, 0.0)) - valueAt(place - vec3(uTexel.x, 0.0, 0.0)),
            valueAt(place + vec3(0.0, uTexel.y, 0.0)) - valueAt(place - vec3(0.0, uTexel.y, 0.0)),
            valueAt(place + vec3(0.0, 0.0, uTexel.z)) - valueAt(place - vec3(0.0, 0.0, uTexel.z))) / uTexel;
          // From texture axes to millimetres a gradient goes by the transpose; then into the camera's axes.
          vec3 steepest = uToView * (slope * mat3(uToTexture)) * 0.5;
          vec3 normal = unit(steepest);
          normal *= dot(normal, towards) < 0.0 ? -1.0 : 1.0;
          vec3 linear = pow(colour.rgb, vec3(2.2));
          // Where nothing changes there is no surface: noise would be lit like gravel. A cut face is a section, too.
          float form = smoothstep(0.006, 0.04, length(steepest) * uSpan.y);
          if (enter > body) form *= smoothstep(0.0, 5.0 * uStep, (t - enter) * reach - uStep);
          colour.rgb = encoded(min(mix(linear * 0.72, lit(linear, normal, towards, 0.10), form), vec3(1.0)));
          under(sum, colour);
          if (sum.a > 0.98) { sum /= sum.a; break; }
        }
        t += stride;
      }
    }
    if (uBrightest && mostAt < 2.0) {
      while (next <= mostAt) {
        under(sum, layerAt(layer));
        layer += 1;
        next = layerStart(layer);
      }
      under(sum, seen(most));
    }
    for (int n = 0; n < ${MOST_LAYERS}; n++) {
      if (layer >= uLayers) break;
      if (next <= 1.0) under(sum, layerAt(layer));
      layer += 1;
      next = layerStart(layer);
    }
    if (uHasRest) {
      vec4 rest = texture(uRest, vPlace);
      float weight = texture(uRestWeight, vPlace).r;
      if (weight > 0.0) under(sum, vec4(rest.rgb / weight, 1.0 - rest.a));
    }
    outColour = sum;
  }
`;

/** @param {Uint8Array} bytes @param {number[]} shape  (k, j, i) */
function leapTexture(bytes, [depth, height, width]) {
  const texture = new Data3DTexture(bytes, width, height, depth);
  texture.format = RedFormat;
  texture.type = UnsignedByteType;
  texture.minFilter = texture.magFilter = NearestFilter;
  texture.unpackAlignment = 1;
  texture.needsUpdate = true;
  return texture;
}

export class VolumeRendering {
  /**
   * @param {VolumeImage} image @param {VolumeGeometry} geometry @param {{ slope: number, intercept: number }} scale
   * @param {() => void} onChange  something better can be drawn
   */
  constructor(image, geometry, scale, onChange) {
    this.image = image;
    this.geometry = geometry;
    this.scale = scale;
    this.onChange = onChange;
    /** @type {Bricks | null} */
    this.bricks = null;
    this.counting = false;
    this.gone = false;
    this.waiting = 0;
    this.tableTexture = new DataTexture(new Uint8Array(TABLE * 4), TABLE, 1, RGBAFormat, UnsignedByteType);
    this.tableTexture.minFilter = this.tableTexture.magFilter = LinearFilter;
    this.tableTexture.wrapS = ClampToEdgeWrapping;
    this.leapTexture = leapTexture(new Uint8Array(1), [1, 1, 1]);
    /** @type {ReturnType<typeof transferTable> | null} */
    this.made = null;
    const empty = () => new Array(MOST_LAYERS).fill(null);
    this.full = new Covering(new ShaderMaterial({
      vertexShader: FROM_BELOW, fragmentShader: FRAGMENT, glslVersion: GLSL3, depthTest: false, depthWrite: false, blending: NoBlending,
      uniforms: {
        uVolume: { value: null }, uLeaps: { value: this.leapTexture }, uTable: { value: this.tableTexture }, uSolid: { value: null },
        uLayer: { value: empty() }, uLayerDepth: { value: empty() }, uRest: { value: null }, uRestWeight: { value: null },
        uLayers: { value: 0 }, uHasRest: { value: false }, uFromClip: { value: new Matrix4() }, uToTexture: { value: new Matrix4() },
        uToView: { value: new Matrix3() }, uEye: { value: new Vector3() }, uTexel: { value: new Vector3() }, uBricks: { value: new Vector3(1, 1, 1) },
        uHasBricks: { value: false }, uValues: { value: new Vector2(1, 0) }, uSpan: { value: new Vector2(0, 1) }, uDepthRange: { value: new Vector2(1, 2) },
        uStep: { value: 1 }, uBrightest: { value: false }, uClip: { value: Array.from({ length: MOST_PLANES }, () => new Vector4()) }, uClips: { value: 0 },
      },
    }));
  }

  /** @param {TransferPoint[]} points @param {TransferStyle} style */
  setTransfer(points, style) {
    this.made = transferTable(points, TABLE);
    /** @type {Uint8Array} */ (this.tableTexture.image.data).set(this.made.table);
    this.tableTexture.needsUpdate = true;
    const { uniforms } = this.full.material;
    uniforms.uSpan.value.set(this.made.low, 1 / (this.made.high - this.made.low));
    uniforms.uBrightest.value = style === "brightest";
    this.findLeaps();
  }

  /** Sizes of the leaps from what the transfer function shows. */
  findLeaps() {
    if (!this.bricks || !this.made) return;
    const { slope, intercept } = this.scale;
    const visible = visibleBetween(this.made);
    const shown = (/** @type {number} */ low, /** @type {number} */ high) =>
      slope >= 0 ? visible(low * slope + intercept, high * slope + intercept) : visible(high * slope + intercept, low * slope + intercept);
    const { uniforms } = this.full.material;
    const before = this.leapTexture;
    this.leapTexture = leapTexture(leaps(this.bricks, shown), this.bricks.shape);
    uniforms.uLeaps.value = this.leapTexture;
    before.dispose();
    const [k, j, i] = this.geometry.shape;
    uniforms.uBricks.value.set(i / BRICK, j / BRICK, k / BRICK);
    uniforms.uHasBricks.value = true;
  }

  /** Count the bricks slab by slab, the page stays awake in between. @param {Int16Array} voxels  stored, (k, j, i), all there */
  async count(voxels) {
    if (this.bricks || this.counting) return;
    this.counting = true;
    const { shape } = this.geometry;
    const bricks = emptyBricks(shape);
    const slab = Math.max(1, Math.floor(600_000 / (shape[1] * shape[2])));
    for (let first = 0; first < shape[0]; first += slab) {
      countSlices(bricks, voxels, shape, first, first + slab);
      await new Promise((resolve) => setTimeout(resolve));
      if (this.gone) return;
    }
    this.bricks = bricks;
    this.findLeaps();
    this.onChange();
  }

  /** Has the whole arrived? Until then the preview is shown. */
  get whole() {
    return !this.image.uniforms.uStreaming.value;
  }

  /** @param {ClippingPlane[]} planes */
  setClipping(planes) {
    const { uniforms } = this.full.material;
    uniforms.uClips.value = Math.min(planes.length, MOST_PLANES);
    planes.slice(0, MOST_PLANES).forEach(({ normal, constant }, at) => uniforms.uClip.value[at].set(normal.x, normal.y, normal.z, constant));
  }

  /** Called once while slices are still coming, so that the better picture follows by itself. */
  waitForWhole() {
    if (this.waiting || this.gone) return;
    this.waiting = window.setTimeout(() => {
      this.waiting = 0;
      if (this.whole) this.onChange();
      else this.waitForWhole();
    }, 300);
  }

  /**
   * @param {WebGLRenderer} renderer @param {WebGLRenderTarget} target
   * @param {{ camera: PerspectiveCamera, solid: WebGLRenderTarget, layers: WebGLRenderTarget[], rest: WebGLRenderTarget | null, step: number }} inputs
   *   step in voxels
   */
  march(renderer, target, { camera, solid, layers, rest, step }) {
    const { uniforms } = this.full.material;
    const from = this.image.uniforms;
    const whole = this.whole;
    if (!whole) this.waitForWhole();
    uniforms.uVolume.value = whole ? from.uFull.value : from.uPreview.value;
    uniforms.uToTexture.value.copy((whole ? from.uToFull : from.uToPreview).value);
    uniforms.uValues.value.fromArray((whole ? from.uFullValues : from.uPreviewValues).value);
    uniforms.uHasBricks.value = whole && Boolean(this.bricks);
    const { width, height, depth } = uniforms.uVolume.value.image;
    uniforms.uTexel.value.set(1 / width, 1 / height, 1 / depth);
    uniforms.uStep.value = Math.max(Math.min(...this.geometry.spacing) * step, 0.05);
    uniforms.uFromClip.value.multiplyMatrices(camera.matrixWorld, camera.projectionMatrixInverse);
    uniforms.uToView.value.setFromMatrix4(camera.matrixWorldInverse);
    uniforms.uEye.value.copy(camera.position);
    uniforms.uDepthRange.value.set(camera.near, camera.far);
    uniforms.uSolid.value = solid.depthTexture;
    uniforms.uLayers.value = layers.length;
    uniforms.uLayer.value = Array.from({ length: MOST_LAYERS }, (_, at) => (layers[at] ?? solid).texture);
    uniforms.uLayerDepth.value = Array.from({ length: MOST_LAYERS }, (_, at) => (layers[at] ?? solid).depthTexture);
    uniforms.uHasRest.value = Boolean(rest);
    uniforms.uRest.value = rest?.textures[0] ?? solid.texture;
    uniforms.uRestWeight.value = rest?.textures[1] ?? solid.texture;
    renderer.setRenderTarget(target);
    this.full.draw(renderer);
  }

  dispose() {
    this.gone = true;
    clearTimeout(this.waiting);
    this.full.material.dispose();
    this.full.dispose();
    this.tableTexture.dispose();
    this.leapTexture.dispose();
  }
}
