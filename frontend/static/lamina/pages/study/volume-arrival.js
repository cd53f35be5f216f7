// A volume on its way onto the card: the preview, then the slices, and what is said when some do not come.

import { use } from "../../api/line.js";
import { PLANE_NAMES } from "../../geometry/planes.js";
import { chunksOf, nearest } from "../../geometry/streaming.js";
import { toIndex, volumeGeometry } from "../../geometry/volume.js";
import { gettext, interpolate } from "../../i18n.js";
import { VolumeStream } from "../../scene/volume-stream.js";
import { setNotice } from "./frames.js";

/** @import { VolumeSession } from "./volume-session.js" */

/** ms between two pictures of planes that every slice changes. */
const BETWEEN = 250;
/** ms the slices wait for the preview's first picture at most. */
const GRACE = 1500;

export class VolumeArrival {
  /** @type {VolumeStream | undefined} */
  stream;

  /** @param {VolumeSession} session */
  constructor(session) {
    this.session = session;
    /** Slices that did not come, as people count them. @type {{ first: number, last: number, reason?: string }[]} */
    this.failed = [];
    /** Resolves when there is something to see. @type {Promise<void>} */
    this.firstLook = Promise.resolve();
    /** Resolves when a slice of the preview stands on the screen. @type {Promise<void>} */
    this.drawn = Promise.resolve();
    /** @type {any} */
    this.later = 0;
    /** Counts the times the card was filled anew: a later one ends an earlier one. */
    this.refilling = 0;
    /** The slice that is looked at came whole. */
    this.sharp = false;
    /** The line to the server is this volume's until it is whole. */
    this.over = use();
  }

  start() {
    const { session } = this;
    const { urls } = session.series;
    this.stream = new VolumeStream({ voxels: urls.voxels, packed: urls.packed ?? null, preview: urls.preview ?? null }, session, {
      onPreview: (bytes) => {
        const { preview_shape, preview_affine, preview_range } = session.volume;
        session.image.setPreview(bytes, volumeGeometry({ shape: preview_shape, affine: preview_affine, spacing_mm: session.volume.spacing_mm ?? null }), preview_range);
        session.room.mark("preview");
        this.refresh();
        this.drawn = this.sayDrawn();
      },
      onSlices: (first, stored, halves) => {
        session.image.setSlices(first, stored, halves);
        this.markSlice(first, first + stored.length / this.sliceVoxels);
        this.arrived(first, first + stored.length / this.sliceVoxels);
      },
      onProgress: (progress) => {
        session.progress = progress;
        if (progress.loaded < progress.total) return;
        this.over();
        session.room.mark("whole");
        session.showTexts();
      },
      onFailed: (failed) => {
        this.failed = failed;
        if (failed.length > 0) this.over();
        this.showFailed();
      },
      wantedSlice: () => this.wantedSlice,
    }, session.room.early);
    session.undo.push(() => this.stop());
    session.undo.push(session.room.stage.onLoss((lost) => !lost && this.refill()));
    // What comes after the preview would stand before its picture in the card's line. A page in the background draws nothing.
    const late = () => new Promise((resolve) => setTimeout(resolve, GRACE));
    this.firstLook = this.stream.preview().then(() => Promise.race([this.drawn, late()])).then(() => {}, () => {});
    void this.firstLook.then(() => this.stream?.start());
  }

  /** The slice the reader looks at stands on the screen with all its pixels, for the first time. @param {number} first @param {number} end */
  markSlice(first, end) {
    const at = Math.round(this.wantedSlice);
    if (this.sharp || at < first || at >= end) return;
    this.sharp = true;
    requestAnimationFrame(() => requestAnimationFrame(() => this.session.room.mark("slice")));
  }

  stop() {
    this.over();
    this.stream?.stop();
    clearTimeout(this.later);
    this.refilling += 1;
  }

  /** Say when a slice stands on the screen: drawn in one frame, seen in the next. Where no plane is shown there is none to wait for. @returns {Promise<void>} */
  sayDrawn() {
    const { session } = this;
    return new Promise((resolve) => {
      const look = () => requestAnimationFrame(() => {
        if (session.leaving.signal.aborted) return resolve();
        const shown = PLANE_NAMES.map((name) => session.views[name]).filter(({ element }) => element.clientWidth > 1);
        if (shown.length > 0 && shown.every(({ drawn }) => drawn === "")) return look();
        requestAnimationFrame(() => {
          session.room.mark("drawn");
          resolve();
        });
      });
      look();
    });
  }

  get sliceVoxels() {
    const [, rows, columns] = this.session.geometry.shape;
    return rows * columns;
  }

  /** Along k, where the reader looks. */
  get wantedSlice() {
    const { geometry, view } = this.session;
    return view.point ? toIndex(geometry, view.point)[0] : geometry.shape[0] / 2;
  }

  /**
   * Slices are on the card. What shows them is drawn at once; planes that cut through all slices change with every one
   * of them, and on a small machine drawing them each time would take all there is, so they follow a few times a second.
   * @param {number} first @param {number} end
   */
  arrived(first, end) {
    const { session } = this;
    const { point } = session.view;
    const whole = session.loaded.every((mark) => mark === 1);
    if (whole) return this.refresh();
    if (point) {
      const at = toIndex(session.geometry, point)[0];
      for (const name of PLANE_NAMES) {
        if (session.planes[name].axis === 0 && at > first - 1 && at < end) session.views[name].invalidate();
      }
    }
    if (!this.later) this.later = setTimeout(() => this.refresh(), BETWEEN);
  }

  /** Everything that shows the volume anew. */
  refresh() {
    const { session } = this;
    clearTimeout(this.later);
    this.later = 0;
    session.invalidatePlanes();
    if (session.spacePlanes.group.visible) session.space.invalidateBehind();
    session.showTexts();
  }

  /** The card lost its memory and came back: the slices that are here go onto it again, from where the reader looks. */
  async refill() {
    const { session } = this;
    const turn = (this.refilling += 1);
    session.image.forget();
    this.showFailed();
    const waiting = chunksOf(session.geometry.shape[0], this.sliceVoxels * 2).filter(({ first }) => session.loaded[first]);
    for (;;) {
      const chunk = nearest(waiting, this.wantedSlice);
      if (!chunk) break;
      waiting.splice(waiting.indexOf(chunk), 1);
      await new Promise((resolve) => setTimeout(resolve));
      if (turn !== this.refilling || session.room.stage.lost) return;
      session.image.setSlices(chunk.first, session.voxels.slice(chunk.first * this.sliceVoxels, (chunk.first + chunk.count) * this.sliceVoxels));
      this.arrived(chunk.first, chunk.first + chunk.count);
    }
    this.refresh();
    session.room.mark("restored");
  }

  showFailed() {
    const { failed } = this;
    const frame = this.session.room.frames.axial;
    if (failed.length === 0) {
      setNotice(frame, null);
      return;
    }
    const names = failed.map(({ first, last }) => (first === last ? `${first}` : interpolate(gettext("{first} to {last}"), { first, last }))).join(", ");
    setNotice(frame, {
      symbol: "triangle-alert",
      text: interpolate(gettext("Slices {names} did not arrive"), { names }),
      second: gettext("Tried three times. The other slices are complete."),
      act: { text: gettext("Retry"), run: () => void this.stream?.retry() },
    });
  }
}
