// The point of a triangle mesh nearest to a given one: how far a surface has moved from where somebody pointed at it.
// Pure, LPS mm.

/** @import { Point } from "./vectors.js" */
/** @import { Triangles } from "./surface-path.js" */

/**
 * @param {Triangles} mesh @param {Point} from
 * @returns {{ point: Point, distance: number } | null}  null for a mesh without triangles
 */
export function nearestOnSurface({ positions, index, offset }, from) {
  // Everything relative to the point: then the nearest place is the one with the least length.
  const [px, py, pz] = [from[0] - offset[0], from[1] - offset[1], from[2] - offset[2]];
  let least = Infinity;
  /** @type {Point} */
  let best = [0, 0, 0];
  /** @type {Point} */
  const place = [0, 0, 0];
  for (let at = 0; at < index.length; at += 3) {
    const [a, b, c] = [index[at] * 3, index[at + 1] * 3, index[at + 2] * 3];
    onTriangle(
      positions[a] - px, positions[a + 1] - py, positions[a + 2] - pz,
      positions[b] - px, positions[b + 1] - py, positions[b + 2] - pz,
      positions[c] - px, positions[c + 1] - py, positions[c + 2] - pz, place,
    );
    const square = place[0] ** 2 + place[1] ** 2 + place[2] ** 2;
    if (square < least) {
      least = square;
      best = [place[0], place[1], place[2]];
    }
  }
  if (least === Infinity) return null;
  return { point: [best[0] + from[0], best[1] + from[1], best[2] + from[2]], distance: Math.sqrt(least) };
}

/**
 * The place of a triangle nearest to the origin, into `out`. The triangle's corners and edges divide space into seven
 * regions; the dot products say which one holds the origin, and that region's corner, edge or face is projected on.
 * @param {number} ax @param {number} ay @param {number} az @param {number} bx @param {number} by @param {number} bz
 * @param {number} cx @param {number} cy @param {number} cz @param {Point} out
 */
function onTriangle(ax, ay, az, bx, by, bz, cx, cy, cz, out) {
  const [ux, uy, uz] = [bx - ax, by - ay, bz - az];
  const [vx, vy, vz] = [cx - ax, cy - ay, cz - az];
  const [ua, va] = [-(ux * ax + uy * ay + uz * az), -(vx * ax + vy * ay + vz * az)];
  if (ua <= 0 && va <= 0) return put(out, ax, ay, az);
  const [ub, vb] = [-(ux * bx + uy * by + uz * bz), -(vx * bx + vy * by + vz * bz)];
  if (ub >= 0 && vb <= ub) return put(out, bx, by, bz);
  const overC = ua * vb - ub * va;
  if (overC <= 0 && ua >= 0 && ub <= 0) {
    const share = ua / (ua - ub || 1);
    return put(out, ax + share * ux, ay + share * uy, az + share * uz);
  }
  const [uc, vc] = [-(ux * cx + uy * cy + uz * cz), -(vx * cx + vy * cy + vz * cz)];
  if (vc >= 0 && uc <= vc) return put(out, cx, cy, cz);
  const overB = uc * va - ua * vc;
  if (overB <= 0 && va >= 0 && vc <= 0) {
    const share = va / (va - vc || 1);
    return put(out, ax + share * vx, ay + share * vy, az + share * vz);
  }
  const overA = ub * vc - uc * vb;
  if (overA <= 0 && vb - ub >= 0 && uc - vc >= 0) {
    const share = (vb - ub) / (vb - ub + uc - vc || 1);
    return put(out, bx + share * (cx - bx), by + share * (cy - by), bz + share * (cz - bz));
  }
  const sum = overA + overB + overC || 1;
  return put(out, ax + (ux * overB + vx * overC) / sum, ay + (uy * overB + vy * overC) / sum, az + (uz * overB + vz * overC) / sum);
}

/** @param {Point} out @param {number} x @param {number} y @param {number} z */
function put(out, x, y, z) {
  out[0] = x;
  out[1] = y;
  out[2] = z;
}
