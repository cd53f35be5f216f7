// Lines in the 3D whose colour is the same on the canvas and in a texture. The built-in material of three.js encodes for
// the screen only when it draws on it: beside see-through surfaces, where the solids go through a texture, it is darker.

import { Color, ShaderMaterial } from "three";

const VERTEX = /* glsl */ `
  #include <clipping_planes_pars_vertex>
  void main() {
    vec4 mvPosition = modelViewMatrix * vec4(position, 1.0);
    gl_Position = projectionMatrix * mvPosition;
    #include <clipping_planes_vertex>
  }
`;

const FRAGMENT = /* glsl */ `
  uniform vec3 uColour;
  uniform float uOpacity;
  #include <clipping_planes_pars_fragment>
  void main() {
    #include <clipping_planes_fragment>
    gl_FragColor = vec4(uColour, uOpacity);
  }
`;

const WHITE = new Color(1, 1, 1);

/** @param {string} colour @param {number} [opacity] @returns {ShaderMaterial} */
export function spaceLine(colour, opacity = 1) {
  const material = new ShaderMaterial({
    vertexShader: VERTEX, fragmentShader: FRAGMENT, clipping: true, transparent: opacity < 1,
    uniforms: { uColour: { value: new Color() }, uOpacity: { value: opacity } },
  });
  setLine(material, colour);
  return material;
}

/** @param {ShaderMaterial} material @param {string} colour @param {number} [paler]  share of white, 0 to 1 */
export function setLine(material, colour, paler = 0) {
  material.uniforms.uColour.value.set(colour).lerp(WHITE, paler).convertLinearToSRGB();
}
