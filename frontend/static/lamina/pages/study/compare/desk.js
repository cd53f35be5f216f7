// Two segmentations compared, on the page: asks the server, waits, brings both outlines into the planes and the painted
// surface into the 3D, and takes all of it away again.

import { get, post, problemOf } from "../../../api/client.js";
import { gettext, interpolate } from "../../../i18n.js";
import { facing, hotspots, spotBeside } from "../../../geometry/hotspots.js";
import { paintOutlines } from "../../../scene/painted-outlines.js";
import { LabelOutlines } from "../../../scene/outlines.js";
import { PaintedSurfaces } from "../../../scene/painted-surfaces.js";
import { SpotMarks } from "./marks.js";
import { rolesOf } from "./words.js";

/** @import { ComparePart } from "../../../state/compare.js" */
/** @import { Region } from "../../../geometry/hotspots.js" */
/** @import { Point } from "../../../geometry/vectors.js" */
/** @import { Room } from "../room.js" */
/** @import { VolumeSession } from "../volume-session.js" */

/** So long between two questions whether it is ready, ms; the event is quicker where it comes. */
const ASK_EVERY = [300, 600, 1200, 2000];
/** So long the result's own surfaces are waited for, ms. */
const OWN_WITHIN = 10_000;
const WORKING = new Set(["queued", "running"]);

/** @param {string} url @param {AbortSignal} signal */
async function bytesOf(url, signal) {
  const answer = await fetch(url, { signal, credentials: "same-origin" });
  if (!answer.ok) throw await problemOf(answer);
  return answer.arrayBuffer();
}

/** The result's own surfaces are in the 3D, or none are on their way: the painted ones go into their place. @param {VolumeSession} session @param {AbortSignal} signal */
async function ownSurfaces(session, signal) {
  const until = performance.now() + OWN_WITHIN;
  while (session.room.segmentation && !session.surfaces && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  signal.throwIfAborted();
}

export class CompareDesk {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    /** What is in sight now, and the way to take it away. @type {AbortController | null} */
    this.showing = null;
    /** @type {(() => void)[]} */
    this.drop = [];
    /** @type {Record<"a" | "b", PaintedSurfaces | undefined>} */
    this.painted = { a: undefined, b: undefined };
    this.asking = 0;
    this.wake = () => {};
    this.marks = new SpotMarks(this);
  }

  /** @returns {ComparePart} */
  get part() {
    return this.room.store.get().compare;
  }

  /** @param {Partial<ComparePart>} values */
  set(values) {
    this.room.store.dispatch({ type: "compare.set", values });
  }

  get comparison() {
    return this.part.comparison;
  }

  get roles() {
    return rolesOf(this.comparison, this.room);
  }

  /** Places worth showing. @returns {Region[]} */
  get spots() {
    return hotspots(this.comparison?.result?.regions ?? [], this.part.from);
  }

  /** + means that B lies outside A, whichever surface is painted. @returns {1 | -1} */
  get sign() {
    return this.part.side === "b" ? 1 : -1;
  }

  // --- asking ---------------------------------------------------------------------------------------------------

  /** Compare two states and show what comes of it. @param {{ left: string, left_seq?: number | null, right: string, right_seq?: number | null }} wanted */
  async ask(wanted) {
    this.hide();
    return this.settle(await post("/api/comparisons/", wanted));
  }

  /** Show one that somebody asked for. @param {string} id */
  async show(id) {
    if (this.part.open && this.comparison?.id === id) return this.comparison;
    this.hide();
    return this.settle(await get(`/api/comparisons/${id}/`));
  }

  /** Wait until it is made, then bring it into sight. @param {any} comparison */
  async settle(comparison) {
    const mine = ++this.asking;
    const { series_id: seriesId } = comparison.left;
    if (this.room.session?.series.id !== seriesId && this.room.store.get().study.series.some((/** @type {any} */ one) => one.id === seriesId)) this.room.openSeries(seriesId);
    for (let turn = 0; ; turn++) {
      if (mine !== this.asking) return comparison;
      this.room.store.dispatch({ type: "compare.loaded", comparison });
      if (!WORKING.has(comparison.state)) break;
      await new Promise((resolve) => {
        this.wake = () => resolve(undefined);
        setTimeout(resolve, ASK_EVERY[Math.min(turn, ASK_EVERY.length - 1)]);
      });
      comparison = await get(`/api/comparisons/${comparison.id}/`);
    }
    if (comparison.result) await this.open();
    return comparison;
  }

  /** Somebody heard that it is ready. @param {string} id */
  heard(id) {
    if (this.comparison?.id === id) this.wake();
  }

  // --- showing --------------------------------------------------------------------------------------------------

  async open() {
    const session = /** @type {VolumeSession | null} */ (this.room.session);
    const { comparison } = this;
    if (this.part.open || session?.kind !== "volume" || session.series.id !== comparison?.left.series_id) return;
    const showing = new AbortController();
    this.showing = showing;
    this.drop.push(() => showing.abort());
    this.set({ open: true });
    try {
      await this.bring(session, showing.signal);
    } catch (error) {
      if (showing.signal.aborted) return;
      this.hide();
      this.room.report(interpolate(gettext("The comparison did not load: {reason}"), { reason: /** @type {Error} */ (error).message }), error);
      return;
    }
    const { chosen } = this.part;
    const first = this.spots.find(({ n }) => n === chosen) ?? this.spots[0];
    if (first) this.goTo(first.n);
  }

  /** @param {VolumeSession} session @param {AbortSignal} signal */
  async bring(session, signal) {
    const { urls } = this.comparison;
    const labels = await Promise.all([urls.labels_a, urls.labels_b].map(async (url) => new LabelOutlines(new Uint8Array(await bytesOf(url, signal)), session.geometry)));
    signal.throwIfAborted();
    session.outlinesCovered = true;
    const stop = session.addOverlay((context, pane) => {
      const { a, b } = this.roles;
      const sides = [{ ...this.outlinesOf("a", labels[0]), look: a.look }, { ...this.outlinesOf("b", labels[1]), look: b.look }];
      paintOutlines(context, pane, sides, (number) => this.isShown(number));
    });
    this.drop.push(() => {
      session.outlinesCovered = false;
      stop();
    });
    this.drop.push(this.marks.attach(session));
    if (urls.surfaces_a) {
      await ownSurfaces(session, signal);
      await this.paint(session, signal);
    }
    this.room.mark("compared");
  }

  /**
   * A side's outlines as they were compared; of the working copy that is open as they are now, or nobody would see what
   * is drawn meanwhile. `numberOf` says which pair a label belongs to.
   * @param {"a" | "b"} side @param {LabelOutlines} compared @returns {{ outlines: LabelOutlines, numberOf: (label: number) => number }}
   */
  outlinesOf(side, compared) {
    const { left, right, pairs } = this.comparison;
    const session = /** @type {VolumeSession | null} */ (this.room.session);
    const [own, other] = side === "a" ? [left, right] : [right, left];
    const older = own.segmentation_id === other.segmentation_id && own.seq < other.seq;
    if (older || own.kind !== "edited" || own.segmentation_id !== session?.view.segmentationId || !session?.outlines) return { outlines: compared, numberOf: (number) => number };
    const key = side === "a" ? "left" : "right";
    return { outlines: session.outlines, numberOf: (label) => pairs.find((/** @type {any} */ pair) => pair[key].includes(label))?.number ?? 0 };
  }

  /** Bring the chosen side's painted surface. @param {VolumeSession} session @param {AbortSignal} signal */
  async paint(session, signal) {
    const { side } = this.part;
    let painted = this.painted[side];
    if (!painted) {
      painted = await PaintedSurfaces.read(await bytesOf(this.comparison.urls[`surfaces_${side}`], signal), signal);
      if (signal.aborted || this.part.side !== side) return;
    }
    this.unpaint(session);
    const remove = session.space.addSurfaces(painted);
    if (session.surfaces) session.surfaces.group.visible = false;
    this.painted[side] = painted;
    this.takeAway = () => {
      remove();
      this.painted[side] = undefined;
      const own = session.surfaces;
      // The result's own surfaces come back as they were.
      if (own) {
        own.group.visible = true;
        session.space.surfaces = own;
        session.space.looks = undefined;
        session.space.applyClip();
        session.space.setLooks(session.view.segments, session.view.lit);
      }
      session.space.invalidate();
    };
    this.restyle();
  }

  takeAway = () => {};

  /** @param {VolumeSession} _session */
  unpaint(_session) {
    this.takeAway();
    this.takeAway = () => {};
  }

  /** @param {number} number of a pair */
  isShown(number) {
    const { segment } = this.part;
    return segment === null || segment === number;
  }

  /** The painted surface follows range, side and segment. */
  restyle() {
    const session = /** @type {VolumeSession | null} */ (this.room.session);
    const painted = this.painted[this.part.side];
    if (!session || !painted) return;
    painted.setRange(this.part.range, this.sign);
    painted.show([...painted.meshes.keys()].filter((number) => this.isShown(number)));
    session.space.invalidate();
  }

  hide() {
    this.asking += 1;
    const session = /** @type {VolumeSession | null} */ (this.room.session);
    if (session) this.unpaint(session);
    this.drop.splice(0).reverse().forEach((act) => act());
    this.showing = null;
    if (this.part.open) this.set({ open: false });
  }

  // --- going through --------------------------------------------------------------------------------------------

  /** All planes to a place, and the 3D turned to it. @param {number} n */
  goTo(n) {
    const region = this.comparison?.result?.regions.find((/** @type {Region} */ one) => one.n === n);
    const session = /** @type {VolumeSession | null} */ (this.room.session);
    if (!region || !session) return false;
    const segment = this.part.segment === null ? null : region.number;
    this.set({ chosen: n, segment });
    this.restyle();
    if (region.middle_mm) session.goTo(region.middle_mm);
    const way = facing(region, this.middleOf(region.number));
    if (way) session.space.flyTo(session.space.around({ ...session.space.orbit, ...way }));
    return true;
  }

  /** The middle of a painted surface, LPS mm. @param {number} number @returns {Point | null} */
  middleOf(number) {
    const box = this.painted[this.part.side]?.boundsOf(number);
    return box ? /** @type {Point} */ ([0, 1, 2].map((axis) => (box[2 * axis] + box[2 * axis + 1]) / 2)) : null;
  }

  /** @param {1 | -1} by */
  step(by) {
    if (!this.part.open) return false;
    const n = spotBeside(this.spots, this.part.chosen, by);
    return n !== null && this.goTo(n);
  }
}

/**
 * Show a comparison in the open study: what other parts of the page call.
 * @param {Room} room @param {string} comparisonId
 */
export const showComparison = (room, comparisonId) => room.comparison?.show(comparisonId);
