/** Every part in every state. Visual tests shoot this page; people who build pages look here first. */

import { banner } from "../components/banner.js";
import { openDialog } from "../components/dialog.js";
import { chip, fill, find, h, icon } from "../components/dom.js";
import "../components/fact.js";
import "../components/findings.js";
import { verdictChip } from "../components/findings.js";
import "../components/health-list.js";
import "../components/job-card.js";
import "../components/study-table.js";
import "../components/tag-table.js";
import { toast } from "../components/toast.js";
import { workerCard } from "../components/worker-list.js";
import { gettext } from "../i18n.js";
import { KEY_PRESETS } from "../tools/key-presets.js";
import { Keymap } from "../tools/keymap.js";
import { KeySheet } from "./study/key-sheet.js";
import { makeMark } from "./study/together/cursors.js";
import { face } from "./study/together/people.js";
import { colourOf } from "../state/presence.js";

const NOW = new Date().toISOString();
const BEFORE = new Date(Date.now() - 112_000).toISOString();

/** @param {string} state @param {Record<string, any>} [more] */
const job = (state, more = {}) => ({
  id: `example-${state}`,
  kind: "reconstruction",
  state,
  place: state === "queued" ? 3 : null,
  phase: "infer",
  detail: "tile 19 of 50",
  fraction: 0.38,
  seconds_left: 48,
  attempt: state === "queued" ? 0 : 1,
  max_attempts: 3,
  worker: "recon@host/1",
  created_at: BEFORE,
  started_at: BEFORE,
  finished_at: ["succeeded", "failed", "cancelled"].includes(state) ? NOW : null,
  requested_by: { id: "", name: "Example Reader" },
  algorithm: { name: "bone-ct", version: "1.0.0", title: gettext("Bone and skin from CT") },
  error: null,
  can_cancel: ["queued", "running"].includes(state),
  can_retry: ["failed", "cancelled"].includes(state),
  ...more,
});

const OUT_OF_MEMORY = { code: "out_of_memory", message: gettext("Out of memory: 7.9 of 8.0 GB. Tried with smaller tiles. Retry on a larger machine."), facts: {} };

function jobCards() {
  return ["queued", "running", "succeeded", "failed", "cancelled"].map((state) => {
    const card = document.createElement("lam-job");
    /** @type {any} */ (card).job = job(state, state === "failed" ? { error: OUT_OF_MEMORY, attempt: 3 } : {});
    return h("div", { class: "card card__body" }, card);
  });
}

/** @param {number} number @param {any} latest @param {number} segments */
const study = (number, latest, segments) => ({
  id: `example-${number}`,
  project: { id: "", name: gettext("Example") },
  pseudonym: `LAM-${String(number).padStart(4, "0")}`,
  description: gettext("Torso phantom, CT"),
  study_date: "2026-06-02",
  modalities: ["CT"],
  slices: 120,
  series_count: 1,
  state: "active",
  thumbnail: null,
  created_at: BEFORE,
  notice: "",
  job: latest,
  segments_count: segments,
  may: ["view"],
});

function tables() {
  const make = (/** @type {any[] | null} */ rows) => {
    const table = /** @type {any} */ (document.createElement("lam-study-table"));
    table.empty = h("div", { class: "empty" }, icon("inbox"), h("strong", {}, gettext("No studies yet")), h("span", {}, gettext("Import images to begin.")));
    table.rows = rows;
    return h("div", { class: "table-frame" }, table);
  };
  return [make([study(1, null, 0), study(2, job("queued"), 0), study(3, job("running"), 0), study(4, job("failed"), 0), study(5, null, 9)]), make([]), make(null)];
}

const FINDINGS = () => [
  { key: "a", modality: "CT", description: "Thorax", files_count: 120, shape: [120, 512, 512], spacing_mm: [2, 0.8, 0.8], verdict: "accept", reasons: [], message: "", needs_modality: false },
  { key: "b", modality: "CT", description: "Head", files_count: 28, shape: [28, 512, 512], spacing_mm: [4, 0.49, 0.49], verdict: "warn", reasons: [{ code: "gantry_tilt_corrected", text: gettext("The gantry was tilted; slices are sheared back by their positions.") }], message: "", needs_modality: false },
  { key: "c", modality: "MR", description: "Scout", files_count: 15, shape: null, spacing_mm: null, verdict: "refuse", reasons: [{ code: "mixed_orientations", text: gettext("Slices point in three directions. Export each direction as its own series.") }], message: "", needs_modality: false },
  { key: "d", modality: null, description: "brain.nii.gz", files_count: 1, shape: [189, 233, 197], spacing_mm: [1, 1, 1], verdict: "accept", reasons: [], message: "", needs_modality: true },
];

function findings() {
  const table = /** @type {any} */ (document.createElement("lam-findings"));
  queueMicrotask(() => (table.findings = FINDINGS()));
  return [h("p", { class: "totals" }, FINDINGS().map(verdictChip)), h("div", { class: "table-frame" }, table)];
}

function tags() {
  const known = /** @type {any} */ (document.createElement("lam-tags"));
  known.changes = [
    { tag: "(0010,0010)", name: gettext("Patient name"), before: "EXAMPLE^PERSON", after: "LAM-0001", action: "replaced" },
    { tag: "(0010,0030)", name: gettext("Birth date"), before: "1961-04-17", after: "", action: "removed" },
    { tag: "(0008,0020)", name: gettext("Study date"), before: "2019-08-23", after: "2019-06-02", action: "shifted" },
    { tag: "(0010,1010)", name: gettext("Age"), before: "058Y", after: "058Y", action: "kept" },
  ];
  known.all = true;
  return h("div", { class: "table-frame" }, known);
}

function facts() {
  const fact = h("lam-fact", { label: gettext("Median wait, 1 h"), value: "1 min 24 s", note: gettext("95 %: 4 min 02 s") });
  fact.history = [2, 5, 3, 8, 4, 9, 6, 4, 7, 3];
  return h("div", { class: "facts" }, h("lam-fact", { label: gettext("Studies"), value: "1,125", note: gettext("in your projects") }), fact, h("lam-fact", { label: gettext("Loading"), note: "" }));
}

function health() {
  const list = /** @type {any} */ (document.createElement("lam-health"));
  list.checks = [
    { name: gettext("Database"), state: "good", value: "2 ms", cure: "" },
    { name: gettext("Storage"), state: "caution", value: "88 of 500 GB free", cure: gettext("Free space, or move LAMINA_STORAGE to a larger disk.") },
    { name: gettext("Broker"), state: "bad", value: gettext("away"), cure: gettext("Redis does not answer.") },
  ];
  const workers = [
    { name: "recon@host/1", queues: ["recon"], device: "cpu", state: "working", beat_age_s: 0.8, memory_mib: 1200, jobs_today: 61 },
    { name: "io@host/1", queues: ["io"], device: "cpu", state: "silent", beat_age_s: 41, memory_mib: 0, jobs_today: 3 },
  ];
  return [h("div", { class: "card" }, list), h("div", { class: "card" }, h("ul", { role: "list" }, workers.map(workerCard)))];
}

function controls() {
  const button = (/** @type {string} */ extra, /** @type {string} */ text, more = {}) => h("button", { class: `button ${extra}`, type: "button", ...more }, text);
  return [
    h("div", { class: "form__acts" }, button("button--filled", gettext("Filled")), button("", gettext("Plain")), button("button--bad", gettext("Destroys")), button("button--quiet", gettext("Quiet")), button("button--filled", gettext("Asleep"), { disabled: true }), button("button--small", gettext("Small")), h("span", { class: "key" }, "Enter")),
    h("div", { class: "totals" }, chip("", "circle", gettext("Images only")), chip("accent", "loader-circle", gettext("Running")), chip("good", "check", gettext("Done")), chip("caution", "triangle-alert", gettext("Warning")), chip("bad", "circle-x", gettext("Failed")), chip("sealed", "lock", gettext("Sealed"))),
    h("div", { class: "form" }, h("div", { class: "field" }, h("label", { for: "example-field" }, gettext("Field")), h("input", { class: "input", id: "example-field", value: gettext("Text") }), h("span", { class: "hint" }, gettext("A hint under the field."))), h("div", { class: "field" }, h("label", { for: "example-wrong" }, gettext("Wrong field")), h("input", { class: "input", id: "example-wrong", "aria-invalid": "true" }), h("span", { class: "field__error" }, icon("circle-alert"), gettext("What is wrong and what to do.")))),
    ["good", "caution", "bad"].map((kind) => h("div", { class: `message message--${kind}` }, icon("info"), h("h3", {}, gettext("A message")), h("p", { class: "second" }, gettext("What happened, what we did, what you can do.")))),
  ];
}

function calls() {
  const button = (/** @type {string} */ text, /** @type {() => void} */ run) => h("button", { class: "button", type: "button", onclick: run }, text);
  return h(
    "div",
    { class: "form__acts" },
    button(gettext("Dialog"), () => void openDialog({ title: gettext("A dialog"), note: gettext("It says what will happen."), body: h("div", { class: "field" }, h("label", { for: "example-name" }, gettext("Name")), h("input", { class: "input", id: "example-name" })), acts: [{ text: gettext("Do it"), kind: "filled", run: (close) => close(true) }] })),
    button(gettext("Toast"), () => void toast(gettext("Saved."), { kind: "good" })),
    button(gettext("Error"), () => void toast(gettext("The server could not answer. Try again in a moment."), { kind: "bad" })),
    button(gettext("Banner"), () => banner("read-only", { text: gettext("This study is read-only."), symbol: "lock" })),
  );
}

/** With a key of one's own; nothing of it is kept. */
function keys() {
  const keymap = new Keymap(null, "");
  keymap.assign("tool-zoom", "Shift+Z");
  const acts = Object.fromEntries(Object.keys(KEY_PRESETS.standard.keys).map((act) => [act, () => {}]));
  return h("div", { class: "card card__body" }, new KeySheet({ keymap, acts }).element);
}

/** Faces in every state; cursors plain, near the plane, at rest, drawing and erasing. */
function people() {
  const names = ["Reader 1", "Reader 2", "Reader 3", "Reader 4", "Reader 5"];
  const stack = (/** @type {string} */ kind, /** @type {any} */ how, /** @type {any} */ more = {}) => {
    const faces = names.slice(0, 3).map((name, colour) => face({ id: name, name, colour, watches: false, followsMe: false, member: name, members: [name], ...(colour === 1 ? more : {}) }, colour === 1 ? how : { off: how.off }, () => {}));
    return h("div", { class: "people", "data-away": kind === "away" }, faces);
  };
  const cursors = names.map((name, colour) => {
    const { element, name: label, ring } = makeMark();
    element.hidden = false;
    label.textContent = name;
    element.style.setProperty("--person", colourOf({ colour }));
    element.style.setProperty("transform", `translate(${40 + colour * 120}px, 34px)`);
    element.style.setProperty("opacity", ["1", "0.5", "0.4", "1", "1"][colour]);
    ring.hidden = colour < 3;
    ring.toggleAttribute("data-erases", colour === 4);
    for (const side of ["width", "height"]) ring.style.setProperty(side, "34px");
    return element;
  });
  return [
    h("div", { class: "form__acts" }, stack("in", {}), stack("in", { followed: true }), stack("in", {}, { followsMe: true }), stack("in", {}, { watches: true }), stack("away", { off: true })),
    h("div", { class: "example__dark" }, cursors),
  ];
}

/** @param {string} title @param {any} parts */
const section = (title, parts) => h("section", { class: "example" }, h("h2", {}, title), parts);

fill(
  find("#examples"),
  section(gettext("Controls"), controls()),
  section(gettext("Job card"), h("div", { class: "example__cards" }, jobCards())),
  section(gettext("Worklist table"), tables()),
  section(gettext("Findings"), findings()),
  section(gettext("Before and after"), tags()),
  section(gettext("Facts"), facts()),
  section(gettext("Health and workers"), h("div", { class: "example__cards" }, health())),
  section(gettext("People"), people()),
  section(gettext("Keys"), keys()),
  section(gettext("Dialog, toast, banner"), calls()),
);
