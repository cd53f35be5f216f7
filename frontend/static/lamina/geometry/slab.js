// A slab: several samples along the plane's normal shown as one, the brightest (MIP), the darkest (MinIP) or the mean.

/** @import { Plane } from "./planes.js" */

/** @typedef {"max" | "min" | "mean"} SlabMode */
/** @typedef {{ mode: SlabMode, mm: number }} Slab  mm 0: one slice */

/** @type {Readonly<Slab>} */
export const NO_SLAB = Object.freeze({ mode: "max", mm: 0 });

/** More samples than this per pixel no card draws fluidly. */
export const MOST_SAMPLES = 129;

/**
 * Where a slab is sampled, mm from the shown slice along the normal. A slab of T mm holds every slice whose middle lies
 * within T / 2 of the shown one, so the number is odd and an orthogonal slab meets the voxels' own middles: its MIP is
 * the largest voxel and not a mean of neighbours. An oblique one is sampled at half a voxel.
 * @param {Pick<Plane, "step" | "oblique">} plane @param {number} mm
 * @returns {{ step: number, each: number }}  samples at step * (-each ... each)
 */
export function slabSamples(plane, mm) {
  if (!(mm > 0)) return { step: plane.step, each: 0 };
  const wanted = plane.oblique ? plane.step / 2 : plane.step;
  const each = Math.floor(mm / 2 / wanted + 1e-6);
  const most = (MOST_SAMPLES - 1) / 2;
  return each <= most ? { step: wanted, each } : { step: (wanted * each) / most, each: most };
}

/** What a slab shows of its values; null where there are none. @param {number[]} values @param {SlabMode} mode */
export function projected(values, mode) {
  if (values.length === 0) return null;
  if (mode === "max") return values.reduce((a, b) => Math.max(a, b));
  if (mode === "min") return values.reduce((a, b) => Math.min(a, b));
  return values.reduce((a, b) => a + b) / values.length;
}
