// Two segmentations compared, on the page: asks the server, waits, brings both outlines into the planes and the painted
// surface into the 3D, and takes all of it away again.

import { get, post, problemOf } from "../../../api/client.js";
import { using } from "../../../api/line.js";
import { gettext, interpolate } from "../../../i18n.js";
import { facing, hotspots, spotBeside } from "../../../geometry/hotspots.js";
import { paintOutlines } from "../../../scene/painted-outlines.js";
import { LabelOutlines } from "../../../scene/outlines.js";
import { PaintedSurfaces } from "../../../scene/painted-surfaces.js";
import { SpotMarks } from "./marks.js";
import { OTHER, OWN, aloneLook, rolesOf } from "./words.js";

/** @import { ComparePart } from "../../../state/compare.js" */
/** @import { Region } from "../../../geometry/hotspots.js" */
/** @import { RoleLook } from "../../../scene/painted-outlines.js" */
/** @import { Pane } from "../../../scene/plane-viewport.js" */
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
  const answer = await using(() => fetch(url, { signal, credentials: "same-origin" }));
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
    /** Both sides as they were compared. @type {Record<"a" | "b", LabelOutlines> | null} */
    this.labels = null;
    /** The numbers of the right column. @type {SpotMarks | null} */
    this.columnMarks = null;
    /** Takes what is shown out of the right column. */
    this.leaveColumn = () => {};
  }

  /** Each side in a column of its own, instead of both in one picture. */
  get inColumns() {
    return this.room.columns?.isOpen === true;
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
      this.failed(error);
      return;
    }
    const { chosen } = this.part;
    const first = this.spots.find(({ n }) => n === chosen) ?? this.spots[0];
    if (first) this.goTo(first.n);
  }

  /** @param {VolumeSession} session @param {AbortSignal} signal */
  async bring(session, signal) {
    const { urls } = this.comparison;
    const [a, b] = await Promise.all([urls.labels_a, urls.labels_b].map(async (url) => new LabelOutlines(new Uint8Array(await bytesOf(url, signal)), session.geometry)));
    signal.throwIfAborted();
    this.labels = { a, b };
    session.outlinesCovered = true;
    const stop = session.addOverlay((context, pane) => this.drawSides(context, pane, this.inColumns ? "a" : null), { onlyHere: true });
    this.drop.push(() => {
      session.outlinesCovered = false;
      this.labels = null;
      stop();
    });
    this.drop.push(this.marks.attach(session));
    this.enterColumn();
    this.drop.push(() => this.leaveColumn());
    if (urls.surfaces_a) {
      await ownSurfaces(session, signal);
      await this.paint(session, signal);
    }
    this.room.mark("compared");
  }

  /** Both sides, or a column: its own side as it stands alone, the other one dotted. @param {CanvasRenderingContext2D} context @param {Pane} pane @param {"a" | "b" | null} column */
  drawSides(context, pane, column) {
    const { labels, roles } = this;
    if (!labels || !this.room.store.get().view.outlines) return;
    const side = (/** @type {"a" | "b"} */ name, /** @type {RoleLook} */ look) => ({ ...this.outlinesOf(name, labels[name]), look });
    const other = column === "a" ? "b" : "a";
    const own = this.settles ? /** @type {VolumeSession | null} */ (this.room.session)?.outlines : null;
    const sides = [
      ...(own ? [{ outlines: own, look: OWN, numberOf: (/** @type {number} */ label) => label }] : []),
      ...(column ? [side(other, OTHER), side(column, aloneLook(roles[column].look))] : [side("a", roles.a.look), side("b", roles.b.look)]),
    ];
    paintOutlines(context, pane, sides, (number) => this.isShown(number));
  }

  /** Whoever looks settles the two that are compared, with outlines of their own. */
  get settles() {
    const { case: part, view } = this.room.store.get();
    const { left, right } = this.comparison;
    const { mine } = part.case ?? {};
    return mine?.kind === "adjudication" && mine.segmentation === view.segmentationId && ![left, right].some((one) => one.segmentation_id === mine.segmentation);
  }

  /** The right column gets its side: outlines and numbers; surfaces come with `paint`. */
  enterColumn() {
    this.leaveColumn();
    const twin = this.room.columns?.twin;
    if (!twin || !this.labels) return;
    const marks = new SpotMarks(this, twin.room);
    const stops = [twin.session.addOverlay((context, pane) => this.drawSides(context, pane, "b")), marks.attach(twin.session)];
    this.columnMarks = marks;
    this.leaveColumn = () => {
      stops.forEach((stop) => stop());
      this.columnMarks = null;
      this.leaveColumn = () => {};
    };
  }

  /** Columns came or go: the same comparison, hung anew. */
  rehang() {
    const session = /** @type {VolumeSession | null} */ (this.room.session);
    const { showing } = this;
    if (!this.part.open || !showing || session?.kind !== "volume") return;
    this.unpaint(session);
    this.enterColumn();
    session.invalidatePlanes();
    if (this.labels && this.comparison.urls.surfaces_a) void this.paint(session, showing.signal).catch((error) => showing.signal.aborted || this.failed(error));
  }

  /** @param {any} error */
  failed(error) {
    this.room.report(interpolate(gettext("The comparison did not load: {reason}"), { reason: /** @type {Error} */ (error).message }), error);
  }

  /** Numbers may change without a new picture. */
  refreshMarks() {
    this.marks.refresh();
    this.columnMarks?.refresh();
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

  /** Bring the chosen side's painted surface; in columns both, each in its own colour. @param {VolumeSession} session @param {AbortSignal} signal */
  async paint(session, signal) {
    const { side } = this.part;
    const twin = this.room.columns?.twin ?? null;
    const { urls, id } = this.comparison;
    const sides = twin ? /** @type {const} */ (["a", "b"]) : [side];
    if (sides.every((one) => this.painted[one])) return;
    const read = await Promise.all(sides.map(async (one) => PaintedSurfaces.read(await bytesOf(urls[`surfaces_${one}`], signal), signal, twin ? this.roles[one].look.colour : undefined)));
    if (signal.aborted || this.comparison.id !== id || (this.room.columns?.twin ?? null) !== twin || (!twin && this.part.side !== side)) return;
    this.unpaint(session);
    const removes = read.map((one, at) => (at === 1 && twin ? twin.session : session).space.addSurfaces(one));
    if (session.surfaces) session.surfaces.group.visible = false;
    sides.forEach((one, at) => {
      this.painted[one] = read[at];
    });
    session.showSpacePlanes();
    twin?.session.showSpacePlanes();
    this.takeAway = () => {
      removes.forEach((remove) => remove());
      this.painted = { a: undefined, b: undefined };
      const own = session.surfaces;
      // The result's own surfaces come back as they were.
      if (own) {
        own.group.visible = true;
        session.space.surfaces = own;
        session.space.looks = undefined;
        session.space.applyClip();
        session.space.setLooks(session.view.segments, session.view.lit);
      }
      session.showSpacePlanes();
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
    if (!session) return;
    for (const painted of [this.painted.a, this.painted.b]) {
      painted?.setRange(this.part.range, this.sign);
      painted?.show([...painted.meshes.keys()].filter((number) => this.isShown(number)));
    }
    session.space.invalidate();
    this.room.columns?.twin?.session.space.invalidate();
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
    const box = (this.painted[this.part.side] ?? this.painted.a)?.boundsOf(number);
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
