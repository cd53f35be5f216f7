// A result on its way into the viewports: which one, its labelmap, its surfaces, and how it leaves again.

import { problemOf } from "../../api/client.js";
import { gettext, interpolate } from "../../i18n.js";
import { LabelOutlines } from "../../scene/outlines.js";
import { Surfaces } from "../../scene/surfaces.js";
import { startingLooks } from "../../state/view.js";

/** @import { VolumeSession } from "./volume-session.js" */

/** A file of the result, or the server's reason why not. @param {string} url @param {AbortSignal} signal */
async function bytesOf(url, signal) {
  const answer = await fetch(url, { signal, credentials: "same-origin" });
  if (!answer.ok) throw await problemOf(answer);
  return answer.arrayBuffer();
}

export class VolumeResult {
  /** @param {VolumeSession} session */
  constructor(session) {
    this.session = session;
    /** The id of what is shown; undefined before anything was asked for. @type {string | null | undefined} */
    this.shownId = undefined;
    /** @type {(() => void) | null} */
    this.drop = null;
    /** The camera went to the first result already. */
    this.looked = false;
  }

  /** Take the old one away, bring this one. @param {any} segmentation  null shows none */
  async show(segmentation) {
    const { session } = this;
    if ((segmentation?.id ?? null) === (this.shownId ?? null) && this.shownId !== undefined) return;
    this.shownId = segmentation?.id ?? null;
    this.drop?.();
    this.drop = null;
    session.room.segmentation = segmentation;
    session.segments = new Map((segmentation?.segments ?? []).map((/** @type {any} */ segment) => [segment.number, segment]));
    session.room.store.dispatch({ type: "view.segmentation", segmentationId: segmentation?.id ?? null, segments: startingLooks(segmentation?.segments ?? []) });
    if (!segmentation) {
      session.spacePlanes.group.visible = session.planesShown();
      session.showTexts();
      return;
    }
    const loading = new AbortController();
    const { signal } = loading;
    session.leaving.signal.addEventListener("abort", () => loading.abort(), { once: true });
    /** @type {(() => void)[]} */
    const drop = [() => loading.abort()];
    this.drop = () => drop.reverse().forEach((act) => act());
    // The slices come first: reading starts before the surfaces are there.
    await session.arrival.firstLook;
    if (signal.aborted) return;
    await Promise.all([this.loadLabelmap(segmentation, signal, drop), this.loadSurfaces(segmentation, signal, drop)]);
  }

  /** @param {any} segmentation @param {AbortSignal} signal @param {(() => void)[]} drop */
  async loadLabelmap(segmentation, signal, drop) {
    const { session } = this;
    try {
      const bytes = new Uint8Array(await bytesOf(segmentation.urls.labelmap, signal));
      if (signal.aborted) return;
      const [k, j, i] = session.geometry.shape;
      if (bytes.length !== k * j * i) throw new Error(interpolate(gettext("the labelmap has {count} voxels, the series {wanted}"), { count: bytes.length, wanted: k * j * i }));
      session.outlines = new LabelOutlines(bytes, session.geometry);
      drop.push(() => {
        session.outlines = null;
        session.invalidatePlanes();
      });
      session.invalidatePlanes();
      session.room.mark("labelmap");
    } catch (error) {
      if (!signal.aborted) session.room.report(interpolate(gettext("The outlines did not load: {reason}"), { reason: /** @type {Error} */ (error).message }), error);
    }
  }

  /** @param {any} segmentation @param {AbortSignal} signal @param {(() => void)[]} drop */
  async loadSurfaces(segmentation, signal, drop) {
    const { session } = this;
    try {
      if (!segmentation.urls.surfaces) return;
      const surfaces = await Surfaces.parse(await bytesOf(segmentation.urls.surfaces, signal), segmentation.segments, signal);
      const remove = session.space.addSurfaces(surfaces);
      session.surfaces = surfaces;
      drop.push(() => {
        session.surfaces = null;
        remove();
      });
      session.space.setLooks(session.view.segments, session.view.lit);
      // The first look shows what was made, from the front; later results leave the camera where the reader put it.
      if (!this.looked) session.space.stand(session.space.around({ ...session.space.orbit, azimuth: 12, elevation: 8 }));
      this.looked = true;
      session.room.mark("surfaces");
    } catch (error) {
      if (!signal.aborted) session.room.report(interpolate(gettext("The surfaces did not load: {reason}"), { reason: /** @type {Error} */ (error).message }), error);
    }
    if (signal.aborted) return;
    session.spacePlanes.group.visible = session.planesShown();
    session.showTexts();
    session.space.invalidate();
  }

  close() {
    this.drop?.();
    this.drop = null;
  }
}
