// Which part of the volume to fetch next. Pure, so the order can be tested.

/** @typedef {{ first: number, count: number }} Chunk  slices along k */

/**
 * Cut the slices into chunks of about `target` bytes, whole slices each.
 * @param {number} slices @param {number} sliceBytes @param {number} [target] @returns {Chunk[]}
 */
export function chunksOf(slices, sliceBytes, target = 1 << 20) {
  const each = Math.max(1, Math.min(slices, Math.round(target / sliceBytes)));
  const chunks = [];
  for (let first = 0; first < slices; first += each) chunks.push({ first, count: Math.min(each, slices - first) });
  return chunks;
}

/**
 * The waiting chunk nearest to a slice: from the centre outward, and where the reader looks once she scrolls.
 * @param {Chunk[]} waiting @param {number} slice @returns {Chunk | null}
 */
export function nearest(waiting, slice) {
  let best = null;
  let bestDistance = Infinity;
  for (const chunk of waiting) {
    const distance = Math.abs(chunk.first + (chunk.count - 1) / 2 - slice);
    if (distance < bestDistance) [best, bestDistance] = [chunk, distance];
  }
  return best;
}

/** Byte range of a chunk, both ends included as in the Range header. @param {Chunk} chunk @param {number} sliceBytes */
export const rangeOf = (chunk, sliceBytes) => ({
  start: chunk.first * sliceBytes,
  end: (chunk.first + chunk.count) * sliceBytes - 1,
});

/** Slice numbers from 1 as people read them: "41 to 44". @param {Chunk} chunk */
export const named = (chunk) => ({ first: chunk.first + 1, last: chunk.first + chunk.count });

/** The name of a part of a volume; without a part, what all its names begin with. @param {string} address @param {Chunk} [chunk] */
export const pieceName = (address, chunk) => `${address}#${chunk ? `${chunk.first}+${chunk.count}` : ""}`;
