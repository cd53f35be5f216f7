// The view in the address bar: written a moment after it changed, read when a link is opened, copied by a button.

import { find, h, icon, settled } from "../../components/dom.js";
import { toast } from "../../components/toast.js";
import { gettext, interpolate } from "../../i18n.js";
import { decode, encode, rowOf } from "../../state/address.js";
import { initialView, isBeside, isPair, startingLooks } from "../../state/view.js";

/** @import { Seen } from "../../state/address.js" */
/** @import { Room } from "./room.js" */

/** Writing more often would be refused by browsers that count (200 in 30 s). */
const SETTLED = 350;

/** What the reader sees now. @param {Room} room @returns {Seen} */
export function seenOf(room) {
  const state = /** @type {any} */ (room.store.get());
  const { view, planes, fusion, space } = state;
  const session = /** @type {any} */ (room.session);
  return {
    series: view.seriesId, result: view.segmentationId, layout: view.layout, main: view.main, large: view.large, active: view.active, tool: view.tool,
    at: view.point, zoom: view.viewing, window: view.windows, linked: view.linked, smooth: view.interpolated, inverted: view.inverted,
    texts: view.texts, outlines: view.outlines, fill: view.fill, planes3d: view.planesIn3d, clip: view.clip, segments: view.segments,
    camera: session?.space?.orbit ?? null,
    turns: planes?.turns ?? {}, tilts: planes?.tilts ?? {}, slabs: planes?.slabs ?? {},
    fusion: fusion?.seriesId ? fusion : null,
    space: space ?? null,
    beside: room.beside?.seen ?? null,
  };
}

/** What a link leaves out: how this series opens by itself. @param {Room} room @returns {Partial<Seen>} */
function startOf({ session, segmentation }) {
  const view = initialView();
  const { openingWindow } = /** @type {any} */ (session);
  const planes = Object.keys(view.viewing);
  return {
    main: view.main, large: null, active: view.active, tool: view.tool, at: null, zoom: view.viewing,
    window: Object.fromEntries(planes.map((name) => [name, openingWindow])), linked: view.linked, smooth: view.interpolated, inverted: view.inverted,
    texts: view.texts, outlines: view.outlines, fill: view.fill, planes3d: null, clip: null, segments: startingLooks(segmentation?.segments ?? []),
    camera: null, turns: {}, tilts: {}, slabs: {}, fusion: null, beside: null,
  };
}

export class Link {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    /** What an opened link asks for, until it is shown. @type {Record<string, any> | null} */
    this.wanted = null;
    this.write = settled(() => this.writeNow(), SETTLED);
    room.store.watch((state) => state, () => this.write());
    // The camera is not in the store: whatever may have moved it asks for a new address.
    for (const type of ["pointerup", "wheel", "keyup"]) document.addEventListener(type, () => this.write(), { passive: true });
    window.addEventListener("hashchange", () => this.follow());
    room.onSession((session) => this.begin(session));
    this.read();
  }

  /** The address as it would be now. */
  get fragment() {
    const { room } = this;
    return room.session ? encode(seenOf(room), startOf(room)) : "";
  }

  writeNow() {
    const { fragment } = this;
    // While a link is being shown the address stays what was asked for.
    if (!fragment || this.wanted || location.hash === `#${fragment}`) return;
    history.replaceState(history.state, "", `#${fragment}`);
  }

  /** @returns {boolean} whether the address holds a view */
  read() {
    const answer = decode(location.hash);
    if (!answer) return false;
    this.wanted = answer.seen;
    if (answer.bad.length > 0) this.say(answer.bad);
    return true;
  }

  /** @param {string[]} bad */
  say(bad) {
    toast(bad.includes("v")
      ? gettext("This link is of another version of the viewer. The study opens as usual.")
      : interpolate(gettext("A part of this link was not understood and left as it is: {parts}."), { parts: bad.join(", ") }));
  }

  /** The series to open: the link's, if the study has it. @param {any[]} all */
  series(all) {
    const id = this.wanted?.series;
    if (!id) return undefined;
    const series = rowOf(all, id);
    if (!series) {
      this.wanted = null;
      toast(gettext("The series of this link is not in this study."));
    }
    return series;
  }

  /** Somebody put another link into the address of the open page. */
  follow() {
    if (!this.read() || !this.wanted) return;
    const { room } = this;
    const series = this.series(room.store.get().study.series);
    if (series && series.id !== room.store.get().view.seriesId) room.openSeries(series.id);
    else if (room.session) this.begin(room.session);
  }

  /** A series opened: bring it to what the link asked for. @param {any} session */
  begin(session) {
    const { wanted, room } = this;
    if (!wanted) return;
    if (wanted.series && rowOf([session.series], wanted.series) === undefined) return;
    const { store } = room;
    const view = store.get().view;
    const names = /** @type {const} */ ({ layout: "layout", main: "main", large: "large", active: "active", tool: "tool", linked: "linked", smooth: "interpolated", inverted: "inverted", texts: "texts", outlines: "outlines", fill: "fill", planes3d: "planesIn3d", clip: "clip" });
    const start = /** @type {any} */ (initialView());
    // What the link leaves out is as it starts, not as it was left by whatever was open before.
    const values = Object.fromEntries(Object.entries(names).filter(([key]) => key !== "layout" || wanted.layout).map(([key, name]) => [name, key in wanted ? wanted[key] : start[name]]));
    if (values.layout && isBeside(values.layout)) values.layout = "1x1";
    // What is compared does not stand in a link: only who settles a case gets the columns back.
    if (values.layout && isPair(values.layout) && (session.kind !== "volume" || room.case?.case?.mine?.kind !== "adjudication")) values.layout = "2x2";
    if (values.layout && values.layout !== view.layout) values.protocol = null;
    // Link and zoom in an order that lets each plane keep its own.
    store.dispatch({ type: "view.set", values: { ...values, linked: false } });
    for (const [plane, window] of Object.entries(wanted.window ?? {})) store.dispatch({ type: "view.window", plane, window });
    for (const [plane, viewing] of Object.entries(wanted.zoom ?? {})) store.dispatch({ type: "view.viewing", plane, viewing });
    store.dispatch({ type: "view.set", values: { linked: values.linked } });
    const { turns, tilts, slabs } = wanted;
    if (turns || tilts || slabs) store.dispatch({ type: "planes.restored", planes: { turns: turns ?? {}, tilts: tilts ?? {}, slabs: slabs ?? {} } });
    if (wanted.space) store.dispatch({ type: "space.restored", space: wanted.space });
    if (wanted.at) session.goTo?.(wanted.at);
    const over = wanted.fusion && rowOf([...store.get().study.series, ...store.get().study.priors.flatMap((one) => one.series)], wanted.fusion.seriesId);
    if (over) store.dispatch({ type: "fusion.restored", fusion: { ...wanted.fusion, seriesId: over.id } });
    if (wanted.camera && session.space) {
      // The first result moves the camera to itself; a link says where it stands.
      session.result.looked = true;
      session.space.stand(wanted.camera);
    }
    this.result(session, wanted);
    const prior = wanted.beside && rowOf(store.get().study.priors, wanted.beside.study);
    if (prior) {
      const series = rowOf(/** @type {any[]} */ (prior.series), wanted.beside.series);
      void room.beside?.open(prior.id, { series: series?.id, restored: wanted.beside, layout: wanted.layout });
    }
    this.wanted = null;
  }

  /** The result of the link and how its segments looked, once they are there. @param {any} session @param {Record<string, any>} wanted */
  result(session, { result, segments }) {
    const { room } = this;
    const { store } = room;
    const chosen = rowOf(store.get().study.segmentations, result);
    if (chosen && chosen.id !== store.get().view.segmentationId) {
      room.wantedSegmentation = chosen.id;
      void session.showSegmentation?.(chosen);
    }
    const { view } = store.get();
    for (const [number, look] of Object.entries(segments ?? {})) {
      if (view.segments[Number(number)]) store.dispatch({ type: "view.segment", number: Number(number), look });
    }
  }
}

/** @param {Room} room @returns {HTMLElement} a button that copies the address of this view */
function makeLinkButton(room) {
  const copy = async () => {
    room.link?.writeNow();
    const address = location.href;
    try {
      await navigator.clipboard.writeText(address);
      toast(gettext("The link to this view is copied. It opens for everyone who may see this study."), { kind: "good" });
    } catch {
      // Without the right to the clipboard the address bar still has it.
      toast(gettext("The browser did not let us copy. The address bar holds the link to this view."));
    }
  };
  return h("button", { class: "icon-button", type: "button", id: "copy-link", "aria-label": gettext("Copy a link to this view"), title: gettext("Copy a link to this view"), onclick: () => void copy() }, icon("share-2"));
}

/** @param {Room} room */
export function makeLink(room) {
  room.link = new Link(room);
  find("#study-acts").append(makeLinkButton(room));
}
