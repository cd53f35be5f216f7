// A path over a triangle mesh between two of its points: the mesh is cut by the plane that stands upright on it and
// holds both points, and the shorter way round the cut is taken. On a cylinder or a ball that is the shortest path; on
// other shapes it is the path a taut tape takes when it may not slip sideways. Pure, LPS mm.

import { pathLength } from "./measure.js";
import { addScaled, cross, distance, dot, length, normalise, subtract } from "./vectors.js";

/** @import { Point, Vec3 } from "./vectors.js" */

/** Corners of triangles, three numbers each, `offset` added to every one. @typedef {{ positions: ArrayLike<number>, index: ArrayLike<number>, offset: Point }} Triangles */

/** @param {Triangles} mesh @param {number} vertex @returns {Point} */
const corner = ({ positions, offset }, vertex) => [positions[vertex * 3] + offset[0], positions[vertex * 3 + 1] + offset[1], positions[vertex * 3 + 2] + offset[2]];

/** Unit normals of the triangles nearest to two points, summed. @param {Triangles} mesh @param {Point} a @param {Point} b @returns {Vec3} */
function upright(mesh, a, b) {
  /** @type {{ away: number, at: number }[]} */
  const best = [{ away: Infinity, at: 0 }, { away: Infinity, at: 0 }];
  const { positions, index, offset } = mesh;
  for (let at = 0; at < index.length; at += 3) {
    let [x, y, z] = [0, 0, 0];
    for (let one = 0; one < 3; one++) {
      x += positions[index[at + one] * 3];
      y += positions[index[at + one] * 3 + 1];
      z += positions[index[at + one] * 3 + 2];
    }
    x = x / 3 + offset[0];
    y = y / 3 + offset[1];
    z = z / 3 + offset[2];
    for (const [which, point] of [a, b].entries()) {
      const away = (x - point[0]) ** 2 + (y - point[1]) ** 2 + (z - point[2]) ** 2;
      if (away < best[which].away) best[which] = { away, at };
    }
  }
  const [first, second] = best.map(({ at }) => {
    const [p, q, r] = [0, 1, 2].map((one) => corner(mesh, index[at + one]));
    return normalise(cross(subtract(q, p), subtract(r, p)));
  });
  return addScaled(first, second, 1);
}

/**
 * @param {Triangles} mesh @param {Point} a @param {Point} b  on the mesh
 * @returns {Point[] | null}  from a to b; null where the cut does not join them
 */
export function surfacePath(mesh, a, b) {
  const across = cross(subtract(b, a), upright(mesh, a, b));
  if (length(across) < 1e-9) return null;
  const normal = normalise(across);
  const level = dot(normal, a);
  const { positions, index, offset } = mesh;
  const count = positions.length / 3;
  const sides = new Float64Array(count);
  const shift = dot(normal, offset) - level;
  for (let at = 0; at < count; at++) {
    const side = positions[at * 3] * normal[0] + positions[at * 3 + 1] * normal[1] + positions[at * 3 + 2] * normal[2] + shift;
    // A corner exactly on the plane counts as above it, so that every cut triangle has exactly two cut edges.
    sides[at] = side === 0 ? 1e-12 : side;
  }
  /** Where the cut crosses an edge, and the edges it leads to. @type {Map<number, { point: Point, next: number[] }>} */
  const crossings = new Map();
  const crossing = (/** @type {number} */ p, /** @type {number} */ q) => {
    const key = Math.min(p, q) * count + Math.max(p, q);
    if (!crossings.has(key)) {
      const [from, to] = [corner(mesh, p), corner(mesh, q)];
      crossings.set(key, { point: addScaled(from, subtract(to, from), sides[p] / (sides[p] - sides[q])), next: [] });
    }
    return key;
  };
  for (let at = 0; at < index.length; at += 3) {
    /** @type {number[]} */
    const keys = [];
    for (let one = 0; one < 3; one++) {
      const [p, q] = [index[at + one], index[at + ((one + 1) % 3)]];
      if (sides[p] < 0 !== sides[q] < 0) keys.push(crossing(p, q));
    }
    if (keys.length !== 2) continue;
    crossings.get(keys[0])?.next.push(keys[1]);
    crossings.get(keys[1])?.next.push(keys[0]);
  }
  const nearest = (/** @type {Point} */ point) => {
    let [best, away] = [-1, Infinity];
    for (const [key, one] of crossings) {
      const now = distance(one.point, point);
      if (now < away) [best, away] = [key, now];
    }
    return best;
  };
  const [start, end] = [nearest(a), nearest(b)];
  if (start < 0 || start === end) return start < 0 ? null : [a, b];
  const ways = (crossings.get(start)?.next ?? []).map((first) => walk(crossings, start, first, end)).filter((way) => way !== null);
  if (ways.length === 0) return null;
  const paths = ways.map((way) => joined(a, way, b));
  return paths.reduce((best, path) => (pathLength(path) < pathLength(best) ? path : best));
}

/** @param {Map<number, { point: Point, next: number[] }>} crossings @param {number} start @param {number} first @param {number} end @returns {Point[] | null} */
function walk(crossings, start, first, end) {
  /** @type {Point[]} */
  const path = [];
  let [before, now] = [start, first];
  path.push(/** @type {any} */ (crossings.get(start)).point);
  for (let steps = 0; steps <= crossings.size; steps++) {
    const one = crossings.get(now);
    if (!one) return null;
    path.push(one.point);
    if (now === end) return path;
    const next = one.next.find((key) => key !== before);
    if (next === undefined || next === start) return null;
    [before, now] = [now, next];
  }
  return null;
}

/** The nearest crossing may lie behind an end: then the path would go there and come back. @param {Point} a @param {Point[]} way @param {Point} b */
function joined(a, way, b) {
  const inner = way.slice();
  if (inner.length > 1 && dot(subtract(inner[1], a), subtract(inner[0], a)) < 0) inner.shift();
  if (inner.length > 1 && dot(subtract(inner[inner.length - 2], b), subtract(inner[inner.length - 1], b)) < 0) inner.pop();
  return [a, ...inner, b];
}

/** Fewer points of a path that was cut from fine triangles, at most `most`. @param {Point[]} path @param {number} most */
export function coarser(path, most) {
  if (path.length <= most) return path;
  const step = (path.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, at) => path[Math.round(at * step)]);
}
