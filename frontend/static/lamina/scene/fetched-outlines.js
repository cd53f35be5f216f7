// Outlines of a labelmap that this browser does not hold: the server cuts each slice of labels, too.

import { labelSlice } from "../geometry/contours.js";
import { LabelOutlines, pathsFrom } from "./outlines.js";

/** @import { Plane } from "../geometry/planes.js" */
/** @import { Vec3 } from "../geometry/vectors.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */

/** Slices kept, of all planes together: scrolling to and fro asks once. */
const KEPT = 24;
/** ms before a slice that did not come is asked for again. */
const PAUSE = 2000;

export class FetchedOutlines extends LabelOutlines {
  /**
   * @param {string} base  where slices of labels are cut: base + "k/87/" @param {VolumeGeometry} geometry
   * @param {AbortSignal} leaving @param {() => void} onShown  another slice can be drawn
   */
  constructor(base, geometry, leaving, onShown) {
    super(new Uint8Array(0), geometry);
    this.base = base;
    this.leaving = leaving;
    this.onShown = onShown;
    /** Labels by "axis slice"; null while they are on their way. @type {Map<string, Uint8Array | null>} */
    this.slices = new Map();
  }

  /** Voxels changed somewhere: what is shown stays until its slice is here again. */
  renew() {
    this.slices.clear();
    this.onShown();
  }

  /** @override @param {Plane} plane @param {number} slice */
  pathsOf(plane, slice) {
    const labels = this.labelsOf(plane.axis, slice);
    const key = `${plane.name} ${plane.rightAxis} ${slice}`;
    if (labels && this.drawnFrom.get(key) !== labels) {
      this.kept.delete(key);
      this.drawnFrom.set(key, labels);
    }
    if (!labels) return this.kept.get(key)?.paths ?? new Map();
    return this.keptOr(key, () => {
      // One slice thick along the axis it was cut across: the same steps as in the whole labelmap.
      const thin = this.geometry.shape.map((count, axis) => (axis === plane.axis ? 1 : count));
      const cut = labelSlice(labels, thin, plane, 0);
      return { paths: pathsFrom(cut.labels, cut.width, cut.height), grid: null };
    }).paths;
  }

  /** Which labels the paths of a key were made from. @type {Map<string, Uint8Array>} */
  drawnFrom = new Map();

  /** The labels of a slice, or null after asking for them. @param {number} axis @param {number} slice */
  labelsOf(axis, slice) {
    const key = `${axis} ${slice}`;
    const here = this.slices.get(key);
    if (here === undefined) void this.ask(key, axis, slice);
    return here ?? null;
  }

  /** @param {string} key @param {number} axis @param {number} slice */
  async ask(key, axis, slice) {
    this.slices.set(key, null);
    try {
      const answer = await fetch(`${this.base}${"kji"[axis]}/${slice}/`, { signal: this.leaving, credentials: "same-origin" });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const labels = new Uint8Array(await answer.arrayBuffer());
      if (!this.slices.has(key)) return;
      this.slices.delete(key);
      this.slices.set(key, labels);
      for (const old of this.slices.keys()) {
        if (this.slices.size <= KEPT) break;
        this.slices.delete(old);
      }
      this.onShown();
    } catch {
      // The image stays usable without its outlines; they are asked for again when the slice is drawn next.
      setTimeout(() => this.slices.get(key) === null && this.slices.delete(key), PAUSE);
    }
  }

  /** The label of a voxel, 0 where none of its slices is here. @override @param {Vec3} index */
  labelAt(index) {
    for (const axis of [0, 1, 2]) {
      const labels = this.slices.get(`${axis} ${index[axis]}`);
      if (!labels) continue;
      const [row, column] = [0, 1, 2].filter((one) => one !== axis);
      return labels[index[row] * this.geometry.shape[column] + index[column]];
    }
    return 0;
  }
}
