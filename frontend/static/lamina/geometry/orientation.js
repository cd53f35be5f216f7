// Letters at the edges: which way of the patient a direction points.

import { scale } from "./vectors.js";

/** @import { Vec3 } from "./vectors.js" */

const LETTERS = [["L", "R"], ["P", "A"], ["S", "I"]];

/**
 * One letter, or two where the direction is oblique, the stronger first: "A", "AL".
 * The second letter appears from about 10 degrees on (sin 10 degrees = 0.17).
 * @param {Vec3} direction  unit vector, LPS
 */
export function orientationLetters(direction) {
  const parts = direction
    .map((value, axis) => ({ size: Math.abs(value), letter: LETTERS[axis][value >= 0 ? 0 : 1] }))
    .sort((a, b) => b.size - a.size);
  if (parts[0].size === 0) return "";
  return parts[0].letter + (parts[1].size > 0.17 ? parts[1].letter : "");
}

/**
 * Letters for the four edges of a plane.
 * @param {{ right: Vec3, down: Vec3 }} plane
 */
export function edgeLetters(plane) {
  return {
    left: orientationLetters(scale(plane.right, -1)),
    right: orientationLetters(plane.right),
    top: orientationLetters(scale(plane.down, -1)),
    bottom: orientationLetters(plane.down),
  };
}
