// What the 3D shows beyond the surfaces: the volume itself and its transfer function, the clipping box. Small and plain,
// so that it fits into an address.

/** @import { TransferPoint, TransferStyle } from "../geometry/transfer.js" */

/** @typedef {{ preset: string, style: TransferStyle, points: TransferPoint[], surfaces: boolean }} VolumeLook  preset "own": changed by hand; surfaces: they are drawn with it */
/** @typedef {Record<"axial" | "coronal" | "sagittal", [number, number]>} ClipBox  low and high face per plane, 0 to 1 from edge to edge of the volume in stored order */
/** @typedef {{ volume: VolumeLook | null, box: ClipBox | null }} SpaceState */

/** @returns {SpaceState} */
export const initialSpace = () => ({ volume: null, box: null });

/** @returns {ClipBox} */
export const wholeBox = () => ({ axial: [0, 1], coronal: [0, 1], sagittal: [0, 1] });

/** The thinnest box, as a share of the volume. */
const THIN = 0.01;

/**
 * One face moved; it stops before the opposite one.
 * @param {ClipBox} box @param {keyof ClipBox} plane @param {0 | 1} face @param {number} position @returns {ClipBox}
 */
export function movedFace(box, plane, face, position) {
  const [low, high] = box[plane];
  const limited = Math.min(1, Math.max(0, position));
  return { ...box, [plane]: face === 0 ? [Math.min(limited, high - THIN), high] : [low, Math.max(limited, low + THIN)] };
}

/** @param {SpaceState} space @param {{ type: string } & Record<string, any>} action @returns {SpaceState} */
export function reduceSpace(space, action) {
  switch (action.type) {
    case "space.set":
      return { ...space, ...action.values };
    case "space.restored":
      return { ...initialSpace(), ...action.space };
    case "space.volume":
      return space.volume ? { ...space, volume: { ...space.volume, ...action.look } } : space;
    case "view.series":
      return space.volume || space.box ? initialSpace() : space;
    default:
      return space;
  }
}
