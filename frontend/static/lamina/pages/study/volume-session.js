// One series with a volume on the page: its picture, its stream, the result shown over it. Opening makes everything,
// closing takes all of it away again.

import { PLANE_NAMES, onSlice } from "../../geometry/planes.js";
import { dot, scale } from "../../geometry/vectors.js";
import { offsetOf, voxelAt } from "../../geometry/volume.js";
import { PlanePicture } from "../../scene/plane-picture.js";
import { PlaneViewport } from "../../scene/plane-viewport.js";
import { SpacePlanes } from "../../scene/space-planes.js";
import { SpaceViewport } from "../../scene/space-viewport.js";
import { VolumeImage } from "../../scene/volume-image.js";
import { PlaneSession } from "./plane-session.js";
import { VolumeArrival } from "./volume-arrival.js";
import { VolumeResult } from "./volume-result.js";
import { VolumeTexts } from "./volume-texts.js";
import { PLANE_COLOURS } from "./words.js";
import { known } from "../../i18n.js";

/** @import { Clip } from "../../geometry/picking.js" */
/** @import { LabelOutlines } from "../../scene/outlines.js" */
/** @import { PlaneScene } from "../../scene/plane-viewport.js" */
/** @import { PlaneName } from "../../geometry/planes.js" */
/** @import { Surfaces } from "../../scene/surfaces.js" */
/** @import { Point, Vec3 } from "../../geometry/vectors.js" */
/** @import { ViewState } from "../../state/view.js" */
/** @import { Over } from "./fusion-over.js" */
/** @import { Phases } from "./phases.js" */
/** @import { Room } from "./room.js" */

export class VolumeSession extends PlaneSession {
  kind = "volume";

  /** @param {Room} room @param {any} series  as the API gives it */
  constructor(room, series) {
    super(room, series);
    const { volume } = this;
    /** Series on the same grid that take turns with this one. @type {Phases | null} */
    this.phases = null;
    /** What has to be undone on leaving, last first. @type {(() => void)[]} */
    this.undo = [];
    this.progress = { loaded: 0, total: this.geometry.shape[0] };
    /** Said in the first corner instead of the progress. @type {string | null} */
    this.remark = null;
    /** Stored values of the whole volume in C order (k, j, i); a slice holds zeros until `loaded` says that it came. @type {Int16Array} */
    this.voxels = new Int16Array(this.geometry.shape[0] * this.geometry.shape[1] * this.geometry.shape[2]);
    /** By slice along k: 1 when it is here. @type {Uint8Array} */
    this.loaded = new Uint8Array(this.geometry.shape[0]);
    /** @type {LabelOutlines | null} */
    this.outlines = null;
    /** Other outlines are drawn in their place. */
    this.outlinesCovered = false;
    /** @type {Surfaces | null} */
    this.surfaces = null;
    this.texts = new VolumeTexts(this);
    this.arrival = new VolumeArrival(this);
    this.result = new VolumeResult(this);

    const { stage, frames } = room;
    this.image = new VolumeImage(stage.renderer, this.geometry, { slope: volume.slope, intercept: volume.intercept });
    this.picture = new PlanePicture(this.image);
    this.undo.push(() => this.image.dispose(), () => this.picture.dispose());
    /** @type {Record<PlaneName, PlaneViewport>} */
    this.views = /** @type {any} */ ({});
    for (const name of PLANE_NAMES) {
      this.views[name] = new PlaneViewport(stage, frames[name].element, frames[name].lines, () => this.sceneOf(name));
      this.undo.push(() => this.views[name].dispose());
    }
    this.space = new SpaceViewport(stage, frames.surfaces.element, frames.surfaces.lines);
    this.space.lookAtVolume(this.geometry);
    this.undo.push(() => this.space.dispose());
    this.spacePlanes = new SpacePlanes(this.image, this.geometry, PLANE_COLOURS);
    this.undo.push(this.space.addPlanes(this.spacePlanes));
    this.spacePlanes.group.visible = false;

    this.announceSeries();
    this.arrival.start();
    this.undo.push(room.store.watch((state) => state.view, (view, before) => this.showView(view, before)));
    this.undo.push(room.store.watch((state) => state.planes, () => this.showPlanes()));
    this.undo.push(room.store.watch((state) => this.chosen(state), (segmentation) => void this.showSegmentation(segmentation)));
  }

  /** Stored value turned real, label and index at a point; null outside or not yet here. @param {Point} point */
  sample(point) {
    const index = voxelAt(this.geometry, point);
    if (!index) return null;
    const value = this.loaded[index[0]] ? this.voxels[offsetOf(this.geometry, index)] * this.volume.slope + this.volume.intercept : null;
    return { index, value, label: this.outlines?.labelAt(index) ?? 0 };
  }

  /** @param {any} segmentation  as the API gives it; null shows none */
  showSegmentation(segmentation) {
    return this.result.show(segmentation);
  }

  showTexts() {
    this.texts.show();
  }

  /** Planes inside the 3D: as chosen; without a surface and without the volume itself they are all there is to see. */
  planesShown() {
    return this.view.planesIn3d ?? !(this.space.surfaces?.meshes.size || this.space.volumeRendering);
  }

  showSpacePlanes() {
    this.spacePlanes.group.visible = this.planesShown();
  }

  // --- showing --------------------------------------------------------------------------------------------------

  /** @param {PlaneName} name @returns {PlaneScene | null} */
  sceneOf(name) {
    const { view } = this;
    if (!view.point || view.seriesId !== this.series.id) return null;
    return {
      geometry: this.geometry,
      plane: this.planes[name],
      picture: this.picture,
      viewing: view.viewing[name],
      window: view.windows[name],
      inverted: this.inverted,
      point: view.point,
      ...this.turning.sceneParts(name),
      outlines: this.outlinesCovered ? null : this.outlines,
      look: { segments: view.segments, fill: view.fill, outlines: view.outlines, lit: view.lit },
      overlays: this.overlays,
    };
  }

  /** PET alone is shown inverted; under a second series it is grey like any other. */
  get inverted() {
    return this.view.inverted !== (this.series.modality === "PT" && !this.over);
  }

  updateSpacePlanes() {
    const { point, windows } = this.view;
    if (!point) return;
    const slabs = Object.fromEntries(PLANE_NAMES.map((name) => [name, this.turning.slabLook(name)]));
    this.spacePlanes.update(point, { planes: this.planes, windows, slabs, inverted: this.inverted });
  }

  /** The planes were turned, tilted or made thick. */
  showPlanes() {
    if (!this.view.point || this.view.seriesId !== this.series.id) return;
    this.updateSpacePlanes();
    this.invalidatePlanes();
    if (this.spacePlanes.group.visible) this.space.invalidateBehind();
    this.showTexts();
  }

  /** Lay a second series over this one; null takes it away. @param {Over | null} over */
  setOver(over) {
    this.over = over;
    this.spacePlanes.setFusion(over?.image ?? null);
    if (!over) this.picture.dropFusion();
    this.showPlanes();
  }

  /** @param {ViewState} view @param {ViewState | undefined} before */
  showView(view, before) {
    if (view.seriesId !== this.series.id || !view.point) return;
    const changed = (/** @type {(keyof ViewState)[]} */ ...keys) => !before || keys.some((key) => view[key] !== before[key]);
    this.image.setInterpolated(view.interpolated);
    if (changed("point", "viewing", "windows", "interpolated", "inverted", "fill", "outlines", "segments", "lit", "texts", "tool")) this.invalidatePlanes();
    const planesBefore = this.spacePlanes.group.visible;
    this.showSpacePlanes();
    if (changed("point", "windows", "inverted")) this.updateSpacePlanes();
    if (changed("clip")) this.space.setClip(this.clipOf(view));
    if (changed("segments", "lit")) {
      this.space.setLooks(view.segments, view.lit);
    }
    if (changed("texts")) {
      // Where spacing is unknown the directions are too: a cube with letters would be a guess.
      this.space.letters = view.texts && this.geometry.spacingKnown;
      this.space.invalidate();
    }
    if (planesBefore !== this.spacePlanes.group.visible) this.space.invalidate();
    else if (this.spacePlanes.group.visible && changed("point", "windows", "interpolated", "inverted")) this.space.invalidateBehind();
    this.showTexts();
  }

  /** The chosen clipping plane in millimetres. @param {ViewState} view @returns {Clip | null} */
  clipOf({ clip }) {
    if (!clip) return null;
    const plane = this.upright[clip.plane];
    const index = /** @type {Vec3} */ (this.geometry.shape.map((count) => (count - 1) / 2));
    index[plane.axis] = clip.position * (plane.count - 1);
    const on = onSlice(this.geometry, plane, this.geometry.centre, index[plane.axis]);
    // Keep what lies behind the plane as seen in the plane's own habit: cut away the front (axial: the top).
    const towardsViewer = { axial: [0, 0, 1], coronal: [0, -1, 0], sagittal: [1, 0, 0] }[clip.plane];
    const sign = dot(plane.normal, /** @type {Vec3} */ (towardsViewer)) > 0 ? -1 : 1;
    const normal = scale(plane.normal, clip.flipped ? -sign : sign);
    return { normal, constant: -dot(normal, on) };
  }

  /** @param {{ name: PlaneName, pixel: [number, number] } | null} pointer */
  hover(pointer) {
    this.texts.pointer = pointer;
    this.texts.showReadout();
    const point = pointer && this.views[pointer.name].pointAt(pointer.pixel);
    const label = point ? this.sample(point)?.label ?? 0 : 0;
    const lit = label && this.view.segments[label]?.shown ? label : null;
    if (lit !== this.view.lit) this.room.store.dispatch({ type: "view.set", values: { lit } });
  }

  // --- moving ---------------------------------------------------------------------------------------------------

  /** Planes to the middle, windows as opened, everything fitted. */
  reset() {
    super.reset();
    this.space.reset();
  }

  /** The middle of a segment: planes and camera go there. @param {number} number */
  centreOn(number) {
    const segment = this.segments.get(number);
    if (segment?.centroid_mm) this.goTo(segment.centroid_mm);
    this.space.centreOn(number);
  }

  /** What the 3D says of a surface under the pointer. @param {number | null} number */
  hoverSurface(number) {
    const segment = number === null ? null : this.segments.get(number);
    this.texts.hovered = segment ? known(segment.label) : undefined;
    this.texts.showSpace();
    if (number !== this.view.lit) this.room.store.dispatch({ type: "view.set", values: { lit: number } });
  }

  close() {
    this.leaving.abort();
    this.result.close();
    this.undo.reverse().forEach((act) => act());
    this.undo = [];
    this.texts.clear();
  }
}
