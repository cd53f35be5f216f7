// How two studies side by side move together: the place in millimetres through what joins their frames of reference,
// the same scale and the same part of each plane, the same stand of both cameras.

import { get } from "../../api/client.js";
import { add, applyAffine, clamp, invertAffine, subtract } from "../../geometry/vectors.js";
import { fromPlane, inPlane } from "../../geometry/planes.js";
import { ZOOM_LIMITS, fitScale, mmPerPixel } from "../../geometry/viewing.js";
import { gettext } from "../../i18n.js";
import { PLANES } from "./frames.js";

/** @import { Point } from "../../geometry/vectors.js" */
/** @import { Beside } from "./beside.js" */
/** @import { VolumeSession } from "./volume-session.js" */

/**
 * How places of this study are found in the other one: prior = matrix * point + offset, LPS mm.
 * @typedef {object} Relation
 * @property {boolean} linked
 * @property {number[][]} matrix @property {number[][]} inverse
 * @property {Point} offset  the reader's own
 * @property {boolean} exact  the same frame of reference, or a stored transform
 * @property {string} sentence  where the relation comes from
 */

/** @type {number[][]} */
const IDENTITY = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];

/** @returns {Relation} */
const unrelated = () => ({ linked: true, matrix: IDENTITY, inverse: IDENTITY, offset: [0, 0, 0], exact: false, sentence: "" });

export class BesideLink {
  /** @param {Beside} beside */
  constructor(beside) {
    this.beside = beside;
    this.relation = unrelated();
    /** One of the two moves the other now: what the other says of it is no move of its own. */
    this.moving = false;
    /** It is known how the two lie to each other. Before that where the other study opens would take this one along. */
    this.related = false;
    const { store } = beside.room;
    store.watch((state) => state.view.point, () => this.follow());
    store.watch((state) => state.view.viewing, () => this.followPlanes());
  }

  /** Both sessions, while there are two. @returns {{ own: VolumeSession, other: VolumeSession } | null} */
  get both() {
    const own = this.beside.room.session;
    const other = this.beside.other?.session;
    return own?.kind === "volume" && other ? { own: /** @type {VolumeSession} */ (own), other } : null;
  }

  /** Ask the server how the two lie to each other. */
  async relate() {
    const { both } = this;
    if (!both) return;
    const { own, other } = both;
    /** @type {{ allowed: boolean, matrix: number[][] | null, sentence: string }} */
    let answer = { allowed: false, matrix: null, sentence: "" };
    try {
      answer = await get(`/api/series/${other.series.id}/fusion/${own.series.id}/`);
    } catch { /* then by the middle of both */ }
    if (this.both?.other !== other || this.both.own !== own) return;
    const exact = answer.allowed && answer.matrix !== null;
    const matrix = exact ? /** @type {number[][]} */ (answer.matrix) : IDENTITY;
    // Without a common frame the middle of both is a start; the reader's own offset is better and soon set.
    const offset = exact ? /** @type {Point} */ ([0, 0, 0]) : subtract(other.geometry.centre, own.geometry.centre);
    const sentence = exact ? answer.sentence : gettext("Linked by the middle of both, because they have no common frame of reference. Unlink, scroll to the same place, link again.");
    this.relation = { linked: true, matrix, inverse: invertAffine(matrix), offset, exact, sentence };
    this.related = true;
    this.followAll();
  }

  /** What an address or the reader says over it. @param {Partial<Relation>} values */
  set(values) {
    this.relation = { ...this.relation, ...values };
    this.followAll();
  }

  /** Linked again: what the reader lined up by hand is the offset from now on. @param {boolean} linked */
  setLinked(linked) {
    const { both } = this;
    const [here, there] = [both?.own.view.point, both?.other.view.point];
    const offset = linked && here && there ? subtract(there, applyAffine(this.relation.matrix, here)) : this.relation.offset;
    this.set({ linked, offset: /** @type {Point} */ (offset) });
  }

  /** A place of this study in the other one. @param {Point} point @returns {Point} */
  there(point) {
    return add(applyAffine(this.relation.matrix, point), this.relation.offset);
  }

  /** A place of the other study in this one. @param {Point} point @returns {Point} */
  here(point) {
    return applyAffine(this.relation.inverse, subtract(point, this.relation.offset));
  }

  /** @param {(both: { own: VolumeSession, other: VolumeSession }) => void} act */
  together(act) {
    const { both } = this;
    if (!both || !this.relation.linked || !this.related || this.moving) return;
    this.moving = true;
    try {
      act(both);
    } finally {
      this.moving = false;
    }
  }

  followAll() {
    this.follow();
    this.followPlanes();
    this.followCamera();
  }

  /** This study moved: the other goes along. */
  follow() {
    this.together(({ own, other }) => own.view.point && other.goTo(this.there(own.view.point)));
  }

  /** The other study moved: this one goes along. */
  lead() {
    this.together(({ own, other }) => other.view.point && own.goTo(this.here(other.view.point)));
  }

  followPlanes() {
    this.together(({ own, other }) => alike(own, other, (point) => this.there(point)));
  }

  leadPlanes() {
    this.together(({ own, other }) => alike(other, own, (point) => this.here(point)));
  }

  followCamera() {
    this.together(({ own, other }) => other.space.stand({ ...own.space.orbit, target: this.there(own.space.orbit.target) }));
  }

  leadCamera() {
    this.together(({ own, other }) => own.space.stand({ ...other.space.orbit, target: this.here(other.space.orbit.target) }));
  }

  /** Once per pair: hear of the other's moves and of the cameras'. @returns {() => void} */
  listen() {
    const { both } = this;
    if (!both) return () => {};
    this.related = false;
    const { own, other } = both;
    own.space.onMove = () => this.followCamera();
    other.space.onMove = () => this.leadCamera();
    const { store } = other.room;
    const stops = [
      store.watch((state) => state.view.point, () => this.lead()),
      store.watch((state) => state.view.viewing, () => this.leadPlanes()),
    ];
    return () => {
      own.space.onMove = other.space.onMove = () => {};
      stops.forEach((stop) => stop());
    };
  }
}

/**
 * Show the same part of each plane at the same scale: as many millimetres per pixel, the same place in the middle.
 * @param {VolumeSession} from @param {VolumeSession} to @param {(point: Point) => Point} place  of `from` in `to`, LPS mm
 */
function alike(from, to, place) {
  const { point } = from.view;
  if (!point || !to.view.point) return;
  for (const name of PLANES) {
    const [seen, shows] = [from.views[name], to.views[name]];
    if (seen.width < 2 || shows.width < 2) continue;
    const [plane, other] = [from.planes[name], to.planes[name]];
    const viewing = from.view.viewing[name];
    const scale = mmPerPixel(plane, viewing, seen.width, seen.height);
    const zoom = clamp(fitScale(other, shows.width, shows.height) / scale, ZOOM_LIMITS[0], ZOOM_LIMITS[1]);
    const pan = inPlane(to.geometry, other, place(fromPlane(from.geometry, plane, point, viewing.pan)));
    const before = to.view.viewing[name];
    if (Math.abs(before.zoom / zoom - 1) < 1e-6 && Math.hypot(before.pan[0] - pan[0], before.pan[1] - pan[1]) < 1e-3) continue;
    to.room.store.dispatch({ type: "view.viewing", plane: name, viewing: { zoom, pan: /** @type {[number, number]} */ (pan) } });
  }
}
