// Starting a reconstruction: the algorithms that fit this series with a form made from their parameters, the others
// with the sentence why not; and the jobs of this study as they go.

import { get, newKey, post } from "../../api/client.js";
import { fill, h, icon } from "../../components/dom.js";
import "../../components/job-card.js";
import { gettext, interpolate, known } from "../../i18n.js";
import { shownJobs } from "../../state/study.js";
import { may } from "./room.js";

/** @import { Room } from "./room.js" */

/** One field of the form. @param {any} parameter @returns {{ element: HTMLElement, value: () => any, valid: () => boolean }} */
export function parameterField(parameter) {
  const { name, kind, unit, minimum, maximum, choices } = parameter;
  const [title, help] = [known(parameter.title), known(parameter.help ?? "")];
  const id = `parameter-${name}`;
  const wanted = parameter.default;
  const label = h("label", { for: id }, title || name, unit && h("span", { class: "second" }, ` ${unit}`));
  const hint = help && h("span", { class: "hint" }, help);
  if (kind === "boolean") {
    const box = h("input", { class: "checkbox", type: "checkbox", id, ".checked": Boolean(wanted) });
    return { element: h("div", { class: "field" }, h("label", { class: "check-line", for: id }, box, title || name), hint), value: () => box.checked, valid: () => true };
  }
  if (kind === "choice") {
    const select = h("select", { class: "select", id }, (choices ?? []).map((/** @type {string} */ choice) => h("option", { value: choice, ".selected": choice === wanted }, choice)));
    return { element: h("div", { class: "field" }, label, select, hint), value: () => select.value, valid: () => true };
  }
  const input = h("input", {
    class: "input", type: "number", id, required: true, value: String(wanted ?? ""), step: kind === "integer" ? "1" : "any",
    min: minimum ?? null, max: maximum ?? null,
  });
  const error = h("span", { class: "field__error", role: "alert", hidden: true });
  const valid = () => {
    const good = input.checkValidity();
    error.hidden = good;
    input.setAttribute("aria-invalid", String(!good));
    if (!good) {
      const limits = { minimum: minimum ?? "", maximum: maximum ?? "", unit: unit || "" };
      error.textContent = minimum !== null && minimum !== undefined && maximum !== null && maximum !== undefined
        ? interpolate(kind === "integer" ? gettext("A whole number from {minimum} to {maximum} {unit}.") : gettext("A number from {minimum} to {maximum} {unit}."), limits)
        : gettext("A number is needed here.");
    }
    return good;
  };
  input.addEventListener("change", valid);
  return { element: h("div", { class: "field" }, label, input, error, hint), value: () => Number(input.value), valid };
}

/** @param {HTMLElement} section @param {Room} room */
export function makeReconstruction(section, room) {
  const { store } = room;
  const body = h("div", { class: "reconstruction" });
  // Open while there is no result to look at; afterwards one line at the foot, so that the list keeps its room.
  const frame = h("details", { class: "foldable", open: true }, h("summary", { class: "section-head" }, h("h2", {}, gettext("Reconstruction")), icon("chevron-down", { class: "section-head__arrow" })), body);
  fill(section, frame);
  store.watch((state) => state.view.segmentationId === null, (none) => {
    frame.open = none;
  });
  let asked = 0;
  /** @type {any[]} */
  let algorithms = [];
  let chosen = "";
  let problem = "";
  let sending = false;
  /** @type {ReturnType<typeof parameterField>[]} */
  let fields = [];

  async function ask(/** @type {string | null} */ seriesId) {
    const mine = ++asked;
    algorithms = [];
    problem = "";
    if (!seriesId) return;
    fill(body, h("span", { class: "grey" }), h("span", { class: "grey grey--short" }));
    try {
      const answer = await get(`/api/series/${seriesId}/algorithms/`);
      if (mine !== asked) return;
      algorithms = Array.isArray(answer) ? answer : answer.results ?? [];
    } catch (error) {
      if (mine !== asked) return;
      problem = /** @type {Error} */ (error).message;
    }
    const fitting = algorithms.filter((one) => one.fits);
    if (!fitting.some((one) => one.name === chosen)) chosen = fitting[0]?.name ?? "";
    draw();
  }

  /** @param {any} algorithm */
  function option(algorithm) {
    const id = `algorithm-${algorithm.name}`;
    return h(
      "label",
      { class: "algorithm", for: id },
      h("input", { type: "radio", name: "algorithm", id, value: algorithm.name, ".checked": algorithm.name === chosen, onchange: () => {
        chosen = algorithm.name;
        draw();
      } }),
      h("span", { class: "algorithm__text" },
        h("strong", {}, known(algorithm.title || algorithm.name), " ", h("span", { class: "second" }, algorithm.version)),
        algorithm.status && algorithm.status !== "in service" && h("span", { class: "chip chip--caution" }, known(algorithm.status)),
        h("span", { class: "second" }, known(algorithm.summary))),
    );
  }

  function draw() {
    const fitting = algorithms.filter((one) => one.fits);
    const others = algorithms.filter((one) => !one.fits);
    const allowed = may(store.get().study.study.may, "reconstruct");
    const algorithm = fitting.find((one) => one.name === chosen);
    fields = (algorithm && allowed ? algorithm.parameters ?? [] : []).map(parameterField);
    fill(
      body,
      problem && h("p", { class: "field__error", role: "alert" }, icon("circle-alert"), problem),
      problem && algorithms.length === 0 && h("button", { class: "button button--small", type: "button", onclick: () => void ask(store.get().view.seriesId) }, gettext("Retry")),
      !allowed && h("p", { class: "second" }, gettext("You may look at this study. Starting a reconstruction needs the reader role.")),
      allowed && fitting.length > 0 && h("form", { class: "reconstruction__form", novalidate: true, onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        void start(algorithm);
      } },
        h("div", { role: "radiogroup", "aria-label": gettext("Algorithm") }, fitting.map(option)),
        fields.length > 0 && h("details", { class: "reconstruction__parameters" }, h("summary", {}, gettext("Settings")), h("div", { class: "reconstruction__fields" }, fields.map(({ element }) => element))),
        h("button", { class: "button button--filled button--tall button--wide", type: "submit", disabled: sending || !algorithm }, icon("play"), gettext("Start reconstruction"))),
      allowed && algorithms.length > 0 && fitting.length === 0 && h("p", { class: "reconstruction__none" }, gettext("No algorithm fits this series.")),
      others.length > 0 && h("details", { class: "reconstruction__others" },
        h("summary", {}, fitting.length ? gettext("Others do not fit this series") : gettext("Why")),
        h("ul", { role: "list" }, others.map((one) => h("li", {}, h("strong", {}, known(one.title || one.name)), (one.reasons ?? []).map((/** @type {string} */ reason) => h("span", { class: "second" }, reason)))))),
    );
  }

  async function start(/** @type {any} */ algorithm) {
    if (sending || !algorithm || !fields.map(({ valid }) => valid()).every(Boolean)) {
      const details = body.querySelector("details.reconstruction__parameters");
      if (details && !sending) details.open = true;
      return;
    }
    sending = true;
    problem = "";
    const button = body.querySelector("button[type=submit]");
    if (button) button.disabled = true;
    const parameters = Object.fromEntries((algorithm.parameters ?? []).map((/** @type {any} */ one, /** @type {number} */ at) => [one.name, fields[at].value()]));
    try {
      const job = await post("/api/reconstructions/", { series: store.get().view.seriesId, algorithm: algorithm.name, version: algorithm.version, parameters }, { key: newKey() });
      store.dispatch({ type: "job.seen", job });
    } catch (error) {
      problem = /** @type {Error} */ (error).message;
    } finally {
      sending = false;
      draw();
    }
  }

  store.watch((state) => state.view.seriesId, (seriesId) => void ask(seriesId));
  store.watch((state) => state.study.study.may, () => algorithms.length && draw());
}

/** The jobs that run or wait, at the foot of the panel. @param {HTMLElement} section @param {Room} room */
export function makeJobs(section, room) {
  /** @type {Map<string, any>} */
  const cards = new Map();
  section.addEventListener("lam-job-changed", (event) => room.store.dispatch({ type: "job.seen", job: /** @type {CustomEvent} */ (event).detail }));
  room.store.watch((state) => state.study, (study) => {
    const jobs = shownJobs(study);
    section.hidden = jobs.length === 0;
    for (const [id, card] of cards) {
      if (jobs.some((job) => job.id === id)) continue;
      card.remove();
      cards.delete(id);
    }
    for (const job of jobs) {
      let card = cards.get(job.id);
      if (!card) {
        card = document.createElement("lam-job");
        cards.set(job.id, card);
        section.append(card);
      }
      if (card.job !== job) card.job = job;
    }
  });
}
