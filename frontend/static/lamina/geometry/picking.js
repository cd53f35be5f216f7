// Rays, planes and the order of see-through surfaces.

import { addScaled, dot, subtract } from "./vectors.js";

/** @import { Point, Vec3 } from "./vectors.js" */

/** A clipping plane keeps the side where dot(normal, p) + constant >= 0. @typedef {{ normal: Vec3, constant: number }} Clip */

/** @param {Clip | null} clip @param {Point} point */
export const isKept = (clip, point) => !clip || dot(clip.normal, point) + clip.constant >= 0;

/**
 * The first hit on the kept side. Hits come sorted by distance.
 * @template {{ point: Point }} T
 * @param {T[]} hits @param {Clip | null} clip @returns {T | null}
 */
export const firstKept = (hits, clip) => hits.find((hit) => isKept(clip, hit.point)) ?? null;

/** Where a ray meets a plane, or null when it runs along it or away. @param {Point} origin @param {Vec3} direction @param {Point} on @param {Vec3} normal @returns {Point | null} */
export function rayMeetsPlane(origin, direction, on, normal) {
  const slope = dot(direction, normal);
  if (Math.abs(slope) < 1e-9) return null;
  const along = dot(subtract(on, origin), normal) / slope;
  return along < 0 ? null : addScaled(origin, direction, along);
}

/**
 * Where in the drawing order a see-through surface stands: the one whose nearest side is farthest comes first, so
 * that what lies inside a shell is drawn before the shell although both have the same middle.
 * @param {number} centreDistance @param {number} radius
 */
export const sortDepth = (centreDistance, radius) => centreDistance - radius;
