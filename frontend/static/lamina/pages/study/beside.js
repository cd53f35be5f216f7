// Another study of the patient beside this one: the same plane of both, scrolled together by position, each with its
// own window. The other study is a small room of its own: store, frames and session as the page has them, without the
// panel. Layout "beside" shows it; any other layout lets it go.

import { get } from "../../api/client.js";
import { toastError } from "../../components/toast.js";
import { add, applyAffine, invertAffine, subtract } from "../../geometry/vectors.js";
import { gettext } from "../../i18n.js";
import { besideSeries } from "../../state/hanging.js";
import { VIEWING } from "../../tools/viewing.js";
import { BesideBar } from "./beside-bar.js";
import { keyActs, listenToPlane } from "./controls.js";
import { PLANES, makeFrames, setNotice } from "./frames.js";
import { VolumeSession } from "./volume-session.js";

/** @import { BesideSeen } from "../../state/address.js" */
/** @import { Point } from "../../geometry/vectors.js" */
/** @import { Room } from "./room.js" */

/** Settings of the page that both studies follow. */
const SHARED = /** @type {const} */ (["interpolated", "texts", "outlines", "fill"]);
/** Acts that concern one plane: while the other study is active, they are about it. */
const PLANE_ACTS = /^(slice-|zoom-|window-|fit$|reset$|invert$)/;

/**
 * How places of this study are found in the other one: prior = matrix * point + offset, LPS mm.
 * @typedef {object} Relation
 * @property {boolean} linked
 * @property {number[][]} matrix @property {number[][]} inverse
 * @property {Point} offset  the reader's own
 * @property {boolean} exact  the same frame of reference, or a stored transform
 * @property {string} sentence  where the relation comes from
 */

/** @type {number[][]} */
const IDENTITY = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]];

/** What is open beside. @typedef {{ room: any, study: any, session: VolumeSession, stops: (() => void)[] }} Other */

export class Beside {
  /** @param {Room} room @param {HTMLElement} place  the bar stands before it */
  constructor(room, place) {
    this.room = room;
    /** @type {Other | null} */
    this.other = null;
    /** @type {Relation} */
    this.relation = { linked: true, matrix: IDENTITY, inverse: IDENTITY, offset: [0, 0, 0], exact: false, sentence: "" };
    /** Keys and window presets are about the other study. */
    this.active = false;
    this.moving = false;
    this.asked = 0;
    this.bar = new BesideBar(this);
    place.before(this.bar.element);
    room.store.watch((state) => state.view.layout, (layout) => layout !== "beside" && this.close());
    room.store.watch((state) => [state.view.main, state.view.large].join(), () => this.showPlane());
    room.store.watch((state) => state.view.point, () => this.follow());
    room.store.watch((state) => state.view, (view, before) => this.share(view, before));
    room.onSession((session) => {
      if (this.other) void this.relate(session);
    });
    room.grid.addEventListener("pointerdown", (event) => this.activate(this.isOther(event.target)), { capture: true });
    room.grid.addEventListener("focusin", (event) => this.activate(this.isOther(event.target)));
    this.addActs();
  }

  /** Where window presets and keys go. @returns {any} */
  get target() {
    return this.active && this.other ? this.other.room : this.room;
  }

  /** @param {EventTarget | null} target */
  isOther(target) {
    const pane = target instanceof Element ? target.closest("[data-viewport]") : null;
    return pane instanceof HTMLElement && pane.dataset.viewport?.startsWith("prior-") === true;
  }

  /** @param {boolean} on */
  activate(on) {
    this.active = on && this.other !== null;
    this.room.grid.toggleAttribute("data-beside-active", this.active);
    if (!this.other) return;
    for (const name of PLANES) this.other.room.frames[name].element.toggleAttribute("data-active", this.active);
  }

  addActs() {
    /** @type {Record<string, Record<string, (event: any) => any>>} */
    let made = {};
    const names = Object.keys(keyActs(this.room)).filter((name) => PLANE_ACTS.test(name));
    this.room.addActs(Object.fromEntries(names.map((name) => [name, (/** @type {any} */ event) => {
      if (!this.active || !this.other) return false;
      const { id } = this.other.study;
      made = made[id] ? made : { [id]: keyActs(this.other.room) };
      return made[id][name](event);
    }])));
  }

  /**
   * @param {string} studyId @param {{ series?: string, restored?: BesideSeen }} [wanted]
   */
  async open(studyId, { series: seriesId, restored } = {}) {
    const { room } = this;
    const { session, store } = room;
    if (session?.kind !== "volume") {
      toastError(new Error(gettext("A prior stands beside a volume only.")));
      return;
    }
    const asked = ++this.asked;
    const prior = store.get().study.priors.find((one) => one.id === studyId);
    const series = prior && (prior.series.find((/** @type {any} */ one) => one.id === seriesId && one.volume) ?? besideSeries(session.series, prior) ?? prior.series.find((/** @type {any} */ one) => one.volume));
    if (!series) {
      toastError(new Error(gettext("That study has no volume to show.")));
      return;
    }
    this.close();
    try {
      const answer = await get(`/api/studies/${studyId}/`);
      if (asked !== this.asked || !room.session) return;
      this.show(answer, series, restored !== undefined);
      if (!restored) await this.relate(room.session);
      else this.restore(restored);
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {any} answer  the other study @param {any} series  of it @param {boolean} keepsPlane  an address said which */
  show(answer, series, keepsPlane) {
    const { room } = this;
    const { active, main } = room.store.get().view;
    room.store.dispatch({ type: "view.set", values: { layout: "beside", protocol: "prior", large: null, main: keepsPlane || active === "surfaces" ? main : active } });
    const frames = makeFrames(room.grid, "prior-");
    // Outlines of its results are shown on the planes; its surfaces would have no place.
    const segmentations = answer.segmentations.map((/** @type {any} */ one) => ({ ...one, urls: { ...one.urls, surfaces: null } }));
    // The corner of the image says which study it is.
    const store = room.makeStore({ ...answer, segmentations, pseudonym: [answer.pseudonym, answer.study_date].filter(Boolean).join(" · ") });
    const other = {
      ...room, store, frames, early: new Map(), session: /** @type {any} */ (null), segmentation: null, wantedSegmentation: null, beside: null, hanging: null,
      // Marks are of this study: in the other one there is none to take hold of.
      marks: undefined,
      mark: () => {}, onSession: () => {}, addActs: () => () => {}, openSeries: () => {},
    };
    if (Math.max(...series.volume.shape) > room.stage.largest3d) {
      setNotice(frames.axial, { symbol: "triangle-alert", text: gettext("This series is too large for this graphics card") });
      return;
    }
    const session = new VolumeSession(/** @type {any} */ (other), series);
    other.session = session;
    const stops = [
      ...PLANES.map((name) => listenToPlane(/** @type {any} */ (other), name)),
      store.watch((/** @type {any} */ state) => state.view.point, () => this.lead()),
      store.watch((/** @type {any} */ state) => state.view.windows, () => room.link?.write()),
    ];
    this.other = { room: other, study: answer, session, stops };
    this.share(room.store.get().view, undefined);
    this.showPlane();
    this.bar.show();
  }

  /** Ask the server how the two lie to each other. @param {any} session  of this study */
  async relate(session) {
    const { other } = this;
    if (!other || session.kind !== "volume") return;
    /** @type {{ allowed: boolean, matrix: number[][] | null, sentence: string }} */
    let answer = { allowed: false, matrix: null, sentence: "" };
    try {
      answer = await get(`/api/series/${other.session.series.id}/fusion/${session.series.id}/`);
    } catch { /* then by the middle of both */ }
    if (this.other !== other) return;
    const exact = answer.allowed && answer.matrix !== null;
    const matrix = exact ? /** @type {number[][]} */ (answer.matrix) : IDENTITY;
    // Without a common frame the middle of both is a start; the reader's own offset is better and soon set.
    const offset = exact ? /** @type {Point} */ ([0, 0, 0]) : subtract(other.session.geometry.centre, session.geometry.centre);
    const sentence = exact ? answer.sentence : gettext("Linked by the middle of both, because they have no common frame of reference. Unlink, scroll to the same place, link again.");
    this.relation = { linked: true, matrix, inverse: invertAffine(matrix), offset, exact, sentence };
    this.follow();
    this.bar.show();
  }

  /** From an address. @param {BesideSeen} seen */
  restore({ linked, offset, window }) {
    const { other, room } = this;
    if (!other) return;
    if (window) other.room.store.dispatch({ type: "view.window", plane: "axial", window });
    void this.relate(room.session).then(() => {
      this.relation = { ...this.relation, linked, offset };
      this.follow();
      this.bar.show();
    });
  }

  /** Linked again: what the reader lined up by hand is the offset from now on. @param {boolean} linked */
  setLinked(linked) {
    const [here, there] = [this.room.store.get().view.point, this.other?.room.store.get().view.point];
    const offset = linked && here && there ? subtract(there, applyAffine(this.relation.matrix, here)) : this.relation.offset;
    this.relation = { ...this.relation, linked, offset: /** @type {Point} */ (offset) };
    this.bar.show();
    this.room.link?.write();
  }

  /** This study moved: the other goes along. */
  follow() {
    const point = this.room.store.get().view.point;
    if (!this.other || !this.relation.linked || this.moving || !point) return;
    this.moving = true;
    this.other.session.goTo(add(applyAffine(this.relation.matrix, point), this.relation.offset));
    this.moving = false;
  }

  /** The other study moved: this one goes along. */
  lead() {
    const point = this.other?.room.store.get().view.point;
    if (!point || !this.relation.linked || this.moving) return;
    this.moving = true;
    /** @type {any} */ (this.room.session)?.goTo?.(applyAffine(this.relation.inverse, subtract(point, this.relation.offset)));
    this.moving = false;
  }

  /** @param {any} view @param {any} before */
  share(view, before) {
    if (!this.other) return;
    const { store } = this.other.room;
    const values = Object.fromEntries(SHARED.filter((name) => view[name] !== before?.[name]).map((name) => [name, view[name]]));
    if (Object.keys(values).length > 0) store.dispatch({ type: "view.set", values });
    if (view.tool === before?.tool) return;
    // Marks and edits belong to this study; in the other one only the tools of looking work.
    store.dispatch({ type: "view.set", values: { tool: VIEWING.some(({ id }) => id === view.tool) ? view.tool : "window" } });
  }

  /** One plane of the other study, the one that this study shows. */
  showPlane() {
    if (!this.other) return;
    const { main, large } = this.room.store.get().view;
    const { frames, store } = this.other.room;
    for (const name of PLANES) {
      frames[name].element.hidden = name !== main || large !== null;
      frames[name].element.dataset.place = "prior";
    }
    frames.surfaces.element.hidden = true;
    store.dispatch({ type: "view.set", values: { layout: "1x1", main, active: main } });
    this.room.stage.resize();
    this.bar.show();
  }

  /** What an address needs. @returns {BesideSeen | null} */
  get seen() {
    if (!this.other) return null;
    const { linked, offset } = this.relation;
    const { windows, main } = this.other.room.store.get().view;
    const opening = this.other.session.openingWindow;
    const window = windows[main];
    const same = !window || (window.width === opening.width && window.level === opening.level);
    return { study: this.other.study.id, series: this.other.session.series.id, linked, offset, window: same ? null : window };
  }

  close() {
    this.activate(false);
    const { other } = this;
    if (!other) return;
    this.other = null;
    other.stops.forEach((stop) => stop());
    other.session.close();
    for (const { element } of Object.values(other.room.frames)) /** @type {HTMLElement} */ (element).remove();
    this.bar.show();
    this.room.stage.resize();
  }
}

/** @param {Room} room */
export function makeBeside(room) {
  room.beside = new Beside(room, room.grid);
}
