// The panel's section "Fusion": lay a second series over the open one. The server says which may and why not.

import { get } from "../../api/client.js";
import { fill, find, h, icon } from "../../components/dom.js";
import { modalityName, number, percent } from "../../components/format.js";
import { toastError } from "../../components/toast.js";
import { MAPS, coloursOf } from "../../geometry/colours.js";
import { between } from "../../geometry/windows.js";
import { gettext, interpolate } from "../../i18n.js";
import { FusionOver } from "./fusion-over.js";
import { AutomaticRegistration } from "./registering/automatic.js";
import { openRegistering } from "./registering/dialog.js";
import { may } from "./room.js";
import { word } from "./words.js";

/** @import { FusionState } from "../../state/fusion.js" */
/** @import { Room } from "./room.js" */

/** @typedef {{ series_id: string, allowed: boolean, how: "same_frame" | "transform" | "refused", sentence: string, matrix: number[][] | null, transform: any }} Answer  of GET /api/series/{id}/fusion/ */

const MODES = /** @type {const} */ (["blend", "checker", "swipe"]);

/** @param {any} series */
const nameOf = (series) =>
  [series.study_date ?? "", modalityName(series.modality), series.number === null || series.number === undefined ? "" : interpolate(gettext("Series {number}"), { number: series.number }), series.description].filter(Boolean).join(" · ");

/** @param {Room} room */
export function makeFusion(room) {
  const section = /** @type {HTMLElement} */ (find("#fusion"));
  const { store } = room;
  const set = (/** @type {Partial<FusionState>} */ values) => store.dispatch({ type: "fusion.set", values });
  /** @type {Answer[]} */
  let answers = [];
  /** @type {FusionOver | null} */
  let over = null;
  /** Series by id, for those of other studies of the patient too. @type {Map<string, any>} */
  const known = new Map();
  let asked = 0;

  // --- controls -------------------------------------------------------------------------------------------------
  const choice = h("select", { class: "select fusion__choice", "aria-label": gettext("Series on top"), onchange: () => store.dispatch({ type: "fusion.chosen", seriesId: choice.value || null, modality: known.get(choice.value)?.modality }) });
  const fit = h("p", { class: "fusion__fit", "aria-live": "polite" });
  const register = h("button", { class: "button button--small fusion__register", type: "button", hidden: true, onclick: () => void registerSeries().catch(toastError) }, icon("crosshair"), gettext("Lay them over each other by landmarks"));
  const automatic = new AutomaticRegistration(room);
  const modes = MODES.map((mode) => h("button", { type: "button", "aria-pressed": "false", dataset: { fusing: mode }, onclick: () => set({ mode }) }, word(`fusion-${mode}`)));
  const map = h("select", { class: "select", "aria-label": gettext("Colours"), dataset: { act: "fusion-map" }, onchange: () => set({ map: map.value }) }, MAPS.map((one) => h("option", { value: one }, word(`map-${one}`))));
  const range = (/** @type {string} */ act, /** @type {string} */ name, /** @type {(value: number) => void} */ take) =>
    h("input", { class: "range", type: "range", min: "0", max: "100", step: "1", "aria-label": name, dataset: { act }, oninput: (/** @type {Event} */ event) => take(Number(/** @type {HTMLInputElement} */ (event.target).value) / 100) });
  const opacity = range("fusion-opacity", gettext("Opacity"), (value) => set({ opacity: value }));
  const opacityText = h("output", { class: "tool-value" });
  const place = range("fusion-place", gettext("Place of the edge"), (value) => set({ place: value }));
  const placeText = h("output", { class: "tool-value" });
  const seeThrough = h("input", { type: "checkbox", dataset: { act: "fusion-see-through" }, onchange: () => set({ seeThrough: seeThrough.checked }) });
  const presets = h("select", { class: "select", "aria-label": gettext("Window of the series on top"), dataset: { act: "fusion-preset" }, onchange: () => {
    const preset = over?.presets.find((one) => one.id === presets.value);
    if (preset) set({ window: { width: preset.width, level: preset.level } });
  } });
  const end = (/** @type {string} */ act, /** @type {string} */ name) =>
    h("input", { class: "input fusion__end", type: "number", step: "any", "aria-label": name, dataset: { act }, onchange: () => {
      const [from, to] = [Number(low.value), Number(high.value)];
      if (low.value !== "" && high.value !== "" && to > from) set({ window: between(from, to) });
      else show();
    } });
  const low = end("fusion-low", gettext("From"));
  const high = end("fusion-high", gettext("To"));
  const unit = h("span", { class: "second" });
  const legend = h("canvas", { class: "fusion__legend", width: "256", height: "1", "aria-hidden": "true" });
  const ends = [h("span", {}), h("span", {})];
  const line = (/** @type {string} */ name, /** @type {any[]} */ ...parts) => h("div", { class: "fusion__line" }, h("span", { class: "fusion__name" }, name), parts);
  const swipeLine = line(gettext("Edge"), place, placeText);
  const blendLine = line(gettext("Opacity"), opacity, opacityText);
  const fadeLine = h("label", { class: "fusion__line fusion__check" }, seeThrough, gettext("Low values see-through"));
  const controls = h("div", { class: "fusion__controls", hidden: true },
    h("div", { class: "segmented segmented--small", role: "group", "aria-label": gettext("How it is laid over") }, modes),
    blendLine, fadeLine, swipeLine,
    line(gettext("Colours"), map),
    line(gettext("Window"), presets),
    line("", low, h("span", { class: "second" }, gettext("to")), high, unit),
    h("div", { class: "fusion__scale" }, legend, h("div", { class: "fusion__ends" }, ends)));
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Fusion"))), h("div", { class: "fusion" }, choice, fit, automatic.element, register, controls));

  /** The chosen series and the open one, by what a person clicks in both. */
  async function registerSeries() {
    const fixed = room.session?.series;
    const id = store.get().fusion.seriesId;
    const moving = known.get(id ?? "")?.volume ? known.get(id ?? "") : await get(`/api/series/${id}/`);
    if (fixed && moving?.volume) await openRegistering({ studyId: store.get().study.study.id, fixed, moving, nameOf });
  }

  // --- what may lie over the open series -------------------------------------------------------------------------
  /** @param {any} session */
  async function ask(session) {
    const mine = (asked += 1);
    try {
      const { results } = await get(`/api/series/${session.series.id}/fusion/`);
      if (mine !== asked) return;
      answers = results;
    } catch (error) {
      if (mine !== asked) return;
      answers = [];
      fill(fit, icon("triangle-alert", { class: "is-caution" }), h("span", {}, /** @type {Error} */ (error).message));
    }
    const { study } = store.get();
    for (const one of study.series) known.set(one.id, one);
    // Series of two studies may have one name: the date tells them apart.
    for (const prior of study.priors ?? []) for (const one of prior.series ?? []) known.set(one.id, { ...one, study_date: prior.study_date });
    section.hidden = answers.length === 0;
    fill(choice, h("option", { value: "" }, gettext("Nothing on top")), answers.map(({ series_id, allowed }) => {
      const name = nameOf(known.get(series_id) ?? { modality: gettext("Series of another study") });
      return h("option", { value: series_id }, allowed ? name : interpolate(gettext("{name} (cannot)"), { name }));
    }));
    void lay();
  }

  /** Make what the state wants: nothing, or one series. */
  async function lay() {
    const session = /** @type {any} */ (room.session);
    const wanted = store.get().fusion.seriesId;
    choice.value = wanted ?? "";
    const answer = answers.find((one) => one.series_id === wanted);
    const same = over && over.series.id === wanted && answer?.allowed && over.sentence === answer.sentence;
    if (!same) drop();
    if (session?.kind === "volume" && answer?.allowed && !same) {
      const mine = asked;
      const series = known.get(answer.series_id)?.volume ? known.get(answer.series_id) : await get(`/api/series/${answer.series_id}/`).catch(() => null);
      if (mine !== asked || store.get().fusion.seriesId !== wanted || room.session !== session) return;
      if (series?.volume && Math.max(...series.volume.shape) <= room.stage.largest3d) {
        over = new FusionOver(session, series, /** @type {any} */ (answer.matrix), answer.sentence);
        session.setOver(over);
      } else answer.sentence = gettext("This series does not fit onto this graphics card.");
    }
    show();
  }

  function drop() {
    if (!over) return;
    const { session } = over;
    // The planes let go before the textures are freed.
    session.setOver(null);
    over.close();
    over = null;
  }

  // --- showing --------------------------------------------------------------------------------------------------
  function show() {
    const { fusion, view } = store.get();
    const answer = answers.find((one) => one.series_id === fusion.seriesId);
    fit.hidden = !answer;
    if (answer) fill(fit, icon(answer.allowed ? "link" : "triangle-alert", { class: answer.allowed ? "" : "is-caution" }), h("span", {}, answer.sentence));
    const volumes = known.get(fusion.seriesId ?? "")?.volume !== null && store.get().study.study.state === "active";
    register.hidden = !answer || answer.how === "same_frame" || !volumes || !may(store.get().study.study.may, "annotate");
    // Their values compare: a worker can look for it as well as a person.
    automatic.about(answer && !answer.allowed ? room.session?.series : null, known.get(fusion.seriesId ?? ""));
    controls.hidden = !over;
    if (!over) return;
    over.show(fusion, view.interpolated);
    for (const button of modes) button.setAttribute("aria-pressed", String(button.dataset.fusing === fusion.mode));
    blendLine.hidden = fadeLine.hidden = fusion.mode !== "blend";
    swipeLine.hidden = fusion.mode !== "swipe";
    map.value = fusion.map;
    opacity.value = String(Math.round(fusion.opacity * 100));
    opacityText.textContent = percent(fusion.opacity);
    place.value = String(Math.round(fusion.place * 100));
    placeText.textContent = percent(fusion.place);
    seeThrough.checked = fusion.seeThrough;
    const { window } = over;
    const [from, to] = [window.level - window.width / 2, window.level + window.width / 2];
    const digits = window.width < 100 ? 1 : 0;
    const chosen = over.presets.find((one) => Math.abs(one.width - window.width) < 1e-6 && Math.abs(one.level - window.level) < 1e-6);
    fill(presets, h("option", { value: "" }, gettext("Own")), over.presets.map((one) => h("option", { value: one.id }, word(one.id))));
    presets.value = chosen?.id ?? "";
    low.value = String(Number(from.toFixed(digits)));
    high.value = String(Number(to.toFixed(digits)));
    unit.textContent = over.unit;
    const labels = [from, to].map((value) => [over?.unit === "SUV" ? "SUV" : "", number(value, digits), over?.unit === "SUV" ? "" : over?.unit].filter(Boolean).join("\u202f"));
    ends.forEach((one, at) => fill(one, labels[at]));
    legend.getContext("2d")?.putImageData(new ImageData(new Uint8ClampedArray(coloursOf(fusion.map)), 256, 1), 0, 0);
    over.session.showPlanes();
  }

  store.watch((state) => state.fusion, (fusion, before) => {
    if (before && fusion.seriesId === before.seriesId) show();
    else void lay();
  });
  store.watch((state) => state.view.interpolated, () => over && show());
  room.onSession((session) => {
    answers = [];
    section.hidden = true;
    if (session.kind !== "volume") return;
    void ask(session);
    // A transform that is stored or taken back while the page is open changes what may lie over what.
    const stop = store.watch((state) => state.study.transforms, (_, before) => before && void ask(session));
    const stopLine = session.addOverlay(swipeEdge(room));
    return () => {
      asked += 1;
      stop();
      stopLine();
      drop();
      section.hidden = true;
    };
  });
}

/** The edge of the swipe as a line over the planes. @param {Room} room */
const swipeEdge = (room) => (/** @type {CanvasRenderingContext2D} */ context, /** @type {{ width: number, height: number }} */ { width, height }) => {
  const { fusion } = room.store.get();
  if (fusion.mode !== "swipe" || !(/** @type {any} */ (room.session)?.over)) return;
  const x = Math.round(fusion.place * width) + 0.5;
  context.strokeStyle = "#FFFFFF";
  context.globalAlpha = 0.7;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.stroke();
};
