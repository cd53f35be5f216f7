// Another study of the patient beside this one: a plane, all planes or the surfaces of both, moved together by position,
// each with its own window, its own result and its own measurements. The other study is a small room of its own: store,
// frames and session as the page has them, without the panel. The layouts "beside…" show it; any other lets it go.

import { get } from "../../api/client.js";
import { toastError } from "../../components/toast.js";
import { gettext } from "../../i18n.js";
import { besideSeries } from "../../state/hanging.js";
import { isBeside, shownViewports } from "../../state/view.js";
import { VIEWING } from "../../tools/viewing.js";
import { BesideBar } from "./beside-bar.js";
import { BesideLink } from "./beside-link.js";
import { showMarks } from "./beside-marks.js";
import { keyActs, listenToPlane, listenToSpace } from "./controls.js";
import { PLANES, VIEWPORTS, makeFrames, setNotice } from "./frames.js";
import { VolumeSession } from "./volume-session.js";

/** @import { BesideSeen } from "../../state/address.js" */
/** @import { Layout } from "../../state/view.js" */
/** @import { ViewportName } from "./frames.js" */
/** @import { Room } from "./room.js" */

/** Settings of the page that both studies follow. */
const SHARED = /** @type {const} */ (["interpolated", "texts", "outlines", "fill", "planesIn3d"]);
/** Acts that concern one plane: while the other study is active, they are about it. */
const PLANE_ACTS = /^(slice-|zoom-|window-|fit$|reset$|invert$)/;

/** What is open beside. @typedef {{ room: any, study: any, session: VolumeSession, stops: (() => void)[] }} Other */

export class Beside {
  /** @param {Room} room @param {HTMLElement} place  the bar stands before it */
  constructor(room, place) {
    this.room = room;
    /** @type {Other | null} */
    this.other = null;
    /** Keys and window presets are about the other study. */
    this.active = false;
    this.asked = 0;
    this.link = new BesideLink(this);
    this.bar = new BesideBar(this);
    place.before(this.bar.element);
    room.store.watch((state) => state.view.layout, (layout) => !isBeside(layout) && this.close());
    room.store.watch((state) => [state.view.layout, state.view.main, state.view.large].join(), () => this.place());
    room.store.watch((state) => state.view, (view, before) => this.share(view, before));
    // A transform that is stored or taken away changes how the two lie to each other.
    room.store.watch((state) => state.study.transforms, (_, before) => before && this.other && void this.link.relate().then(() => this.bar.show()));
    room.onSession(() => {
      if (!this.other) return undefined;
      const stop = this.link.listen();
      void this.link.relate().then(() => this.bar.show());
      return stop;
    });
    room.grid.addEventListener("pointerdown", (event) => this.activate(this.isOther(event.target)), { capture: true });
    room.grid.addEventListener("focusin", (event) => this.activate(this.isOther(event.target)));
    this.addActs();
  }

  get relation() {
    return this.link.relation;
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
    this.markActive();
  }

  /** The ring round the other study's active viewport. */
  markActive() {
    if (!this.other) return;
    const { frames, store } = this.other.room;
    const { active } = store.get().view;
    for (const name of VIEWPORTS) frames[name].element.toggleAttribute("data-active", this.active && name === active);
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
   * @param {string} studyId
   * @param {{ series?: string, restored?: BesideSeen, layout?: Layout }} [wanted]  restored: as an address has it
   */
  async open(studyId, { series: seriesId, restored, layout } = {}) {
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
    const before = store.get().view.layout;
    this.close();
    try {
      const answer = await get(`/api/studies/${studyId}/`);
      if (asked !== this.asked || !room.session) return;
      this.show(answer, series, layout ?? (isBeside(before) ? before : "beside"), restored !== undefined);
      if (restored?.window) this.other?.room.store.dispatch({ type: "view.window", plane: "axial", window: restored.window });
      await this.link.relate();
      if (restored) this.link.set({ linked: restored.linked, offset: restored.offset });
      this.bar.show();
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {any} answer  the other study @param {any} series  of it @param {Layout} layout @param {boolean} keepsPlane  an address said which */
  show(answer, series, layout, keepsPlane) {
    const { room } = this;
    const { active, main } = room.store.get().view;
    room.store.dispatch({ type: "view.set", values: { layout, protocol: "prior", large: null, main: keepsPlane || active === "surfaces" ? main : active } });
    const frames = makeFrames(room.grid, "prior-");
    const store = room.makeStore(answer);
    store.dispatch({ type: "marks.loaded", annotations: answer.annotations ?? [] });
    const other = {
      ...room, store, frames, early: new Map(), session: /** @type {any} */ (null), segmentation: null, wantedSegmentation: null, beside: null, hanging: null,
      // Marks are made in this study: in the other one there is none to take hold of.
      marks: undefined,
      mark: () => {}, onSession: () => {}, addActs: () => () => {}, openSeries: () => {},
    };
    if (Math.max(...series.volume.shape) > room.stage.largest3d) {
      setNotice(frames.axial, { symbol: "triangle-alert", text: gettext("This series is too large for this graphics card") });
      return;
    }
    const session = new VolumeSession(/** @type {any} */ (other), series);
    other.session = session;
    // Its camera goes where this study's camera stands, not to its own surfaces.
    session.result.looked = true;
    this.other = { room: other, study: answer, session, stops: [] };
    this.other.stops = [
      ...PLANES.map((name) => listenToPlane(/** @type {any} */ (other), name)),
      listenToSpace(/** @type {any} */ (other)),
      showMarks(session),
      this.link.listen(),
      store.watch((/** @type {any} */ state) => state.view.windows, () => room.link?.write()),
      store.watch((/** @type {any} */ state) => state.view.active, () => this.markActive()),
      store.watch((/** @type {any} */ state) => state.view.segmentationId, () => this.shareLooks()),
    ];
    this.share(room.store.get().view, undefined);
    this.place();
    this.bar.show();
  }

  /** @param {boolean} linked */
  setLinked(linked) {
    this.link.setLinked(linked);
    this.bar.show();
    this.room.link?.write();
  }

  /** @param {any} view @param {any} before */
  share(view, before) {
    if (!this.other) return;
    const { store } = this.other.room;
    const values = Object.fromEntries(SHARED.filter((name) => view[name] !== before?.[name]).map((name) => [name, view[name]]));
    if (Object.keys(values).length > 0) store.dispatch({ type: "view.set", values });
    if (view.segments !== before?.segments) this.shareLooks();
    if (view.tool === before?.tool) return;
    // Marks and edits belong to this study; in the other one only the tools of looking work.
    store.dispatch({ type: "view.set", values: { tool: VIEWING.some(({ id }) => id === view.tool) ? view.tool : "window" } });
  }

  /** Segments of one name are shown, coloured and seen through alike in both studies. */
  shareLooks() {
    const { both } = this.link;
    if (!both) return;
    const { own, other } = both;
    const looks = new Map([...own.segments.values()].map(({ label, number }) => [label, own.view.segments[number]]));
    for (const { label, number } of other.segments.values()) {
      const [look, now] = [looks.get(label), other.view.segments[number]];
      if (!look || !now || (look.shown === now.shown && look.colour === now.colour && look.opacity === now.opacity)) continue;
      other.room.store.dispatch({ type: "view.segment", number, look });
    }
  }

  /** The other study shows what this one shows: the same viewports, in places of its own. */
  place() {
    if (!this.other) return;
    const { layout, main, large } = this.room.store.get().view;
    const { frames, store } = this.other.room;
    const names = shownViewports({ layout, main, large: null, active: main });
    for (const name of VIEWPORTS) {
      frames[name].element.hidden = !names.includes(name) || large !== null;
      frames[name].element.dataset.place = names.length === 1 ? "prior" : `prior-${"abcd"[names.indexOf(name)] ?? ""}`;
    }
    const { active } = store.get().view;
    store.dispatch({ type: "view.set", values: { layout, main, large: null, active: names.includes(active) ? active : names[0] } });
    this.markActive();
    this.room.stage.resize();
    this.link.followAll();
    this.bar.show();
  }

  /** One plane of both, all planes, or the surfaces. @param {ViewportName | "planes"} what */
  choose(what) {
    const values = what === "planes" ? { layout: "beside-planes" } : what === "surfaces" ? { layout: "beside-3d", active: "surfaces" } : { layout: "beside", main: what, active: what };
    this.room.store.dispatch({ type: "view.set", values: { ...values, large: null } });
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
