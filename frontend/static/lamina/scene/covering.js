// A picture over a whole viewport or texture: one triangle that covers it, one material that colours every pixel.

import { BufferGeometry, Camera, Float32BufferAttribute, Mesh, Scene } from "three";

/** @import { ShaderMaterial, WebGLRenderer } from "three" */

/** @param {"vPlace.y" | "1.0 - vPlace.y"} down */
const vertex = (down) => /* glsl */ `
  varying vec2 vPlace;
  void main() {
    vPlace = position.xy * 0.5 + 0.5;
    vPlace.y = ${down};
    gl_Position = vec4(position.xy, 0.0, 1.0);
  }
`;

/** `vPlace` from (0, 0) bottom left to (1, 1) top right, as textures that were drawn into have it. */
export const FROM_BELOW = vertex("vPlace.y");

/** `vPlace` from (0, 0) top left to (1, 1) bottom right, as pages have it. */
export const FROM_ABOVE = vertex("1.0 - vPlace.y");

/** What covers a viewport; `material` may be exchanged between two drawings. The material stays its maker's to dispose. */
export class Covering {
  /** @param {ShaderMaterial} material  with one of the vertex shaders above */
  constructor(material) {
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new Float32BufferAttribute([-1, -1, 0, 3, -1, 0, -1, 3, 0], 3));
    this.mesh = new Mesh(geometry, material);
    this.mesh.frustumCulled = false;
    this.scene = new Scene();
    this.scene.add(this.mesh);
    this.camera = new Camera();
  }

  get material() {
    return /** @type {ShaderMaterial} */ (this.mesh.material);
  }

  set material(material) {
    this.mesh.material = material;
  }

  /** @param {WebGLRenderer} renderer */
  draw(renderer) {
    renderer.render(this.scene, this.camera);
  }

  dispose() {
    this.mesh.geometry.dispose();
  }
}
