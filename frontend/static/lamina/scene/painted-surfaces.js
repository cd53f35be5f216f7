// The surfaces of one side of a comparison, painted with their distance to the other side. They take the place of the
// result's surfaces in the 3D, so picking, clipping and fitting work on them as on any.

import { BufferAttribute, Mesh } from "three";

import { areaShares } from "../geometry/distance.js";
import { paintedMaterial, rampTexture } from "./painted-material.js";
import { Surfaces, opened, inMillimetres, valuesOf } from "./surfaces.js";
import { surfaceMaterial } from "./surface-material.js";

/** @import { BufferGeometry, DataTexture, Scene, ShaderMaterial } from "three" */

/** What has nothing to be compared with. */
const PLAIN = "#E9E4D6";

export class PaintedSurfaces extends Surfaces {
  /** @param {Map<number, Mesh>} meshes  by number of the pair @param {DataTexture} ramp */
  constructor(meshes, ramp) {
    super(meshes);
    this.ramp = ramp;
    /** Numbers that are shown. @type {Set<number>} */
    this.wanted = new Set(meshes.keys());
  }

  /** @param {ArrayBuffer} bytes  a GLB with _DISTANCE_MM per vertex @param {AbortSignal} signal @param {string} [colour]  of all of it; none paints the distances @returns {Promise<PaintedSurfaces>} */
  static async read(bytes, signal, colour) {
    const file = await opened(bytes);
    const ramp = rampTexture();
    try {
      signal.throwIfAborted();
      /** @type {Map<number, Mesh>} */
      const meshes = new Map();
      for (const node of file.root.children) {
        const number = node.userData.SegmentNumber;
        const part = number ? inMillimetres(node, file.fromRoot) : null;
        if (!part) continue;
        const values = valuesOf(node, "_distance_mm");
        if (values) part.geometry.setAttribute("distance", new BufferAttribute(values, 1));
        const mesh = new Mesh(part.geometry, values && !colour ? paintedMaterial(ramp) : surfaceMaterial(colour ?? PLAIN));
        mesh.position.copy(part.middle);
        mesh.userData.segment = number;
        meshes.set(number, mesh);
      }
      return new PaintedSurfaces(meshes, ramp);
    } finally {
      file.free();
    }
  }

  /** @param {Scene} scene @returns {() => void} */
  addTo(scene) {
    const remove = super.addTo(scene);
    return () => {
      remove();
      this.ramp.dispose();
    };
  }

  /** What the list of segments says of opacity is not followed: a see-through colour would say another distance. */
  setLooks() {
    for (const [number, mesh] of this.meshes) mesh.visible = this.wanted.has(number);
  }

  /** Every vertex carries its own number: there is no cheaper level. */
  async lighten() {}

  /** @param {Iterable<number>} numbers */
  show(numbers) {
    this.wanted = new Set(numbers);
    this.setLooks();
  }

  /** @param {number} range  mm at the ends of the ramp @param {1 | -1} sign  -1 turns the distances round */
  setRange(range, sign) {
    for (const { material } of this.meshes.values()) {
      const { uniforms } = /** @type {ShaderMaterial} */ (material);
      if (!uniforms.uReach) continue;
      uniforms.uReach.value = range;
      uniforms.uSign.value = sign;
    }
  }

  /** Shares of a surface's area by distance. @param {number} number @param {number} range @param {number} bins @param {1 | -1} sign @returns {number[] | null} */
  sharesOf(number, range, bins, sign) {
    const geometry = /** @type {BufferGeometry | undefined} */ (this.meshes.get(number)?.geometry);
    const values = geometry?.getAttribute("distance");
    const index = geometry?.getIndex();
    if (!geometry || !values || !index) return null;
    const shares = areaShares(geometry.getAttribute("position").array, index.array, values.array, range, bins);
    return sign > 0 ? shares : shares.reverse();
  }

  /** Box of one surface, x0 x1 y0 y1 z0 z1, LPS mm. @param {number} number @returns {number[] | null} */
  boundsOf(number) {
    const mesh = this.meshes.get(number);
    const box = mesh?.geometry.boundingBox;
    if (!mesh || !box) return null;
    const { x, y, z } = mesh.position;
    return [box.min.x + x, box.max.x + x, box.min.y + y, box.max.y + y, box.min.z + z, box.max.z + z];
  }
}
