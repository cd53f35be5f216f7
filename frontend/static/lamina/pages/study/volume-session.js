// One series with a volume on the page: its picture, its stream, the result shown over it. Opening makes everything,
// closing takes all of it away again.

import { problemOf } from "../../api/client.js";
import { number, spacing } from "../../components/format.js";
import { barLength, indexPosition, pixelValue, position, windowText } from "../../geometry/format.js";
import { edgeLetters } from "../../geometry/orientation.js";
import { PLANE_NAMES, onSlice, planesOf, sliceAt, snapped } from "../../geometry/planes.js";
import { dot, scale } from "../../geometry/vectors.js";
import { mmPerPixel, scaleBar } from "../../geometry/viewing.js";
import { clampPoint, offsetOf, toIndex, volumeGeometry, voxelAt } from "../../geometry/volume.js";
import { openingWindow, presetsFor } from "../../geometry/windows.js";
import { gettext, interpolate } from "../../i18n.js";
import { LabelOutlines } from "../../scene/outlines.js";
import { PlanePicture } from "../../scene/plane-picture.js";
import { PlaneViewport } from "../../scene/plane-viewport.js";
import { SpacePlanes } from "../../scene/space-planes.js";
import { SpaceViewport } from "../../scene/space-viewport.js";
import { Surfaces } from "../../scene/surfaces.js";
import { VolumeImage } from "../../scene/volume-image.js";
import { VolumeStream } from "../../scene/volume-stream.js";
import { startingLooks } from "../../state/view.js";
import { setCorner, setLetters, setNotice, setScale } from "./frames.js";
import { CROSSHAIR, PLANE_COLOURS, word } from "./words.js";

/** @import { Clip } from "../../geometry/picking.js" */
/** @import { Overlay, PlaneScene } from "../../scene/plane-viewport.js" */
/** @import { PlaneName } from "../../geometry/planes.js" */
/** @import { Point, Vec3 } from "../../geometry/vectors.js" */
/** @import { ViewState } from "../../state/view.js" */
/** @import { Room } from "./room.js" */

/** A file of the result, or the server's reason why not. @param {string} url @param {AbortSignal} signal */
async function bytesOf(url, signal) {
  const answer = await fetch(url, { signal, credentials: "same-origin" });
  if (!answer.ok) throw await problemOf(answer);
  return answer.arrayBuffer();
}

export class VolumeSession {
  kind = "volume";

  /** @param {Room} room @param {any} series  as the API gives it */
  constructor(room, series) {
    this.room = room;
    this.series = series;
    const { volume } = series;
    this.volume = volume;
    this.unit = volume.unit ?? "";
    this.geometry = volumeGeometry({ ...volume, spacing_mm: volume.spacing_mm ?? null });
    this.planes = planesOf(this.geometry);
    this.presets = presetsFor(series.modality, volume);
    this.openingWindow = openingWindow(series.modality, volume);
    this.leaving = new AbortController();
    /** What has to be undone on leaving, last first. @type {(() => void)[]} */
    this.undo = [];
    this.progress = { loaded: 0, total: this.geometry.shape[0] };
    /** @type {{ first: number, last: number }[]} */
    this.failed = [];
    /** @type {LabelOutlines | null} */
    this.outlines = null;
    /** @type {Surfaces | null} */
    this.surfaces = null;
    /** @type {(() => void) | null} */
    this.dropResult = null;
    /** @type {Map<number, any>} */
    this.segments = new Map();
    /** @type {Set<Overlay>} */
    this.overlays = new Set();

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
    this.spacePlanes = new SpacePlanes(this.image, this.geometry, this.planes, PLANE_COLOURS);
    this.undo.push(this.space.addPlanes(this.spacePlanes));
    this.spacePlanes.group.visible = false;

    room.store.dispatch({ type: "view.series", seriesId: series.id, point: snapped(this.geometry, this.geometry.centre), presets: this.presets, window: this.openingWindow });
    this.startStream();
    this.undo.push(room.store.watch((state) => state.view, (view, before) => this.showView(view, before)));
    this.undo.push(room.store.watch((state) => this.chosen(state), (segmentation) => void this.showSegmentation(segmentation)));
  }

  get view() {
    return this.room.store.get().view;
  }

  /** The segmentation to show: the chosen one, else the newest of this series. @param {any} state */
  chosen({ view, study }) {
    const own = study.segmentations.filter((/** @type {any} */ one) => one.series_id === this.series.id);
    return own.find((/** @type {any} */ one) => one.id === this.room.wantedSegmentation) ?? own[0] ?? null;
  }

  // --- the volume -----------------------------------------------------------------------------------------------

  startStream() {
    const { urls } = this.series;
    const refresh = () => {
      for (const name of PLANE_NAMES) this.views[name].invalidate();
      if (this.spacePlanes.group.visible) this.space.invalidateBehind();
      this.showTexts();
    };
    this.stream = new VolumeStream({ voxels: urls.voxels, preview: urls.preview ?? null }, this.geometry.shape, {
      onPreview: (bytes) => {
        const { preview_shape, preview_affine, preview_range } = this.volume;
        this.image.setPreview(bytes, volumeGeometry({ shape: preview_shape, affine: preview_affine, spacing_mm: this.volume.spacing_mm ?? null }), preview_range);
        this.room.mark("preview");
        refresh();
      },
      onSlices: (first, stored) => {
        this.image.setSlices(first, stored);
        refresh();
      },
      onProgress: (progress) => {
        this.progress = progress;
        if (progress.loaded === progress.total) this.room.mark("whole");
        this.showTexts();
      },
      onFailed: (failed) => {
        this.failed = failed;
        this.showFailed();
      },
      wantedSlice: () => (this.view.point ? toIndex(this.geometry, this.view.point)[0] : this.geometry.shape[0] / 2),
    }, this.room.early);
    this.undo.push(() => this.stream?.stop());
    this.firstLook = this.stream.preview().catch(() => {});
    void this.firstLook.then(() => this.stream?.drain());
  }

  showFailed() {
    const { failed } = this;
    if (failed.length === 0) {
      setNotice(this.room.frames.axial, null);
      return;
    }
    const names = failed.map(({ first, last }) => (first === last ? `${first}` : interpolate(gettext("{first} to {last}"), { first, last }))).join(", ");
    setNotice(this.room.frames.axial, {
      symbol: "triangle-alert",
      text: interpolate(gettext("Slices {names} did not arrive"), { names }),
      second: gettext("Tried three times. The other slices are complete."),
      act: { text: gettext("Retry"), run: () => void this.stream?.retry() },
    });
  }

  /** Stored value turned real, label and index at a point; null outside or not yet here. @param {Point} point */
  sample(point) {
    const index = voxelAt(this.geometry, point);
    if (!index) return null;
    const known = Boolean(this.stream?.loaded[index[0]]);
    const value = known ? /** @type {any} */ (this.stream).voxels[offsetOf(this.geometry, index)] * this.volume.slope + this.volume.intercept : null;
    return { index, value, label: this.outlines?.labelAt(index) ?? 0 };
  }

  // --- the result -----------------------------------------------------------------------------------------------

  /** @param {any} segmentation */
  async showSegmentation(segmentation) {
    if ((segmentation?.id ?? null) === (this.shownId ?? null) && this.shownId !== undefined) return;
    this.shownId = segmentation?.id ?? null;
    this.dropResult?.();
    this.dropResult = null;
    this.room.segmentation = segmentation;
    this.segments = new Map((segmentation?.segments ?? []).map((/** @type {any} */ segment) => [segment.number, segment]));
    this.room.store.dispatch({ type: "view.segmentation", segmentationId: segmentation?.id ?? null, segments: startingLooks(segmentation?.segments ?? []) });
    if (!segmentation) {
      this.spacePlanes.group.visible = this.planesShown();
      this.showTexts();
      return;
    }
    const loading = new AbortController();
    const { signal } = loading;
    this.leaving.signal.addEventListener("abort", () => loading.abort(), { once: true });
    /** @type {(() => void)[]} */
    const drop = [() => loading.abort()];
    this.dropResult = () => drop.reverse().forEach((act) => act());
    // The slices come first: reading starts before the surfaces are there.
    await this.firstLook;
    if (signal.aborted) return;
    await Promise.all([this.loadLabelmap(segmentation, signal, drop), this.loadSurfaces(segmentation, signal, drop)]);
  }

  /** @param {any} segmentation @param {AbortSignal} signal @param {(() => void)[]} drop */
  async loadLabelmap(segmentation, signal, drop) {
    try {
      const bytes = new Uint8Array(await bytesOf(segmentation.urls.labelmap, signal));
      if (signal.aborted) return;
      const [k, j, i] = this.geometry.shape;
      if (bytes.length !== k * j * i) throw new Error(interpolate(gettext("the labelmap has {count} voxels, the series {wanted}"), { count: bytes.length, wanted: k * j * i }));
      this.outlines = new LabelOutlines(bytes, this.geometry);
      drop.push(() => {
        this.outlines = null;
        this.invalidatePlanes();
      });
      this.invalidatePlanes();
      this.room.mark("labelmap");
    } catch (error) {
      if (!signal.aborted) this.room.report(interpolate(gettext("The outlines did not load: {reason}"), { reason: /** @type {Error} */ (error).message }), error);
    }
  }

  /** @param {any} segmentation @param {AbortSignal} signal @param {(() => void)[]} drop */
  async loadSurfaces(segmentation, signal, drop) {
    try {
      if (!segmentation.urls.surfaces) return;
      const surfaces = await Surfaces.parse(await bytesOf(segmentation.urls.surfaces, signal), segmentation.segments, signal);
      const remove = this.space.addSurfaces(surfaces);
      this.surfaces = surfaces;
      drop.push(() => {
        this.surfaces = null;
        remove();
      });
      surfaces.setLooks(this.view.segments, this.view.lit);
      // The first look shows what was made, from the front; later results leave the camera where the reader put it.
      if (!this.looked) this.space.stand(this.space.around({ ...this.space.orbit, azimuth: 12, elevation: 8 }));
      this.looked = true;
      this.room.mark("surfaces");
    } catch (error) {
      if (!signal.aborted) this.room.report(interpolate(gettext("The surfaces did not load: {reason}"), { reason: /** @type {Error} */ (error).message }), error);
    }
    if (signal.aborted) return;
    this.spacePlanes.group.visible = this.planesShown();
    this.showTexts();
    this.space.invalidate();
  }

  /** Planes inside the 3D: as chosen; before there is a surface they are all there is to see. */
  planesShown() {
    return this.view.planesIn3d ?? !this.surfaces;
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
      inverted: view.inverted !== (this.series.modality === "PT"),
      point: view.point,
      crosshair: view.texts ? CROSSHAIR[name] : null,
      outlines: this.outlines,
      look: { segments: view.segments, fill: view.fill, outlines: view.outlines, lit: view.lit },
      overlays: this.overlays,
    };
  }

  /** Draw something more over the planes. Call invalidatePlanes when it changes. @param {Overlay} overlay @returns {() => void} */
  addOverlay(overlay) {
    this.overlays.add(overlay);
    this.invalidatePlanes();
    return () => {
      this.overlays.delete(overlay);
      this.invalidatePlanes();
    };
  }

  invalidatePlanes() {
    for (const name of PLANE_NAMES) this.views[name].invalidate();
  }

  /** @param {ViewState} view @param {ViewState | undefined} before */
  showView(view, before) {
    if (view.seriesId !== this.series.id || !view.point) return;
    const changed = (/** @type {(keyof ViewState)[]} */ ...keys) => !before || keys.some((key) => view[key] !== before[key]);
    this.image.setInterpolated(view.interpolated);
    if (changed("point", "viewing", "windows", "interpolated", "inverted", "fill", "outlines", "segments", "lit", "texts")) this.invalidatePlanes();
    const planesBefore = this.spacePlanes.group.visible;
    this.spacePlanes.group.visible = this.planesShown();
    if (changed("point", "windows")) this.spacePlanes.update(view.point, view.windows);
    if (changed("clip")) this.space.setClip(this.clipOf(view));
    if (changed("segments", "lit")) {
      this.surfaces?.setLooks(view.segments, view.lit);
      this.space.invalidate();
    }
    if (changed("texts")) {
      // Where spacing is unknown the directions are too: a cube with letters would be a guess.
      this.space.letters = view.texts && this.geometry.spacingKnown;
      this.space.invalidate();
    }
    if (planesBefore !== this.spacePlanes.group.visible) this.space.invalidate();
    else if (this.spacePlanes.group.visible && changed("point", "windows", "interpolated")) this.space.invalidateBehind();
    this.showTexts();
  }

  /** The chosen clipping plane in millimetres. @param {ViewState} view @returns {Clip | null} */
  clipOf({ clip }) {
    if (!clip) return null;
    const plane = this.planes[clip.plane];
    const index = /** @type {Vec3} */ (this.geometry.shape.map((count) => (count - 1) / 2));
    index[plane.axis] = clip.position * (plane.count - 1);
    const on = onSlice(this.geometry, plane, this.geometry.centre, index[plane.axis]);
    // Keep what lies behind the plane as seen in the plane's own habit: cut away the front (axial: the top).
    const towardsViewer = { axial: [0, 0, 1], coronal: [0, -1, 0], sagittal: [1, 0, 0] }[clip.plane];
    const sign = dot(plane.normal, /** @type {Vec3} */ (towardsViewer)) > 0 ? -1 : 1;
    const normal = scale(plane.normal, clip.flipped ? -sign : sign);
    return { normal, constant: -dot(normal, on) };
  }

  showTexts() {
    const { view, geometry, series } = this;
    if (!view.point) return;
    const known = geometry.spacingKnown;
    const label = [series.modality, series.number !== null && series.number !== undefined ? interpolate(gettext("Series {number}"), { number: series.number }) : "", series.description].filter(Boolean).join(" · ");
    const short = [series.modality, series.number !== null && series.number !== undefined ? interpolate(gettext("Series {number}"), { number: series.number }) : ""].filter(Boolean).join(" · ");
    for (const name of PLANE_NAMES) {
      const frame = this.room.frames[name];
      const plane = this.planes[name];
      const first = name === "axial";
      const count = interpolate(gettext("{count} slices"), { count: geometry.shape[0] });
      const streaming = this.progress.loaded < this.progress.total ? interpolate(gettext("slices {loaded} of {total}"), this.progress) : "";
      frame.element.toggleAttribute("data-plain", !view.texts);
      setCorner(frame.corners.topLeft, [
        first ? { text: this.room.store.get().study.study.pseudonym ?? "", strong: true } : short,
        first ? label : "",
        first ? `${known ? spacing(this.volume.spacing_mm) : gettext("Spacing unknown")} · ${count}` : "",
        first ? streaming : "",
      ]);
      setCorner(frame.corners.topRight, [
        { text: word(name), strong: true, colour: PLANE_COLOURS[name] },
        `${number(sliceAt(geometry, plane, view.point) + 1)} / ${number(plane.count)}`,
      ]);
      const { width, height } = this.views[name];
      const size = mmPerPixel(plane, view.viewing[name], width, height);
      setCorner(frame.corners.bottomLeft, [
        windowText(view.windows[name], this.unit),
        first ? interpolate(gettext("Zoom {factor}×"), { factor: number(plane.pixel / size, 1) }) : "",
      ]);
      // Without spacing there are no directions either: letters would be a guess.
      setLetters(frame, known ? edgeLetters(plane) : null);
      const bar = known && width > 0 ? scaleBar(size) : null;
      setScale(frame, bar, bar ? barLength(bar.millimetres) : "");
    }
    this.showSpaceTexts();
    this.showReadout();
  }

  showSpaceTexts() {
    const { frames } = this.room;
    const { segmentation } = this.room;
    const looks = Object.values(this.view.segments);
    const shown = looks.filter((look) => look.shown && look.opacity > 0).length;
    const made = segmentation ? [segmentation.algorithm?.title ?? segmentation.algorithm?.name, segmentation.algorithm?.version].filter(Boolean).join(" ") : "";
    setCorner(frames.surfaces.corners.topLeft, [
      { text: gettext("Surfaces"), strong: true },
      segmentation ? interpolate(gettext("{shown} of {all} shown"), { shown, all: looks.length }) : gettext("No surfaces yet"),
      made ? interpolate(gettext("Made by {algorithm}"), { algorithm: made }) : "",
    ]);
    setCorner(frames.surfaces.corners.bottomRight, [
      this.hovered ?? (segmentation ? gettext("Drag to turn · double-click a surface to jump") : gettext("Drag to turn")),
    ]);
  }

  /** Position, value and label under the pointer; empty when it is away. */
  showReadout() {
    for (const name of PLANE_NAMES) {
      const frame = this.room.frames[name];
      const pixel = this.pointer?.name === name ? this.pointer.pixel : null;
      const point = pixel && this.views[name].pointAt(pixel);
      const sample = point && this.sample(point);
      if (!sample) {
        setCorner(frame.corners.bottomRight, []);
        continue;
      }
      const label = sample.label ? this.segments.get(sample.label)?.label ?? "" : "";
      const value = sample.value === null ? gettext("loading") : pixelValue(sample.value, this.unit);
      setCorner(frame.corners.bottomRight, [
        this.geometry.spacingKnown ? position(point) : indexPosition(sample.index),
        { text: [value, label].filter(Boolean).join(" · "), strong: true },
      ]);
    }
  }

  /** @param {{ name: PlaneName, pixel: [number, number] } | null} pointer */
  hover(pointer) {
    this.pointer = pointer;
    this.showReadout();
    const point = pointer && this.views[pointer.name].pointAt(pointer.pixel);
    const label = point ? this.sample(point)?.label ?? 0 : 0;
    const lit = label && this.view.segments[label]?.shown ? label : null;
    if (lit !== this.view.lit) this.room.store.dispatch({ type: "view.set", values: { lit } });
  }

  // --- moving ---------------------------------------------------------------------------------------------------

  /** All planes go to the voxel of a point. @param {Point} point */
  goTo(point) {
    this.room.store.dispatch({ type: "view.set", values: { point: snapped(this.geometry, clampPoint(this.geometry, point)) } });
  }

  /** @param {PlaneName} name @param {number} steps */
  scroll(name, steps) {
    const { point } = this.view;
    if (point) this.toSlice(name, sliceAt(this.geometry, this.planes[name], point) + steps);
  }

  /** @param {PlaneName} name @param {number} slice  from 0; beyond the ends stops there */
  toSlice(name, slice) {
    const { point } = this.view;
    if (point) this.room.store.dispatch({ type: "view.set", values: { point: onSlice(this.geometry, this.planes[name], point, slice) } });
  }

  /** Planes to the middle, windows as opened, everything fitted. */
  reset() {
    this.room.store.dispatch({ type: "view.reset", window: this.openingWindow, point: snapped(this.geometry, this.geometry.centre) });
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
    this.hovered = segment ? segment.label : undefined;
    this.showSpaceTexts();
    if (number !== this.view.lit) this.room.store.dispatch({ type: "view.set", values: { lit: number } });
  }

  close() {
    this.leaving.abort();
    this.dropResult?.();
    this.undo.reverse().forEach((act) => act());
    this.undo = [];
    for (const name of PLANE_NAMES) {
      const frame = this.room.frames[name];
      for (const corner of Object.values(frame.corners)) setCorner(corner, []);
      setLetters(frame, null);
      setScale(frame, null, "");
      setNotice(frame, null);
    }
    for (const corner of Object.values(this.room.frames.surfaces.corners)) setCorner(corner, []);
  }
}
