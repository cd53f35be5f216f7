// Hanging protocols: which layout a series opens in. Each is a rule on what is there, in order; the first that fits is
// taken, unless this person chose another one for the modality before. Pure: no page, no storage.

/** @import { Layout } from "./view.js" */

/**
 * @typedef {object} Hung  what a protocol may ask
 * @property {string} modality
 * @property {boolean} isVolume
 * @property {number[] | null} spacing  mm along (k, j, i)
 * @property {"axial" | "coronal" | "sagittal"} acquired  the plane its slices were taken in
 * @property {string | null} overlay  id of a PET series that may lie over this CT or MR
 * @property {string | null} prior  id of an earlier study of the patient with a volume of this modality
 */

/**
 * @typedef {object} Protocol
 * @property {string} id
 * @property {Layout} layout
 * @property {(hung: Hung) => boolean} fits  may be chosen
 * @property {(hung: Hung) => boolean} chosen  is taken by itself
 */

/** Slices this much farther apart than the pixels are read in the plane they were taken in. */
const THICK = 3;

/** @param {Hung} hung */
export const isThick = ({ spacing }) => Boolean(spacing) && /** @type {number[]} */ (spacing)[0] / Math.min(.../** @type {number[]} */ (spacing)) >= THICK;

const never = () => false;
/** @param {Hung} hung */
const volume = ({ isVolume }) => isVolume;

/** @type {readonly Protocol[]} */
export const PROTOCOLS = Object.freeze([
  { id: "one", layout: "1x1", fits: () => true, chosen: (hung) => !hung.isVolume },
  { id: "fused", layout: "2x2", fits: (hung) => hung.overlay !== null, chosen: (hung) => hung.overlay !== null },
  { id: "acquired", layout: "1+3", fits: volume, chosen: (hung) => hung.isVolume && isThick(hung) },
  { id: "four", layout: "2x2", fits: volume, chosen: volume },
  { id: "planes", layout: "1x3", fits: volume, chosen: never },
  { id: "space", layout: "3d", fits: volume, chosen: never },
  { id: "prior", layout: "beside", fits: (hung) => hung.prior !== null, chosen: never },
]);

/** @param {Hung} hung @param {Record<string, string>} kept  protocol ids by modality @returns {Protocol} */
export function protocolFor(hung, kept) {
  const own = PROTOCOLS.find(({ id, fits }) => id === kept[hung.modality] && fits(hung));
  return own ?? /** @type {Protocol} */ (PROTOCOLS.find(({ chosen }) => chosen(hung)) ?? PROTOCOLS[0]);
}

/**
 * What there is to hang for a series.
 * @param {any} series @param {any[]} all  series of the study @param {any[]} priors  other studies of the patient
 * @param {string | null} date  of this study @returns {Hung}
 */
export function hungOf(series, all, priors, date) {
  const pet = ["CT", "MR"].includes(series.modality)
    ? all.find((one) => one.modality === "PT" && one.volume && one.spacing_mm && sameFrame(one, series))
    : null;
  const prior = priorFor(series, priors, date);
  return {
    modality: series.modality, isVolume: Boolean(series.volume), spacing: series.spacing_mm ?? null, acquired: acquiredPlane(series.volume?.affine),
    overlay: pet?.id ?? null, prior: prior?.id ?? null,
  };
}

/** @param {any} a @param {any} b */
const sameFrame = (a, b) => Boolean(a.frame_of_reference_uid) && a.frame_of_reference_uid === b.frame_of_reference_uid;

/** The newest other study that is not later than this one and has a volume of the modality. @param {any} series @param {any[]} priors  newest first @param {string | null} date */
export const priorFor = (series, priors, date) =>
  series.volume ? priors.find((one) => (!date || !one.study_date || one.study_date <= date) && besideSeries(series, one)) ?? null : null;

/** The series of another study that goes beside this one: same modality, same words before others. @param {any} series @param {any} study */
export function besideSeries(series, study) {
  const volumes = study.series.filter((/** @type {any} */ one) => one.volume && one.modality === series.modality);
  return volumes.find((/** @type {any} */ one) => one.description === series.description) ?? volumes[0] ?? null;
}

/** The body plane that slices lie in, by the direction they are stacked in. @param {number[][] | undefined} affine  voxel (k, j, i) -> LPS mm @returns {"axial" | "coronal" | "sagittal"} */
function acquiredPlane(affine) {
  const along = [0, 1, 2].map((row) => Math.abs(affine?.[row]?.[0] ?? Number(row === 2)));
  return /** @type {const} */ (["sagittal", "coronal", "axial"])[along.indexOf(Math.max(...along))];
}
