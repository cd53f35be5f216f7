// Which series of a study are phases of one another: the same voxels in the same place, again and again.

/**
 * @typedef {{ id: string, modality: string, number: number | null, frame_of_reference_uid: string | null, volume: { shape: number[], affine: number[][] } | null }} Placed
 */

/** Largest difference of two grids that are still the same one, mm. */
const SAME = 1e-3;

/** @param {Placed} a @param {Placed} b */
function sameGrid(a, b) {
  if (!a.volume || !b.volume || a.modality !== b.modality) return false;
  // Without a frame of reference nobody knows that the patient did not move.
  if (!a.frame_of_reference_uid || a.frame_of_reference_uid !== b.frame_of_reference_uid) return false;
  if (a.volume.shape.some((count, axis) => count !== /** @type {any} */ (b.volume).shape[axis])) return false;
  return a.volume.affine.every((row, at) => row.every((value, to) => Math.abs(value - /** @type {any} */ (b.volume).affine[at][to]) <= SAME));
}

/**
 * The volumes of a 4D series as series of their own kind: the same place, other voxels. None where it holds one.
 * @param {any} series  as the API gives it @returns {any[]}
 */
export function volumesOf(series) {
  const phases = series.volume?.phases ?? [];
  return phases.length < 2 ? [] : phases.map((/** @type {any} */ phase, /** @type {number} */ at) => at === 0 ? { ...series, phase } : {
    ...series,
    id: `${series.id}#${at}`,
    phase,
    volume: { ...series.volume, slope: phase.slope, intercept: phase.intercept },
    urls: { ...series.urls, ...series.urls.phases[at], preview: null },
  });
}

/**
 * The series of the same modality, frame of reference and grid, this one included, in the order of their numbers; one
 * alone is no phase of anything.
 * @template {Placed} T @param {T} series @param {T[]} all @returns {T[]}
 */
export function phasesOf(series, all) {
  const found = all.filter((other) => other.id === series.id || sameGrid(series, other));
  return found.length < 2 ? [] : found.sort((a, b) => (a.number ?? 0) - (b.number ?? 0) || (a.id < b.id ? -1 : 1));
}
