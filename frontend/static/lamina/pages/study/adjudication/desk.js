// What an adjudicator does with a case: begin from a read, pick at each place, give the reason, submit. Talks to the
// server; the panel draws what `told` says.

import { get, post } from "../../../api/client.js";
import { toastError } from "../../../components/toast.js";
import { decode } from "../../../state/address.js";
import { isPair } from "../../../state/view.js";

/** @import { Room } from "../room.js" */

/**
 * One place where two reads differ, of a pair over a limit.
 * @typedef {{ pair: any, region: any, choice: string }} Place
 */

export class AdjudicationDesk {
  /** @param {Room} room @param {() => void} changed */
  constructor(room, changed) {
    this.room = room;
    this.changed = changed;
    /** As the server answers it; null before. @type {any} */
    this.told = null;
    /** Comparisons by id, once loaded. @type {Map<string, any>} */
    this.comparisons = new Map();
    this.reason = "";
    this.busy = false;
    this.chosen = "";
    this.asking = 0;
    /** The two columns were laid out once; what the person chooses afterwards stays. */
    this.laid = false;
    /** What the address said when the page was opened. */
    this.linked = decode(location.hash)?.seen?.layout;
  }

  get case() {
    return this.room.case?.case;
  }

  /** The case is this person's to settle. */
  get isMine() {
    return this.case?.mine?.kind === "adjudication";
  }

  get isOpen() {
    return this.isMine && this.case.mine.state === "in_progress" && Boolean(this.told?.base);
  }

  get address() {
    return `/api/cases/${this.case.id}/adjudication/`;
  }

  async load() {
    if (!this.isMine) return;
    const mine = ++this.asking;
    try {
      const told = await get(this.address);
      const wanted = told.agreement.pairs.map((/** @type {any} */ pair) => pair.comparison).filter((/** @type {any} */ id) => id && !this.comparisons.has(id));
      for (const comparison of await Promise.all(wanted.map((/** @type {string} */ id) => get(`/api/comparisons/${id}/`)))) this.comparisons.set(comparison.id, comparison);
      if (mine !== this.asking) return;
      this.take(told);
      await this.show();
    } catch (error) {
      toastError(error);
    }
  }

  /** The case was given to somebody else: the two reads are no longer this person's to look at. */
  leave() {
    if (this.told) {
      this.asking += 1;
      this.told = null;
      this.laid = false;
      this.room.comparison?.hide();
      if (isPair(this.room.store.get().view.layout)) this.room.store.dispatch({ type: "view.set", values: { layout: "2x2", large: null } });
    }
    this.changed();
  }

  /** @param {any} told */
  take(told) {
    this.told = told;
    this.changed();
  }

  /** A and B in columns, once; an address that says another layout is followed. */
  lay() {
    if (this.laid || this.room.session?.kind !== "volume") return;
    this.laid = true;
    const { layout } = this.room.store.get().view;
    if (!isPair(layout) && (!this.linked || isPair(this.linked))) this.room.store.dispatch({ type: "view.set", values: { layout: "pair", large: null, protocol: null } });
  }

  /** Both outlines and the surfaces of the pair that is over a limit. */
  async show() {
    this.lay();
    const pair = this.told?.agreement.pairs.find((/** @type {any} */ one) => one.is_within === false && one.comparison);
    if (pair && !this.room.store.get().compare.open) await this.room.comparison?.show(pair.comparison);
  }

  /** Every place to decide, largest first within each pair. @returns {Place[]} */
  get places() {
    return (this.told?.agreement.pairs ?? []).filter((/** @type {any} */ pair) => pair.is_within === false).flatMap((/** @type {any} */ pair) => {
      const over = new Set(pair.excesses.map((/** @type {any} */ one) => one.number));
      const regions = this.comparisons.get(pair.comparison)?.result?.regions ?? [];
      return regions.filter((/** @type {any} */ region) => over.has(region.number)).map((/** @type {any} */ region) => {
        const pick = this.told.picks.find((/** @type {any} */ one) => one.agreement === pair.id && one.n === region.n);
        return { pair, region, choice: pick?.choice ?? "" };
      });
    });
  }

  /** @param {Place} place */
  static key({ pair, region }) {
    return `${pair.id} ${region.n}`;
  }

  /** Planes and 3D go there. @param {Place} place */
  async look(place) {
    this.chosen = AdjudicationDesk.key(place);
    this.changed();
    await this.room.comparison?.show(place.pair.comparison);
    this.room.comparison?.goTo(place.region.n);
  }

  /** One act at a time. @param {() => Promise<any>} act */
  async act(act) {
    if (this.busy) return;
    this.busy = true;
    this.changed();
    try {
      await act();
    } catch (error) {
      toastError(error);
    } finally {
      this.busy = false;
      this.changed();
    }
  }

  /** @param {string} base */
  begin(base) {
    return this.act(async () => {
      const told = await post(this.address, { base });
      await this.room.case?.reload();
      this.take(told);
    });
  }

  /** @param {Place} place @param {string} choice */
  pick(place, choice) {
    return this.act(async () => {
      this.take(await post(`${this.address}picks/`, { agreement: place.pair.id, n: place.region.n, choice }));
      const next = this.places.find((one) => !one.choice);
      if (choice !== "own" && next) await this.look(next);
    });
  }

  /** What stands in the way of submitting, if anything. @returns {"reason" | "places" | "answers" | null} */
  get missing() {
    if ((this.told?.open_places ?? 0) > 0) return "places";
    if ((this.room.case?.unanswered ?? []).length > 0) return "answers";
    return this.reason.trim() ? null : "reason";
  }

  /** Throws what the server refuses: the dialog says it. */
  async submit() {
    const { room } = this;
    room.store.dispatch({ type: "case.busy", busy: "submit" });
    try {
      const seq = await room.case?.settledSeq();
      const told = await post(`${this.address}submit/`, { seq, reason: this.reason.trim(), answers: room.case?.part.answers ?? {} });
      room.undo.filter(() => false);
      await room.case?.reload();
      this.take(told);
    } finally {
      room.store.dispatch({ type: "case.busy", busy: "" });
    }
  }
}
