// Both outlines of a comparison on a plane, each in the colour and line of its role on a black halo (SCREENS, "Colours on
// images"): all fills, then all halos, then all lines.

import { fromPlane, sliceAt } from "../geometry/planes.js";
import { toMm } from "../geometry/volume.js";

/** @import { LabelOutlines } from "./outlines.js" */
/** @import { Pane } from "./plane-viewport.js" */
/** @import { Vec3 } from "../geometry/vectors.js" */

/** `fill` 0 to 1; none is the usual one. @typedef {{ colour: string, dash: number[], fill?: number }} RoleLook */

const LINE = 2;
const HALO = 1.8;
const FILL = 0.12;

/** From the voxels of the shown slice, or the grid of an oblique plane, to px. @param {LabelOutlines} outlines @param {Pane} pane @param {{ origin: [number, number], pixel: number } | null} grid */
function toPixels({ geometry }, { plane, point, toPixel }, grid) {
  /** @param {number} x @param {number} y */
  const at = (x, y) => {
    if (grid) return toPixel(fromPlane(geometry, plane, point, [grid.origin[0] + x * grid.pixel, grid.origin[1] + y * grid.pixel]));
    const index = /** @type {Vec3} */ ([0, 0, 0]);
    index[plane.rightAxis] = x;
    index[plane.downAxis] = y;
    return toPixel(toMm(geometry, index));
  };
  const [origin, across, along] = [at(0, 0), at(1, 0), at(0, 1)];
  return new DOMMatrix([across[0] - origin[0], across[1] - origin[1], along[0] - origin[0], along[1] - origin[1], origin[0], origin[1]]);
}

/**
 * @param {CanvasRenderingContext2D} context @param {Pane} pane
 * @param {{ outlines: LabelOutlines, look: RoleLook, numberOf: (label: number) => number }[]} sides  the first lies below
 * @param {(number: number) => boolean} shown  by the number `numberOf` gives a label
 */
export function paintOutlines(context, pane, sides, shown) {
  const { plane, point } = pane;
  const drawn = sides.map(({ outlines, look, numberOf }) => {
    const oblique = plane.oblique ? outlines.obliquePathsOf(plane, point) : null;
    const paths = oblique?.paths ?? outlines.pathsOf(plane, sliceAt(outlines.geometry, plane, point));
    const matrix = toPixels(outlines, pane, oblique?.grid ?? null);
    const path = new Path2D();
    for (const [label, one] of paths) if (shown(numberOf(label))) path.addPath(one, matrix);
    return { path, look };
  });
  context.lineJoin = "round";
  for (const { path, look } of drawn) {
    context.globalAlpha = look.fill ?? FILL;
    context.fillStyle = look.colour;
    context.fill(path, "evenodd");
  }
  context.globalAlpha = 0.5;
  context.strokeStyle = "#000";
  context.lineWidth = LINE + HALO;
  for (const { path } of drawn) context.stroke(path);
  context.globalAlpha = 1;
  context.lineWidth = LINE;
  for (const { path, look } of drawn) {
    context.strokeStyle = look.colour;
    context.setLineDash(look.dash);
    context.stroke(path);
  }
  context.setLineDash([]);
}
