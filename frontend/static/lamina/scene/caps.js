// The faces where clipping planes cut the surfaces: closed with the segment's own colour and drawn round with a line, so
// that a body looks solid and not like a shell. Faces of see-through surfaces are see-through, too.

import { BufferAttribute, BufferGeometry, Group, LineSegments, Mesh, ShapeUtils, Vector2 } from "three";

import { flatRing, nested, ringArea, sectionRings, spanOf } from "../geometry/section.js";
import { addScaled, add, dot, scale } from "../geometry/vectors.js";
import { setLine, spaceLine } from "./space-line.js";
import { CLEAR_LAYER, setLook, setSolid, surfaceMaterial } from "./surface-material.js";

/** @import { Plane as ClippingPlane, ShaderMaterial } from "three" */
/** @import { Clip } from "../geometry/picking.js" */
/** @import { Vec3 } from "../geometry/vectors.js" */
/** @import { SegmentLook } from "../state/view.js" */
/** @import { Surfaces } from "./surfaces.js" */

/** @typedef {{ segment: number, cut: number, area: number, face: Mesh, line: LineSegments }} Cap  area mm², of the whole cut */

/**
 * One face and its line. @param {Mesh} surface @param {Clip} clip
 * @returns {{ face: BufferGeometry, line: BufferGeometry, area: number } | null}
 */
function cutFace(surface, clip) {
  const positions = surface.geometry.getAttribute("position").array;
  const index = surface.geometry.getIndex()?.array;
  const { boundingSphere } = surface.geometry;
  if (!index || !boundingSphere) return null;
  const middle = /** @type {Vec3} */ (surface.position.toArray());
  const centre = add(middle, /** @type {Vec3} */ (boundingSphere.center.toArray()));
  if (Math.abs(dot(clip.normal, centre) + clip.constant) > boundingSphere.radius) return null;
  const here = { normal: clip.normal, constant: clip.constant + dot(clip.normal, middle) };
  const rings = sectionRings(positions, index, here);
  const span = spanOf(clip.normal);
  const flat = rings.map((ring) => flatRing(ring, span));
  const on = scale(clip.normal, -here.constant);
  const lift = (/** @type {[number, number]} */ [x, y]) => addScaled(addScaled(on, span[0], x), span[1], y);
  /** @type {number[]} */
  const points = [];
  /** @type {number[]} */
  const triangles = [];
  for (const { outer, holes } of nested(flat)) {
    const from = points.length / 3;
    const contour = outer.map(([x, y]) => new Vector2(x, y));
    const inner = holes.map((ring) => ring.map(([x, y]) => new Vector2(x, y)));
    const faces = ShapeUtils.triangulateShape(contour, inner);
    for (const { x, y } of [contour, ...inner].flat()) points.push(...lift([x, y]));
    for (const [a, b, c] of faces) triangles.push(from + a, from + b, from + c);
  }
  if (triangles.length === 0) return null;
  const face = new BufferGeometry();
  face.setAttribute("position", new BufferAttribute(Float32Array.from(points), 3));
  const outward = scale(clip.normal, -1);
  face.setAttribute("normal", new BufferAttribute(Float32Array.from({ length: points.length }, (_, at) => outward[at % 3]), 3));
  face.setIndex(triangles);
  face.computeBoundingSphere();
  const ends = rings.flatMap((ring) => {
    const pairs = [];
    for (let at = 0; at < ring.length; at += 3) {
      const after = (at + 3) % ring.length;
      pairs.push(ring[at], ring[at + 1], ring[at + 2], ring[after], ring[after + 1], ring[after + 2]);
    }
    return pairs;
  });
  const line = new BufferGeometry();
  line.setAttribute("position", new BufferAttribute(Float32Array.from(ends), 3));
  return { face, line, area: Math.abs(flat.reduce((sum, ring) => sum + ringArea(ring), 0)) };
}

export class Caps {
  constructor() {
    this.group = new Group();
    /** @type {Cap[]} */
    this.caps = [];
  }

  /**
   * Make all faces anew. @param {Surfaces | null} surfaces @param {Clip[]} cuts @param {ClippingPlane[]} planes  the same, for the card
   * @param {Record<number, SegmentLook>} looks @param {number | null} lit
   */
  make(surfaces, cuts, planes, looks, lit) {
    this.clear();
    for (const [segment, surface] of surfaces?.meshes ?? []) {
      const look = looks[segment];
      if (!surface.visible || !look) continue;
      cuts.forEach((clip, cut) => {
        const made = cutFace(surface, clip);
        if (!made) return;
        const material = surfaceMaterial(look.colour, { cut: true });
        // The other planes cut the face as they cut the body; its own would eat half of it.
        const others = planes.filter((_, at) => at !== cut);
        material.clippingPlanes = others;
        material.polygonOffset = true;
        material.polygonOffsetFactor = 1;
        material.polygonOffsetUnits = 1;
        const face = new Mesh(made.face, material);
        const line = new LineSegments(made.line, spaceLine(look.colour));
        line.material.clippingPlanes = others;
        for (const one of [face, line]) one.position.copy(surface.position);
        face.userData.segment = segment;
        face.userData.cut = cut;
        this.group.add(face, line);
        this.caps.push({ segment, cut, area: made.area, face, line });
      });
    }
    this.setLooks(looks, lit);
  }

  /** @param {Record<number, SegmentLook>} looks @param {number | null} lit */
  setLooks(looks, lit) {
    for (const { segment, face, line } of this.caps) {
      const look = looks[segment];
      if (!look) continue;
      const clear = look.opacity < 0.999;
      const material = /** @type {ShaderMaterial} */ (face.material);
      setLook(material, { colour: look.colour, opacity: clear ? Math.min(1, look.opacity * 1.4) : 1, lit: lit === segment });
      face.layers.set(clear ? CLEAR_LAYER : 0);
      if (!clear) setSolid(material);
      setLine(/** @type {ShaderMaterial} */ (line.material), look.colour, 0.25);
    }
  }

  clear() {
    for (const { face, line } of this.caps) {
      for (const one of [face, line]) {
        one.geometry.dispose();
        /** @type {any} */ (one.material).dispose();
      }
    }
    this.caps = [];
    this.group.clear();
  }
}
