// Key images and the report: J keeps the active viewport as it is seen, the panel shows what is kept and has a report
// made of it, in either language.

import { ApiProblem, del, get, newKey, post } from "../../../api/client.js";
import { fill, find, h, icon } from "../../../components/dom.js";
import { ago, utc } from "../../../components/format.js";
import { toast, toastError } from "../../../components/toast.js";
import { gettext, interpolate, language } from "../../../i18n.js";
import { paintViewport } from "../snapshot.js";
import { may } from "../room.js";

/** @import { Frame } from "../frames.js" */
/** @import { Room } from "../room.js" */

/** @typedef {{ id: string, series_id: string, viewport: string, view: string, width: number, height: number, author: any, created_at: string, url: string, may_remove: boolean }} KeyImage */
/** @typedef {{ id: string, language: string, state: string, error: any, created_at: string, pages: number, page_url: string | null, pdf_url: string | null }} Report */

/** The server takes no larger side, px. */
const LARGEST = 4096;
const SHOWN_REPORTS = 4;
const ENDED = new Set(["succeeded", "failed", "cancelled"]);
const TOLD = new Set(["key_image.kept", "key_image.removed"]);
/** @type {Record<string, () => string>} */
const LANGUAGES = { en: () => gettext("English"), "zh-hans": () => gettext("Chinese") };
/** @type {Record<string, () => string>} */
const VIEWPORT_WORDS = { axial: () => gettext("Axial"), coronal: () => gettext("Coronal"), sagittal: () => gettext("Sagittal"), surfaces: () => gettext("Surfaces") };

/** @param {Room} room @param {Frame} frame @returns {Promise<string>} base64 of a PNG */
async function pictureOf(room, frame) {
  const canvas = document.createElement("canvas");
  const paint = () => paintViewport(room, frame, canvas);
  const space = /** @type {any} */ (room.session)?.space;
  if (frame.name === "surfaces" && space) space.withoutHandles(paint);
  else paint();
  const scale = Math.min(1, LARGEST / Math.max(canvas.width, canvas.height));
  let whole = canvas;
  if (scale < 1) {
    whole = document.createElement("canvas");
    [whole.width, whole.height] = [Math.floor(canvas.width * scale), Math.floor(canvas.height * scale)];
    whole.getContext("2d")?.drawImage(canvas, 0, 0, whole.width, whole.height);
  }
  return whole.toDataURL("image/png").replace(/^data:image\/png;base64,/, "");
}

/** @param {Room} room */
export function makeReport(room) {
  const { store } = room;
  const { study } = store.get().study;
  const base = `/api/studies/${study.id}`;
  const section = find("#report");
  /** @type {KeyImage[]} */
  let images = [];
  /** @type {Report[]} */
  let reports = [];
  let asking = 0;
  let timer = 0;

  const strip = h("ul", { class: "key-images", role: "list" });
  const made = h("ul", { class: "reports", role: "list" });
  const keepButton = h("button", { class: "icon-button", type: "button", title: gettext("Keep the active viewport as a key image"), "aria-label": gettext("Keep the active viewport as a key image"), onclick: () => void keep() }, icon("camera"));
  const count = h("span", { class: "second" });
  const choice = h("select", { class: "select reports__language", "aria-label": gettext("Language of the report") }, Object.entries(LANGUAGES).map(([code, word]) => h("option", { value: code }, word())));
  choice.value = language === "zh-Hans" ? "zh-hans" : "en";
  const ask = h("button", { class: "button button--small", type: "button", onclick: () => void request() }, icon("file-text"), gettext("Make a report"));
  const empty = h("p", { class: "section-empty" });
  const order = h("div", { class: "reports__ask" }, ask, choice);
  const notYet = h("p", { class: "section-empty", hidden: true }, gettext("The report can be made when every read is open."));
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Report")), count, h("span", { class: "section-head__gap" }), keepButton), strip, empty, notYet, order, made);

  const allowed = () => {
    const now = store.get().study.study;
    return may(now.may, "annotate") && now.state === "active";
  };
  /** A sealed reader keeps key images of the own read, and has no report. */
  const sealed = () => Boolean(store.get().case?.case?.sealed);
  /** While names are hidden nobody has a report: it would tell them. */
  const blind = () => Boolean(store.get().case?.case?.is_blind);

  async function load() {
    const turn = ++asking;
    try {
      const [kept, written] = await Promise.all([get(`${base}/key-images/`), get(`${base}/reports/`)]);
      if (turn !== asking) return;
      [images, reports] = [kept, written];
      draw();
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
    }
  }

  async function keep() {
    if (!allowed()) {
      toast(gettext("Keeping key images needs the reader role in this project."));
      return;
    }
    const { session } = room;
    if (!session) return;
    const { active } = store.get().view;
    const frame = room.frames[active];
    try {
      const body = { id: newKey(), series: session.series.id, viewport: frame.name, view: room.link?.fragment ?? "", png: await pictureOf(room, frame) };
      const image = await post(`${base}/key-images/`, body);
      asking += 1;
      images = [...images.filter(({ id }) => id !== image.id), image];
      draw();
      toast(gettext("Key image kept for the report."), { kind: "good", seconds: 3 });
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {KeyImage} image */
  async function remove(image) {
    try {
      await del(image.url);
      asking += 1;
      images = images.filter(({ id }) => id !== image.id);
      draw();
    } catch (error) {
      toastError(error);
    }
  }

  async function request() {
    ask.disabled = true;
    try {
      const report = await post(`${base}/reports/`, { language: choice.value });
      reports = [report, ...reports];
      draw();
      later();
    } catch (error) {
      toastError(error);
    } finally {
      ask.disabled = false;
    }
  }

  /** An event says when it is made; where events are late, asking does. */
  function later() {
    clearTimeout(timer);
    if (reports.some(({ state }) => !ENDED.has(state))) timer = window.setTimeout(() => void load().then(later), 3000);
  }

  function draw() {
    section.hidden = false;
    order.hidden = sealed() || blind();
    notYet.hidden = sealed() || !blind();
    keepButton.hidden = !allowed();
    count.textContent = images.length ? String(images.length) : "";
    strip.hidden = images.length === 0;
    empty.hidden = images.length > 0 || !allowed();
    empty.textContent = interpolate(gettext("Press {key} to keep what you see."), { key: room.keymap.keysOf("key-image")[0] ?? "J" });
    fill(strip, images.map((image, at) => {
      const name = interpolate(gettext("Key image {number}: {viewport}"), { number: at + 1, viewport: VIEWPORT_WORDS[image.viewport]?.() ?? "" });
      return h("li", { class: "key-image" },
        h("button", { class: "key-image__picture", type: "button", title: `${name}\n${image.author?.name ?? ""} ${utc(image.created_at)}`, "aria-label": `${name}. ${gettext("Go back to this view")}`, onclick: () => goBack(image) },
          h("img", { src: image.url, alt: "", loading: "lazy", width: "96", height: "64" }), h("span", { class: "key-image__number", "aria-hidden": "true" }, String(at + 1))),
        image.may_remove && allowed() && h("button", { class: "icon-button key-image__remove", type: "button", title: gettext("Remove this key image"), "aria-label": `${gettext("Remove this key image")}: ${name}`, onclick: () => void remove(image) }, icon("x")));
    }));
    fill(made, reports.slice(0, SHOWN_REPORTS).map(row));
  }

  /** @param {KeyImage} image */
  function goBack(image) {
    if (!image.view || !room.link) return;
    history.replaceState(history.state, "", `#${image.view}`);
    room.link.follow();
  }

  /** @param {Report} report */
  function row(report) {
    const { page_url: page, pdf_url: pdf } = report;
    const title = interpolate(gettext("Report, {language}"), { language: LANGUAGES[report.language]?.() ?? report.language });
    const what = report.state === "succeeded"
      ? h("span", { class: "second" }, interpolate(gettext("{pages} pages"), { pages: report.pages }))
      : ENDED.has(report.state)
        ? h("span", { class: "reports__failed" }, icon("circle-alert"), report.error?.message ?? gettext("The report failed"))
        : h("span", { class: "second" }, gettext("Making the report"));
    return h("li", { class: "reports__row", dataset: { state: report.state } }, icon("file-text"),
      h("span", { class: "reports__words" }, h("span", {}, title), what),
      h("time", { class: "second", datetime: report.created_at, title: utc(report.created_at) }, ago(report.created_at)),
      page && h("a", { class: "icon-button", href: page, target: "_blank", rel: "noopener", title: gettext("Open the page"), "aria-label": `${gettext("Open the page")}: ${title}` }, icon("eye")),
      pdf && h("a", { class: "icon-button", href: pdf, download: "", title: gettext("Download the PDF"), "aria-label": `${gettext("Download the PDF")}: ${title}` }, icon("download")));
  }

  room.addActs({ "key-image": () => void keep() });
  document.addEventListener("lamina:mine", (event) => {
    const { type, payload } = /** @type {CustomEvent} */ (event).detail;
    if (type === "report.ready" && payload.study_id === study.id) void load();
  });
  store.watch((state) => state.report.turn, () => void load());
  store.watch((state) => state.case, draw);
}

/** How often the lists have to be asked for anew. */
export const initialReport = () => ({ turn: 0 });

/** @param {{ turn: number }} state @param {{ type: string } & Record<string, any>} action */
export function reduceReport(state, action) {
  const told = action.type === "event" && (TOLD.has(action.event.type) || action.event.type === "case.moved");
  return told || action.type === "study.loaded" ? { turn: state.turn + 1 } : state;
}
