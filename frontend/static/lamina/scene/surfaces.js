// The surfaces of one segmentation. The file's root node scales by 0.001 and turns LPS into glTF's axes; the scene
// works in LPS millimetres, so that root is left out on purpose and everything below it is kept (the nodes' own
// transforms undo the 16-bit quantization).

import { Box3, BufferAttribute, BufferGeometry, Group, Matrix4, Mesh, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/addons/libs/meshopt_decoder.module.js";

import { clusteredIndex } from "../geometry/cluster.js";
import { vertexNormals } from "../geometry/normals.js";
import { CLEAR_LAYER, setLook, setSolid, surfaceMaterial } from "./surface-material.js";

/** @import { Object3D, Plane, Scene, ShaderMaterial } from "three" */
/** @import { Point } from "../geometry/vectors.js" */
/** @import { SegmentLook } from "../state/view.js" */

/** @typedef {{ number: number, label: string, node: string, colour: string }} SegmentNode */

/**
 * A mesh in LPS mm with its middle at its own origin: three.js sorts see-through meshes by their origin, which would
 * otherwise be the same for all of them.
 * @param {Object3D} node @param {Matrix4} fromRoot  inverse of the root's world matrix
 * @returns {{ geometry: BufferGeometry, middle: Vector3 } | null}
 */
export function inMillimetres(node, fromRoot) {
  /** @type {BufferGeometry | null} */
  let source = null;
  let matrix = new Matrix4();
  node.traverse((/** @type {any} */ one) => {
    if (!source && one.isMesh) {
      source = one.geometry;
      matrix = new Matrix4().multiplyMatrices(fromRoot, one.matrixWorld);
    }
  });
  if (!source) return null;
  const from = /** @type {BufferGeometry} */ (source).getAttribute("position");
  const positions = new Float32Array(from.count * 3);
  const [a, b, c, , d, e, f, , g, h, i, , ...offset] = matrix.elements;
  for (let at = 0, to = 0; at < from.count; at++, to += 3) {
    const [x, y, z] = [from.getX(at), from.getY(at), from.getZ(at)];
    positions[to] = a * x + d * y + g * z + offset[0];
    positions[to + 1] = b * x + e * y + h * z + offset[1];
    positions[to + 2] = c * x + f * y + i * z + offset[2];
  }
  const box = new Box3().setFromArray(/** @type {any} */ (positions));
  const middle = box.getCenter(new Vector3());
  for (let at = 0; at < positions.length; at += 3) {
    positions[at] -= middle.x;
    positions[at + 1] -= middle.y;
    positions[at + 2] -= middle.z;
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(positions, 3));
  const index = /** @type {BufferGeometry} */ (source).getIndex();
  if (index) {
    geometry.setIndex(index.clone());
    geometry.setAttribute("normal", new BufferAttribute(vertexNormals(positions, index.array), 3));
  } else geometry.computeVertexNormals();
  geometry.computeBoundingBox();
  geometry.computeBoundingSphere();
  return { geometry, middle };
}

/** An attribute of a node's mesh beside its places, one number per vertex. @param {Object3D} node @param {string} name @returns {Float32Array | null} */
export function valuesOf(node, name) {
  /** @type {Float32Array | null} */
  let values = null;
  node.traverse((/** @type {any} */ one) => {
    const attribute = one.isMesh ? one.geometry.getAttribute(name) : null;
    if (!attribute || values) return;
    values = new Float32Array(attribute.count);
    for (let at = 0; at < attribute.count; at++) values[at] = attribute.getX(at);
  });
  return values;
}

/** A GLB ready to be read: nodes by their name. @param {ArrayBuffer} bytes */
export async function opened(bytes) {
  const loader = new GLTFLoader();
  loader.setMeshoptDecoder(MeshoptDecoder);
  const file = await loader.parseAsync(bytes, "");
  file.scene.updateMatrixWorld(true);
  const root = file.scene.children[0] ?? file.scene;
  // GLTFLoader makes node names safe for animation paths; the name as written stays in userData.
  /** @type {Map<string, Object3D>} */
  const byName = new Map();
  root.traverse((/** @type {Object3D} */ node) => byName.set(String(node.userData.name ?? node.name), node));
  const free = () => file.scene.traverse((/** @type {any} */ node) => {
    node.geometry?.dispose();
    node.material?.dispose();
  });
  return { root, fromRoot: new Matrix4().copy(root.matrixWorld).invert(), byName, free };
}

/** @param {{ geometry: BufferGeometry, middle: Vector3 }} part @param {SegmentNode} segment */
function meshOf({ geometry, middle }, segment) {
  const mesh = new Mesh(geometry, surfaceMaterial(segment.colour));
  mesh.position.copy(middle);
  mesh.name = segment.label;
  mesh.userData.segment = segment.number;
  return mesh;
}

/** @param {Box3} box @returns {Point[]} */
export const cornersOf = ({ min, max }) =>
  [min.x, max.x].flatMap((x) => [min.y, max.y].flatMap((y) => [min.z, max.z].map((z) => /** @type {Point} */ ([x, y, z]))));

/** The same vertices with fewer triangles. @param {BufferGeometry} geometry @param {number} triangles */
function lighter(geometry, triangles) {
  const index = clusteredIndex(/** @type {Float32Array} */ (geometry.getAttribute("position").array), /** @type {BufferAttribute} */ (geometry.getIndex()).array, triangles);
  const light = new BufferGeometry();
  for (const name of ["position", "normal"]) light.setAttribute(name, geometry.getAttribute(name));
  light.setIndex(new BufferAttribute(index, 1));
  light.boundingBox = geometry.boundingBox;
  light.boundingSphere = geometry.boundingSphere;
  return light;
}

/** @param {Mesh} mesh */
function freeGeometry({ geometry, userData }) {
  geometry.dispose();
  userData.light?.dispose();
  userData.light = undefined;
}

export class Surfaces {
  /** @param {Map<number, Mesh>} meshes  by segment number */
  constructor(meshes) {
    this.meshes = meshes;
    /** How often each segment was swapped, so that a slow answer does not overtake a later one. @type {Map<number, number>} */
    this.turns = new Map();
    /** @type {Plane[]} */
    this.clipping = [];
    /** Called when a surface was swapped; the viewport that shows them draws again. */
    this.onChange = () => {};
    this.group = new Group();
    for (const mesh of meshes.values()) this.group.add(mesh);
  }

  /**
   * @param {ArrayBuffer} bytes  a GLB @param {SegmentNode[]} segments @param {AbortSignal} signal
   * @returns {Promise<Surfaces>}
   */
  static async parse(bytes, segments, signal) {
    const file = await opened(bytes);
    try {
      signal.throwIfAborted();
      /** @type {Map<number, Mesh>} */
      const meshes = new Map();
      for (const segment of segments) {
        // Forty surfaces in one go would hold the page for longer than a picture may take.
        await new Promise((resolve) => setTimeout(resolve));
        signal.throwIfAborted();
        const node = segment.node ? file.byName.get(segment.node) : undefined;
        const part = node ? inMillimetres(node, file.fromRoot) : null;
        if (part) meshes.set(segment.number, meshOf(part, segment));
      }
      return new Surfaces(meshes);
    } finally {
      file.free();
    }
  }

  /**
   * Swap the surface of one segment: the old one stays in sight until the new one can be drawn. A segment that had none
   * gets one; null takes it away.
   * @param {number} number @param {ArrayBuffer | null} bytes  a GLB; the node named so, or its only mesh
   * @param {{ label?: string, node?: string, colour?: string }} [segment]
   */
  async replaceSegment(number, bytes, { label = "", node = "", colour = "#E9E4D6" } = {}) {
    const turn = (this.turns.get(number) ?? 0) + 1;
    this.turns.set(number, turn);
    /** @type {{ geometry: BufferGeometry, middle: Vector3 } | null} */
    let part = null;
    if (bytes) {
      const file = await opened(bytes);
      part = inMillimetres((node && file.byName.get(node)) || file.root, file.fromRoot);
      file.free();
    }
    // A later swap of the same segment, or the end of the result, came in between.
    if (this.turns.get(number) !== turn) {
      part?.geometry.dispose();
      return;
    }
    const old = this.meshes.get(number);
    if (part && old) {
      freeGeometry(old);
      old.geometry = part.geometry;
      old.position.copy(part.middle);
    } else if (part) {
      const mesh = meshOf(part, { number, label, node, colour });
      /** @type {any} */ (mesh.material).clippingPlanes = this.clipping;
      this.meshes.set(number, mesh);
      this.group.add(mesh);
    } else if (old) {
      this.meshes.delete(number);
      this.group.remove(old);
      freeGeometry(old);
      /** @type {any} */ (old.material).dispose();
    }
    this.onChange();
  }

  /** @param {Scene} scene @returns {() => void} takes the surfaces out and frees them */
  addTo(scene) {
    scene.add(this.group);
    return () => {
      scene.remove(this.group);
      this.turns.clear();
      for (const mesh of this.meshes.values()) {
        freeGeometry(mesh);
        /** @type {any} */ (mesh.material).dispose();
      }
      this.meshes.clear();
      this.group.clear();
    };
  }

  /** @param {Record<number, SegmentLook>} looks @param {number | null} lit */
  setLooks(looks, lit) {
    for (const [number, mesh] of this.meshes) {
      const look = looks[number];
      mesh.visible = Boolean(look?.shown) && look.opacity > 0;
      if (!look) continue;
      const material = /** @type {ShaderMaterial} */ (mesh.material);
      setLook(material, { colour: look.colour, opacity: look.opacity, lit: lit === number });
      const clear = look.opacity < 0.999;
      mesh.layers.set(clear ? CLEAR_LAYER : 0);
      if (!clear) setSolid(material);
    }
  }

  /**
   * Make a cheaper level of every surface, one after the other while the page has time, about so many triangles in all.
   * @param {number} budget
   */
  async lighten(budget) {
    const share = budget / Math.max(this.triangles, 1);
    if (share >= 1) return;
    for (const mesh of [...this.meshes.values()]) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const index = mesh.geometry.getIndex();
      // Gone, swapped or done in the meantime; and small ones stay whole, they would lose their form.
      if (this.meshes.get(mesh.userData.segment) !== mesh || mesh.userData.light || !index) continue;
      const wanted = Math.max(400, Math.round((index.count / 3) * share));
      if (index.count / 3 > wanted * 1.2) mesh.userData.light = lighter(mesh.geometry, wanted);
    }
  }

  /** Run with the cheaper levels in place, where there are any. @param {() => void} act @returns {boolean} whether there were */
  whileLight(act) {
    /** @type {[Mesh, BufferGeometry][]} */
    const whole = [];
    for (const mesh of this.meshes.values()) {
      if (!mesh.visible || !mesh.userData.light) continue;
      whole.push([mesh, mesh.geometry]);
      mesh.geometry = mesh.userData.light;
    }
    act();
    for (const [mesh, geometry] of whole) mesh.geometry = geometry;
    return whole.length > 0;
  }

  /** @param {Plane[]} planes */
  setClipping(planes) {
    this.clipping = planes;
    for (const mesh of this.meshes.values()) /** @type {any} */ (mesh.material).clippingPlanes = planes;
  }

  /** The box round what is shown, or null. */
  box() {
    const box = new Box3();
    const one = new Box3();
    for (const mesh of this.meshes.values()) {
      if (!mesh.visible || !mesh.geometry.boundingBox) continue;
      box.union(one.copy(mesh.geometry.boundingBox).translate(mesh.position));
    }
    return box.isEmpty() ? null : box;
  }

  get triangles() {
    let sum = 0;
    for (const { geometry } of this.meshes.values()) sum += (geometry.index?.count ?? 0) / 3;
    return sum;
  }
}
