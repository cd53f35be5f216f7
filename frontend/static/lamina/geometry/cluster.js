// A cheaper picture of a surface: vertices that share a cell of a grid become one of them, triangles that fall together
// go. The vertices stay as they are, only the list of triangles is another one. Made once, for moving pictures; never
// measured on.

/** @param {ArrayLike<number>} positions @param {ArrayLike<number>} index @returns {number}  mm² */
export function surfaceArea(positions, index) {
  let sum = 0;
  for (let at = 0; at < index.length; at += 3) {
    const [a, b, c] = [index[at] * 3, index[at + 1] * 3, index[at + 2] * 3];
    const [ux, uy, uz] = [positions[b] - positions[a], positions[b + 1] - positions[a + 1], positions[b + 2] - positions[a + 2]];
    const [vx, vy, vz] = [positions[c] - positions[a], positions[c + 1] - positions[a + 1], positions[c + 2] - positions[a + 2]];
    sum += Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx) / 2;
  }
  return sum;
}

/**
 * @param {Float32Array} positions  x y z per vertex @param {ArrayLike<number>} index @param {number} triangles  about so many are wanted
 * @returns {Uint32Array}  three per triangle, of the same vertices
 */
export function clusteredIndex(positions, index, triangles) {
  if (index.length / 3 <= triangles) return Uint32Array.from(index);
  // A cell of side s holds about one vertex of a surface patch of s²·(2/3), and each vertex stands for two triangles.
  const size = Math.sqrt((3 * surfaceArea(positions, index)) / triangles) || 1;
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let at = 0; at < positions.length; at++) {
    low[at % 3] = Math.min(low[at % 3], positions[at]);
    high[at % 3] = Math.max(high[at % 3], positions[at]);
  }
  const [across, along] = [0, 1].map((axis) => Math.floor((high[axis] - low[axis]) / size) + 1);
  const count = positions.length / 3;
  const cellOf = new Float64Array(count);
  /** @type {Map<number, { x: number, y: number, z: number, n: number, best: number, away: number }>} */
  const cells = new Map();
  for (let at = 0; at < count; at++) {
    const [x, y, z] = [positions[at * 3], positions[at * 3 + 1], positions[at * 3 + 2]];
    const cell = Math.floor((x - low[0]) / size) + across * (Math.floor((y - low[1]) / size) + along * Math.floor((z - low[2]) / size));
    cellOf[at] = cell;
    const known = cells.get(cell);
    if (known) {
      known.x += x;
      known.y += y;
      known.z += z;
      known.n += 1;
    } else cells.set(cell, { x, y, z, n: 1, best: at, away: Infinity });
  }
  // The vertex nearest to the middle of its cell stands for all.
  for (let at = 0; at < count; at++) {
    const cell = /** @type {{ x: number, y: number, z: number, n: number, best: number, away: number }} */ (cells.get(cellOf[at]));
    const away = Math.hypot(positions[at * 3] - cell.x / cell.n, positions[at * 3 + 1] - cell.y / cell.n, positions[at * 3 + 2] - cell.z / cell.n);
    if (away < cell.away) [cell.best, cell.away] = [at, away];
  }
  const stands = new Uint32Array(count);
  for (let at = 0; at < count; at++) stands[at] = /** @type {{ best: number }} */ (cells.get(cellOf[at])).best;
  const kept = new Uint32Array(index.length);
  let filled = 0;
  for (let at = 0; at < index.length; at += 3) {
    const [a, b, c] = [stands[index[at]], stands[index[at + 1]], stands[index[at + 2]]];
    if (a === b || b === c || c === a) continue;
    kept[filled++] = a;
    kept[filled++] = b;
    kept[filled++] = c;
  }
  return kept.slice(0, filled);
}
