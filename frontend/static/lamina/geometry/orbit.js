// Where the 3D camera stands: round a target by two angles, like a turntable about the patient's length.
// azimuth 0 looks at the patient's front, 90 at the left side; elevation 90 looks down from above the head. Degrees.

import { addScaled, clamp, cross, dot, scale, subtract } from "./vectors.js";

/** @import { Point, Vec3 } from "./vectors.js" */

/**
 * @typedef {object} Orbit
 * @property {Point} target  LPS mm
 * @property {number} azimuth @property {number} elevation @property {number} distance  mm
 */

/** Names of the standard views by the side they look at. @type {Record<"A"|"P"|"L"|"R"|"S"|"I", { azimuth: number, elevation: number }>} */
export const STANDARD_VIEWS = Object.freeze({
  A: { azimuth: 0, elevation: 0 },
  P: { azimuth: 180, elevation: 0 },
  L: { azimuth: 90, elevation: 0 },
  R: { azimuth: -90, elevation: 0 },
  S: { azimuth: 0, elevation: 90 },
  I: { azimuth: 0, elevation: -90 },
});

export const FIELD_OF_VIEW = 28;
const RADIANS = Math.PI / 180;

/** Unit vector from the target to the camera, and the two that span the picture. @param {Orbit} orbit */
export function basisOf({ azimuth, elevation }) {
  const [sa, ca] = [Math.sin(azimuth * RADIANS), Math.cos(azimuth * RADIANS)];
  const [se, ce] = [Math.sin(elevation * RADIANS), Math.cos(elevation * RADIANS)];
  const back = /** @type {Vec3} */ ([ce * sa, -ce * ca, se]);
  // The way the camera moves when it rises: well defined at the poles too, where "towards the head" is not.
  const up = /** @type {Vec3} */ ([-se * sa, se * ca, ce]);
  return { back, up, right: cross(up, back) };
}

/** @param {Orbit} orbit @returns {Point} */
export const eyeOf = (orbit) => addScaled(orbit.target, basisOf(orbit).back, orbit.distance);

/** How far away a ball of this radius fits the shorter side. @param {number} radius @param {number} aspect  width / height */
export function fitDistance(radius, aspect) {
  const half = (FIELD_OF_VIEW / 2) * RADIANS;
  const narrow = aspect >= 1 ? half : Math.atan(Math.tan(half) * aspect);
  return radius / Math.sin(narrow);
}

/**
 * How far away all these points fit, as seen from this stand, with a little air round them.
 * @param {Orbit} orbit  its target stays in the middle @param {Point[]} points @param {number} aspect
 */
export function fitPoints(orbit, points, aspect) {
  const { back, up, right } = basisOf(orbit);
  const high = Math.tan((FIELD_OF_VIEW / 2) * RADIANS);
  let distance = 0;
  for (const point of points) {
    const from = subtract(point, orbit.target);
    const needed = Math.max(Math.abs(dot(from, up)) / high, Math.abs(dot(from, right)) / (high * aspect));
    distance = Math.max(distance, dot(from, back) + needed);
  }
  return distance * 1.1;
}

/** Half a turn per height of the viewport. @param {Orbit} orbit @param {number} dx @param {number} dy @param {number} height @returns {Orbit} */
export function turned(orbit, dx, dy, height) {
  const step = 200 / Math.max(height, 100);
  return { ...orbit, azimuth: wrap(orbit.azimuth - dx * step), elevation: clamp(orbit.elevation + dy * step, -90, 90) };
}

/** The target moves with the pointer. @param {Orbit} orbit @param {number} dx @param {number} dy @param {number} height @returns {Orbit} */
export function shifted(orbit, dx, dy, height) {
  const { right, up } = basisOf(orbit);
  const size = (2 * orbit.distance * Math.tan((FIELD_OF_VIEW / 2) * RADIANS)) / Math.max(height, 1);
  return { ...orbit, target: addScaled(addScaled(orbit.target, right, -dx * size), up, dy * size) };
}

/** @param {Orbit} orbit @param {number} factor above 1 comes nearer @param {number} reach  radius of what there is to see @returns {Orbit} */
export const nearer = (orbit, factor, reach) => ({ ...orbit, distance: clamp(orbit.distance / factor, reach * 0.05, reach * 20) });

/** @param {number} angle @returns {number} between -180 and 180 */
export const wrap = (angle) => ((((angle + 180) % 360) + 360) % 360) - 180;

/** Between two stands, the short way round; `along` from 0 to 1, eased. @param {Orbit} from @param {Orbit} to @param {number} along @returns {Orbit} */
export function between(from, to, along) {
  const eased = along * along * (3 - 2 * along);
  const mix = (/** @type {number} */ a, /** @type {number} */ b) => a + (b - a) * eased;
  return {
    target: /** @type {Point} */ (from.target.map((value, axis) => mix(value, to.target[axis]))),
    azimuth: wrap(from.azimuth + wrap(to.azimuth - from.azimuth) * eased),
    elevation: mix(from.elevation, to.elevation),
    distance: Math.exp(mix(Math.log(from.distance), Math.log(to.distance))),
  };
}

/**
 * The faces of the axes cube that can be seen, back ones left out, with corners and middle in units of half an edge
 * (x right, y down on the screen).
 * @param {Orbit} orbit
 * @returns {{ letter: keyof typeof STANDARD_VIEWS, facing: number, middle: [number, number], corners: [number, number][] }[]}
 */
export function cubeFaces(orbit) {
  const { back, up, right } = basisOf(orbit);
  /** @param {Vec3} v @returns {[number, number]} */
  const flat = (v) => [dot(v, right), -dot(v, up)];
  const faces = [];
  for (const [letter, normal] of /** @type {[keyof typeof STANDARD_VIEWS, Vec3][]} */ (Object.entries(FACES))) {
    const facing = dot(normal, back);
    if (facing <= 0.02) continue;
    const first = /** @type {Vec3} */ ([normal[1], normal[2], normal[0]]);
    const second = cross(normal, first);
    const corners = [[1, 1], [-1, 1], [-1, -1], [1, -1]].map(([a, b]) => flat(addScaled(addScaled(normal, first, a), second, b)));
    faces.push({ letter, facing, middle: flat(scale(normal, 1)), corners });
  }
  return faces;
}

const FACES = { L: [1, 0, 0], R: [-1, 0, 0], P: [0, 1, 0], A: [0, -1, 0], S: [0, 0, 1], I: [0, 0, -1] };
