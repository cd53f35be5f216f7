// Approval of a case: which outlines are signed, what holds it back, signing, opening again. Talks to the server.

import { call, get, post } from "../../../api/client.js";
import { toastError } from "../../../components/toast.js";

/** @import { Room } from "../room.js" */

/** So long between two questions whether a proposal is ready, ms. */
const ASK_EVERY = 500;
const MOST_QUESTIONS = 120;

export class ApprovalDesk {
  /** @param {Room} room @param {() => void} changed */
  constructor(room, changed) {
    this.room = room;
    this.changed = changed;
    /** As GET approval/ answers it. @type {any} */
    this.told = null;
    /** As GET agreement/ answers it, for the proposals. @type {any} */
    this.agreement = null;
    this.busy = "";
    this.asking = 0;
  }

  get case() {
    return this.room.case?.case;
  }

  /** There is something to show: the case stands at approval and is not sealed to this person. */
  get isHere() {
    return this.case?.stage === "approval" && !this.case.sealed;
  }

  get isSigned() {
    return this.told?.state === "completed";
  }

  /** Reads agreed: everybody sees everything, and a consensus may be made. */
  get isShared() {
    return this.isHere && !this.case.is_blind;
  }

  get address() {
    return `/api/cases/${this.case.id}/`;
  }

  /** @param {boolean} [whole]  also what would be signed: the server hashes every voxel for it */
  async load(whole = false) {
    if (!this.isHere) {
      this.told = null;
      this.changed();
      return;
    }
    const mine = ++this.asking;
    try {
      const [told, agreement] = await Promise.all([get(`${this.address}approval/${whole ? "?whole=1" : ""}`), this.isShared ? get(`${this.address}agreement/`).catch(() => null) : null]);
      if (mine !== this.asking) return;
      this.told = told;
      this.agreement = agreement;
      this.changed();
    } catch (error) {
      if (mine === this.asking) toastError(error);
    }
  }

  /** What holds back this meaning, as sentences. @param {string} meaning @returns {string[]} */
  blocking(meaning) {
    return (this.told?.blocking?.[meaning] ?? []).map((/** @type {any} */ one) => one.sentence);
  }

  /** Outlines that may be signed. @returns {{ id: string, seq: number | null, letter: string }[]} */
  get candidates() {
    const reads = this.case.readings.filter((/** @type {any} */ one) => one.segmentation && one.state === "submitted").map((/** @type {any} */ one) => ({ id: one.segmentation, seq: one.final_seq, letter: one.letter }));
    const shared = this.room.store.get().study.segmentations.filter((/** @type {any} */ one) => one.kind === "edited" && one.series_id === this.case.series_id && !reads.some((/** @type {any} */ read) => read.id === one.id));
    return [...reads, ...shared.map((/** @type {any} */ one) => ({ id: one.id, seq: null, letter: "" }))];
  }

  /** One act at a time. @param {string} name @param {() => Promise<any>} act */
  async act(name, act) {
    if (this.busy) return;
    this.busy = name;
    this.changed();
    try {
      await act();
      await this.load();
    } catch (error) {
      toastError(error);
    } finally {
      this.busy = "";
      this.changed();
    }
  }

  /** @param {{ id: string, seq: number | null }} choice */
  choose({ id, seq }) {
    return this.act("choose", async () => {
      await call("PUT", `${this.address}final/`, { body: { segmentation: id, seq } });
      this.look(id);
    });
  }

  /** Bring outlines into the viewports. @param {string} id */
  look(id) {
    const { room } = this;
    room.wantedSegmentation = id;
    const found = room.store.get().study.segmentations.find((/** @type {any} */ one) => one.id === id);
    if (found) void (/** @type {any} */ (room.session)?.showSegmentation?.(found));
  }

  /** Make the proposal, wait for it, and take it as the shared working copy. @param {string} method */
  consensus(method) {
    return this.act(method, async () => {
      let proposal = await post(`${this.address}consensus/`, { method });
      for (let turn = 0; proposal.state === "working" && turn < MOST_QUESTIONS; turn++) {
        await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
        proposal = await get(`${this.address}consensus/${proposal.id}/`);
      }
      const taken = await post(`${this.address}consensus/${proposal.id}/`);
      await this.room.case?.reload();
      // What was taken is what is looked at.
      this.look(taken.segmentation);
    });
  }

  /** Throws what the server refuses: the dialog says it. @param {string} meaning @param {string} digest  as shown @param {{ password?: string, code?: string }} proof */
  async sign(meaning, digest, proof) {
    await post(`${this.address}approval/`, { meaning, digest, ...proof });
    await this.room.case?.reload();
    await this.load();
  }

  /** @param {string} reason */
  async reopen(reason) {
    await post(`${this.address}reopen/`, { reason });
    await this.room.case?.reload();
    await this.load();
  }
}
