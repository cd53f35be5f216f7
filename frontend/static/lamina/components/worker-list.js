/** <lam-workers>: each worker with what it does now, its memory and its last sign of life. */

import { gettext, interpolate, ngettext } from "../i18n.js";
import { fill, h } from "./dom.js";
import { NARROW, duration, number } from "./format.js";

const STATES = () => ({ working: gettext("working"), idle: gettext("idle"), silent: gettext("silent") });
const TONES = { working: "is-good", idle: "is-good", silent: "is-bad" };

/** @param {any} worker */
export function workerCard(worker) {
  const state = worker.state === "silent" ? interpolate(gettext("silent for {time}"), { time: duration(worker.beat_age_s) }) : /** @type {any} */ (STATES())[worker.state];
  const beat = worker.beat_age_s < 60 ? `${number(worker.beat_age_s, 1)}${NARROW}s` : duration(worker.beat_age_s);
  const today = interpolate(ngettext("{count} job in 24 h", "{count} jobs in 24 h", worker.jobs_today), { count: number(worker.jobs_today) });
  return h(
    "li",
    { class: "worker", dataset: { state: worker.state } },
    h("div", { class: "worker__head" }, h("strong", {}, worker.name), h("span", { class: "second" }, worker.device), h("span", { class: TONES[/** @type {keyof typeof TONES} */ (worker.state)] }, state)),
    h("div", { class: "second" }, interpolate(gettext("Queues: {names}"), { names: worker.queues.join(", ") })),
    h("div", { class: "worker__foot hint" }, h("span", {}, interpolate(gettext("beat {time} ago"), { time: beat }), " · ", today), h("span", {}, worker.memory_mib ? `${number(worker.memory_mib / 1024, 1)}${NARROW}GB` : "")),
  );
}

class Workers extends HTMLElement {
  /** @param {any[]} workers */
  set workers(workers) {
    fill(this, workers.length ? h("ul", { role: "list" }, workers.map(workerCard)) : h("p", { class: "empty" }, gettext("No worker is running. Start one: python3 manage.py worker")));
  }
}

customElements.define("lam-workers", Workers);
