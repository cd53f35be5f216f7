// The series that lies over the open one: its voxels, its stream, its picture, and what is said of it. It stands in the
// frame of the series below, so that every question is asked in the reader's own millimetres.

import { multiplyAffine } from "../../geometry/vectors.js";
import { modalityName } from "../../components/format.js";
import { pixelValue, windowText } from "../../geometry/format.js";
import { offsetOf, toIndex, volumeGeometry, voxelAt } from "../../geometry/volume.js";
import { openingWindow, presetsFor } from "../../geometry/windows.js";
import { gettext, interpolate } from "../../i18n.js";
import { FusionImage } from "../../scene/fusion-image.js";
import { VolumeStream } from "../../scene/volume-stream.js";

/** @import { Affine, Point } from "../../geometry/vectors.js" */
/** @import { Preset, Window } from "../../geometry/windows.js" */
/** @import { FusionState } from "../../state/fusion.js" */
/** @import { VolumeSession } from "./volume-session.js" */

/** @typedef {FusionOver} Over */

export class FusionOver {
  /**
   * @param {VolumeSession} session @param {any} series  on top, as the API gives it
   * @param {Affine} matrix  LPS mm of the series on top -> LPS mm of the one below
   * @param {string} sentence  what the server says of the fit
   */
  constructor(session, series, matrix, sentence) {
    const { volume } = series;
    this.session = session;
    this.series = series;
    this.sentence = sentence;
    this.volume = volume;
    this.unit = volume.unit ?? "";
    const placed = (/** @type {Affine} */ affine) => multiplyAffine(matrix, affine);
    this.geometry = volumeGeometry({ shape: volume.shape, affine: placed(volume.affine), spacing_mm: volume.spacing_mm ?? null });
    /** @type {Preset[]} */
    this.presets = presetsFor(series.modality, volume);
    this.openingWindow = openingWindow(series.modality, volume);
    /** The window in use. @type {Window} */
    this.window = this.openingWindow;
    this.voxels = new Int16Array(this.geometry.shape[0] * this.geometry.shape[1] * this.geometry.shape[2]);
    this.loaded = new Uint8Array(this.geometry.shape[0]);
    this.progress = { loaded: 0, total: this.geometry.shape[0] };
    const { stage } = session.room;
    this.image = new FusionImage(stage.renderer, this.geometry, { slope: volume.slope, intercept: volume.intercept });
    this.refreshing = 0;
    const { urls } = series;
    this.stream = new VolumeStream({ voxels: urls.voxels, packed: urls.packed ?? null, preview: urls.preview ?? null }, this, {
      onPreview: (bytes) => {
        const { preview_shape, preview_affine, preview_range } = volume;
        this.image.image.setPreview(bytes, volumeGeometry({ shape: preview_shape, affine: placed(preview_affine), spacing_mm: volume.spacing_mm ?? null }), preview_range);
        this.refresh();
      },
      onSlices: (first, stored, halves) => {
        this.image.image.setSlices(first, stored, halves);
        this.refresh();
      },
      onProgress: (progress) => {
        this.progress = progress;
        if (progress.loaded === progress.total) session.room.mark("fused");
      },
      onFailed: (failed) => {
        if (failed.length === 0) return;
        const names = failed.map(({ first, last }) => (first === last ? `${first}` : `${first}–${last}`)).join(", ");
        session.room.report(interpolate(gettext("Slices {names} of the series on top did not arrive"), { names }));
      },
      wantedSlice: () => (session.view.point ? toIndex(this.geometry, session.view.point)[0] : this.geometry.shape[0] / 2),
    });
    this.stopLoss = stage.onLoss((lost) => !lost && this.refill());
    void this.stream.preview().catch(() => {}).then(() => this.stream.start());
  }

  /** A picture for all slices that came since the last one. */
  refresh() {
    this.refreshing ||= requestAnimationFrame(() => {
      this.refreshing = 0;
      this.session.showPlanes();
    });
  }

  /** The card forgot its textures; the voxels are still here. */
  refill() {
    const { image } = this.image;
    image.forget();
    const [depth, rows, columns] = this.geometry.shape;
    for (let k = 0; k < depth; k++) {
      if (this.loaded[k]) image.setSlices(k, this.voxels.subarray(k * rows * columns, (k + 1) * rows * columns));
    }
    this.refresh();
  }

  /** @param {FusionState} look @param {boolean} interpolated */
  show(look, interpolated) {
    this.window = look.window ?? this.openingWindow;
    this.image.setLook({ ...look, window: this.window });
    this.image.image.setInterpolated(interpolated);
  }

  /** Value at a place, or null outside or not yet here. @param {Point} point */
  valueAt(point) {
    const index = voxelAt(this.geometry, point);
    if (!index || !this.loaded[index[0]]) return null;
    return this.voxels[offsetOf(this.geometry, index)] * this.volume.slope + this.volume.intercept;
  }

  /** A value under the pointer with its unit; "" outside. @param {Point} point @param {number | null | undefined} value  what the plane shows there */
  readout(point, value) {
    if (value === null || value === undefined) return voxelAt(this.geometry, point) ? gettext("loading") : "";
    return this.unit ? pixelValue(value, this.unit) : `${modalityName(this.series.modality)} ${pixelValue(value, "")}`;
  }

  /** Lines of the corner; the fit is named on the first viewport. @param {boolean} first @returns {string[]} */
  text(first) {
    const streaming = this.progress.loaded < this.progress.total ? interpolate(gettext("slices {loaded} of {total}"), this.progress) : "";
    const shown = interpolate(gettext("{modality} on top, {window}"), { modality: modalityName(this.series.modality), window: windowText(this.window, this.unit) });
    return [first ? this.sentence : "", first ? streaming : "", shown];
  }

  close() {
    cancelAnimationFrame(this.refreshing);
    this.stopLoss();
    this.stream.stop();
    this.image.dispose();
  }
}
