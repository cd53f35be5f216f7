/** Operations: facts, the queue, workers and health; live by progress messages, whole again every few seconds. */

import { get } from "../api/client.js";
import { banner } from "../components/banner.js";
import { chip, fill, find, h, pageData, settled } from "../components/dom.js";
import "../components/fact.js";
import { ago, number, utc } from "../components/format.js";
import "../components/health-list.js";
import "../components/job-table.js";
import "../components/worker-list.js";
import { gettext, interpolate, ngettext } from "../i18n.js";
import { openPeople } from "./people.js";

const EVERY_MS = 4000;
const FILTERS = /** @type {const} */ ({
  all: () => true,
  running: (/** @type {any} */ job) => job.state === "running",
  queued: (/** @type {any} */ job) => job.state === "queued",
  failed: (/** @type {any} */ job) => job.state === "failed",
});

/** @type {any} */
let state = null;
let filter = new URLSearchParams(location.search).get("jobs") || "all";
let words = "";
const table = find("lam-jobs");

function drawJobs() {
  const jobs = state.jobs;
  const names = { all: gettext("All"), running: gettext("Running"), queued: gettext("In line"), failed: gettext("Failed") };
  const choices = Object.entries(names).map(([key, text]) =>
    h(
      "button",
      { type: "button", "aria-pressed": String(key === filter), onclick: () => { filter = key; drawJobs(); } },
      `${text} ${number(jobs.filter(/** @type {any} */ (FILTERS)[key]).length)}`,
    ),
  );
  const holder = find("#job-filter");
  const at = [...holder.children].indexOf(document.activeElement);
  fill(holder, choices);
  if (at >= 0) holder.children[at]?.focus();
  const shown = jobs.filter(/** @type {any} */ (FILTERS)[filter] ?? FILTERS.all);
  table.jobs = words ? shown.filter((/** @type {any} */ job) => [job.id, job.project, job.kind, job.worker, job.requested_by?.name, job.algorithm?.title, job.error?.message].join(" ").toLowerCase().includes(words)) : shown;
}

function draw() {
  for (const fact of state.facts) {
    const place = find(`lam-fact[data-key="${fact.key}"]`);
    if (!place) continue;
    place.setAttribute("label", fact.name);
    place.setAttribute("value", fact.value);
    place.setAttribute("note", fact.detail);
    place.history = fact.history;
  }
  drawJobs();
  find("lam-workers").workers = state.workers;
  find("lam-health").checks = state.health;
  const silent = state.workers.filter((/** @type {any} */ w) => w.state === "silent").length;
  const live = state.workers.length - silent;
  find("#workers-live").textContent = interpolate(gettext("{live} of {all} live"), { live, all: state.workers.length });
  const checked = find("#checked");
  checked.textContent = interpolate(gettext("checked {time}"), { time: ago(state.checked_at) });
  checked.title = utc(state.checked_at);
  const troubles = state.health.filter((/** @type {any} */ check) => check.state !== "good");
  fill(
    find("#troubles"),
    silent > 0 && chip("bad", "circle-x", interpolate(ngettext("{count} worker silent", "{count} workers silent", silent), { count: silent })),
    troubles.map((/** @type {any} */ check) => chip(check.state, check.state === "bad" ? "circle-x" : "triangle-alert", `${check.name}: ${check.value}`)),
  );
}

async function load() {
  try {
    state = await get("/api/operations/");
    banner("list", null);
    draw();
  } catch (error) {
    banner("list", { text: /** @type {Error} */ (error).message, act: { text: gettext("Try again"), run: load } });
  }
}

const soon = settled(load, 300);
document.addEventListener("lam-job-changed", soon);
find("#search").addEventListener("input", (/** @type {any} */ event) => {
  words = event.target.value.trim().toLowerCase();
  if (state) drawJobs();
});
document.addEventListener("keydown", (event) => {
  const field = /** @type {HTMLElement} */ (event.target);
  if (event.key === "/" && !field.matches("input, select, textarea")) {
    event.preventDefault();
    find("#search").focus();
  }
});
find("#people").addEventListener("click", () => openPeople(pageData("shell-data").person.id));
void load();
setInterval(() => document.visibilityState === "visible" && load(), EVERY_MS);
