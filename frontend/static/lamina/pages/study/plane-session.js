// What every open series with a volume has, whether the browser holds its voxels or the server makes its slices: its
// place in space, its three planes as the reader turned them, and the ways to move in it.

import { onSlice, planesOf, sliceAt, snapped } from "../../geometry/planes.js";
import { clampPoint, volumeGeometry } from "../../geometry/volume.js";
import { openingWindow, presetsFor } from "../../geometry/windows.js";
import { PlaneTurning } from "./plane-turning.js";

/** @import { PlaneName } from "../../geometry/planes.js" */
/** @import { Point } from "../../geometry/vectors.js" */
/** @import { Overlay } from "../../scene/plane-viewport.js" */
/** @import { ViewState } from "../../state/view.js" */
/** @import { Over } from "./fusion-over.js" */
/** @import { Room } from "./room.js" */

export class PlaneSession {
  /** @param {Room} room @param {any} series  as the API gives it */
  constructor(room, series) {
    this.room = room;
    this.series = series;
    const { volume } = series;
    this.volume = volume;
    this.unit = volume.unit ?? "";
    this.geometry = volumeGeometry({ ...volume, spacing_mm: volume.spacing_mm ?? null });
    /** The planes as the volume has them; `planes` follow the reader's turns and tilts. */
    this.upright = planesOf(this.geometry);
    this.turning = this.makeTurning();
    /** A second series over this one. @type {Over | null} */
    this.over = null;
    this.presets = presetsFor(series.modality, volume);
    this.openingWindow = openingWindow(series.modality, volume);
    this.leaving = new AbortController();
    /** @type {Set<Overlay>} */
    this.overlays = new Set();
    /** Those that belong to this session's own viewports: a second look at the series does not draw them. @type {WeakSet<Overlay>} */
    this.onlyHere = new WeakSet();
    /** Whatever draws a plane of this kind of series. @type {Record<PlaneName, any>} */
    this.views = /** @type {any} */ ({});
    /** By number, as the API gives them. @type {Map<number, any>} */
    this.segments = new Map();
  }

  /** @returns {PlaneTurning} */
  makeTurning() {
    return new PlaneTurning(this, this.upright);
  }

  /** Draw something more over the planes. Call invalidatePlanes when it changes. @param {Overlay} overlay @param {{ onlyHere?: boolean }} [kind]  onlyHere: it places page elements in these viewports @returns {() => void} */
  addOverlay(overlay, { onlyHere = false } = {}) {
    this.overlays.add(overlay);
    if (onlyHere) this.onlyHere.add(overlay);
    this.invalidatePlanes();
    return () => {
      this.overlays.delete(overlay);
      this.invalidatePlanes();
    };
  }

  invalidatePlanes() {
    for (const view of Object.values(this.views)) view.invalidate();
  }

  /** Tell the store that this series is shown now, from its middle. */
  announceSeries() {
    this.room.store.dispatch({
      type: "view.series", seriesId: this.series.id, point: snapped(this.geometry, this.geometry.centre), presets: this.presets, window: this.openingWindow,
    });
  }

  get planes() {
    return this.turning.planes;
  }

  /** @returns {ViewState} */
  get view() {
    return this.room.store.get().view;
  }

  /**
   * The segmentation to show: the chosen one, else what the case would sign, else the own read's, else the newest of
   * this series. @param {any} state
   */
  chosen({ study, case: part }) {
    const own = study.segmentations.filter((/** @type {any} */ one) => one.series_id === this.series.id);
    const named = (/** @type {string | null | undefined} */ id) => own.find((/** @type {any} */ one) => one.id === id);
    const settled = part?.case?.stage === "approval" ? part.case.final : null;
    return named(this.room.wantedSegmentation) ?? named(settled) ?? named(part?.case?.mine?.segmentation) ?? own[0] ?? null;
  }

  /** @param {Point} point  LPS mm */
  setPoint(point) {
    this.room.store.dispatch({ type: "view.set", values: { point } });
  }

  /** All planes go to a point: to its voxel, as long as they lie along the voxels. @param {Point} point  LPS mm */
  goTo(point) {
    const inside = clampPoint(this.geometry, point);
    this.setPoint(this.turning.tilted ? inside : snapped(this.geometry, inside));
  }

  /** @param {PlaneName} name @param {number} steps */
  scroll(name, steps) {
    const { point } = this.view;
    if (point) this.toSlice(name, sliceAt(this.geometry, this.planes[name], point) + steps);
  }

  /** @param {PlaneName} name @param {number} slice  from 0; beyond the ends stops there */
  toSlice(name, slice) {
    const { point } = this.view;
    if (point) this.setPoint(onSlice(this.geometry, this.planes[name], point, slice));
  }

  /** Planes to the middle, windows as opened, everything fitted. */
  reset() {
    this.room.store.dispatch({ type: "view.reset", window: this.openingWindow, point: snapped(this.geometry, this.geometry.centre) });
  }
}
