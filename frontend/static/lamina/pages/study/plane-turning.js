// The planes of an open series as the reader turned them: on the screen by quarters, in space by tilts, thick by slabs.
// The state says how (state/planes.js); here is what follows from it, and the acts that change it.

import { then, tiltedPlane, tiltDegrees, turnedBy, turnedPlane, UNTURNED, UPRIGHT } from "../../geometry/oblique.js";
import { PLANE_NAMES, inPlane } from "../../geometry/planes.js";
import { NO_SLAB, projected, slabSamples } from "../../geometry/slab.js";
import { addScaled, scale } from "../../geometry/vectors.js";
import { PLANE_COLOURS } from "./words.js";

/** @import { Tilt } from "../../geometry/oblique.js" */
/** @import { Plane, PlaneName } from "../../geometry/planes.js" */
/** @import { Slab } from "../../geometry/slab.js" */
/** @import { Point } from "../../geometry/vectors.js" */
/** @import { SlabLook } from "../../scene/plane-picture.js" */
/** @import { CrossLine } from "../../scene/plane-viewport.js" */
/** @import { PlanesState } from "../../state/planes.js" */
/** @import { Room } from "./room.js" */
/** @import { PlaneSession } from "./plane-session.js" */

/** @typedef {"right" | "left" | "across" | "along"} ScreenTurn */

/** The plane that acts mean: the active one, or axial while the 3D is active. @param {Room} room @returns {PlaneName} */
export function activePlane(room) {
  const { active } = room.store.get().view;
  return /** @type {PlaneName} */ (active === "surfaces" ? "axial" : active);
}

/** What each act does to a position on the screen, from the middle. @type {Record<ScreenTurn, (at: [number, number]) => [number, number]>} */
const MOVED = {
  right: ([x, y]) => [-y, x], left: ([x, y]) => [y, -x], across: ([x, y]) => [-x, y], along: ([x, y]) => [x, -y],
};

export class PlaneTurning {
  /** @param {PlaneSession} session @param {Record<PlaneName, Plane>} upright */
  constructor(session, upright) {
    this.session = session;
    this.upright = upright;
    /** @type {{ turns: any, tilts: any, planes: Record<PlaneName, Plane> } | null} */
    this.made = null;
  }

  /** The state, while it is about this series. @returns {PlanesState | null} */
  get state() {
    const { planes } = this.session.room.store.get();
    return planes?.seriesId === this.session.series.id ? planes : null;
  }

  /** @returns {Record<PlaneName, Plane>} */
  get planes() {
    const { state } = this;
    if (!state) return this.upright;
    if (this.made?.turns !== state.turns || this.made?.tilts !== state.tilts) {
      const entries = PLANE_NAMES.map((name) => [name, this.planeFor(name, state.tilts[name])]);
      this.made = { turns: state.turns, tilts: state.tilts, planes: Object.fromEntries(entries) };
    }
    return this.made.planes;
  }

  /** @param {PlaneName} name @param {Tilt | undefined} tilt @returns {Plane} */
  planeFor(name, tilt) {
    return turnedPlane(tiltedPlane(this.session.geometry, this.upright[name], tilt), this.state?.turns[name] ?? UNTURNED);
  }

  get tilted() {
    return PLANE_NAMES.some((name) => this.planes[name].oblique);
  }

  /** Degrees between a plane and its upright self. @param {PlaneName} name */
  degrees(name) {
    const tilt = this.state?.tilts[name];
    return tilt ? tiltDegrees(tilt, this.upright[name]) : 0;
  }

  // --- showing --------------------------------------------------------------------------------------------------

  /** The slab a plane shows, or null where it shows one slice. @param {PlaneName} name @returns {(Slab & { each: number, step: number }) | null} */
  slabOf(name) {
    const slab = this.state?.slabs[name] ?? NO_SLAB;
    const samples = slabSamples(this.planes[name], slab.mm);
    return samples.each > 0 ? { ...slab, ...samples } : null;
  }

  /** The same for the shader. @param {PlaneName} name @returns {SlabLook | null} */
  slabLook(name) {
    const slab = this.slabOf(name);
    return slab && { mode: slab.mode, each: slab.each, step: scale(this.planes[name].normal, slab.step) };
  }

  /** What a plane shows at a point: the voxel's value, or what its slab makes of the voxels there. @param {PlaneName} name @param {Point} point @param {(point: Point) => number | null | undefined} valueAt */
  valueIn(name, point, valueAt) {
    const slab = this.slabOf(name);
    if (!slab) return valueAt(point);
    const values = [];
    for (let n = -slab.each; n <= slab.each; n++) {
      const value = valueAt(addScaled(point, this.planes[name].normal, n * slab.step));
      if (value !== null && value !== undefined) values.push(value);
    }
    return projected(values, slab.mode);
  }

  /** The other planes as lines in this one. @param {PlaneName} name @returns {CrossLine[]} */
  linesIn(name) {
    return PLANE_NAMES.filter((other) => other !== name).map((other) => ({ name: other, plane: this.planes[other], colour: PLANE_COLOURS[other] }));
  }

  /** What a plane's scene needs beyond the picture. @param {PlaneName} name */
  sceneParts(name) {
    const { view } = this.session;
    return {
      slab: this.slabLook(name),
      fusion: this.session.over?.image ?? null,
      crosshair: view.texts ? this.linesIn(name) : null,
      handles: view.texts && view.tool === "crosshair" && this.session.geometry.spacingKnown,
    };
  }

  // --- acts -----------------------------------------------------------------------------------------------------

  /** Turn or mirror a plane on the screen; what stood in the middle stays there. @param {PlaneName} name @param {ScreenTurn} act */
  turn(name, act) {
    const { state } = this;
    if (!state) return;
    const { store } = this.session.room;
    const viewing = this.session.view.viewing[name];
    store.dispatch({ type: "planes.turn", plane: name, turn: turnedBy(state.turns[name] ?? UNTURNED, act) });
    store.dispatch({ type: "view.viewing", plane: name, viewing: { ...viewing, pan: MOVED[act](viewing.pan) } });
  }

  /**
   * Tilt planes about the reader's point, from given tilts on; the point stays where it is on each screen.
   * @param {PlaneName[]} names @param {Tilt} by @param {Record<string, Tilt>} [from]  tilts at the start of a drag
   */
  tilt(names, by, from = this.state?.tilts ?? {}) {
    const tilts = { ...from };
    for (const name of names) tilts[name] = then(from[name] ?? UPRIGHT, by);
    this.setTilts(tilts);
  }

  /** @param {Record<string, Tilt>} tilts */
  setTilts(tilts) {
    const { session } = this;
    const { point, viewing } = session.view;
    if (!point || !this.state) return;
    const before = this.planes;
    session.room.store.dispatch({ type: "planes.tilts", tilts });
    for (const name of PLANE_NAMES) {
      const [was, is] = [before[name], this.planes[name]].map((plane) => inPlane(session.geometry, plane, point));
      const [dx, dy] = [is[0] - was[0], is[1] - was[1]];
      if (Math.hypot(dx, dy) < 1e-6) continue;
      const { zoom, pan } = viewing[name];
      session.room.store.dispatch({ type: "view.viewing", plane: name, viewing: { zoom, pan: [pan[0] + dx, pan[1] + dy] } });
    }
  }

  /** All planes along the volume's axes again, on a voxel. */
  straighten() {
    this.setTilts({});
    const { point } = this.session.view;
    if (point) this.session.goTo(point);
  }

  /** @param {PlaneName} name @param {Slab} slab */
  setSlab(name, slab) {
    const planes = this.session.view.linked ? PLANE_NAMES : [name];
    this.session.room.store.dispatch({ type: "planes.slab", planes, slab });
  }
}
