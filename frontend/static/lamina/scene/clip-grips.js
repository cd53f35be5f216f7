// Grips of the clipping box, drawn over the 3D: its edges and a handle in the middle of each face, in the colour of the
// plane the face is parallel to.

import { boxCorners } from "../geometry/clipping.js";
import { addScaled } from "../geometry/vectors.js";

/** @import { Box } from "../geometry/clipping.js" */
/** @import { Plane, PlaneName } from "../geometry/planes.js" */
/** @import { Point, Vec3 } from "../geometry/vectors.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { SpacePane } from "./orbit-viewport.js" */

/** @typedef {{ plane: PlaneName, face: 0 | 1, colour: string, point: Point, outward: Vec3, length: number }} Grip */

const RADIUS = 7;
/** Targets are at least 24 px wide. */
const REACH = 13;

/** @param {CanvasRenderingContext2D} context @param {SpacePane} pane @param {VolumeGeometry} geometry @param {Record<PlaneName, Plane>} planes @param {Box} box @param {Grip[]} grips */
export function drawGrips(context, pane, geometry, planes, box, grips) {
  const corners = boxCorners(geometry, planes, box).map((point) => pane.toPixel(point));
  context.strokeStyle = "rgb(237 241 245 / 45%)";
  context.lineWidth = 1;
  context.beginPath();
  for (let at = 0; at < 8; at++) {
    for (const bit of [1, 2, 4]) {
      if (at & bit) continue;
      context.moveTo(...corners[at]);
      context.lineTo(...corners[at | bit]);
    }
  }
  context.stroke();
  for (const { colour, point } of grips) {
    const [x, y] = pane.toPixel(point);
    context.beginPath();
    context.arc(x, y, RADIUS, 0, Math.PI * 2);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 2;
    context.strokeStyle = "#000";
    context.stroke();
  }
}

/**
 * The grip under a pixel, the nearest to the camera first, and how a drag becomes a share of the volume.
 * @param {SpacePane} pane @param {Grip[]} grips @param {[number, number]} pixel
 * @returns {(Grip & { shareOf: (dx: number, dy: number) => number }) | null}
 */
export function gripAt(pane, grips, [x, y]) {
  const under = grips.filter(({ point }) => {
    const [px, py] = pane.toPixel(point);
    return Math.hypot(px - x, py - y) <= REACH;
  });
  const grip = under.sort((a, b) => pane.depth(a.point) - pane.depth(b.point))[0];
  if (!grip) return null;
  // A millimetre outward on the screen; a face seen straight on has none and goes by the way up.
  const here = pane.toPixel(grip.point);
  const out = pane.toPixel(addScaled(grip.point, grip.outward, 1));
  const [ox, oy] = [out[0] - here[0], out[1] - here[1]];
  const size = ox * ox + oy * oy;
  const sign = grip.face === 0 ? -1 : 1;
  return { ...grip, shareOf: (dx, dy) => (sign * (size > 0.01 ? (dx * ox + dy * oy) / size : -dy)) / grip.length };
}
