// The surfaces of one segmentation. The file's root node scales by 0.001 and turns LPS into glTF's axes; the scene
// works in LPS millimetres, so that root is left out on purpose and everything below it is kept (the nodes' own
// transforms undo the 16-bit quantization).

import { Box3, BufferAttribute, BufferGeometry, Group, Matrix4, Mesh, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { MeshoptDecoder } from "three/addons/libs/meshopt_decoder.module.js";

import { setLook, surfaceMaterial } from "./surface-material.js";

/** @import { Object3D, Plane, Scene } from "three" */
/** @import { Point } from "../geometry/vectors.js" */
/** @import { SegmentLook } from "../state/view.js" */

/** @typedef {{ number: number, label: string, node: string, colour: string }} SegmentNode */

/**
 * A mesh in LPS mm with its middle at its own origin: three.js sorts see-through meshes by their origin, which would
 * otherwise be the same for all of them.
 * @param {Object3D} node @param {Matrix4} fromRoot  inverse of the root's world matrix
 * @returns {{ geometry: BufferGeometry, middle: Vector3 } | null}
 */
function inMillimetres(node, fromRoot) {
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
  const point = new Vector3();
  for (let at = 0; at < from.count; at++) point.fromBufferAttribute(from, at).applyMatrix4(matrix).toArray(positions, at * 3);
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
  if (index) geometry.setIndex(index.clone());
  geometry.computeVertexNormals();
  geometry.computeBoundingBox();
  geometry.computeBoundingSphere();
  return { geometry, middle };
}

/** @param {Box3} box @returns {Point[]} */
export const cornersOf = ({ min, max }) =>
  [min.x, max.x].flatMap((x) => [min.y, max.y].flatMap((y) => [min.z, max.z].map((z) => /** @type {Point} */ ([x, y, z]))));

export class Surfaces {
  /** @param {Map<number, Mesh>} meshes  by segment number */
  constructor(meshes) {
    this.meshes = meshes;
    this.group = new Group();
    this.group.add(...meshes.values());
  }

  /**
   * @param {ArrayBuffer} bytes  a GLB @param {SegmentNode[]} segments @param {AbortSignal} signal
   * @returns {Promise<Surfaces>}
   */
  static async parse(bytes, segments, signal) {
    const loader = new GLTFLoader();
    loader.setMeshoptDecoder(MeshoptDecoder);
    const file = await loader.parseAsync(bytes, "");
    signal.throwIfAborted();
    file.scene.updateMatrixWorld(true);
    const root = file.scene.children[0] ?? file.scene;
    const fromRoot = new Matrix4().copy(root.matrixWorld).invert();
    // GLTFLoader makes node names safe for animation paths; the name as written stays in userData.
    /** @type {Map<string, Object3D>} */
    const byName = new Map();
    root.traverse((node) => byName.set(String(node.userData.name ?? node.name), node));
    /** @type {Map<number, Mesh>} */
    const meshes = new Map();
    for (const segment of segments) {
      const node = segment.node ? byName.get(segment.node) : undefined;
      const part = node ? inMillimetres(node, fromRoot) : null;
      if (!part) continue;
      const mesh = new Mesh(part.geometry, surfaceMaterial(segment.colour));
      mesh.position.copy(part.middle);
      mesh.name = segment.label;
      mesh.userData.segment = segment.number;
      meshes.set(segment.number, mesh);
    }
    file.scene.traverse((/** @type {any} */ node) => {
      node.geometry?.dispose();
      node.material?.dispose();
    });
    return new Surfaces(meshes);
  }

  /** @param {Scene} scene @returns {() => void} takes the surfaces out and frees them */
  addTo(scene) {
    scene.add(this.group);
    return () => {
      scene.remove(this.group);
      for (const mesh of this.meshes.values()) {
        mesh.geometry.dispose();
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
      if (look) setLook(/** @type {any} */ (mesh.material), { colour: look.colour, opacity: look.opacity, lit: lit === number });
    }
  }

  /** @param {Plane[]} planes */
  setClipping(planes) {
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
