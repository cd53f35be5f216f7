// How a painted surface looks: the ramp's colour by each vertex's signed distance, under the same light as every surface.

import { ClampToEdgeWrapping, DataTexture, DoubleSide, GLSL3, LinearFilter, RGBAFormat, ShaderMaterial, UnsignedByteType } from "three";

import { rampPixels } from "../geometry/distance.js";
import { LIGHT, passUniforms } from "./surface-material.js";

const WIDTH = 256;

const VERTEX = /* glsl */ `
  #include <clipping_planes_pars_vertex>
  attribute float distance;
  varying vec3 vNormal;
  varying vec3 vTowards;
  varying float vDistance;
  void main() {
    vec4 mvPosition = modelViewMatrix * vec4(position, 1.0);
    vNormal = normalMatrix * normal;
    vTowards = -mvPosition.xyz;
    vDistance = distance;
    gl_Position = projectionMatrix * mvPosition;
    #include <clipping_planes_vertex>
  }
`;

const FRAGMENT = /* glsl */ `
  layout(location = 0) out vec4 outColour;
  uniform sampler2D uRamp;
  uniform float uReach;
  uniform float uSign;
  uniform float uLit;
  varying vec3 vNormal;
  varying vec3 vTowards;
  varying float vDistance;
  #include <clipping_planes_pars_fragment>
  ${LIGHT}
  void main() {
    #include <clipping_planes_fragment>
    vec3 towards = normalize(vTowards);
    vec3 normal = normalize(vNormal) * (gl_FrontFacing ? 1.0 : -1.0);
    float share = clamp(uSign * vDistance / uReach, -1.0, 1.0);
    vec3 painted = texture(uRamp, vec2(share * 0.5 + 0.5, 0.5)).rgb;
    // The legend's colours are sRGB; light is counted in linear values. A little brighter than the matte surfaces: here
    // the colour is the message.
    vec3 linear = mix(painted / 12.92, pow((painted + 0.055) / 1.055, vec3(2.4)), step(0.04045, painted));
    float inside = gl_FrontFacing ? 0.0 : 1.0;
    vec3 colour = lit(linear * mix(1.12, 0.42, inside), normal, towards, 0.02 * (1.0 - inside)) + uLit * 0.04;
    outColour = vec4(encoded(min(colour, vec3(1.0))), 1.0);
  }
`;

/** The ramp as a texture; who makes it disposes of it. */
export function rampTexture() {
  const texture = new DataTexture(rampPixels(WIDTH), WIDTH, 1, RGBAFormat, UnsignedByteType);
  texture.minFilter = texture.magFilter = LinearFilter;
  texture.wrapS = texture.wrapT = ClampToEdgeWrapping;
  texture.needsUpdate = true;
  return texture;
}

/** @param {DataTexture} ramp @returns {ShaderMaterial} */
export function paintedMaterial(ramp) {
  const material = new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    glslVersion: GLSL3,
    side: DoubleSide,
    clipping: true,
    uniforms: { ...passUniforms, uRamp: { value: ramp }, uReach: { value: 12 }, uSign: { value: 1 }, uLit: { value: 0 } },
  });
  material.forceSinglePass = true;
  return material;
}
