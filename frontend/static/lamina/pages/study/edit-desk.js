// The table on which one labelmap is edited: strokes are drawn here at once, sent in order, and laid over what the server
// says. It lives as long as the labelmap is shown. The first change of an algorithm's result asks for a working copy,
// which begins as what is shown: nothing is loaded again.

import { get, newKey, post } from "../../api/client.js";
import { pageData } from "../../components/dom.js";
import { toast, toastError } from "../../components/toast.js";
import { EditedLabels, voxelsOf } from "../../geometry/edited-labels.js";
import { PLANE_NAMES, sliceAt } from "../../geometry/planes.js";
import { NO_SPANS, unionOf } from "../../geometry/spans.js";
import { decodeEffect, decodeSpans, encodeSpans } from "../../geometry/varints.js";
import { gettext, interpolate, known, told } from "../../i18n.js";
import { EditSender } from "../../state/edit-sender.js";
import { mayReplace } from "../../state/edits.js";
import { StepGone } from "../../state/undo.js";

/** @import { Box, Spans } from "../../geometry/spans.js" */
/** @import { Waiting } from "../../geometry/edited-labels.js" */
/** @import { LabelOutlines } from "../../scene/outlines.js" */
/** @import { Room } from "./room.js" */
/** @import { VolumeSession } from "./volume-session.js" */

/** Codes of an undo that can never succeed any more. */
const GONE = new Set(["nothing_to_undo", "nothing_to_redo", "segment_gone", "not_found"]);

/** Kinds of operations that are no step by themselves: steps back, and what a decision about a place brought. */
const NO_STEPS = new Set(["undo", "redo", "take-theirs"]);

/** ms until changes that did not load are asked for again. */
const ASK_AGAIN = 2000;

/** Own steps of before that undo still knows after the page was opened again. */
const REMEMBERED = 200;

/**
 * A stroke under way: `draw` adds voxels, `end` sends it, `cancel` takes it back.
 * @typedef {{ draw: (spans: Spans) => number, end: () => void, cancel: () => void }} Stroke
 */

/** Why a refinement came to nothing: that there was nothing to do is an answer, not an error. @param {any} error */
export const sayWhy = (error) => (error?.code === "nothing_to_do" ? toast(error.message) : toastError(error));

export class EditDesk {
  /** @param {Room} room @param {VolumeSession} session @param {any} segmentation @param {LabelOutlines} outlines @param {number} seq  of the labelmap's last operation */
  constructor(room, session, segmentation, outlines, seq) {
    this.room = room;
    this.session = session;
    this.segmentation = segmentation;
    this.known = seq;
    this.closed = false;
    this.labels = new EditedLabels(outlines.labelmap, session.geometry.shape, (box, labels) => this.touched(outlines, box, labels));
    /** @type {Map<number, number>} */
    this.fresh = new Map();
    this.frame = 0;
    /** Asked of the server, answered by an operation of this id: what to call its step. @type {Map<string, string>} */
    this.asked = new Map();
    /** @type {Promise<void> | null} */
    this.catching = null;
    /** @type {any} */
    this.asking = 0;
    this.sender = new EditSender({
      send: async (operation) => post((await this.working()).urls.operations, { ...operation, base_seq: this.known }),
      onAnswer: (operation, answer) => this.answered(operation.id, answer),
      onRefused: (operation, error) => this.refused(operation, error),
      onState: ({ waiting, away, saved }) => this.set(saved ? { waiting, away, savedAt: Date.now() } : { waiting, away }),
    });
    if (segmentation.kind === "edited") void this.catchUp().then(() => this.remember());
  }

  /** The person's own steps of before: undo goes on where it stood when the page was left. */
  async remember() {
    const me = pageData("shell-data")?.person?.id;
    if (!me || this.known === 0 || this.closed) return;
    const answer = await get(`${this.address}operations/`, { after: Math.max(0, this.known - REMEMBERED), limit: REMEMBERED, effects: 0 }).catch(() => null);
    if (!answer || this.closed || this.room.undo.done.some((/** @type {any} */ step) => step.desk === this)) return;
    for (const operation of answer.operations) {
      if (operation.author?.id === me && !operation.undone && !NO_STEPS.has(operation.kind)) this.pushStep(operation);
    }
  }

  /** @param {Record<string, any>} values */
  set(values) {
    this.room.store.dispatch({ type: "edits.set", values });
  }

  get edits() {
    return this.room.store.get().edits;
  }

  /** Segments as they are now, in list order. @returns {any[]} */
  get segments() {
    return this.room.segmentation?.segments ?? [];
  }

  /** @param {number | null} number */
  segment(number) {
    return this.segments.find((one) => one.number === number) ?? null;
  }

  get address() {
    return `/api/segmentations/${this.segmentation.id}/`;
  }

  // --- drawing ------------------------------------------------------------------------------------------------

  /**
   * Begin a stroke with the active segment, or 0 to erase. `over` null takes what the options say.
   * @param {number} label @param {string} act  what is done, in words @param {number[] | null} [over] @returns {Stroke}
   */
  stroke(label, act, over = mayReplace(this.edits, this.segments.map(({ number }) => number), label)) {
    const id = newKey();
    const waiting = this.labels.begin(id, label, over);
    /** @type {Spans} */
    let all = NO_SPANS;
    let changed = 0;
    return {
      draw: (spans) => {
        all = unionOf(all, spans);
        const more = this.labels.draw(waiting, spans);
        changed += more;
        return more;
      },
      end: () => {
        if (changed === 0) {
          this.labels.withdraw(id);
          return;
        }
        this.compact(waiting, all);
        const about = this.segment(label || this.edits.active);
        this.send({ id, kind: label ? "paint" : "erase", name: this.named(about, act), payload: { ...(label ? { label } : {}), spans: encodeSpans(all), over } });
      },
      cancel: () => this.labels.withdraw(id),
    };
  }

  /** One act at once: what is given becomes `label`. Answers how many voxels changed. @param {Spans} spans @param {number} label @param {string} act @param {number[] | null} [over] */
  apply(spans, label, act, over) {
    const stroke = over === undefined ? this.stroke(label, act) : this.stroke(label, act, over);
    const changed = stroke.draw(spans);
    stroke.end();
    return changed;
  }

  /** Many dabs of a stroke become one: less to lift and lay when another's operation comes in between. @param {Waiting} waiting @param {Spans} all */
  compact(waiting, all) {
    if (this.labels.waiting.at(-1) !== waiting || waiting.dabs.length < 2) return;
    this.labels.lift(waiting);
    waiting.dabs = [];
    this.labels.draw(waiting, all);
  }

  /** @param {any} segment @param {string} act */
  named(segment, act) {
    return (segment ? interpolate(gettext("{segment}, {act}"), { segment: known(segment.label), act }) : act).slice(0, 80);
  }

  // --- to the server --------------------------------------------------------------------------------------------

  /** An operation of the person's own: sent, and put on the stack of steps. @param {{ id?: string, kind: string, name: string, payload: any }} operation @returns {Promise<any>} the answer; null when it was taken back before it left */
  send({ id = newKey(), ...rest }) {
    const operation = { id, ...rest };
    const sent = this.sender.add(operation);
    this.pushStep(operation);
    // Who does not wait for the answer has heard of a refusal by the toast.
    sent.catch(() => {});
    return sent;
  }

  /** Undo goes to the server, which takes back one's own last step only; what has not left yet is simply not sent. @param {{ id: string, kind: string, name: string, payload: any }} operation */
  pushStep(operation) {
    let kept = operation;
    let unsent = false;
    const step = {
      name: operation.name,
      operation: operation.id,
      desk: this,
      undo: async () => {
        unsent = this.sender.drop(kept.id);
        if (unsent) this.labels.withdraw(kept.id);
        else await this.step("undo");
      },
      redo: async () => {
        if (!unsent) {
          await this.step("redo");
          return;
        }
        kept = { ...kept, id: newKey() };
        step.operation = kept.id;
        this.lay(kept);
        void this.sender.add(kept).catch(() => {});
      },
    };
    this.room.undo.push(step);
  }

  /** Draw an operation again that had been withdrawn. @param {any} operation */
  lay({ id, payload, kind }) {
    if (kind !== "paint" && kind !== "erase") return;
    const waiting = this.labels.begin(id, payload.label ?? 0, payload.over);
    this.labels.draw(waiting, decodeSpans(payload.spans));
  }

  /** @param {"undo" | "redo"} way */
  async step(way) {
    await this.sender.idle();
    const id = newKey();
    try {
      await this.answered(id, await post(`${this.address}${way}/`, { id }));
      this.set({ savedAt: Date.now() });
    } catch (error) {
      if (GONE.has(/** @type {any} */ (error).code)) throw new StepGone(/** @type {Error} */ (error).message);
      throw error;
    }
  }

  /** Bring a version back: one more step, which undo takes back. @param {number} seq @param {string} name */
  async restore(seq, name) {
    await this.sender.idle();
    const id = newKey();
    await this.answered(id, await post(`${this.address}restore/`, { id, seq, name }));
    this.set({ savedAt: Date.now() });
    this.pushStep({ id, kind: "restore", name, payload: {} });
  }

  /** Ask the server to work something out; its operation comes as an event. @param {any} prompt @param {string} act  in words @param {string} busy  while it works @param {any} [more] @returns {Promise<any>} the job */
  async refine(prompt, act, busy, more = {}) {
    const id = newKey();
    await this.sender.idle();
    await this.working();
    const name = this.named(this.segment(prompt.segment), act);
    if (!more.preview) this.asked.set(id, name);
    this.set({ busy });
    try {
      const job = await post(`${this.address}refine/`, { id, prompt, name, base_seq: this.known, ...more });
      this.room.store.dispatch({ type: "job.seen", job });
      if (!more.preview) this.ended(job.id).catch((error) => {
        this.asked.delete(id);
        this.set({ busy: null });
        sayWhy(error);
      });
      return job;
    } catch (error) {
      this.asked.delete(id);
      this.set({ busy: null });
      throw error;
    }
  }

  /** Until a job of the server is done; rejects with its own sentence. @param {string} id @returns {Promise<any>} its result */
  ended(id) {
    return new Promise((done, failed) => {
      const stop = this.room.store.watch((state) => state.study.jobs.find((/** @type {any} */ one) => one.id === id), (job) => {
        if (!job || job.state === "queued" || job.state === "running") return;
        // The watch itself is being made while it tells the first time.
        queueMicrotask(() => stop());
        if (job.state === "succeeded") done(job.result);
        else failed(Object.assign(new Error(told(job.error?.message ?? "") || gettext("The server could not work this out.")), { code: job.error?.code }));
      });
    });
  }

  /** The segmentation that may be changed: this one, or the working copy that is made now. @returns {Promise<any>} */
  async working() {
    if (this.segmentation.kind !== "edited") this.adopt(await post(`${this.address}edit/`));
    return this.segmentation;
  }

  /** A working copy of what is shown: the labels are its own from now on. @param {any} copy */
  adopt(copy) {
    if (this.segmentation.id === copy.id) return;
    const before = this.segmentation;
    this.segmentation = copy;
    this.known = 0;
    if (this.room.wantedSegmentation === before.id) this.room.wantedSegmentation = copy.id;
    this.session.result.renew(copy);
    this.room.store.dispatch({ type: "segmentation.loaded", segmentation: copy });
    if ((copy.seq ?? 0) > 0) {
      void this.catchUp();
      for (const segment of copy.segments) if (segment.surface_url) void this.remade(segment);
    }
  }

  // --- from the server --------------------------------------------------------------------------------------------

  /** @param {string} id @param {any} answer */
  async answered(id, answer) {
    const { operation, segments, removed } = answer;
    const told = operation.effect || !operation.changed;
    if (operation.seq === this.known + 1 && told) this.take(operation, id);
    else if (operation.seq > this.known) await this.catchUp();
    else this.labels.settle(id, null);
    this.room.store.dispatch({ type: "segmentation.rows", segmentation_id: this.segmentation.id, seq: operation.seq, segments, removed });
  }

  /** @param {any} operation @param {string} [id] */
  take(operation, id = operation.id) {
    this.known = operation.seq;
    this.labels.settle(id, operation.effect ? decodeEffect(operation.effect) : null);
    const name = this.asked.get(operation.id);
    if (name === undefined) return;
    this.asked.delete(operation.id);
    this.set({ busy: null, savedAt: Date.now() });
    this.pushStep({ id: operation.id, kind: operation.kind, name, payload: {} });
  }

  /** Everything after what is known, in order; asked once at a time. @returns {Promise<void>} */
  catchUp() {
    clearTimeout(this.asking);
    this.catching ??= this.fetchOperations().catch((error) => {
      if (this.closed) return;
      // The event that told of them does not come again: what may still come is asked for until it does.
      if (error.status === 0 || error.status === 429 || error.status >= 500) this.asking = setTimeout(() => void this.catchUp(), ASK_AGAIN);
      if (error.status !== 0) this.room.report(interpolate(gettext("The newest changes did not load: {reason}"), { reason: error.message }), error);
    }).finally(() => {
      this.catching = null;
    });
    return this.catching;
  }

  async fetchOperations() {
    for (let more = true; more && !this.closed; ) {
      const answer = await get(`${this.address}operations/`, { after: this.known, limit: 200, effects: 1 });
      if (this.closed) return;
      for (const operation of answer.operations) if (operation.seq === this.known + 1) this.take(operation);
      more = answer.more && answer.operations.length > 0;
    }
  }

  /** An event of the study. @param {any} event */
  heard({ type, payload }) {
    if (payload?.segmentation_id !== this.segmentation.id) return;
    if (type === "segmentation.edited") {
      const { operation } = payload;
      // The answer to an own one is on its way and brings the effect along.
      if (operation.seq > this.known && operation.id !== this.sender.flying) void this.catchUp();
    } else if (type === "surface.remade") for (const segment of payload.segments) void this.remade(segment);
  }

  /** A surface was made anew: the old one stays until the new one can be drawn. @param {any} segment */
  async remade(segment) {
    const { session } = this;
    const turn = (this.fresh.get(segment.number) ?? 0) + 1;
    this.fresh.set(segment.number, turn);
    try {
      const answer = segment.surface_url ? await fetch(segment.surface_url, { credentials: "same-origin", signal: session.leaving.signal }) : null;
      if (answer && !answer.ok) return;
      const bytes = answer ? await answer.arrayBuffer() : null;
      if (this.closed || this.fresh.get(segment.number) !== turn || !session.surfaces) return;
      await session.surfaces.replaceSegment(segment.number, bytes, { ...segment, colour: session.view.segments[segment.number]?.colour ?? segment.colour });
      if (this.closed || !session.surfaces) return;
      session.space.setLooks(session.view.segments, session.view.lit);
      session.spacePlanes.group.visible = session.planesShown();
      session.space.invalidate();
      session.showTexts();
      this.room.mark("remade");
    } catch (error) {
      if (!session.leaving.signal.aborted) this.room.report(interpolate(gettext("A surface did not load: {reason}"), { reason: /** @type {Error} */ (error).message }), error);
    }
  }

  /** @param {any} operation @param {any} error */
  refused(operation, error) {
    this.labels.withdraw(operation.id);
    this.room.undo.filter((/** @type {any} */ step) => step.operation !== operation.id);
    this.room.report(interpolate(gettext("{step} was not kept: {reason}"), { step: operation.name, reason: error.message }), error);
    if (error.code === "edit_conflict" || error.code === "segment_gone") void this.catchUp();
  }

  // --- what is seen -----------------------------------------------------------------------------------------------

  /** @param {LabelOutlines} outlines @param {Box} box @param {Set<number>} labels */
  touched(outlines, box, labels) {
    const { session } = this;
    outlines.touch(box, labels);
    for (const name of PLANE_NAMES) {
      const plane = session.planes[name];
      const slice = plane.oblique ? -1 : sliceAt(session.geometry, plane, session.view.point ?? session.geometry.centre);
      if (slice < 0 || (slice >= box[2 * plane.axis] && slice <= box[2 * plane.axis + 1])) session.views[name].invalidate();
    }
    for (const label of labels) this.changed.add(label);
    // Sizes are written once per picture, however many dabs fall into it.
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const encloses = this.segmentation.encloses ?? {};
      const outer = Object.keys(encloses).map(Number).filter((number) => encloses[number].some((/** @type {number} */ inner) => this.changed.has(inner)));
      const voxels = Object.fromEntries([...this.changed, ...outer].map((label) => [label, voxelsOf(this.labels.counts, label, encloses)]));
      this.changed.clear();
      this.room.store.dispatch({ type: "edits.voxels", voxels });
    });
  }

  /** @type {Set<number>} */
  changed = new Set();

  close() {
    this.closed = true;
    clearTimeout(this.asking);
    // What comes back to this labelmap asks the server anew.
    this.room.undo.filter((/** @type {any} */ step) => step.desk !== this);
    cancelAnimationFrame(this.frame);
    if (this.sender.waiting > 0) {
      // Closing the series loses nothing: what waits goes on being sent.
      toast(gettext("Changes are still being sent."));
      void this.sender.idle().then(() => this.sender.stop());
    } else this.sender.stop();
    this.set({ busy: null, preview: null });
  }
}
