// How a surface looks: matte, lit softly from above left, a little darker where it turns away, insides darker still.
// The light travels with the camera, so a form reads the same from every side.

import { Color, DoubleSide, ShaderMaterial } from "three";

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
  uniform vec3 uColour;
  uniform float uOpacity;
  uniform float uLit;
  varying vec3 vNormal;
  varying vec3 vTowards;
  #include <clipping_planes_pars_fragment>
  void main() {
    #include <clipping_planes_fragment>
    vec3 towards = normalize(vTowards);
    vec3 normal = normalize(vNormal);
    float inside = gl_FrontFacing ? 0.0 : 1.0;
    normal *= gl_FrontFacing ? 1.0 : -1.0;
    const vec3 keyFrom = vec3(-0.46, 0.60, 0.65);
    const vec3 fillFrom = vec3(0.80, -0.05, 0.60);
    float key = max((dot(normal, keyFrom) + 0.18) / 1.18, 0.0);
    float fill = max(dot(normal, fillFrom), 0.0);
    float sky = 0.5 + 0.5 * normal.y;
    float facing = clamp(dot(normal, towards), 0.0, 1.0);
    vec3 light = vec3(1.0, 0.985, 0.96) * key * 0.88 + vec3(0.80, 0.88, 1.0) * fill * 0.20
      + mix(vec3(0.12, 0.11, 0.10), vec3(0.27, 0.285, 0.30), sky);
    light *= mix(0.58, 1.0, smoothstep(0.0, 0.5, facing));
    float gloss = pow(max(dot(normal, normalize(keyFrom + towards)), 0.0), 28.0) * 0.07;
    vec3 colour = uColour * light * mix(1.0, 0.5, inside) + gloss * (1.0 - inside) + uLit * 0.10;
    // Glass is denser where one looks along it: the rim of a see-through surface shows its form.
    float opacity = uOpacity > 0.999 ? 1.0 : mix(uOpacity, min(1.0, uOpacity * 2.0 + 0.1), pow(1.0 - facing, 2.5));
    gl_FragColor = vec4(colour, opacity);
    #include <colorspace_fragment>
  }
`;

/** @param {string} colour @returns {ShaderMaterial} */
export function surfaceMaterial(colour) {
  return new ShaderMaterial({
    vertexShader: VERTEX,
    fragmentShader: FRAGMENT,
    side: DoubleSide,
    clipping: true,
    uniforms: { uColour: { value: new Color(colour) }, uOpacity: { value: 1 }, uLit: { value: 0 } },
  });
}

/**
 * @param {ShaderMaterial} material @param {{ colour: string, opacity: number, lit: boolean }} look
 */
export function setLook(material, { colour, opacity, lit }) {
  material.uniforms.uColour.value.set(colour);
  material.uniforms.uOpacity.value = opacity;
  material.uniforms.uLit.value = lit ? 1 : 0;
  const clear = opacity < 0.999;
  if (material.transparent === clear) return;
  material.transparent = clear;
  // A see-through surface must not hide what lies behind it; its back is drawn before its front (three does that for
  // both sides of a transparent material).
  material.depthWrite = !clear;
  material.needsUpdate = true;
}
