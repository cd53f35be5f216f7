// How a surface looks: matte, lit softly from above left, a little darker where it turns away, insides darker still.
// The light travels with the camera, so a form reads the same from every side.

import { AddEquation, Color, CustomBlending, DoubleSide, GLSL3, NoBlending, OneFactor, OneMinusSrcAlphaFactor, ShaderMaterial, Vector2, ZeroFactor } from "three";

/** @import { Texture } from "three" */

/** Meshes one can see through are drawn by passes of their own (space-picture.js) and live on this camera layer. */
export const CLEAR_LAYER = 1;

/** What a pass draws of a see-through surface. */
export const PASS = Object.freeze({ nearest: 1, rest: 2 });

/** Shared by all surfaces: which pass is on, what it has to stay behind and in front of. @type {{ uPass: { value: number }, uNearer: { value: Texture | null }, uSolid: { value: Texture | null }, uFirst: { value: boolean }, uRange: { value: Vector2 } }} */
export const passUniforms = {
  uPass: { value: 0 },
  uNearer: { value: null },
  uSolid: { value: null },
  uFirst: { value: true },
  uRange: { value: new Vector2(1, 2) },
};

/** The light of the 3D, in the camera's own axes: a warm key from above left, a cool fill, a sky, an edge. Shared with volume rendering. */
export const LIGHT = /* glsl */ `
  vec3 lit(vec3 colour, vec3 normal, vec3 towards, float gloss) {
    const vec3 keyFrom = vec3(-0.42, 0.56, 0.715);
    const vec3 fillFrom = vec3(0.80, -0.05, 0.60);
    float facing = clamp(dot(normal, towards), 0.0, 1.0);
    float key = max((dot(normal, keyFrom) + 0.20) / 1.20, 0.0);
    float fill = max(dot(normal, fillFrom), 0.0);
    float sky = 0.5 + 0.5 * normal.y;
    vec3 light = vec3(1.0, 0.985, 0.96) * key * 0.72 + vec3(0.80, 0.88, 1.0) * fill * 0.15
      + mix(vec3(0.085, 0.08, 0.075), vec3(0.20, 0.21, 0.225), sky) + 0.05 * facing;
    // Folds and sides fall into shade; the very edge takes a little of the sky back, so that a form ends against black.
    light *= mix(0.52, 1.0, smoothstep(0.0, 0.55, facing));
    float edge = pow(1.0 - facing, 4.0) * 0.09 * (0.4 + 0.6 * sky);
    float shine = pow(max(dot(normal, normalize(keyFrom + towards)), 0.0), 30.0) * gloss;
    return colour * light + shine + edge * mix(vec3(1.0), colour, 0.35);
  }
  vec3 encoded(vec3 colour) {
    return mix(colour * 12.92, 1.055 * pow(max(colour, vec3(0.0031308)), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, colour));
  }
`;

const VERTEX = /* glsl */ `
  #include <clipping_planes_pars_vertex>
  varying vec3 vNormal;
  varying vec3 vTowards;
  void main() {
    vec4 mvPosition = modelViewMatrix * vec4(position, 1.0);
    vNormal = normalMatrix * normal;
    vTowards = -mvPosition.xyz;
    gl_Position = projectionMatrix * mvPosition;
    #include <clipping_planes_vertex>
  }
`;

const FRAGMENT = /* glsl */ `
  layout(location = 0) out vec4 outColour;
  layout(location = 1) out vec4 outWeight;
  uniform vec3 uColour;
  uniform float uOpacity;
  uniform float uLit;
  uniform float uCut;
  uniform int uPass;
  uniform bool uFirst;
  uniform highp sampler2D uNearer;
  uniform highp sampler2D uSolid;
  uniform vec2 uRange;
  varying vec3 vNormal;
  varying vec3 vTowards;
  #include <clipping_planes_pars_fragment>
  ${LIGHT}
  void main() {
    #include <clipping_planes_fragment>
    if (uPass > 0) {
      ivec2 here = ivec2(gl_FragCoord.xy);
      if (gl_FragCoord.z >= texelFetch(uSolid, here, 0).r) discard;
      if (!uFirst && gl_FragCoord.z <= texelFetch(uNearer, here, 0).r) discard;
    }
    vec3 towards = normalize(vTowards);
    vec3 normal = normalize(vNormal) * (gl_FrontFacing ? 1.0 : -1.0);
    float facing = clamp(dot(normal, towards), 0.0, 1.0);
    vec3 colour;
    float opacity = uOpacity;
    if (uCut > 0.5) {
      // A cut face is a drawing rather than a body: even, a little paler than the outside.
      colour = mix(uColour, vec3(1.0), 0.10) * (0.62 + 0.22 * abs(dot(normal, towards))) + uLit * 0.08;
    } else {
      float inside = gl_FrontFacing ? 0.0 : 1.0;
      colour = lit(uColour * mix(1.0, 0.42, inside), normal, towards, 0.075 * (1.0 - inside)) + uLit * 0.10;
      // Glass is denser where one looks along it: the rim of a see-through surface shows its form.
      if (uOpacity < 0.999) opacity = mix(uOpacity, min(1.0, uOpacity * 2.0 + 0.1), pow(1.0 - facing, 2.5));
    }
    colour = encoded(min(colour, vec3(1.0)));
    outColour = vec4(colour, opacity);
    outWeight = vec4(0.0);
    if (uPass == ${PASS.rest}) {
      // What is left behind the separate layers is blended by weight (nearer counts more), in no order.
      float depth = clamp((length(vTowards) - uRange.x) / (uRange.y - uRange.x), 0.0, 1.0);
      float weight = opacity * pow(1.0 - 0.98 * depth, 8.0) * 64.0;
      outColour = vec4(colour * weight, opacity);
      outWeight = vec4(weight, 0.0, 0.0, opacity);
    }
  }
`;

/** @param {string} colour @param {{ cut?: boolean }} [more]  cut: the flat face where a plane goes through @returns {ShaderMaterial} */
export function surfaceMaterial(colour, { cut = false } = {}) {
  const material = new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    glslVersion: GLSL3,
    side: DoubleSide,
    clipping: true,
    uniforms: { ...passUniforms, uColour: { value: new Color(colour) }, uOpacity: { value: 1 }, uLit: { value: 0 }, uCut: { value: cut ? 1 : 0 } },
  });
  // Both sides in one go: which is nearer is found by depth, not by order.
  material.forceSinglePass = true;
  return material;
}

/** @param {ShaderMaterial} material @param {{ colour: string, opacity: number, lit: boolean }} look */
export function setLook(material, { colour, opacity, lit }) {
  material.uniforms.uColour.value.set(colour);
  material.uniforms.uOpacity.value = opacity;
  material.uniforms.uLit.value = lit ? 1 : 0;
}

/** How the blending of a see-through surface has to be in a pass. @param {ShaderMaterial} material @param {number} pass */
export function setPass(material, pass) {
  const rest = pass === PASS.rest;
  material.blending = rest ? CustomBlending : NoBlending;
  material.depthTest = !rest;
  material.depthWrite = !rest;
  if (!rest) return;
  material.blendEquation = AddEquation;
  material.blendSrc = OneFactor;
  material.blendDst = OneFactor;
  material.blendSrcAlpha = ZeroFactor;
  material.blendDstAlpha = OneMinusSrcAlphaFactor;
}

/** Back to drawing as a solid. @param {ShaderMaterial} material */
export function setSolid(material) {
  material.blending = NoBlending;
  material.depthTest = material.depthWrite = true;
}
