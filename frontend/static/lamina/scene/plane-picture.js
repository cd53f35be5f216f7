// One plane cut out of the volume by a shader: for every pixel the place in millimetres, the value there, the grey.

import { BufferGeometry, Camera, Float32BufferAttribute, Mesh, Scene, ShaderMaterial, Vector3 } from "three";

import { ramp } from "../geometry/windows.js";
import { SAMPLE_VOLUME } from "./volume-image.js";

/** @import { WebGLRenderer } from "three" */
/** @import { Vec3 } from "../geometry/vectors.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { VolumeImage } from "./volume-image.js" */

const VERTEX = /* glsl */ `
  varying vec2 vPlace;
  void main() {
    vPlace = vec2(position.x, -position.y) * 0.5 + 0.5;
    gl_Position = vec4(position.xy, 0.0, 1.0);
  }
`;

const FRAGMENT = /* glsl */ `
  ${SAMPLE_VOLUME}
  uniform vec3 uCorner;
  uniform vec3 uAcross;
  uniform vec3 uAlong;
  uniform vec2 uRamp;
  uniform bool uInverted;
  varying vec2 vPlace;
  void main() {
    bool inside;
    float value = valueAt(uCorner + uAcross * vPlace.x + uAlong * vPlace.y, inside);
    float grey = clamp((value - uRamp.x) * uRamp.y, 0.0, 1.0);
    if (uInverted) grey = 1.0 - grey;
    gl_FragColor = vec4(vec3(inside ? grey : 0.0), 1.0);
  }
`;

/** A triangle that covers the viewport. */
function coveringTriangle() {
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Float32BufferAttribute([-1, -1, 0, 3, -1, 0, -1, 3, 0], 3));
  return geometry;
}

export class PlanePicture {
  /** @param {VolumeImage} image */
  constructor(image) {
    this.image = image;
    this.material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      depthTest: false,
      depthWrite: false,
      uniforms: {
        ...image.uniforms,
        uCorner: { value: new Vector3() },
        uAcross: { value: new Vector3() },
        uAlong: { value: new Vector3() },
        uRamp: { value: [0, 1] },
        uInverted: { value: false },
      },
    });
    this.mesh = new Mesh(coveringTriangle(), this.material);
    this.mesh.frustumCulled = false;
    this.scene = new Scene();
    this.scene.add(this.mesh);
    this.camera = new Camera();
  }

  get version() {
    return this.image.version;
  }

  /**
   * @param {WebGLRenderer} renderer
   * @param {{ corner: Vec3, across: Vec3, along: Vec3 }} rectangle  LPS mm: top left, and the whole width and height
   * @param {Window} window @param {boolean} inverted
   */
  draw(renderer, rectangle, window, inverted) {
    const { uniforms } = this.material;
    uniforms.uCorner.value.fromArray(rectangle.corner);
    uniforms.uAcross.value.fromArray(rectangle.across);
    uniforms.uAlong.value.fromArray(rectangle.along);
    const { low, factor } = ramp(window);
    uniforms.uRamp.value = [low, factor];
    uniforms.uInverted.value = inverted;
    renderer.render(this.scene, this.camera);
  }

  dispose() {
    this.mesh.geometry.dispose();
    this.material.dispose();
  }
}
