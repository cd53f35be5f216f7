// Finding how two series of one modality lie to each other, by their values: asked of a worker, shown as a proposal with
// its stated error, stored only when a person accepts it.

import { del, get, post } from "../../../api/client.js";
import "../../../components/job-card.js";
import { fill, h, icon } from "../../../components/dom.js";
import { degrees, mm, number, percent, NARROW } from "../../../components/format.js";
import { toast, toastError } from "../../../components/toast.js";
import { gettext, interpolate, told } from "../../../i18n.js";
import { may } from "../room.js";

/** @import { Room } from "../room.js" */

const UNDER_WAY = new Set(["queued", "running"]);

/** "< 0.1 mm" where one decimal would say nothing. @param {number} value */
export const errorText = (value) => (value < 0.05 ? `<${NARROW}${mm(0.1)}` : mm(value));

export class AutomaticRegistration {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    /** @type {{ fixed: any, moving: any } | null} */
    this.pair = null;
    /** The newest job of the pair. @type {any} */
    this.job = null;
    /** What a person made of it. @type {any} */
    this.transform = null;
    /** A proposal this person does not want to see any more. */
    this.put = "";
    this.busy = false;
    this.asked = 0;
    this.card = /** @type {any} */ (document.createElement("lam-job"));
    this.element = h("div", { class: "automatic", hidden: true });
    room.store.watch((state) => state.study.jobs, (jobs) => {
      const job = jobs.find((/** @type {any} */ one) => one.id === this.job?.id);
      if (!job || job === this.job) return;
      const before = this.job.state;
      this.job = job;
      // The row that ended may have come without what it found.
      if (UNDER_WAY.has(before) && !UNDER_WAY.has(job.state)) void this.look();
      else this.draw();
    });
    this.card.addEventListener("lam-job-changed", (/** @type {any} */ event) => {
      this.job = event.detail;
      room.store.dispatch({ type: "job.seen", job: this.job });
    });
  }

  get address() {
    return `/api/series/${this.pair?.fixed.id}/registration/${this.pair?.moving.id}/`;
  }

  /** Two series of one modality that a person may bring together. */
  get fits() {
    const { study } = this.room.store.get().study;
    const { pair } = this;
    return Boolean(pair && pair.fixed.modality === pair.moving.modality && may(study.may, "annotate") && study.state === "active");
  }

  /** Which two it is about; null: none. @param {any} fixed @param {any} moving */
  about(fixed, moving) {
    const same = this.pair?.fixed.id === fixed?.id && this.pair?.moving.id === moving?.id;
    if (same) return this.draw();
    this.asked += 1;
    this.pair = fixed && moving ? { fixed, moving } : null;
    this.job = this.transform = null;
    this.draw();
    if (this.fits) void this.look();
  }

  async look() {
    const mine = (this.asked += 1);
    const answer = await get(this.address).catch(() => null);
    if (mine === this.asked && answer) this.take(answer);
  }

  /** @param {{ job: any, transform: any }} answer */
  take({ job, transform }) {
    this.job = job;
    this.transform = transform;
    if (job) this.room.store.dispatch({ type: "job.seen", job });
    this.draw();
  }

  /** @param {() => Promise<void>} act */
  async run(act) {
    if (this.busy) return;
    this.busy = true;
    this.draw();
    try {
      await act();
    } catch (error) {
      toastError(error);
    } finally {
      this.busy = false;
      this.draw();
    }
  }

  begin() {
    return this.run(async () => {
      this.put = "";
      this.take(await post(this.address, {}));
    });
  }

  accept() {
    return this.run(async () => {
      this.transform = await post(`${this.address}accept/`, {});
      toast(gettext("The transform is stored. Views of both studies name it."), { kind: "good" });
    });
  }

  /** Take a stored transform away again. @param {any} transform */
  remove(transform) {
    return this.run(async () => {
      await del(`/api/transforms/${transform.id}/`);
      if (this.transform?.id === transform.id) this.transform = null;
    });
  }

  draw() {
    const { job, transform, busy } = this;
    this.element.hidden = !this.fits || Boolean(transform);
    if (this.element.hidden) return;
    const again = (/** @type {string} */ text) => h("button", { class: "button button--small", type: "button", disabled: busy, dataset: { act: "register" }, onclick: () => void this.begin() }, icon("wand-sparkles"), text);
    if (job && UNDER_WAY.has(job.state)) {
      this.card.job = job;
      fill(this.element, this.card);
    } else if (job?.state === "succeeded" && job.result && this.put !== job.id) fill(this.element, this.proposal(job));
    else if (job?.state === "failed") {
      fill(this.element, h("p", { class: "automatic__refused", role: "status" }, icon("triangle-alert", { class: "is-caution" }), h("span", {}, job.error?.message ? told(job.error.message) : gettext("The registration failed."))), again(gettext("Try again")));
    } else fill(this.element, again(gettext("Find it automatically")));
  }

  /** @param {any} job */
  proposal({ id, result }) {
    const line = (/** @type {string} */ name, /** @type {string} */ value, /** @type {string} */ what, /** @type {string} */ title) => h("div", { class: "measure", dataset: { measure: name }, title }, h("dt", {}, what), h("dd", {}, value));
    const before = result.similarity_before === null ? "" : `${number(result.similarity_before, 2)} → `;
    return [
      h("p", { class: "automatic__title" }, gettext("Found. Nothing is stored yet.")),
      h("dl", { class: "automatic__facts" },
        line("error", errorText(result.error_mm), gettext("Stated error"), interpolate(gettext("Mean distance over the body between runs from other starts and the way back; at most {most} anywhere. A mistake that every run makes is not in it."), { most: mm(result.farthest_mm) })),
        line("motion", `${mm(result.shift_mm)}, ${degrees(result.rotation_degrees)}`, gettext("Moves and turns"), gettext("The middle of the body, and the whole of it")),
        line("likeness", `${before}${number(result.similarity_after, 2)}`, gettext("Likeness"), gettext("Correlation of the values inside both bodies, before and after")),
        line("overlap", percent(result.overlap), gettext("Overlap"), gettext("Share of the smaller body that lies in the other"))),
      h("div", { class: "automatic__acts" },
        h("button", { class: "button button--small", type: "button", disabled: this.busy, dataset: { act: "accept-registration" }, onclick: () => void this.accept() }, icon("check"), gettext("Accept")),
        h("button", { class: "button button--small button--quiet", type: "button", onclick: () => {
          this.put = id;
          this.draw();
        } }, gettext("Discard"))),
    ];
  }
}
