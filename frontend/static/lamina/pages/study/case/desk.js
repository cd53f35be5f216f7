// What a reader does with a case: begin, answer, commit, decide, submit. Talks to the server and tells the store; the
// parts of the page draw what the store says.

import { call, del, get, newKey, post } from "../../../api/client.js";
import { pageData, settled } from "../../../components/dom.js";
import { toast, toastError } from "../../../components/toast.js";
import { gettext, interpolate } from "../../../i18n.js";
import { nextOpen, phaseOf, unanswered, undrawn } from "../../../state/case.js";
import { ReadingClock } from "../../../state/reading-clock.js";
import { StepGone } from "../../../state/undo.js";

/** @import { CasePart, Place } from "../../../state/case.js" */
/** @import { Room } from "../room.js" */

/** Signs of life of a reader. */
const HANDS = ["pointermove", "pointerdown", "wheel", "keydown", "touchstart"];

export class CaseDesk {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    this.clock = new ReadingClock(0);
    /** When the chosen place came into sight, ms. */
    this.lookedAt = 0;
    this.asking = 0;
    /** Answers not yet with the server. */
    this.unsaved = false;
    this.saveSoon = settled(() => void this.save(), 500);
    this.listen();
  }

  /** @returns {CasePart} */
  get part() {
    return this.room.store.get().case;
  }

  get case() {
    return this.part.case;
  }

  get phase() {
    return phaseOf(this.case);
  }

  /** The page belongs to an own read, or ruling, that is not over. */
  get isOpen() {
    return Boolean(this.case?.mine) && (this.phase === "reading" || this.phase === "comparing");
  }

  /** Required questions of the form that are still open. */
  get unanswered() {
    return unanswered(this.case?.protocol?.form ?? [], this.part.answers);
  }

  get address() {
    return `/api/readings/${this.case.mine.id}/`;
  }

  /** The own labelmap as the page's state has it. */
  get segmentation() {
    const id = this.case?.mine?.segmentation;
    return this.room.store.get().study.segmentations.find((/** @type {any} */ one) => one.id === id) ?? null;
  }

  /** Segments of the protocol nothing was drawn in, by what stands on this page. */
  get empty() {
    const { edits } = this.room.store.get();
    const drawn = (this.segmentation?.segments ?? []).map((/** @type {any} */ one) => ({ number: one.number, voxels: edits.voxels[one.number] ?? one.voxels }));
    return undrawn(this.case?.protocol?.segments ?? [], drawn);
  }

  /** @param {string} type @param {Record<string, any>} [more] */
  tell(type, more = {}) {
    this.room.store.dispatch({ type, ...more });
  }

  // --- time ---------------------------------------------------------------------------------------------------

  listen() {
    for (const name of HANDS) window.addEventListener(name, () => this.isOpen && document.visibilityState === "visible" && this.clock.touch(), { passive: true, capture: true });
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.clock.pause());
    window.addEventListener("beforeunload", () => void (this.unsaved && this.save()));
  }

  // --- acts ---------------------------------------------------------------------------------------------------

  /** One act at a time; what the server refuses is said. @param {string} name @param {() => Promise<any>} act */
  async act(name, act) {
    if (this.part.busy) return;
    this.tell("case.busy", { busy: name });
    try {
      await act();
    } catch (error) {
      toastError(error);
      await this.reload().catch(() => {});
    } finally {
      this.tell("case.busy", { busy: "" });
    }
  }

  begin() {
    return this.act("begin", async () => {
      await post(`${this.address}begin/`);
      await this.reload();
    });
  }

  /** The study as it is for this person now: what a commit opens is in it. */
  async reload() {
    const { id } = this.room.store.get().study.study;
    const answer = await get(`/api/studies/${id}/`);
    this.tell("study.loaded", { answer });
    this.room.follow?.(answer.streams ?? {});
    return answer;
  }

  /** Everything drawn is with the server; the number of the last operation. */
  async settledSeq() {
    const desk = this.room.editing?.desk();
    if (desk && desk.segmentation.id === this.case.mine.segmentation) {
      await desk.sender.idle();
      return desk.known;
    }
    return this.segmentation?.seq ?? 0;
  }

  /** Throws what the server refuses: the dialog says it. */
  async commit() {
    this.tell("case.busy", { busy: "commit" });
    try {
      const seq = await this.settledSeq();
      this.clock.pause();
      await post(`${this.address}commit/`, { answers: this.part.answers, seq, seconds: this.clock.take() }, { key: newKey() });
      this.unsaved = false;
      // Steps before the commit are kept for ever as they were.
      this.room.undo.filter(() => false);
      await this.reload();
    } finally {
      this.tell("case.busy", { busy: "" });
    }
    await this.differences(true);
  }

  async submit() {
    this.tell("case.busy", { busy: "submit" });
    try {
      const seq = await this.settledSeq();
      this.clock.pause();
      await post(`${this.address}submit/`, { answers: this.part.answers, seq, seconds: this.clock.take() }, { key: newKey() });
      this.unsaved = false;
      this.room.undo.filter(() => false);
      await this.reload();
    } finally {
      this.tell("case.busy", { busy: "" });
    }
  }

  // --- the form -----------------------------------------------------------------------------------------------

  /** @param {string} key @param {any} value */
  answer(key, value) {
    this.tell("case.answer", { key, value });
    this.unsaved = true;
    this.room.store.dispatch({ type: "edits.set", values: { busy: gettext("Saving") } });
    this.saveSoon();
  }

  async save() {
    // Committed or submitted meanwhile: the answers went along.
    if (!this.isOpen) return void this.room.store.dispatch({ type: "edits.set", values: { busy: null } });
    // An act under way takes the answers along; what it leaves is saved afterwards.
    if (this.part.busy) return void this.saveSoon();
    const sent = this.part.answers;
    try {
      await call("PUT", `${this.address}answers/`, { body: { answers: sent } });
      if (this.part.answers !== sent) return;
      this.unsaved = false;
      this.room.store.dispatch({ type: "edits.set", values: { busy: null, savedAt: Date.now() } });
    } catch (error) {
      this.room.store.dispatch({ type: "edits.set", values: { busy: null } });
      toast(interpolate(gettext("The answer is not saved yet: {reason}"), { reason: /** @type {Error} */ (error).message }), { kind: "bad", act: { text: gettext("Retry"), run: () => void this.save() } });
    }
  }

  // --- differences --------------------------------------------------------------------------------------------

  /** @param {boolean} [ask]  let the server work them out where nobody has */
  async differences(ask = false) {
    if (this.phase !== "comparing" && this.phase !== "submitted") return;
    const mine = ++this.asking;
    try {
      const differences = await (ask ? post(`${this.address}differences/`) : get(`${this.address}differences/`));
      if (mine === this.asking) this.tell("case.differences", { differences });
    } catch (error) {
      if (mine === this.asking) this.tell("case.differences", { differences: { state: "failed", comparison: null, segments: [], places: [], first: null, other: null, problem: /** @type {Error} */ (error).message } });
    }
  }

  /** @param {Place} place */
  look(place) {
    this.lookedAt = Date.now();
    this.tell("case.place", { place: place.n });
    const { comparison, session } = this.room;
    if (comparison?.part.open && comparison.comparison?.id === this.part.differences?.comparison && comparison.goTo(place.n)) return;
    const point = place.middle_mm ?? place.centroid_mm;
    if (point) session?.goTo?.(point);
  }

  /** @param {Place} place @param {"keep" | "take" | "edit"} act @param {string} [reason] */
  async decide(place, act, reason = "") {
    const before = place.verdict;
    const name = interpolate({ keep: gettext("Place {n}, keep mine"), take: gettext("Place {n}, take theirs"), edit: gettext("Place {n}, edit") }[act], { n: place.n });
    // On the stack before anything is seen of it: an undo a moment later means this decision.
    const verdict = await this.send(place, act, reason, () => this.room.undo.push({
      name,
      undo: () => this.again(place, before),
      redo: () => this.again(place, { act, reason }),
    }));
    if (act !== "edit") {
      const { places } = /** @type {any} */ (this.part.differences);
      const next = places.find((/** @type {Place} */ { n }) => n === nextOpen(places, place.n));
      if (next && next.n !== place.n) this.look(next);
    }
    return verdict;
  }

  /** A step of before, or none. @param {Place} place @param {any} verdict */
  async again(place, verdict) {
    if (this.phase !== "comparing") throw new StepGone(gettext("The read is submitted; it no longer changes."));
    if (verdict) await this.send(place, verdict.act, verdict.reason);
    else {
      await del(`${this.address}verdicts/${encodeURIComponent(place.key)}/`);
      this.tell("case.verdict", { key: place.key, verdict: null });
      await this.room.editing?.desk()?.catchUp();
    }
    this.look(place);
  }

  /** @param {Place} place @param {"keep" | "take" | "edit"} act @param {string} reason @param {() => void} [given]  the server has it */
  async send(place, act, reason, given) {
    await this.room.editing?.desk()?.sender.idle();
    const seconds = this.lookedAt ? Math.round((Date.now() - this.lookedAt) / 1000) : 0;
    const verdict = await post(`${this.address}verdicts/`, { key: place.key, act, reason, seconds });
    given?.();
    this.tell("case.verdict", { key: place.key, verdict });
    this.room.store.dispatch({ type: "edits.set", values: { savedAt: Date.now() } });
    // What "take theirs" wrote comes with the stream, too; asking makes the picture follow the click.
    await this.room.editing?.desk()?.catchUp();
    return verdict;
  }

  /** Whose page this is. */
  get me() {
    return pageData("shell-data")?.person ?? null;
  }
}
