// Labels on a plane: fills, then all halos, then all lines (SCREENS, "Colours on images"), as paths on the viewport's
// own 2D canvas. Paths are made once per slice and kept for a while, because scrolling goes to and fro.

import { contoursOf, labelSlice } from "../geometry/contours.js";
import { inPlane } from "../geometry/planes.js";
import { toMm } from "../geometry/volume.js";

/** @import { Plane } from "../geometry/planes.js" */
/** @import { Vec3 } from "../geometry/vectors.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { SegmentLook } from "../state/view.js" */

const KEPT = 48;
const LINE = 1.5;
const HALO = 1.8;

export class LabelOutlines {
  /** @param {Uint8Array} labelmap  (k, j, i) @param {VolumeGeometry} geometry */
  constructor(labelmap, geometry) {
    this.labelmap = labelmap;
    this.geometry = geometry;
    /** @type {Map<string, Map<number, Path2D>>} */
    this.kept = new Map();
  }

  /** Paths per label, in voxel indices along the plane's right and down axes. @param {Plane} plane @param {number} slice */
  pathsOf(plane, slice) {
    const key = `${plane.name} ${slice}`;
    let paths = this.kept.get(key);
    if (paths) {
      // Last used goes last, so that the oldest falls out first.
      this.kept.delete(key);
    } else {
      const { labels, width, height } = labelSlice(this.labelmap, this.geometry.shape, plane, slice);
      paths = new Map();
      for (const [label, rings] of contoursOf(labels, width, height)) {
        const path = new Path2D();
        for (const ring of rings) {
          path.moveTo(ring[0], ring[1]);
          for (let at = 2; at < ring.length; at += 2) path.lineTo(ring[at], ring[at + 1]);
          path.closePath();
        }
        paths.set(label, path);
      }
    }
    this.kept.set(key, paths);
    if (this.kept.size > KEPT) this.kept.delete(/** @type {string} */ (this.kept.keys().next().value));
    return paths;
  }

  /** The label of a voxel. @param {Vec3} index */
  labelAt([k, j, i]) {
    return this.labelmap[(k * this.geometry.shape[1] + j) * this.geometry.shape[2] + i];
  }

  /**
   * @param {CanvasRenderingContext2D} context @param {Plane} plane @param {number} slice
   * @param {(position: [number, number]) => [number, number]} toPixel  in-plane mm -> px
   * @param {{ segments: Record<number, SegmentLook>, fill: number, outlines: boolean, lit: number | null }} look
   */
  paint(context, plane, slice, toPixel, look) {
    const matrix = this.indexToPixel(plane, toPixel);
    const shown = [];
    for (const [label, path] of this.pathsOf(plane, slice)) {
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
