// Normals at the corners of a surface, from its triangles. Plain numbers: many times faster than vector objects, which
// counts while the page should stay awake.

/**
 * At each corner the mean of its triangles' normals, larger triangles counting more.
 * @param {ArrayLike<number>} positions  x y z of each corner, any unit @param {ArrayLike<number>} index  corners of each
 *   triangle, counter-clockwise as seen from outside
 * @returns {Float32Array}  x y z of unit length; zero where a corner belongs to no triangle
 */
export function vertexNormals(positions, index) {
  const normals = new Float32Array(positions.length);
  for (let at = 0; at + 2 < index.length; at += 3) {
    const [a, b, c] = [index[at] * 3, index[at + 1] * 3, index[at + 2] * 3];
    const [x, y, z] = [positions[a], positions[a + 1], positions[a + 2]];
    const ux = positions[b] - x;
    const uy = positions[b + 1] - y;
    const uz = positions[b + 2] - z;
    const vx = positions[c] - x;
    const vy = positions[c + 1] - y;
    const vz = positions[c + 2] - z;
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    normals[a] += nx;
    normals[a + 1] += ny;
    normals[a + 2] += nz;
    normals[b] += nx;
    normals[b + 1] += ny;
    normals[b + 2] += nz;
    normals[c] += nx;
    normals[c + 1] += ny;
    normals[c + 2] += nz;
  }
  for (let at = 0; at < normals.length; at += 3) {
    const length = Math.hypot(normals[at], normals[at + 1], normals[at + 2]) || 1;
    normals[at] /= length;
    normals[at + 1] /= length;
    normals[at + 2] /= length;
  }
  return normals;
}
