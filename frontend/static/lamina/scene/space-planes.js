// The three planes inside the 3D: each the part of its plane that lies in the volume, with the same picture as its
// viewport, and an edge in its colour.

import { BufferGeometry, DoubleSide, Float32BufferAttribute, Group, LineLoop, Mesh, ShaderMaterial, Vector3 } from "three";

import { sectionOf } from "../geometry/oblique.js";
import { PLANE_NAMES, sliceCentre } from "../geometry/planes.js";
import { dot } from "../geometry/vectors.js";
import { ramp } from "../geometry/windows.js";
import { PLANE_SHADING, SLAB_MODES, shadingDefines } from "./plane-shading.js";
import { spaceLine } from "./space-line.js";

/** @import { Plane as ClippingPlane, Scene } from "three" */
/** @import { Plane, PlaneName } from "../geometry/planes.js" */
/** @import { Point } from "../geometry/vectors.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { FusionImage } from "./fusion-image.js" */
/** @import { SlabLook } from "./plane-picture.js" */
/** @import { VolumeImage } from "./volume-image.js" */

/** @typedef {{ planes: Record<PlaneName, Plane>, windows: Record<string, Window>, slabs: Record<string, SlabLook | null>, inverted: boolean }} SpacePlanesLook */

/** A plane cuts a box in at most six edges. */
const MOST_CORNERS = 6;
/** Tiles of the checkerboard across a plane. */
const TILES = 8;

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
  ${PLANE_SHADING}
  uniform vec2 uRamp;
  uniform bool uInverted;
  uniform vec4 uRight;
  uniform vec4 uDown;
  varying vec3 vPoint;
  #include <clipping_planes_pars_fragment>
  void main() {
    #include <clipping_planes_fragment>
    bool inside;
    float grey = clamp((shownAt(vPoint, inside) - uRamp.x) * uRamp.y, 0.0, 1.0);
    if (!inside) grey = 0.0;
    vec3 colour = vec3(uInverted ? 1.0 - grey : grey);
    float strength = grey;
    #ifdef FUSED
    vec2 place = vec2(dot(uRight, vec4(vPoint, 1.0)), dot(uDown, vec4(vPoint, 1.0)));
    colour = fused(colour, vPoint, place * ${TILES.toFixed(1)}, place.x);
    strength = max(strength, max(colour.r, max(colour.g, colour.b)));
    #endif
    if (!inside || strength < 0.03) discard;
    gl_FragColor = vec4(colour, 1.0);
  }
`;

export class SpacePlanes {
  /**
   * @param {VolumeImage} image @param {VolumeGeometry} geometry @param {Record<PlaneName, string>} colours
   */
  constructor(image, geometry, colours) {
    this.image = image;
    this.geometry = geometry;
    /** @type {FusionImage | null} */
    this.fusion = null;
    /** @type {ClippingPlane[]} */
    this.clipping = [];
    this.group = new Group();
    this.parts = PLANE_NAMES.map((name) => {
      const shape = new BufferGeometry();
      shape.setAttribute("position", new Float32BufferAttribute(new Float32Array(3 * MOST_CORNERS), 3));
      // A fan round the first corner: what a plane cuts out of a box is convex.
      shape.setIndex(Array.from({ length: MOST_CORNERS - 2 }, (_, at) => [0, at + 1, at + 2]).flat());
      const own = {
        uRamp: { value: [0, 1] }, uInverted: { value: false }, uRight: { value: [1, 0, 0, 0] }, uDown: { value: [0, 1, 0, 0] },
        uSlabStep: { value: new Vector3() }, uSlabEach: { value: 0 }, uSlabMode: { value: 0 },
      };
      const material = this.made(own, false);
      const mesh = new Mesh(shape, material);
      const edge = new LineLoop(shape.clone().setIndex(null), spaceLine(colours[name], 0.75));
      for (const one of [mesh, edge]) one.frustumCulled = false;
      this.group.add(mesh, edge);
      return { name, mesh, edge, material, own, slab: false, shown: "" };
    });
  }

  /** @param {Record<string, { value: any }>} own @param {boolean} slab */
  made(own, slab) {
    return new ShaderMaterial({
      vertexShader: VERTEX, fragmentShader: FRAGMENT, side: DoubleSide, clipping: true, clippingPlanes: this.clipping,
      defines: shadingDefines({ slab, fusion: this.fusion }),
      uniforms: { ...this.image.uniforms, ...own, ...this.fusion?.uniforms },
    });
  }

  /** A second series over the planes; null takes it away. @param {FusionImage | null} fusion */
  setFusion(fusion) {
    if (fusion === this.fusion) return;
    this.fusion = fusion;
    for (const part of this.parts) this.remake(part, part.slab);
  }

  /** @param {SpacePlanes["parts"][number]} part @param {boolean} slab */
  remake(part, slab) {
    part.material.dispose();
    part.slab = slab;
    part.material = part.mesh.material = this.made(part.own, slab);
  }

  /** @param {Point} point @param {SpacePlanesLook} look */
  update(point, { planes, windows, slabs, inverted }) {
    for (const part of this.parts) {
      const plane = planes[/** @type {PlaneName} */ (part.name)];
      const slab = slabs[part.name] ?? null;
      if (Boolean(slab) !== part.slab) this.remake(part, Boolean(slab));
      const { low, factor } = ramp(windows[part.name]);
      part.own.uRamp.value = [low, factor];
      part.own.uInverted.value = inverted;
      if (slab) {
        part.own.uSlabStep.value.fromArray(slab.step);
        part.own.uSlabEach.value = slab.each;
        part.own.uSlabMode.value = SLAB_MODES[slab.mode];
      }
      const through = sliceCentre(this.geometry, plane, point);
      const wanted = [...through, ...plane.normal, ...plane.right].join(" ");
      if (wanted === part.shown) continue;
      part.shown = wanted;
      // Place across and along the plane, 0 to 1, for the checkerboard and the swipe.
      for (const [uniform, way, size] of /** @type {const} */ ([[part.own.uRight, plane.right, plane.width], [part.own.uDown, plane.down, plane.height]])) {
        uniform.value = [...way.map((value) => value / size), 0.5 - dot(way, this.geometry.centre) / size];
      }
      const corners = sectionOf(this.geometry, plane, through);
      for (const one of [part.mesh, part.edge]) {
        const position = one.geometry.getAttribute("position");
        position.array.set(corners.flat());
        position.needsUpdate = true;
      }
      part.mesh.geometry.setDrawRange(0, Math.max(0, corners.length - 2) * 3);
      part.edge.geometry.setDrawRange(0, corners.length);
      if (corners.length > 0) part.mesh.geometry.computeBoundingSphere();
    }
  }

  /** @param {ClippingPlane[]} planes */
  setClipping(planes) {
    this.clipping = planes;
    for (const { material, edge } of this.parts) {
      material.clippingPlanes = planes;
      edge.material.clippingPlanes = planes;
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
        edge.material.dispose();
      }
    };
  }
}
