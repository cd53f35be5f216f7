// A viewport with a camera that turns about a point: where one stands, how the camera flies there, what everything in
// view means, where a point lies on the screen. Units are LPS millimetres.

import { PerspectiveCamera, Vector3 } from "three";

import { basisOf, between, eyeOf, FIELD_OF_VIEW, fitPoints, nearer, shifted, STANDARD_VIEWS, turned } from "../geometry/orbit.js";
import { dot, subtract } from "../geometry/vectors.js";
import { Viewport } from "./viewport.js";

/** @import { Orbit } from "../geometry/orbit.js" */
/** @import { Point } from "../geometry/vectors.js" */
/** @import { Stage } from "./stage.js" */

/**
 * The 3D as an overlay sees it, in CSS px.
 * @typedef {object} SpacePane
 * @property {number} width @property {number} height
 * @property {(point: Point) => [number, number]} toPixel  of a point in LPS mm
 * @property {(point: Point) => number} depth  mm from the camera along its line of sight; 0 or less lies behind it
 */

/** A flight of the camera takes so long, ms. */
const FLIGHT = 400;
/** So long after the last move the good picture is made, ms. */
const REST = 160;

export class OrbitViewport extends Viewport {
  /** @param {Stage} stage @param {HTMLElement} element @param {HTMLCanvasElement} lines */
  constructor(stage, element, lines) {
    super(stage, element, lines);
    this.camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 1, 10_000);
    /** @type {Orbit} */
    this.orbit = { target: [0, 0, 0], azimuth: 0, elevation: 0, distance: 1000 };
    /** How far from its middle there is something to see, mm. */
    this.reach = 200;
    /** Where the camera stood when everything was last brought into view, and the pane's shape then. @type {Orbit | null} */
    this.whole = null;
    this.wholeAspect = 1;
    /** The camera or what it sees goes on changing. */
    this.moving = false;
    this.resting = 0;
    this.flight = 0;
    /** Called at every move of the camera. */
    this.onMove = () => {};
  }

  /** What everything means, LPS mm; null while there is nothing. @returns {{ centre: Point, corners: Point[] } | null} */
  everything() {
    return null;
  }

  get aspect() {
    return this.width / Math.max(this.height, 1);
  }

  /** The same stand, as near as all points allow. @param {Orbit} orbit @param {Point[]} points @returns {Orbit} */
  fitted(orbit, points) {
    return { ...orbit, distance: Math.max(fitPoints(orbit, points, this.aspect), this.reach * 0.05) };
  }

  /** Everything in view, seen from the same direction. @param {Orbit} orbit @returns {Orbit} */
  around(orbit) {
    const shown = this.everything();
    if (!shown) return orbit;
    this.whole = this.fitted({ ...orbit, target: shown.centre }, shown.corners);
    this.wholeAspect = this.aspect;
    return this.whole;
  }

  /** Still everything in view, as nobody has moved since, but the pane has another shape now. */
  keepWhole() {
    if (this.orbit !== this.whole || Math.abs(this.aspect - this.wholeAspect) < 0.01) return;
    this.orbit = this.around(this.orbit);
  }

  // --- moving ---------------------------------------------------------------------------------------------------

  /** @param {number} dx @param {number} dy */
  turn(dx, dy) {
    this.stand(turned(this.orbit, dx, dy, this.height));
  }

  /** @param {number} dx @param {number} dy */
  shift(dx, dy) {
    this.stand(shifted(this.orbit, dx, dy, this.height));
  }

  /** @param {number} factor */
  zoom(factor) {
    this.stand(nearer(this.orbit, factor, this.reach));
  }

  /** @param {keyof typeof STANDARD_VIEWS} name */
  lookFrom(name) {
    this.flyTo({ ...this.orbit, ...STANDARD_VIEWS[name] });
  }

  /** Everything that is shown, from where the camera stands. */
  fit() {
    this.flyTo(this.around(this.orbit));
  }

  /** From the front, everything in view. */
  reset() {
    this.flyTo(this.around({ ...this.orbit, ...STANDARD_VIEWS.A }));
  }

  /** @param {Orbit} orbit */
  stand(orbit) {
    cancelAnimationFrame(this.flight);
    this.orbit = orbit;
    this.touch();
  }

  /** The camera or what it sees goes on changing: quick pictures now, a good one when it rests. */
  touch() {
    this.moving = true;
    clearTimeout(this.resting);
    this.resting = window.setTimeout(() => {
      this.moving = false;
      this.invalidate();
    }, REST);
    this.invalidate();
    this.onMove();
  }

  /** @param {Orbit} to */
  flyTo(to) {
    cancelAnimationFrame(this.flight);
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.stand(to);
      return;
    }
    const from = this.orbit;
    let started = 0;
    const step = (/** @type {number} */ now) => {
      started ||= now;
      const along = Math.min((now - started) / FLIGHT, 1);
      this.orbit = between(from, to, along);
      this.touch();
      if (along < 1) this.flight = requestAnimationFrame(step);
      else this.orbit = to;
    };
    this.flight = requestAnimationFrame(step);
  }

  stopMoving() {
    cancelAnimationFrame(this.flight);
    clearTimeout(this.resting);
  }

  // --- seeing ---------------------------------------------------------------------------------------------------

  /** Bring three.js's camera where the orbit says. @param {number} width @param {number} height */
  placeCamera(width, height) {
    const { camera, orbit } = this;
    camera.aspect = width / Math.max(height, 1);
    camera.near = Math.max(orbit.distance - this.reach * 4, orbit.distance * 0.02);
    camera.far = orbit.distance + this.reach * 4;
    camera.position.fromArray(eyeOf(orbit));
    camera.up.fromArray(basisOf(orbit).up);
    camera.lookAt(new Vector3().fromArray(orbit.target));
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
  }

  /** As overlays see it, with the camera where it was placed last. @param {number} width @param {number} height @returns {SpacePane} */
  pane(width, height) {
    const eye = eyeOf(this.orbit);
    const { back } = basisOf(this.orbit);
    const place = new Vector3();
    return {
      width, height,
      toPixel: (point) => {
        place.fromArray(point).project(this.camera);
        return [((place.x + 1) / 2) * width, ((1 - place.y) / 2) * height];
      },
      depth: (point) => dot(subtract(eye, point), back),
    };
  }

  /** The pixel of a point. @param {Point} point @returns {[number, number]} */
  pixelOf(point) {
    this.placeCamera(this.width, this.height);
    return this.pane(this.width, this.height).toPixel(point);
  }

  /** Does the camera look along this direction from its growing side? @param {Point} direction */
  facedBy(direction) {
    return dot(basisOf(this.orbit).back, direction) > 0;
  }
}
