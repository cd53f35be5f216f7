// A result on its way into the viewports: which one, its labelmap, its surfaces, and how it leaves again.

import { problemOf } from "../../api/client.js";
import { using } from "../../api/line.js";
import { gettext, interpolate } from "../../i18n.js";
import { LabelOutlines } from "../../scene/outlines.js";
import { Surfaces } from "../../scene/surfaces.js";
import { startingLooks } from "../../state/view.js";

/** @import { VolumeSession } from "./volume-session.js" */

/** A file of the result, or the server's reason why not. @param {string} url @param {AbortSignal} signal */
async function fetched(url, signal) {
  const answer = await using(() => fetch(url, { signal, credentials: "same-origin" }));
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** @param {string} url @param {AbortSignal} signal */
const bytesOf = async (url, signal) => (await fetched(url, signal)).arrayBuffer();

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
    /** Called when a labelmap is shown, with the number of its last operation; what it answers, when it goes. @type {((segmentation: any, seq: number) => () => void) | null} */
    this.onLabels = null;
    /** Asked when a working copy of what is shown appears: true when nothing has to be loaded again. @type {((segmentation: any) => boolean) | null} */
    this.onCopy = null;
  }

  /** Take the old one away, bring this one. @param {any} segmentation  null shows none */
  async show(segmentation) {
    const { session } = this;
    if ((segmentation?.id ?? null) === (this.shownId ?? null) && this.shownId !== undefined) {
      if (segmentation) this.renew(segmentation);
      return;
    }
    if (this.shownId && segmentation?.based_on?.id === this.shownId && this.onCopy?.(segmentation)) return;
    this.shownId = segmentation?.id ?? null;
    this.drop?.();
    this.drop = null;
    session.room.segmentation = segmentation;
    session.segments = new Map((segmentation?.segments ?? []).map((/** @type {any} */ segment) => [segment.number, segment]));
    session.room.store.dispatch({ type: "view.segmentation", segmentationId: segmentation?.id ?? null, segments: startingLooks(segmentation?.segments ?? []) });
    if (!segmentation) {
      session.showSpacePlanes();
      session.showTexts();
      return;
    }
    const loading = new AbortController();
    const { signal } = loading;
    session.leaving.signal.addEventListener("abort", () => loading.abort(), { once: true });
    /** @type {(() => void)[]} */
    const drop = [() => loading.abort()];
    this.drop = () => drop.reverse().forEach((act) => act());
    // The slices come first: reading starts before the surfaces are there. And whoever works on labels has to be there.
    await Promise.all([session.arrival.firstLook, session.room.made]);
    if (signal.aborted) return;
    await Promise.all([this.loadLabelmap(segmentation, signal, drop), this.loadSurfaces(segmentation, signal, drop)]);
  }

  /** The same result with other segments: names, colours and numbers follow, what the reader chose stays. @param {any} segmentation */
  renew(segmentation) {
    const { session } = this;
    this.shownId = segmentation.id;
    session.room.segmentation = segmentation;
    const before = session.segments;
    session.segments = new Map(segmentation.segments.map((/** @type {any} */ segment) => [segment.number, segment]));
    const looks = startingLooks(segmentation.segments);
    for (const { number, colour } of segmentation.segments) {
      const look = session.view.segments[number];
      if (!look || !before.has(number)) looks[number].opacity = 1;
      else looks[number] = before.get(number).colour === colour ? look : { ...look, colour };
    }
    const { segments, segmentationId } = session.view;
    const same = segmentationId === segmentation.id && Object.keys(segments).length === Object.keys(looks).length && Object.entries(looks).every(([number, look]) => segments[Number(number)] === look);
    if (!same) session.room.store.dispatch({ type: "view.segmentation", segmentationId: segmentation.id, segments: looks });
    session.showTexts();
  }

  /** @param {any} segmentation @param {AbortSignal} signal @param {(() => void)[]} drop */
  async loadLabelmap(segmentation, signal, drop) {
    const { session } = this;
    try {
      const answer = await fetched(segmentation.urls.labelmap, signal);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (signal.aborted) return;
      const [k, j, i] = session.geometry.shape;
      if (bytes.length !== k * j * i) throw new Error(interpolate(gettext("the labelmap has {count} voxels, the series {wanted}"), { count: bytes.length, wanted: k * j * i }));
      session.outlines = new LabelOutlines(bytes, session.geometry);
      drop.push(() => {
        session.outlines = null;
        session.invalidatePlanes();
      });
      session.invalidatePlanes();
      const end = this.onLabels?.(segmentation, Number(answer.headers.get("Lamina-Seq") ?? segmentation.seq ?? 0));
      if (end) drop.push(end);
      session.room.mark("labelmap");
    } catch (error) {
      if (!signal.aborted) session.room.report(interpolate(gettext("The outlines did not load: {reason}"), { reason: /** @type {Error} */ (error).message }), error);
    }
  }

  /** @param {any} segmentation @param {AbortSignal} signal @param {(() => void)[]} drop */
  async loadSurfaces(segmentation, signal, drop) {
    const { session } = this;
    try {
      const edited = segmentation.kind === "edited";
      if (!segmentation.urls.surfaces && !edited) return;
      // Of an edited result each touched segment has a file of its own; the others lie in the file it began from.
      const whole = segmentation.segments.filter((/** @type {any} */ segment) => !segment.surface_url);
      const surfaces = segmentation.urls.surfaces
        ? await Surfaces.parse(await bytesOf(segmentation.urls.surfaces, signal), whole, signal)
        : new Surfaces(new Map());
      await Promise.all(segmentation.segments.filter((/** @type {any} */ segment) => segment.surface_url).map(async (/** @type {any} */ segment) =>
        surfaces.replaceSegment(segment.number, await bytesOf(segment.surface_url, signal), segment)));
      signal.throwIfAborted();
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
    session.showSpacePlanes();
    session.showTexts();
    session.space.invalidate();
  }

  close() {
    this.drop?.();
    this.drop = null;
  }
}
