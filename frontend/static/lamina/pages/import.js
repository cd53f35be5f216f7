/**
 * Import in four steps: choose files, check, look at what changes and agree, import. The intake's id stands in the
 * address, so a reloaded page goes on where it was; files dropped again continue from the last byte received.
 */

import { call, del, get, newKey, post } from "../api/client.js";
import { uploadAll } from "../api/tus.js";
import { fromChoice, fromDrop } from "../components/collect.js";
import { chip, fill, find, h, icon, pageData } from "../components/dom.js";
import { verdictOf } from "../components/findings.js";
import { bytes, duration, number } from "../components/format.js";
import { progressBar } from "../components/job-card.js";
import "../components/tag-table.js";
import { toast, toastError } from "../components/toast.js";
import { gettext, interpolate, ngettext } from "../i18n.js";
import { socket } from "../state/socket.js";

const shell = pageData("shell-data");
const place = find("#import-place");
const side = find("#import-side");
const heading = find("#import-title");
const second = find("#import-second");
const acts = find("#import-acts");
const STEPS = ["choose", "check", "agree", "import"];
const POLL_MS = 2500;

/** @type {any} */
let intake = null;
let project = new URLSearchParams(location.search).get("project") || shell.project;
let upload = /** @type {AbortController | null} */ (null);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let poll;
/** @type {{path: string, error: Error}[]} */
let refusedFiles = [];
let shown = "";

// --- the frame: step, title, side ----------------------------------------------------------------------------------

/** @param {string} step */
function showStep(step) {
  const at = STEPS.indexOf(step);
  for (const [index, line] of [...document.querySelectorAll(".stages li")].entries()) {
    const done = index < at;
    line.toggleAttribute("data-done", done);
    if (index === at) line.setAttribute("aria-current", "step");
    else line.removeAttribute("aria-current");
  }
  document.body.dataset.step = step;
}

/** @param {string} title @param {string} text @param {any[]} [buttons] */
function head(title, text, buttons = []) {
  fill(heading, title);
  fill(second, text);
  fill(acts, ...buttons);
}

/** @param {string} id */
function rememberInAddress(id) {
  history.replaceState(null, "", id ? `?intake=${id}` : `?project=${project}`);
}

// --- step 1: choose ------------------------------------------------------------------------------------------------

const importable = () => shell.projects.filter((/** @type {any} */ p) => p.may.includes("import"));

function chooseFiles() {
  clearTimeout(poll);
  intake = null;
  shown = "";
  refusedFiles = [];
  side.hidden = true;
  rememberInAddress("");
  showStep("choose");
  head(gettext("Import images"), gettext("DICOM as files, folder or zip; NIfTI as .nii or .nii.gz."));
  const projects = importable();
  if (!projects.some((/** @type {any} */ p) => p.id === project)) project = projects[0].id;
  const files = h("input", { type: "file", multiple: true, hidden: true, onchange: () => start(fromChoice(files.files)) });
  const folder = h("input", { type: "file", webkitdirectory: true, multiple: true, hidden: true, onchange: () => start(fromChoice(folder.files)) });
  const drop = h(
    "div",
    { class: "drop", id: "drop" },
    icon("upload"),
    h("strong", {}, gettext("Drop files or a folder here")),
    h("span", { class: "second" }, gettext("Up to 20,000 files of 4 GiB each.")),
    h(
      "div",
      { class: "drop__acts" },
      h("button", { class: "button button--filled button--tall", type: "button", onclick: () => files.click() }, icon("files"), gettext("Choose files")),
      h("button", { class: "button button--tall", type: "button", onclick: () => folder.click() }, icon("folder"), gettext("Choose a folder")),
    ),
    files,
    folder,
  );
  fill(
    place,
    h(
      "label",
      { class: "import__project" },
      h("span", { class: "field__label" }, gettext("Into project")),
      h(
        "select",
        { class: "select", id: "project", onchange: (/** @type {any} */ e) => { project = e.target.value; rememberInAddress(""); } },
        projects.map((/** @type {any} */ p) => h("option", { value: p.id, selected: p.id === project }, p.name)),
      ),
    ),
    drop,
    h(
      "ul",
      { class: "import__promises", role: "list" },
      [
        ["shield-check", gettext("Names, dates of birth and other direct identifiers are replaced before anything enters a study.")],
        ["lock", gettext("What you send lies encrypted under a key of its own, destroyed after the import or after 24 hours.")],
        ["eye", gettext("You see every change, before and after, and agree to it first.")],
      ].map(([symbol, text]) => h("li", {}, icon(symbol), h("span", {}, text))),
    ),
  );
}

/** @param {{file: File, path: string}[]} entries */
async function start(entries) {
  if (entries.length === 0) {
    toast(gettext("There was no file in what you chose."), { kind: "bad" });
    return;
  }
  try {
    if (!intake) {
      intake = await call("POST", "/api/intakes/", { body: { project }, key: newKey() });
      rememberInAddress(intake.id);
    }
    await send(entries);
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "AbortError") failed(error, () => start(entries));
  }
}

// --- step 1b: send -------------------------------------------------------------------------------------------------

/** @param {{file: File, path: string}[]} entries */
async function send(entries) {
  upload = new AbortController();
  const total = entries.reduce((sum, entry) => sum + entry.file.size, 0);
  const began = Date.now();
  const bar = h("div", {});
  const line = h("p", { class: "job__line" });
  showStep("choose");
  head(
    gettext("Sending"),
    interpolate(ngettext("{count} file, {size}", "{count} files, {size}", entries.length), { count: number(entries.length), size: bytes(total) }),
    [h("button", { class: "button", type: "button", onclick: giveUp }, icon("x"), gettext("Stop and discard"))],
  );
  const card = h("section", { class: "card card--work", "aria-live": "off" }, h("div", { class: "card__body" }, h("h2", {}, gettext("Sending your files, encrypted on arrival")), bar, line));
  fill(place, card);
  let note = "";
  const tell = (/** @type {number} */ received, /** @type {number} */ files) => {
    const fraction = total ? received / total : 1;
    const seconds = (Date.now() - began) / 1000;
    const left = fraction > 0.02 && seconds > 1 ? interpolate(gettext("{time} left"), { time: duration((seconds / fraction) * (1 - fraction)) }) : "";
    fill(bar, progressBar(fraction, gettext("Sending")));
    const progress = interpolate(gettext("{sent} of {size}, {files} of {count} files"), { sent: bytes(received), size: bytes(total), files: number(files), count: number(entries.length) });
    fill(line, h("span", {}, [progress, note || left].filter(Boolean).join(" · ")), h("span", {}, `${Math.floor(fraction * 100)}\u202f%`));
  };
  tell(0, 0);
  refusedFiles = await uploadAll(entries, {
    address: intake.upload_url,
    intake: intake.id,
    signal: upload.signal,
    onProgress: (received, _total, files) => {
      note = "";
      tell(received, files);
    },
    onWait: (seconds) => {
      note = interpolate(gettext("connection lost, trying again in {seconds} s"), { seconds: Math.ceil(seconds) });
      fill(line, h("span", {}, note), h("span", {}));
    },
  });
  upload = null;
  if (refusedFiles.length === entries.length) throw refusedFiles[0].error;
  await post(`/api/intakes/${intake.id}/inspect/`, {}, { key: newKey() });
  await show(intake.id);
}

async function giveUp() {
  upload?.abort();
  upload = null;
  if (intake) await del(`/api/intakes/${intake.id}/`).catch(() => undefined);
  chooseFiles();
}

// --- step 2: check -------------------------------------------------------------------------------------------------

/** @param {string} title @param {string} text @param {any} job */
function working(title, text, job) {
  side.hidden = true;
  head(title, text, []);
  const known = find("#import-place lam-job");
  if (known && known.job?.id === job?.id) {
    known.job = job;
    return;
  }
  const card = document.createElement("lam-job");
  /** @type {any} */ (card).job = job;
  fill(place, h("section", { class: "card card--work" }, h("div", { class: "card__body" }, card)));
}

/** @param {string} id */
async function show(id) {
  clearTimeout(poll);
  try {
    intake = await get(`/api/intakes/${id}/`);
  } catch (error) {
    if (/** @type {any} */ (error).status === 404) {
      toast(gettext("This upload is over. Start again."), { kind: "bad" });
      chooseFiles();
      return;
    }
    failed(error, () => show(id));
    return;
  }
  const again = () => (poll = setTimeout(() => show(id), POLL_MS));
  // The same news may come twice (an event and the answer of our own request): choices a person made stay.
  const news = `${id} ${intake.state}`;
  if (news === shown && !["receiving", "inspecting", "importing"].includes(intake.state)) return;
  shown = news;
  if (intake.state === "receiving") {
    if (intake.files?.length && !upload) unfinished();
    else if (!upload) chooseFiles();
  } else if (intake.state === "inspecting") {
    showStep("check");
    working(gettext("Checking your files"), gettext("Which series are there, and is each one a sound volume?"), intake.job);
    again();
  } else if (intake.state === "inspected") agree();
  else if (intake.state === "importing") {
    showStep("import");
    working(gettext("Importing"), gettext("Replacing identifiers, storing the images, making the first picture."), intake.job);
    again();
  } else if (intake.state === "imported") imported();
  else if (intake.state === "failed") {
    const error = new Error(intake.job?.error?.message || intake.error?.message || gettext("The import failed."));
    failed(error, intake.findings?.length ? agree : null);
  } else {
    toast(gettext("This upload is over. Start again."), { kind: "bad" });
    chooseFiles();
  }
}

/** Some bytes are there already: the same files go on from the last one. */
function unfinished() {
  showStep("choose");
  const received = intake.received_bytes ?? 0;
  head(gettext("Go on sending"), interpolate(gettext("{sent} of {size} arrived before the page was closed."), { sent: bytes(received), size: bytes(intake.total_bytes ?? 0) }), [
    h("button", { class: "button", type: "button", onclick: giveUp }, icon("x"), gettext("Discard")),
  ]);
  const files = h("input", { type: "file", multiple: true, hidden: true, onchange: () => start(fromChoice(files.files)) });
  fill(
    place,
    h("div", { class: "drop", id: "drop" }, icon("upload"), h("strong", {}, gettext("Drop the same files again")), h("span", { class: "second" }, gettext("They continue where they stopped.")), h("button", { class: "button button--filled", type: "button", onclick: () => files.click() }, gettext("Choose files")), files),
  );
}

/** What happened and what can be done. @param {unknown} error @param {(() => any) | null} again */
function failed(error, again) {
  side.hidden = true;
  head(gettext("Nothing was imported"), gettext("Your files are as they were."), []);
  fill(
    place,
    h(
      "div",
      { class: "message message--bad", role: "alert" },
      icon("circle-alert"),
      h("p", {}, error instanceof Error ? error.message : gettext("Something went wrong.")),
      h(
        "p",
        { class: "form__acts" },
        again && h("button", { class: "button button--small", type: "button", onclick: again }, icon("refresh-cw"), gettext("Try again")),
        h("button", { class: "button button--small", type: "button", onclick: giveUp }, icon("folder-open"), gettext("Other files")),
      ),
    ),
  );
}

// --- step 3: what changes, and consent -----------------------------------------------------------------------------

function agree() {
  showStep("agree");
  const { findings } = intake;
  const count = findings.length;
  const files = findings.reduce((/** @type {number} */ sum, /** @type {any} */ f) => sum + f.files_count, 0);
  head(
    count === 0 ? gettext("No series found") : interpolate(ngettext("{count} series found", "{count} series found", count), { count: number(count) }),
    [
      interpolate(ngettext("{count} file", "{count} files", files), { count: number(files) }),
      bytes(intake.total_bytes ?? 0),
      gettext("nothing has entered a study yet"),
    ].join(" · "),
    [h("button", { class: "button", type: "button", onclick: giveUp }, icon("folder-open"), gettext("Other files"))],
  );
  const table = /** @type {any} */ (document.createElement("lam-findings"));
  const message = h("div", { id: "series-message" });
  fill(place, totals(findings), count > 0 && h("div", { class: "table-frame" }, table), message, leftOut());
  side.hidden = count === 0;
  if (count === 0) return;
  drawSide(table);
  table.findings = findings;
}

/** What the server is told of one chosen series: nothing empty. @param {{key: string, modality: string, confirmed: boolean}} kept */
const asChoice = ({ key, modality, confirmed }) => ({ key, ...(modality && { modality }), ...(confirmed && { confirmed }) });

/** "2 ready, 1 with a warning, 1 refused". @param {any[]} findings */
function totals(findings) {
  const of = (/** @type {string} */ verdict) => findings.filter((f) => f.verdict === verdict && !f.withheld).length;
  const [ready, warned] = [of("accept"), of("warn")];
  const withheld = findings.filter((f) => f.withheld).length;
  const pictures = findings.filter((f) => f.verdict === "refuse" && f.may_import && !f.withheld).length;
  const refused = of("refuse") - pictures;
  return h(
    "div",
    { class: "totals" },
    ready > 0 && chip("good", "circle-check", interpolate(gettext("{count} ready"), { count: ready })),
    warned > 0 && chip("caution", "triangle-alert", interpolate(gettext("{count} with a warning"), { count: warned })),
    pictures > 0 && chip("", "image", interpolate(gettext("{count} kept as images"), { count: pictures })),
    withheld > 0 && chip("caution", "eye", interpolate(gettext("{count} held back"), { count: withheld })),
    refused > 0 && chip("bad", "circle-x", interpolate(gettext("{count} refused"), { count: refused })),
  );
}

/** Files that are no image, each with its reason. */
function leftOut() {
  const lines = [
    ...(intake.ignored ?? []).map((/** @type {any} */ one) => [one.file, one.text]),
    ...refusedFiles.map((one) => [one.path, one.error.message]),
  ];
  if (lines.length === 0) return null;
  return h(
    "details",
    { class: "card left-out" },
    h("summary", {}, interpolate(ngettext("{count} file stays behind", "{count} files stay behind", lines.length), { count: number(lines.length) })),
    h("dl", { class: "pairs" }, lines.slice(0, 200).map(([file, text]) => h("div", {}, h("dt", {}, file), h("dd", {}, text)))),
  );
}

/** The message card of the chosen series: reason and cure. @param {any} finding */
function showMessage(finding) {
  const holder = find("#series-message");
  if (!holder) return;
  const { symbol, kind } = verdictOf(finding);
  const name = finding.description || finding.modality || gettext("This series");
  const reasons = finding.reasons.map((/** @type {any} */ reason) => reason.text || reason.code);
  if (finding.verdict === "accept") return fill(holder);
  fill(
    holder,
    h(
      "div",
      { class: `message message--${kind}` },
      icon(symbol),
      h("h3", {}, name),
      h("p", { class: "second" }, finding.message || reasons.join(" ")),
    ),
  );
}

const changesOf = new Map();

/** The before and after table, consent at its foot. @param {any} table */
function drawSide(table) {
  const tags = /** @type {any} */ (document.createElement("lam-tags"));
  const about = h("p", { class: "second" });
  const consent = h("input", { class: "checkbox", type: "checkbox", id: "consent", onchange: () => update() });
  const why = h("p", { class: "hint import__why" });
  const go = h("button", { class: "button button--filled button--tall", type: "button", id: "go", onclick: () => run() });
  const choice = h("div", { class: "segmented", role: "group", "aria-label": gettext("Which elements") });

  const update = () => {
    const count = table.kept.length;
    go.textContent = interpolate(ngettext("De-identify and import {count} series", "De-identify and import {count} series", count), { count: number(count) });
    const reason =
      count === 0
        ? gettext("Choose at least one series.")
        : table.unnamed.length > 0
          ? gettext("Say for each NIfTI file which images it holds.")
          : !consent.checked
            ? gettext("The button wakes up when you have agreed.")
            : "";
    why.textContent = reason;
    go.disabled = reason !== "";
  };

  const drawChoice = () => {
    const changes = tags.changes ?? [];
    const changed = changes.filter((/** @type {any} */ c) => c.action !== "kept").length;
    const button = (/** @type {boolean} */ all, /** @type {string} */ text) =>
      h("button", { type: "button", "aria-pressed": String(choice.dataset.all === String(all)), onclick: () => { choice.dataset.all = String(all); tags.all = all; drawChoice(); } }, text);
    fill(choice, button(false, interpolate(gettext("Changes {count}"), { count: number(changed) })), button(true, interpolate(gettext("All {count}"), { count: number(changes.length) })));
  };
  choice.dataset.all = "false";

  const showChanges = async (/** @type {any} */ finding) => {
    const name = finding.description || finding.modality || gettext("This series");
    about.textContent = `${name} · ${gettext("direct identifiers replaced, dates moved, age kept")}`;
    tags.changes = changesOf.get(finding.key) ?? null;
    drawChoice();
    if (tags.changes) return;
    try {
      const answer = await get(`/api/intakes/${intake.id}/changes/`, { key: finding.key });
      changesOf.set(finding.key, answer.results ?? answer);
      if (table.selected?.key === finding.key) tags.changes = changesOf.get(finding.key);
    } catch (error) {
      tags.changes = [];
      toastError(error);
    }
    drawChoice();
  };

  const run = async () => {
    go.disabled = true;
    try {
      await post(`/api/intakes/${intake.id}/import/`, { series: table.kept.map(asChoice), consent: true }, { key: newKey() });
      await show(intake.id);
    } catch (error) {
      toastError(error);
      update();
    }
  };

  table.addEventListener("lam-series", (/** @type {CustomEvent} */ event) => {
    showMessage(event.detail.finding);
    void showChanges(event.detail.finding);
  });
  table.addEventListener("lam-kept", update);
  fill(
    side,
    h("div", { class: "import__side-head" }, h("div", {}, h("h2", {}, gettext("What changes in the header")), about), choice),
    h("div", { class: "import__tags", tabindex: "0", role: "region", "aria-label": gettext("Before and after") }, tags),
    h(
      "div",
      { class: "import__foot" },
      h("label", { class: "check-line", for: "consent" }, consent, h("span", {}, gettext("I have the right to use these images for research and have looked at the changes."))),
      why,
      h("div", { class: "import__acts" }, h("button", { class: "button button--tall", type: "button", onclick: giveUp }, gettext("Back")), go),
    ),
  );
  queueMicrotask(update);
}

// --- step 4: done --------------------------------------------------------------------------------------------------

async function imported() {
  showStep("import");
  side.hidden = true;
  const ids = intake.studies ?? [];
  head(
    interpolate(ngettext("{count} study imported", "{count} studies imported", ids.length), { count: number(ids.length) }),
    [
      gettext("The uploaded files and the identifiers in them are destroyed."),
      intake.duplicates > 0 && interpolate(ngettext("{count} series was there already.", "{count} series were there already.", intake.duplicates), { count: intake.duplicates }),
    ]
      .filter(Boolean)
      .join(" "),
    [h("button", { class: "button", type: "button", onclick: chooseFiles }, icon("upload"), gettext("Import more"))],
  );
  fill(place, h("div", { class: "message message--good" }, icon("circle-check"), h("p", {}, gettext("Ready to open."))));
  const studies = (await Promise.all(ids.map((/** @type {string} */ id) => get(`/api/studies/${id}/`).catch(() => null)))).filter(Boolean);
  fill(
    place,
    h(
      "ul",
      { class: "imported", role: "list" },
      studies.map((study, index) =>
        h(
          "li",
          { class: "card imported__study" },
          h("span", { class: "thumbnail" }, study.thumbnail && h("img", { src: study.thumbnail, alt: "", width: "66", height: "48" })),
          h("div", {}, h("strong", {}, study.pseudonym), h("p", { class: "second" }, [study.description, study.modalities.join(" · ")].filter(Boolean).join(" · "))),
          h("a", { class: `button${index === 0 ? " button--filled" : ""}`, href: `/studies/${study.id}/` }, gettext("Open study")),
        ),
      ),
    ),
  );
}

// --- live ----------------------------------------------------------------------------------------------------------

const mine = `user:${shell.person.id}`;
socket.subscribe(mine, shell.streams?.[mine] ?? 0, {
  onEvent: (event) => {
    const { type, payload } = event;
    if (intake && (payload.intake_id === intake.id || type.startsWith("job.")) && !upload) void show(intake.id);
  },
  onProgress: (job) => {
    const card = find("lam-job");
    if (card && card.job?.id === job.id) card.job = job;
  },
  onReload: () => (intake && !upload ? show(intake.id) : undefined),
});

document.addEventListener("lam-job-changed", () => intake && show(intake.id));
document.addEventListener("dragover", (event) => {
  if (!find("#drop")) return;
  event.preventDefault();
  find("#drop").classList.add("drop--over");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) find("#drop")?.classList.remove("drop--over");
});
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  const drop = find("#drop");
  if (!drop || !event.dataTransfer) return;
  drop.classList.remove("drop--over");
  try {
    await start(await fromDrop(event.dataTransfer));
  } catch {
    toast(gettext("The browser could not read what you dropped. Use the button instead."), { kind: "bad" });
  }
});
addEventListener("beforeunload", (event) => {
  if (upload) event.preventDefault();
});

const known = new URLSearchParams(location.search).get("intake");
if (known) void show(known);
else chooseFiles();
