// The three planes inside the 3D: each a rectangle through the volume with the same picture as its viewport, and an
// edge in its colour.

import { BufferGeometry, Color, DoubleSide, Float32BufferAttribute, Group, LineBasicMaterial, LineLoop, Mesh, ShaderMaterial } from "three";

import { PLANE_NAMES, sliceAt } from "../geometry/planes.js";
import { toMm } from "../geometry/volume.js";
import { ramp } from "../geometry/windows.js";
import { SAMPLE_VOLUME } from "./volume-image.js";

/** @import { Plane as ClippingPlane, Scene } from "three" */
/** @import { Plane, PlaneName } from "../geometry/planes.js" */
/** @import { Point, Vec3 } from "../geometry/vectors.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { VolumeImage } from "./volume-image.js" */

const VERTEX = /* glsl */ `
  #include <clipping_planes_pars_vertex>
  varying vec3 vPoint;
  void main() {
    vPoint = position;
    vec4 mvPosition = modelViewMatrix * vec4(position, 1.0);
    gl_Position = projectionMatrix * mvPosition;
    #include <clipping_planes_vertex>
  }
`;

// Air is left out, so that a plane shows the patient and not a black board in front of the surfaces.
const FRAGMENT = /* glsl */ `
  ${SAMPLE_VOLUME}
  uniform vec2 uRamp;
  varying vec3 vPoint;
  #include <clipping_planes_pars_fragment>
  void main() {
    #include <clipping_planes_fragment>
    bool inside;
    float grey = clamp((valueAt(vPoint, inside) - uRamp.x) * uRamp.y, 0.0, 1.0);
    if (!inside || grey < 0.03) discard;
    gl_FragColor = vec4(vec3(grey), 1.0);
  }
`;

/** The four corners of a slice, edges of the outer voxels included. @param {VolumeGeometry} geometry @param {Plane} plane @param {number} slice @returns {Point[]} */
export function sliceCorners(geometry, plane, slice) {
  return [[0, 0], [1, 0], [1, 1], [0, 1]].map(([across, along]) => {
    const index = /** @type {Vec3} */ ([0, 0, 0]);
    index[plane.axis] = slice;
    index[plane.rightAxis] = across * geometry.shape[plane.rightAxis] - 0.5;
    index[plane.downAxis] = along * geometry.shape[plane.downAxis] - 0.5;
    return toMm(geometry, index);
  });
}

export class SpacePlanes {
  /**
   * @param {VolumeImage} image @param {VolumeGeometry} geometry @param {Record<PlaneName, Plane>} planes
   * @param {Record<PlaneName, string>} colours
   */
  constructor(image, geometry, planes, colours) {
    this.geometry = geometry;
    this.planes = planes;
    this.group = new Group();
    this.parts = PLANE_NAMES.map((name) => {
      const rectangle = new BufferGeometry();
      rectangle.setAttribute("position", new Float32BufferAttribute(new Float32Array(12), 3));
      rectangle.setIndex([0, 1, 2, 0, 2, 3]);
      const material = new ShaderMaterial({
        vertexShader: VERTEX, fragmentShader: FRAGMENT, side: DoubleSide, clipping: true,
        uniforms: { ...image.uniforms, uRamp: { value: [0, 1] } },
      });
      const mesh = new Mesh(rectangle, material);
      const edge = new LineLoop(rectangle.clone().setIndex(null), new LineBasicMaterial({ color: new Color(colours[name]), transparent: true, opacity: 0.75 }));
      for (const one of [mesh, edge]) one.frustumCulled = false;
      this.group.add(mesh, edge);
      return { name, mesh, edge, material, slice: -1 };
    });
  }

  /** @param {Point} point @param {Record<string, Window>} windows */
  update(point, windows) {
    for (const part of this.parts) {
      const plane = this.planes[part.name];
      const { low, factor } = ramp(windows[part.name]);
      part.material.uniforms.uRamp.value = [low, factor];
      const slice = sliceAt(this.geometry, plane, point);
      if (slice === part.slice) continue;
      part.slice = slice;
      const flat = sliceCorners(this.geometry, plane, slice).flat();
      for (const one of [part.mesh, part.edge]) {
        const position = one.geometry.getAttribute("position");
        position.array.set(flat);
        position.needsUpdate = true;
        one.geometry.computeBoundingSphere();
      }
    }
  }

  /** @param {ClippingPlane[]} planes */
  setClipping(planes) {
    for (const { material, edge } of this.parts) {
      material.clippingPlanes = planes;
      /** @type {LineBasicMaterial} */ (edge.material).clippingPlanes = planes;
    }
  }

  /** @param {Scene} scene @returns {() => void} */
  addTo(scene) {
    scene.add(this.group);
    return () => {
      scene.remove(this.group);
      for (const { mesh, edge, material } of this.parts) {
        mesh.geometry.dispose();
        edge.geometry.dispose();
        material.dispose();
        /** @type {LineBasicMaterial} */ (edge.material).dispose();
      }
    };
  }
}
