// Labels on a plane: fills, then all halos, then all lines (SCREENS, "Colours on images"), as paths on the viewport's
// own 2D canvas. Paths are made once per slice and kept for a while, because scrolling goes to and fro.

import { contoursOf, labelSlice } from "../geometry/contours.js";
import { labelsInPlane } from "../geometry/oblique.js";
import { inPlane } from "../geometry/planes.js";
import { toMm } from "../geometry/volume.js";

/** @import { Plane } from "../geometry/planes.js" */
/** @import { Box } from "../geometry/spans.js" */
/** @import { Point, Vec3 } from "../geometry/vectors.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { SegmentLook } from "../state/view.js" */

const KEPT = 48;
const LINE = 1.5;
const HALO = 1.8;

/**
 * `axis` and `slice` say which voxels it shows (-1: an oblique plane); `stale` are labels whose voxels changed since.
 * @typedef {{ paths: Map<number, Path2D>, grid: { origin: [number, number], pixel: number } | null, axis?: number, slice?: number, stale?: Set<number> }} Kept
 */

/** A path per label, in pixels of the grid. @param {Uint8Array} labels @param {number} width @param {number} height @param {Set<number>} [only] @returns {Map<number, Path2D>} */
export function pathsFrom(labels, width, height, only) {
  const paths = new Map();
  for (const [label, rings] of contoursOf(labels, width, height, only)) {
    const path = new Path2D();
    for (const ring of rings) {
      path.moveTo(ring[0], ring[1]);
      for (let at = 2; at < ring.length; at += 2) path.lineTo(ring[at], ring[at + 1]);
      path.closePath();
    }
    paths.set(label, path);
  }
  return paths;
}

export class LabelOutlines {
  /** @param {Uint8Array} labelmap  (k, j, i) @param {VolumeGeometry} geometry */
  constructor(labelmap, geometry) {
    this.labelmap = labelmap;
    this.geometry = geometry;
    /** @type {Map<string, Kept>} */
    this.kept = new Map();
  }

  /** Paths per label, in voxel indices along the plane's right and down axes. @param {Plane} plane @param {number} slice */
  pathsOf(plane, slice) {
    // A plane turned by a quarter runs along other axes than the same plane upright.
    const key = `${plane.name} ${plane.rightAxis} ${slice}`;
    const kept = this.keptOr(key, () => {
      const { labels, width, height } = labelSlice(this.labelmap, this.geometry.shape, plane, slice);
      return { paths: pathsFrom(labels, width, height), grid: null, axis: plane.axis, slice };
    });
    if (kept.stale) {
      // A stroke changes one or two labels of a slice that may hold twenty: only theirs are made again.
      const { labels, width, height } = labelSlice(this.labelmap, this.geometry.shape, plane, slice);
      const fresh = pathsFrom(labels, width, height, kept.stale);
      for (const label of kept.stale) kept.paths.delete(label);
      for (const [label, path] of fresh) kept.paths.set(label, path);
      kept.stale = undefined;
    }
    return kept.paths;
  }

  /** Voxels changed: outlines of these labels on the slices of the box are made anew when they are next drawn. @param {Box} box @param {Iterable<number>} labels */
  touch(box, labels) {
    for (const [key, kept] of this.kept) {
      if (kept.axis === undefined || kept.axis < 0) this.kept.delete(key);
      else if (/** @type {number} */ (kept.slice) >= box[2 * kept.axis] && /** @type {number} */ (kept.slice) <= box[2 * kept.axis + 1]) {
        kept.stale ??= new Set();
        for (const label of labels) kept.stale.add(label);
      }
    }
  }

  /** The same for an oblique plane, on a grid of its own. @param {Plane} plane @param {Point} point @returns {Kept} */
  obliquePathsOf(plane, point) {
    const key = [plane.name, ...plane.normal, ...plane.right, ...point].map((one) => (typeof one === "number" ? one.toFixed(4) : one)).join(" ");
    return this.keptOr(key, () => {
      const cut = labelsInPlane(this.labelmap, this.geometry, plane, point);
      return cut ? { paths: pathsFrom(cut.labels, cut.width, cut.height), grid: cut } : { paths: new Map(), grid: null };
    });
  }

  /** @param {string} key @param {() => Kept} make @returns {Kept} */
  keptOr(key, make) {
    const made = this.kept.get(key) ?? make();
    // Last used goes last, so that the oldest falls out first.
    this.kept.delete(key);
    this.kept.set(key, made);
    if (this.kept.size > KEPT) this.kept.delete(/** @type {string} */ (this.kept.keys().next().value));
    return made;
  }

  /** The label of a voxel. @param {Vec3} index */
  labelAt([k, j, i]) {
    return this.labelmap[(k * this.geometry.shape[1] + j) * this.geometry.shape[2] + i];
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {Plane} plane @param {number} slice
   * @param {(position: [number, number]) => [number, number]} toPixel  in-plane mm -> px
   * @param {{ segments: Record<number, SegmentLook>, fill: number, outlines: boolean, lit: number | null }} look
   * @param {Point} point  on the slice
   */
  paint(context, plane, slice, toPixel, look, point) {
    const oblique = plane.oblique ? this.obliquePathsOf(plane, point) : null;
    const matrix = oblique ? gridToPixel(oblique.grid, toPixel) : this.indexToPixel(plane, toPixel);
    const shown = [];
    for (const [label, path] of oblique?.paths ?? this.pathsOf(plane, slice)) {
      const segment = look.segments[label];
      if (!segment?.shown) continue;
      const placed = new Path2D();
      placed.addPath(path, matrix);
      shown.push({ path: placed, colour: segment.colour, opacity: segment.opacity, lit: look.lit === label });
    }
    context.lineJoin = "round";
    for (const { path, colour, opacity, lit } of shown) {
      if (look.fill <= 0 && !lit) continue;
      // What is see-through in 3D tints the plane less, too: skin would colour the whole slice.
      context.globalAlpha = Math.min(0.6, (look.fill + (lit ? 0.14 : 0)) * opacity);
      context.fillStyle = colour;
      context.fill(path, "evenodd");
    }
    if (look.outlines || look.fill <= 0) {
      context.globalAlpha = 0.5;
      context.strokeStyle = "#000";
      context.lineWidth = LINE + HALO;
      for (const { path } of shown) context.stroke(path);
      context.globalAlpha = 1;
      for (const { path, colour, lit } of shown) {
        context.lineWidth = lit ? LINE + 0.5 : LINE;
        context.strokeStyle = colour;
        context.stroke(path);
      }
    }
    context.globalAlpha = 1;
  }

  /** @param {Plane} plane @param {(position: [number, number]) => [number, number]} toPixel */
  indexToPixel(plane, toPixel) {
    /** @param {number} x @param {number} y */
    const at = (x, y) => {
      const index = /** @type {Vec3} */ ([0, 0, 0]);
      index[plane.rightAxis] = x;
      index[plane.downAxis] = y;
      return toPixel(inPlane(this.geometry, plane, toMm(this.geometry, index)));
    };
    const [origin, across, along] = [at(0, 0), at(1, 0), at(0, 1)];
    return new DOMMatrix([
      across[0] - origin[0], across[1] - origin[1], along[0] - origin[0], along[1] - origin[1], origin[0], origin[1]]);
  }
}

/** From the grid of an oblique plane to px. @param {Kept["grid"]} grid @param {(position: [number, number]) => [number, number]} toPixel */
function gridToPixel(grid, toPixel) {
  if (!grid) return new DOMMatrix();
  const [x, y] = grid.origin;
  const [origin, across, along] = [toPixel([x, y]), toPixel([x + grid.pixel, y]), toPixel([x, y + grid.pixel])];
  return new DOMMatrix([
    across[0] - origin[0], across[1] - origin[1], along[0] - origin[0], along[1] - origin[1], origin[0], origin[1]]);
}
