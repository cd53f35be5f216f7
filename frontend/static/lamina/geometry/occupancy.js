// Where a volume holds something to see: smallest and largest value per brick of 8 x 8 x 8 voxels, and from a transfer
// function how many bricks a ray may leap. Pure arrays; bricks are counted (k, j, i) as voxels are.

export const BRICK = 8;

/**
 * @typedef {object} Bricks
 * @property {[number, number, number]} shape  bricks along (k, j, i)
 * @property {Int16Array} low @property {Int16Array} high  stored values; each brick knows one voxel beyond its edge,
 *   because interpolation between voxels reaches over it
 */

/** @param {number[]} shape  voxels along (k, j, i) @returns {Bricks} */
export function emptyBricks(shape) {
  const bricks = /** @type {[number, number, number]} */ (shape.map((count) => Math.ceil(count / BRICK)));
  const count = bricks[0] * bricks[1] * bricks[2];
  return { shape: bricks, low: new Int16Array(count).fill(32767), high: new Int16Array(count).fill(-32768) };
}

/** Bricks along one axis that a voxel counts for: its own, and the neighbour's when it lies at the edge. @param {number} at @param {number} count */
function bricksOf(at, count) {
  const own = at >> 3;
  const found = [own];
  if ((at & 7) === 0 && own > 0) found.push(own - 1);
  if ((at & 7) === 7 && own + 1 < count) found.push(own + 1);
  return found;
}

/**
 * Count some slices in. Called for one slab after the other, so that a large volume does not hold the page.
 * @param {Bricks} bricks @param {Int16Array} voxels  the whole volume, (k, j, i) @param {number[]} shape @param {number} first @param {number} last  slices, `last` left out
 */
export function countSlices(bricks, voxels, shape, first, last) {
  const [, height, width] = shape;
  const [depth, rows, columns] = bricks.shape;
  const low = new Int16Array(columns);
  const high = new Int16Array(columns);
  for (let k = first; k < Math.min(last, shape[0]); k++) {
    const slabs = bricksOf(k, depth);
    for (let j = 0; j < height; j++) {
      const from = (k * height + j) * width;
      for (let column = 0; column < columns; column++) {
        let least = 32767;
        let most = -32768;
        const end = Math.min(width, column * BRICK + BRICK + 1);
        for (let i = Math.max(0, column * BRICK - 1); i < end; i++) {
          const value = voxels[from + i];
          if (value < least) least = value;
          if (value > most) most = value;
        }
        low[column] = least;
        high[column] = most;
      }
      for (const row of bricksOf(j, rows)) {
        for (const slab of slabs) {
          const base = (slab * rows + row) * columns;
          for (let column = 0; column < columns; column++) {
            if (low[column] < bricks.low[base + column]) bricks.low[base + column] = low[column];
            if (high[column] > bricks.high[base + column]) bricks.high[base + column] = high[column];
          }
        }
      }
    }
  }
}

/**
 * How far everything is empty round each brick, in bricks (Chebyshev): 0 has something to see, n means that all bricks
 * nearer than n are empty.
 * @param {Bricks} bricks @param {(from: number, to: number) => boolean} visible  of stored values @returns {Uint8Array}
 */
export function leaps({ shape: [depth, rows, columns], low, high }, visible) {
  const far = new Uint8Array(low.length);
  for (let at = 0; at < far.length; at++) far[at] = visible(low[at], high[at]) ? 0 : 255;
  // Two sweeps over all 26 neighbours give the exact Chebyshev distance.
  chessboard(far, [depth, rows, columns]);
  return far;
}

/** @param {Uint8Array} far  0 or 255, becomes the distance @param {[number, number, number]} shape */
function chessboard(far, [depth, rows, columns]) {
  const at = (/** @type {number} */ k, /** @type {number} */ j, /** @type {number} */ i) => (k * rows + j) * columns + i;
  const pass = (/** @type {number} */ sign) => {
    for (let kk = 0; kk < depth; kk++) {
      const k = sign > 0 ? kk : depth - 1 - kk;
      for (let jj = 0; jj < rows; jj++) {
        const j = sign > 0 ? jj : rows - 1 - jj;
        for (let ii = 0; ii < columns; ii++) {
          const i = sign > 0 ? ii : columns - 1 - ii;
          const here = at(k, j, i);
          let best = far[here];
          if (best === 0) continue;
          // The 13 neighbours that this pass has seen already.
          for (let dk = -1; dk <= 0; dk++) {
            const nk = k + sign * dk;
            if (nk < 0 || nk >= depth) continue;
            for (let dj = -1; dj <= (dk < 0 ? 1 : 0); dj++) {
              const nj = j + sign * dj;
              if (nj < 0 || nj >= rows) continue;
              for (let di = -1; di <= (dk < 0 || dj < 0 ? 1 : -1); di++) {
                const ni = i + sign * di;
                if (ni < 0 || ni >= columns) continue;
                const there = far[at(nk, nj, ni)];
                if (there + 1 < best) best = there + 1;
              }
            }
          }
          far[here] = best;
        }
      }
    }
  };
  pass(1);
  pass(-1);
}
