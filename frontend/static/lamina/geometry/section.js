// Where a plane goes through a closed triangle surface: rings in the plane, their area. Pure arrays, millimetres.

import { cross, dot, normalise } from "./vectors.js";

/** @import { Vec3 } from "./vectors.js" */
/** @import { Clip } from "./picking.js" */

/**
 * The rings where a plane cuts a surface, turned so that the material lies to the left as seen from the side that is
 * cut away. Crossings are known by the edge they lie on, so rings close exactly where the surface is closed.
 * @param {ArrayLike<number>} positions  x y z per vertex @param {ArrayLike<number>} index  three per triangle, outward
 * @param {Clip} clip  in the same coordinates @returns {Float64Array[]}  x y z per point, the first is not repeated
 */
export function sectionRings(positions, index, { normal: [a, b, c], constant }) {
  const count = positions.length / 3;
  const side = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const away = a * positions[at * 3] + b * positions[at * 3 + 1] + c * positions[at * 3 + 2] + constant;
    // A vertex in the plane counts as kept: else a ring would run through it twice or not at all.
    side[at] = away === 0 ? 1e-12 : away;
  }
  /** @type {Map<number, number>} */
  const next = new Map();
  const edge = (/** @type {number} */ from, /** @type {number} */ to) => (from < to ? from * count + to : to * count + from);
  for (let at = 0; at < index.length; at += 3) {
    const [p, q, r] = [index[at], index[at + 1], index[at + 2]];
    const kept = (side[p] > 0 ? 1 : 0) + (side[q] > 0 ? 1 : 0) + (side[r] > 0 ? 1 : 0);
    if (kept === 0 || kept === 3) continue;
    const falls = side[p] > 0 && side[q] <= 0 ? edge(p, q) : side[q] > 0 && side[r] <= 0 ? edge(q, r) : edge(r, p);
    const rises = side[p] <= 0 && side[q] > 0 ? edge(p, q) : side[q] <= 0 && side[r] > 0 ? edge(q, r) : edge(r, p);
    next.set(falls, rises);
  }
  const rings = [];
  while (next.size > 0) {
    const [start] = next.keys();
    /** @type {number[]} */
    const ring = [];
    /** @type {number | undefined} */
    let at = start;
    while (at !== undefined && next.has(at)) {
      const [from, to] = [Math.floor(at / count), at % count];
      const along = side[from] / (side[from] - side[to]);
      for (let axis = 0; axis < 3; axis++) ring.push(positions[from * 3 + axis] + along * (positions[to * 3 + axis] - positions[from * 3 + axis]));
      const following = next.get(at);
      next.delete(at);
      at = following;
    }
    if (ring.length >= 9) rings.push(Float64Array.from(ring));
  }
  return rings;
}

/** Two unit vectors that span a plane; right-handed with its normal. @param {Vec3} normal @returns {[Vec3, Vec3]} */
export function spanOf(normal) {
  const least = /** @type {Vec3} */ ([0, 0, 0]);
  least[normal.map(Math.abs).indexOf(Math.min(...normal.map(Math.abs)))] = 1;
  const across = normalise(cross(least, normal));
  return [across, cross(normal, across)];
}

/** Points of a ring in the plane's own two axes. @param {Float64Array} ring @param {[Vec3, Vec3]} span @returns {[number, number][]} */
export function flatRing(ring, [across, along]) {
  const flat = [];
  for (let at = 0; at < ring.length; at += 3) {
    const point = /** @type {Vec3} */ ([ring[at], ring[at + 1], ring[at + 2]]);
    flat.push(/** @type {[number, number]} */ ([dot(point, across), dot(point, along)]));
  }
  return flat;
}

/** Area inside a flat ring, negative when it runs clockwise. @param {[number, number][]} ring */
export function ringArea(ring) {
  let twice = 0;
  for (let at = 0; at < ring.length; at++) {
    const [ax, ay] = ring[at];
    const [bx, by] = ring[(at + 1) % ring.length];
    twice += ax * by - bx * ay;
  }
  return twice / 2;
}

/** @param {[number, number]} point @param {[number, number][]} ring */
export function insideRing([x, y], ring) {
  let inside = false;
  for (let at = 0, before = ring.length - 1; at < ring.length; before = at++) {
    const [ax, ay] = ring[at];
    const [bx, by] = ring[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

/**
 * Outer rings with the holes that lie in them. Which way an outer ring runs is the way of the largest.
 * @param {[number, number][][]} rings @returns {{ outer: [number, number][], holes: [number, number][][] }[]}
 */
export function nested(rings) {
  const sized = rings.map((ring) => ({ ring, area: ringArea(ring) })).filter(({ area }) => Math.abs(area) > 1e-6).sort((a, b) => Math.abs(b.area) - Math.abs(a.area));
  if (sized.length === 0) return [];
  const sign = Math.sign(sized[0].area);
  const outers = sized.filter(({ area }) => Math.sign(area) === sign).map(({ ring }) => ({ outer: ring, holes: /** @type {[number, number][][]} */ ([]) }));
  for (const { ring } of sized.filter(({ area }) => Math.sign(area) !== sign)) {
    // The smallest outer ring round it: they are sorted by size, so the last that holds it.
    const home = outers.filter(({ outer }) => insideRing(ring[0], outer)).at(-1);
    home?.holes.push(ring);
  }
  return outers;
}
