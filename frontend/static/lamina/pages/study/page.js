// The study page with everything in it: open a series, show what is known, hear what changes.

import { get, newKey, post } from "../../api/client.js";
import { banner } from "../../components/banner.js";
import { fill, find, h, icon } from "../../components/dom.js";
import { toast, toastError } from "../../components/toast.js";
import { hindrance } from "../../geometry/memory.js";
import { gettext } from "../../i18n.js";
import { PlainStage } from "../../scene/plain-stage.js";
import { NoWebGL, Stage } from "../../scene/stage.js";
import { socket } from "../../state/socket.js";
import { combine, createStore } from "../../state/store.js";
import { openingSeries, reduceStudyState, studyState } from "../../state/study.js";
import { UndoStack } from "../../state/undo.js";
import { initialView, reduceView } from "../../state/view.js";
import { PlaneWarmth } from "../../scene/plane-warmth.js";
import { makeActs } from "../../tools/acts.js";
import { breathing } from "./breath.js";
import { listenToReader } from "./controls.js";
import { FEATURES, PARTS, initialParts } from "./features.js";
import { makeFrames, makeTabs, placeFrames, setNotice } from "./frames.js";
import { showKeys } from "./key-sheet.js";
import { PictureSession } from "./picture-session.js";
import { makeJobs, makeReconstruction } from "./reconstruction.js";
import { makeResult } from "./result.js";
import { keymapOfPerson } from "./key-words.js";
import { mark } from "./room.js";
import { makeSegmentList } from "./segment-list.js";
import { makeSeriesList } from "./series-list.js";
import { SliceSession, memoryCap } from "./slice-session.js";
import { makeSpaceTools } from "./space-tools.js";
import { makeRail, makeToolbar } from "./toolbar.js";
import { VolumeSession } from "./volume-session.js";

/** @import { Room } from "./room.js" */

const NARROW = window.matchMedia("(max-width: 819px)");

/**
 * @param {string} id  of the study
 * @param {Promise<any>} asked  its answer, asked for before this module was here
 * @param {Map<string, Promise<ArrayBuffer>>} early  files on their way already, by address
 */
export async function open(id, asked, early) {
  const root = find("#study");
  const grid = find("#viewports");
  const frames = makeFrames(grid);
  const breath = breathing();
  /** @type {Stage} */
  let stage;
  try {
    stage = new Stage(grid);
  } catch (error) {
    if (!(error instanceof NoWebGL)) throw error;
    stage = /** @type {any} */ (new PlainStage(grid));
  }

  // The card makes the shader of a slice while the page makes everything else.
  const warmth = stage.largest3d ? new PlaneWarmth(stage) : null;
  /** @type {any} */
  let answer;
  try {
    answer = await asked;
  } catch (error) {
    setNotice(frames.axial, { symbol: "triangle-alert", text: gettext("This study did not load"), second: /** @type {Error} */ (error).message, act: { text: gettext("Retry"), run: () => location.reload() } });
    return;
  }
  mark("study");
  /** @type {Room["makeStore"]} */
  const makeStore = (of) => createStore({ view: initialView(), study: studyState(of), ...initialParts() }, combine({ view: reduceView, study: reduceStudyState, ...PARTS }));
  const store = makeStore(answer);
  await breath();

  /** @type {Room} */
  const room = {
    store, makeStore, stage, grid, frames, early,
    session: null,
    undo: new UndoStack(),
    segmentation: null,
    wantedSegmentation: null,
    report: (text, error) => void toast(text, { kind: "bad", act: runAgain(store, error?.facts?.repeat_url) }),
    // Who waits for a mark may use everything: of what came while the page was being made it is said then.
    mark: (name) => (root.dataset.ready === undefined && name !== "preview" && name !== "drawn" ? void made.then(() => mark(name)) : mark(name)),
    openSeries,
    closeSeries: () => closeSession(),
    togglePanel: () => root.toggleAttribute("data-panel"),
    showKeys: () => void showKeys(room),
    keymap: keymapOfPerson(),
    ...makeActs(),
    onEvent: (listener) => void listeners.add(listener),
    heard: (event) => listeners.forEach((listener) => listener(event)),
    onSession(begin) {
      beginnings.push(begin);
      if (room.session) endings.push(begin(room.session));
    },
  };
  /** @type {() => void} */
  let ready = () => {};
  /** Resolves when the page is made. @type {Promise<void>} */
  const made = new Promise((resolve) => (ready = resolve));
  room.made = made;
  /** @type {Set<(event: any) => void>} */
  const listeners = new Set();
  /** @type {((session: any) => (() => void) | void)[]} */
  const beginnings = [];
  /** @type {((() => void) | void)[]} */
  const endings = [];
  const closeSession = () => {
    endings.splice(0).reverse().forEach((end) => end?.());
    room.session?.close();
    room.session = null;
  };

  /** Features are told of the opening series one by one. */
  let gently = false;
  /** Series whose volume the person wanted whole, whatever it takes. @type {Set<string>} */
  const anyway = new Set();

  /** @param {string} seriesId */
  function openSeries(seriesId) {
    const series = store.get().study.series.find((one) => one.id === seriesId);
    if (!series || room.session?.series.id === seriesId) return;
    closeSession();
    room.segmentation = null;
    room.wantedSegmentation = null;
    store.dispatch({ type: "view.segmentation", segmentationId: null, segments: {} });
    const { volume } = series;
    grid.dataset.kind = root.dataset.kind = volume ? "volume" : "picture";
    place();
    const reason = volume ? hindrance(volume.shape, { largest3d: stage.largest3d, cap: anyway.has(seriesId) ? Infinity : memoryCap() }) : null;
    const loadAnyway = () => {
      anyway.add(seriesId);
      closeSession();
      openSeries(seriesId);
    };
    if (!volume) room.session = stage.largest3d ? new PictureSession(room, series) : null;
    else room.session = reason ? /** @type {any} */ (new SliceSession(room, series, reason, loadAnyway)) : new VolumeSession(room, series);
    if (!room.session) {
      setNotice(frames.axial, { symbol: "triangle-alert", text: gettext("This browser cannot draw the study"), second: gettext("It needs WebGL2. Turn on hardware acceleration or take a newer browser.") });
      return;
    }
    place();
    if (!gently) endings.push(...beginnings.map((begin) => begin(room.session)));
  }

  /** The first series: its slices are on their way while each feature hears of it in a piece of its own. @param {string} seriesId */
  async function openFirst(seriesId) {
    gently = true;
    openSeries(seriesId);
    gently = false;
    const { session } = room;
    // Who asks to hear of sessions from now on is told of this one at once.
    for (const begin of [...beginnings]) {
      await breath();
      if (!session || room.session !== session) return;
      endings.push(begin(session));
    }
  }

  function place() {
    const { view } = store.get();
    const picture = grid.dataset.kind === "picture";
    placeFrames(grid, frames, picture ? { ...view, large: "axial", active: "axial" } : view, NARROW.matches && !picture);
    tabs.show(view.active);
    stage.moved();
  }

  const tabs = makeTabs((name) => store.dispatch({ type: "view.set", values: { active: name } }));
  grid.before(tabs.element);
  store.watch((state) => [state.view.layout, state.view.large, state.view.main, state.view.active].join(), place);
  NARROW.addEventListener("change", place);

  await breath();
  makeRail(find("#rail"), room);
  await breath();
  makeToolbar(find("#tool-bar"), room);
  await breath();
  makeSpaceTools(room);
  await breath();
  find("#panel-close").addEventListener("click", room.togglePanel);
  makeSeriesList(find("#series"), room);
  makeSegmentList(find("#segments"), room);
  await breath();
  makeResult(find("#result"), room, (segmentationId) => {
    room.wantedSegmentation = segmentationId;
    void room.session?.showSegmentation?.(store.get().study.segmentations.find((one) => one.id === segmentationId));
  });
  makeReconstruction(find("#reconstruction"), room);
  makeJobs(find("#jobs"), room);
  await breath();
  const stopListening = listenToReader(room);
  for (const make of FEATURES) {
    await breath();
    make(room);
  }
  await breath();
  showStudy(room);

  const stopStream = follow(id, answer.streams ?? {}, room);
  let waiting = 0;
  stage.onLoss((lost) => {
    const reset = { symbol: "refresh-cw", text: gettext("The graphics card was reset") };
    clearTimeout(waiting);
    setNotice(frames.axial, lost ? { ...reset, second: gettext("The picture comes back by itself.") } : null);
    const reload = { text: gettext("Reload the page"), run: () => location.reload() };
    if (lost) waiting = window.setTimeout(() => setNotice(frames.axial, { ...reset, second: gettext("The browser has not given it back yet."), act: reload }), 10_000);
  });

  const first = room.link?.series(answer.series) ?? openingSeries(answer);
  await breath();
  if (first) await openFirst(first.id);
  else setNotice(frames.axial, { symbol: "image-off", text: gettext("This study has no series yet") });
  // A series that arrives while the page is open and empty is opened; otherwise nothing moves by itself.
  store.watch((state) => state.study.series.length, () => {
    const [one] = store.get().study.series;
    if (!room.session && one) openSeries(one.id);
  });

  window.addEventListener("pagehide", (event) => {
    if (event.persisted) return;
    closeSession();
    stopListening();
    stopStream();
    stage.dispose();
  });
  root.addEventListener("lamina:room", (/** @type {any} */ event) => event.detail(room));
  if (warmth) void stage.settled().then(() => warmth.end());
  root.dataset.ready = "";
  ready();
}

/** A stored file that failed its check is made anew by the same algorithm. @param {Room["store"]} store @param {string | null | undefined} address */
const runAgain = (store, address) =>
  address ? { text: gettext("Run again"), run: () => void post(address, {}, { key: newKey() }).then((job) => store.dispatch({ type: "job.seen", job }), toastError) } : undefined;

/** The first sentence and what follows it. @param {string} text @returns {[string, string]} */
function firstSentence(text) {
  const end = text.search(/[.。](\s|$)/);
  return end < 0 ? [text, ""] : [text.slice(0, end + 1), text.slice(end + 1).trim()];
}

/** Banners and the notice of a demo study. @param {Room} room */
function showStudy({ store }) {
  store.watch((state) => state.study.study, (study) => {
    const notice = find("#study-notice");
    notice.hidden = !study.notice;
    // Makers' notices are long: the first sentence says what it is, the rest opens.
    const [first, rest] = firstSentence(study.notice ?? "");
    fill(notice, icon("info"), h("div", {}, h("p", {}, first), rest && h("details", {}, h("summary", {}, gettext("Makers' notice")), h("p", {}, rest))));
    banner("read-only", study.state === "binned"
      ? { text: gettext("This study is in the bin. Restore it from the worklist to work on it."), symbol: "trash-2" }
      : study.state === "erased" ? { text: gettext("This study was erased."), kind: "bad", symbol: "trash-2" } : null);
  });
}

/**
 * Follow every stream the person may hear of this study: its open facts, its results, the own reading. A seal that opens
 * adds one from its beginning; `room.follow` is told what there is now. Answers the way to stop.
 * @param {string} id @param {Record<string, number>} last  numbers of the page's first state, by stream @param {Room} room @returns {() => void}
 */
function follow(id, last, room) {
  const { store } = room;
  /** @type {Map<string, () => void>} */
  const followed = new Map();
  const load = async (/** @type {string} */ stream) => {
    const answer = await get(`/api/studies/${id}/`);
    store.dispatch({ type: "study.loaded", answer });
    room.follow?.(answer.streams ?? {});
    room.heard({ type: "study.loaded" });
    return answer.streams?.[stream];
  };
  const open = `study:${id}`;
  /** @param {string} stream @returns {import("../../state/socket.js").Handlers} */
  const handlers = (stream) => ({
    async onEvent(event) {
      store.dispatch({ type: "event", event });
      room.heard(event);
      const { segmentation, series } = event.payload ?? {};
      // Events that only name a result or a series: ask for the whole of it.
      if (event.type === "segmentation.ready" && !segmentation?.segments) {
        const whole = await get(`/api/segmentations/${segmentation?.id ?? event.payload.segmentation_id}/`);
        store.dispatch({ type: "segmentation.loaded", segmentation: whole });
      } else if ((event.type === "series.imported" && !series?.urls) || event.type === "study.changed") await load(stream);
    },
    onProgress: (job) => store.dispatch({ type: "job.seen", job }),
    onReload: () => load(stream),
    onRefused: () => stream === open && banner("connection", { text: gettext("You no longer have access to this study."), kind: "bad", symbol: "lock" }),
  });
  room.follow = (streams) => {
    for (const [stream, number] of Object.entries({ [open]: 0, ...streams })) if (!followed.has(stream)) followed.set(stream, socket.subscribe(stream, number, handlers(stream)));
    for (const [stream, stop] of followed) {
      if (stream === open || stream in streams) continue;
      stop();
      followed.delete(stream);
    }
  };
  room.follow(last);
  return () => followed.forEach((stop) => stop());
}
