// A comparison on the page: which one, which side is painted, how far the colours reach, from where a place counts, and
// which place is looked at. Nothing of it is kept on the server.

/** @import { Region } from "../geometry/hotspots.js" */

/**
 * @typedef {object} ComparePart
 * @property {any} comparison  as the server answers it; null: none is shown
 * @property {boolean} open  it is shown in the viewports
 * @property {"a" | "b"} side  whose surface is painted
 * @property {number} range  mm at the ends of the colours
 * @property {number} from  mm from which a place counts
 * @property {number | null} segment  number of the pair whose surface is shown; null: all
 * @property {number | null} chosen  n of the place looked at
 */

/** @returns {ComparePart} */
export const initialCompare = () => ({ comparison: null, open: false, side: "a", range: 12, from: 2, segment: null, chosen: null });

/** A range of the colours that shows what there is: the largest distance, rounded up. @param {Region[]} regions */
export function rangeFor(regions) {
  const largest = Math.max(0, ...regions.map(({ max_mm: size }) => Math.abs(size ?? 0)));
  return [1.5, 3, 6, 12, 24].find((range) => largest <= range) ?? 24;
}

/** From where places count at first: 2 mm, less where there is nothing as large. @param {Region[]} regions */
export function startingFrom(regions) {
  const largest = Math.max(0, ...regions.map(({ max_mm: size }) => Math.abs(size ?? 0)));
  return [2, 1, 0.5].find((from) => largest >= from) ?? 0;
}

/** @param {ComparePart} part @param {{ type: string } & Record<string, any>} action @returns {ComparePart} */
export function reduceCompare(part, action) {
  switch (action.type) {
    case "compare.set":
      return { ...part, ...action.values };
    case "compare.loaded": {
      const { comparison } = action;
      const regions = comparison?.result?.regions ?? [];
      const fresh = comparison?.id !== part.comparison?.id || !part.comparison?.result;
      if (!fresh || !comparison?.result) return { ...part, comparison };
      const segment = regions[0]?.number ?? comparison.result.segments[0]?.number ?? null;
      return { ...part, comparison, range: rangeFor(regions), from: startingFrom(regions), segment, chosen: null };
    }
    case "view.series":
      return part.comparison ? initialCompare() : part;
    default:
      return part;
  }
}
