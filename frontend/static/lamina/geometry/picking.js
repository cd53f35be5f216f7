// Rays and planes.

import { addScaled, dot, subtract } from "./vectors.js";

/** @import { Point, Vec3 } from "./vectors.js" */

/** A clipping plane keeps the side where dot(normal, p) + constant >= 0. @typedef {{ normal: Vec3, constant: number }} Clip */

/** @param {Clip | null} clip @param {Point} point */
export const isKept = (clip, point) => !clip || dot(clip.normal, point) + clip.constant >= 0;

/**
 * The first hit on the kept side of all planes. Hits come sorted by distance. A hit on a cut face lies in its own plane
 * (`cut`, its place in the list), which is not asked.
 * @template {{ point: Point, cut?: number }} T
 * @param {T[]} hits @param {Clip[]} clips @returns {T | null}
 */
export const firstKept = (hits, clips) => hits.find((hit) => clips.every((clip, at) => at === hit.cut || isKept(clip, hit.point))) ?? null;

/** Where a ray meets a plane, or null when it runs along it or away. @param {Point} origin @param {Vec3} direction @param {Point} on @param {Vec3} normal @returns {Point | null} */
export function rayMeetsPlane(origin, direction, on, normal) {
  const slope = dot(direction, normal);
  if (Math.abs(slope) < 1e-9) return null;
  const along = dot(subtract(on, origin), normal) / slope;
  return along < 0 ? null : addScaled(origin, direction, along);
}
