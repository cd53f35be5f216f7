// A volume on its way onto the card: the preview, then the slices, and what is said when some do not come.

import { PLANE_NAMES } from "../../geometry/planes.js";
import { toIndex, volumeGeometry } from "../../geometry/volume.js";
import { gettext, interpolate } from "../../i18n.js";
import { VolumeStream } from "../../scene/volume-stream.js";
import { setNotice } from "./frames.js";

/** @import { VolumeSession } from "./volume-session.js" */

export class VolumeArrival {
  /** @type {VolumeStream | undefined} */
  stream;

  /** @param {VolumeSession} session */
  constructor(session) {
    this.session = session;
    /** Slices that did not come, as people count them. @type {{ first: number, last: number }[]} */
    this.failed = [];
    /** Resolves when there is something to see. @type {Promise<void>} */
    this.firstLook = Promise.resolve();
  }

  start() {
    const { session } = this;
    const { urls } = session.series;
    const refresh = () => {
      for (const name of PLANE_NAMES) session.views[name].invalidate();
      if (session.spacePlanes.group.visible) session.space.invalidateBehind();
      session.showTexts();
    };
    this.stream = new VolumeStream({ voxels: urls.voxels, preview: urls.preview ?? null }, session, {
      onPreview: (bytes) => {
        const { preview_shape, preview_affine, preview_range } = session.volume;
        session.image.setPreview(bytes, volumeGeometry({ shape: preview_shape, affine: preview_affine, spacing_mm: session.volume.spacing_mm ?? null }), preview_range);
        session.room.mark("preview");
        refresh();
      },
      onSlices: (first, stored) => {
        session.image.setSlices(first, stored);
        refresh();
      },
      onProgress: (progress) => {
        session.progress = progress;
        if (progress.loaded === progress.total) session.room.mark("whole");
        session.showTexts();
      },
      onFailed: (failed) => {
        this.failed = failed;
        this.showFailed();
      },
      wantedSlice: () => (session.view.point ? toIndex(session.geometry, session.view.point)[0] : session.geometry.shape[0] / 2),
    }, session.room.early);
    session.undo.push(() => this.stream?.stop());
    this.firstLook = this.stream.preview().catch(() => {});
    void this.firstLook.then(() => this.stream?.drain());
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
