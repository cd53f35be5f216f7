// How much memory a volume takes in the browser, and how much of it a page may take. Pure.

/** int16 voxels, the same as half floats on the card (shared memory on small machines), a labelmap of one byte. */
const BYTES_PER_VOXEL = 5;
/** Of the machine's memory, what one page's volume may take. */
const SHARE = 0.25;
/** What a browser that does not say (it counts in GB, 8 at most) is taken to have. */
const UNKNOWN_GB = 4;
const MIB = 1 << 20;

/** Where a browser keeps the person's own limit, in MiB. */
export const CAP_PLACE = "lamina.volumeMemoryMib";
/** Limits to choose from, MiB; 0 loads no volume at all. */
export const CAP_CHOICES = Object.freeze([0, 128, 256, 512, 1024, 2048, 4096, 8192]);

/** Bytes a volume takes while it is open. @param {readonly number[]} shape  (k, j, i) */
export const neededBytes = ([k, j, i]) => k * j * i * BYTES_PER_VOXEL;

/**
 * Bytes a volume may take: what the person chose, in MiB, else a share of what the machine has.
 * @param {number | undefined} deviceGb  navigator.deviceMemory @param {string | null} chosenMib
 */
export function capBytes(deviceGb, chosenMib) {
  const chosen = Number(chosenMib);
  if (chosenMib !== null && chosenMib !== "" && Number.isFinite(chosen) && chosen >= 0) return chosen * MIB;
  return (deviceGb ?? UNKNOWN_GB) * 1024 * SHARE * MIB;
}

/** Why a volume is not loaded whole, or null where it is. @typedef {"no-webgl2" | "card" | "memory" | null} Hindrance */

/**
 * @param {readonly number[]} shape @param {{ largest3d: number, cap: number }} machine  largest3d 0: no WebGL2
 * @returns {Hindrance}
 */
export function hindrance(shape, { largest3d, cap }) {
  if (largest3d === 0) return "no-webgl2";
  if (Math.max(...shape) > largest3d) return "card";
  return neededBytes(shape) > cap ? "memory" : null;
}
