// What a plane's pixel is made of, shared by the planes on the page and the planes inside the 3D: one sample or a slab,
// through the window, and a second series over it. Each part is compiled only where it is used.

import { SAMPLE_OVERLAY, SAMPLE_VOLUME } from "./volume-image.js";

/** @import { FusionImage } from "./fusion-image.js" */

/** A function that gives one sample, or what a slab makes of many. @param {string} name @param {string} sample  the function that gives one */
const shown = (name, sample) => /* glsl */ `
  float ${name}(vec3 point, out bool inside) {
    #ifdef SLAB
    float result = 0.0;
    float count = 0.0;
    for (int n = -uSlabEach; n <= uSlabEach; n++) {
      bool here;
      float value = ${sample}(point + uSlabStep * float(n), here);
      if (!here) continue;
      if (count == 0.0) result = value;
      else if (uSlabMode == 0) result = max(result, value);
      else if (uSlabMode == 1) result = min(result, value);
      else result += value;
      count += 1.0;
    }
    inside = count > 0.0;
    return uSlabMode == 2 && inside ? result / count : result;
    #else
    return ${sample}(point, inside);
    #endif
  }
`;

/** GLSL: `float shownAt(vec3 point, out bool inside)` and `vec3 fused(vec3 below, vec3 point, vec2 tiles, float across)`. */
export const PLANE_SHADING = /* glsl */ `
  ${SAMPLE_VOLUME}
  #ifdef SLAB
  uniform vec3 uSlabStep;
  uniform int uSlabEach;
  uniform int uSlabMode;
  #endif
  ${shown("shownAt", "valueAt")}
  #ifdef FUSED
  ${SAMPLE_OVERLAY}
  ${shown("oShownAt", "oValueAt")}
  uniform sampler2D uMap;
  uniform vec2 uOverRamp;
  uniform float uOpacity;
  uniform float uSwipe;
  uniform int uFusing;
  uniform bool uSeeThrough;
  vec3 fused(vec3 below, vec3 point, vec2 tiles, float across) {
    bool inside;
    float place = clamp((oShownAt(point, inside) - uOverRamp.x) * uOverRamp.y, 0.0, 1.0);
    if (!inside) return below;
    vec3 colour = texture(uMap, vec2(place * 255.0 / 256.0 + 0.5 / 256.0, 0.5)).rgb;
    float share = uOpacity;
    if (uSeeThrough) share *= min(1.0, 2.0 * place);
    if (uFusing == 1) share = mod(floor(tiles.x) + floor(tiles.y), 2.0) < 0.5 ? 0.0 : 1.0;
    if (uFusing == 2) share = across < uSwipe ? 0.0 : 1.0;
    return mix(below, colour, share);
  }
  #endif
`;

/** @type {Readonly<Record<string, number>>} */
export const SLAB_MODES = Object.freeze({ max: 0, min: 1, mean: 2 });

/** @param {{ slab: boolean, fusion: FusionImage | null }} parts @returns {Record<string, number>} */
export const shadingDefines = ({ slab, fusion }) => ({ ...(slab && { SLAB: 1 }), ...(fusion && { FUSED: 1 }) });
