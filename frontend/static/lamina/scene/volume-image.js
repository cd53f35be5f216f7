// The volume on the graphics card: a preview of 8 bits first, the whole in half floats behind it, one texture each,
// used by every plane and by the planes inside the 3D.

import { Data3DTexture, DataTexture, HalfFloatType, LinearFilter, Matrix4, NearestFilter, RedFormat, UnsignedByteType, Vector3 } from "three";

import { toHalves } from "../geometry/half.js";
import { textureTransform } from "../geometry/volume.js";

/** @import { WebGLRenderer } from "three" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */

/** GLSL that turns LPS mm into the value at that place; `inside` is false beyond the volume. */
export const SAMPLE_VOLUME = /* glsl */ `
  precision highp sampler3D;
  uniform sampler3D uFull;
  uniform sampler3D uPreview;
  uniform sampler2D uLoaded;
  uniform mat4 uToFull;
  uniform mat4 uToPreview;
  uniform vec3 uSize;
  uniform vec2 uFullValues;
  uniform vec2 uPreviewValues;
  uniform bool uHasPreview;
  uniform bool uStreaming;
  uniform bool uInterpolated;

  bool loaded(float k) {
    int last = int(uSize.z) - 1;
    float below = texelFetch(uLoaded, ivec2(clamp(int(floor(k + 0.01)), 0, last), 0), 0).r;
    float above = texelFetch(uLoaded, ivec2(clamp(int(ceil(k - 0.01)), 0, last), 0), 0).r;
    return below * above > 0.5;
  }

  float valueAt(vec3 point, out bool inside) {
    vec3 place = (uToFull * vec4(point, 1.0)).xyz;
    inside = all(greaterThanEqual(place, vec3(0.0))) && all(lessThanEqual(place, vec3(1.0)));
    if (!inside) return 0.0;
    if (uStreaming && !loaded(place.z * uSize.z - 0.5)) {
      inside = uHasPreview;
      vec3 there = (uToPreview * vec4(point, 1.0)).xyz;
      return texture(uPreview, there).r * uPreviewValues.x + uPreviewValues.y;
    }
    if (!uInterpolated) place = (floor(place * uSize) + 0.5) / uSize;
    return texture(uFull, place).r * uFullValues.x + uFullValues.y;
  }
`;

/** The same for a second volume beside the first: every name with an "o" before it, so `oValueAt`. */
export const SAMPLE_OVERLAY = SAMPLE_VOLUME.replace("precision highp sampler3D;", "")
  .replace(/\bu([A-Z])/g, "ou$1").replace(/\bvalueAt\b/g, "oValueAt").replace(/\bloaded\b/g, "oLoaded");

/** @param {VolumeGeometry} geometry @returns {Matrix4} */
function toTexture(geometry) {
  const { rows, offset } = textureTransform(geometry);
  const [a, b, c] = rows;
  return new Matrix4().set(
    a[0], a[1], a[2], offset[0], b[0], b[1], b[2], offset[1], c[0], c[1], c[2], offset[2], 0, 0, 0, 1);
}

/** @param {Uint8Array} bytes @param {number} width @param {number} height @param {number} depth */
function byteTexture(bytes, width, height, depth) {
  const texture = new Data3DTexture(bytes, width, height, depth);
  texture.format = RedFormat;
  texture.type = UnsignedByteType;
  texture.minFilter = texture.magFilter = LinearFilter;
  texture.unpackAlignment = 1;
  texture.needsUpdate = true;
  return texture;
}

export class VolumeImage {
  /**
   * @param {WebGLRenderer} renderer @param {VolumeGeometry} geometry
   * @param {{ slope: number, intercept: number }} values  value = stored * slope + intercept
   */
  constructor(renderer, geometry, values) {
    const [depth, height, width] = geometry.shape;
    this.renderer = renderer;
    this.geometry = geometry;
    this.dimensions = { width, height, depth };
    /** @type {Data3DTexture | null} */
    this.full = null;
    this.loaded = new DataTexture(new Uint8Array(depth), depth, 1, RedFormat, UnsignedByteType);
    this.loaded.minFilter = this.loaded.magFilter = NearestFilter;
    this.loaded.unpackAlignment = 1;
    this.loaded.needsUpdate = true;
    this.empty = byteTexture(new Uint8Array(1), 1, 1, 1);
    /** Grows with every change of the picture. */
    this.version = 0;
    /** Shared by every material that shows this volume. */
    this.uniforms = {
      uFull: { value: this.empty },
      uPreview: { value: this.empty },
      uLoaded: { value: this.loaded },
      uToFull: { value: toTexture(geometry) },
      uToPreview: { value: new Matrix4() },
      uSize: { value: new Vector3(width, height, depth) },
      uFullValues: { value: [values.slope, values.intercept] },
      uPreviewValues: { value: [1, 0] },
      uHasPreview: { value: false },
      uStreaming: { value: true },
      uInterpolated: { value: true },
    };
  }

  /** @param {Uint8Array} bytes @param {VolumeGeometry} geometry  of the preview @param {number[]} range  values of 0 and 255 */
  setPreview(bytes, geometry, range) {
    const [depth, height, width] = geometry.shape;
    this.preview?.dispose();
    this.preview = byteTexture(bytes, width, height, depth);
    this.uniforms.uPreview.value = this.preview;
    this.uniforms.uToPreview.value = toTexture(geometry);
    this.uniforms.uPreviewValues.value = [range[1] - range[0], range[0]];
    this.uniforms.uHasPreview.value = true;
    this.version += 1;
  }

  /** @param {boolean} interpolated */
  setInterpolated(interpolated) {
    if (this.uniforms.uInterpolated.value === interpolated) return;
    this.uniforms.uInterpolated.value = interpolated;
    this.version += 1;
  }

  /**
   * Slices of stored values, put in place.
   * @param {number} first @param {Int16Array} stored @param {Uint16Array} [halves]  the same as half floats, where they are at hand
   */
  setSlices(first, stored, halves = toHalves(stored)) {
    const { width, height, depth } = this.dimensions;
    if (!this.full) {
      this.full = new Data3DTexture(null, width, height, depth);
      this.full.format = RedFormat;
      this.full.type = HalfFloatType;
      this.full.minFilter = this.full.magFilter = LinearFilter;
      this.full.unpackAlignment = 1;
      // Room only; the slices come one chunk after the other.
      this.full.source.dataReady = false;
      this.full.needsUpdate = true;
      this.uniforms.uFull.value = this.full;
    }
    const count = stored.length / (width * height);
    const part = new Data3DTexture(/** @type {any} */ (halves), width, height, count);
    part.format = RedFormat;
    part.type = HalfFloatType;
    this.renderer.copyTextureToTexture(part, this.full, null, new Vector3(0, 0, first));
    part.dispose();
    const marks = /** @type {Uint8Array} */ (this.loaded.image.data);
    marks.fill(255, first, first + count);
    this.loaded.needsUpdate = true;
    this.version += 1;
    if (marks.every((mark) => mark === 255)) {
      this.uniforms.uStreaming.value = false;
      this.preview?.dispose();
      this.preview = undefined;
      this.uniforms.uPreview.value = this.empty;
      this.uniforms.uHasPreview.value = false;
    }
  }

  /** The card lost everything: no slice is there any more. `setSlices` brings them back. */
  forget() {
    this.full?.dispose();
    this.full = null;
    this.uniforms.uFull.value = this.empty;
    /** @type {Uint8Array} */ (this.loaded.image.data).fill(0);
    this.loaded.needsUpdate = true;
    this.uniforms.uStreaming.value = true;
    this.version += 1;
  }

  dispose() {
    this.preview?.dispose();
    this.full?.dispose();
    this.loaded.dispose();
    this.empty.dispose();
  }
}
