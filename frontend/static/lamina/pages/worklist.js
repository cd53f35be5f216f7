/** The worklist: search, filter, sort, keyset pages, live rows, the chosen study beside it, the bin with undo. */

import { del, get, pages, post } from "../api/client.js";
import { banner } from "../components/banner.js";
import { confirmDialog } from "../components/dialog.js";
import { find, h, icon, pageData, settled } from "../components/dom.js";
import "../components/fact.js";
import { number } from "../components/format.js";
import "../components/next-case.js";
import "../components/reading-table.js";
import "../components/study-table.js";
import { toast, toastError } from "../components/toast.js";
import { use } from "../components/webawesome.js";
import { gettext, interpolate, ngettext } from "../i18n.js";
import { socket } from "../state/socket.js";
import { Mine } from "./worklist/mine.js";

const page = pageData() ?? {};
const shell = pageData("shell-data");
const LIMIT = 50;
const WIDE = matchMedia("(min-width: 1360px)");
const KEYS = ["q", "project", "modality", "order", "state"];

const table = find("lam-study-table");
const next = find("lam-next-case");
const search = find("#search");
const frame = find(".worklist__frame");
const more = find("#more");
const fresh = find("#fresh");

/** What the address says: a link opens the same list. */
const query = Object.fromEntries(KEYS.map((key) => [key, new URLSearchParams(location.search).get(key) ?? ""]));
/** @type {ReturnType<typeof pages>} */
let cursor;
let loading = new AbortController();
/** @type {Map<string, () => void>} */
const heard = new Map();
const arrived = new Set();
/** @type {any} */
let drawer = null;

const binned = () => query.state === "binned";

/** A reader's own cases; who has some to read finds them first. */
const mine = new Mine();
const OWN = ["mine", "done"];
const own = () => OWN.includes(query.state);
if (!location.search && page.open_readings > 0) query.state = "mine";

/** Which of the two lists stands there, with its panel and its facts. */
function placeLists() {
  table.hidden = next.hidden = own();
  mine.table.hidden = mine.next.hidden = !own();
  for (const element of document.querySelectorAll("[data-list]")) /** @type {HTMLElement} */ (element).hidden = (/** @type {HTMLElement} */ (element).dataset.list === "mine") !== own();
  find("#list-title").textContent = own() ? gettext("Your worklist") : gettext("Worklist");
  if (!own()) find("#list-note").textContent = gettext("Every study you may see.");
}

// --- reading the list ----------------------------------------------------------------------------------------------

function rememberInAddress() {
  const given = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(given).toString();
  history.replaceState(null, "", text ? `?${text}` : location.pathname);
}

function emptyText() {
  if (binned()) return [gettext("The bin is empty"), gettext("A study you delete stays here for 30 days.")];
  if (query.q || query.modality || query.project) return [gettext("Nothing matches"), gettext("Change the search or the filters.")];
  return [gettext("No studies yet"), gettext("Import images to begin.")];
}

function makeEmpty() {
  const [title, text] = emptyText();
  const start = !binned() && !query.q && !query.modality && shell?.projects?.some((/** @type {any} */ p) => p.may.includes("import"));
  return h(
    "div",
    { class: "empty" },
    icon(binned() ? "archive" : "inbox"),
    h("strong", {}, title),
    h("span", {}, text),
    start && h("a", { class: "button button--filled", href: "/import/" }, icon("upload"), gettext("Import")),
  );
}

async function load() {
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  rememberInAddress();
  placeLists();
  if (own()) {
    unhear();
    more.hidden = fresh.hidden = true;
    mine.show(query.state === "done");
    void loadFacts();
    return;
  }
  mine.hide();
  cursor = pages("/api/studies/", { ...query, order: query.order || "-created", state: query.state || "active", limit: LIMIT });
  table.bin = binned();
  table.rows = null;
  table.empty = makeEmpty();
  arrived.clear();
  showFresh();
  try {
    const answer = await cursor.next(signal);
    unhear();
    table.rows = answer.results;
    hear(answer);
    choose(answer.results[0] ?? null);
    more.hidden = cursor.done;
    banner("list", null);
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") return;
    table.rows = table.rows ?? [];
    banner("list", { text: /** @type {Error} */ (error).message, act: { text: gettext("Try again"), run: load } });
  }
  void loadFacts();
}

async function loadMore() {
  if (cursor.done || more.disabled) return;
  more.disabled = true;
  try {
    const answer = await cursor.next(loading.signal);
    table.add(answer.results);
    hear(answer);
    more.hidden = cursor.done;
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "AbortError") toastError(error);
  } finally {
    more.disabled = false;
  }
}

async function loadFacts() {
  try {
    const facts = await get("/api/studies/facts/");
    find("#fact-studies").setAttribute("value", number(facts.studies));
    find("#fact-week").setAttribute("value", number(facts.reconstructions_week));
    find("#fact-running").setAttribute("value", number(facts.running_jobs));
    const count = find("#bin-count");
    count.textContent = facts.binned ? number(facts.binned) : "";
  } catch {
    // The facts are small; the list says what is wrong.
  }
}

// --- live ----------------------------------------------------------------------------------------------------------

function unhear() {
  for (const stop of heard.values()) stop();
  heard.clear();
}

/** @param {{results: any[], streams?: Record<string, number>}} answer */
function hear(answer) {
  for (const study of answer.results) {
    const stream = `study:${study.id}`;
    if (heard.has(study.id)) continue;
    heard.set(
      study.id,
      socket.subscribe(stream, answer.streams?.[stream] ?? null, {
        onEvent: (event) => onStudyEvent(study.id, event),
        onProgress: (job) => onProgress(study.id, job),
        onReload: () => refresh(study.id),
      }),
    );
  }
}

const refreshing = new Map();

/** Fetch one row again; a burst of events costs one request. @param {string} id */
function refresh(id) {
  clearTimeout(refreshing.get(id));
  refreshing.set(
    id,
    setTimeout(async () => {
      refreshing.delete(id);
      try {
        const study = await get(`/api/studies/${id}/`);
        if (study.state !== (query.state || "active")) forget(id);
        else {
          table.update(study);
          if (next.study?.id === id) next.study = study;
        }
      } catch (error) {
        if (/** @type {any} */ (error).status === 404) forget(id);
      }
    }, 120),
  );
}

/** @param {string} id @param {{type: string}} event */
function onStudyEvent(id, event) {
  const gone = event.type === "study.erased" || event.type === (binned() ? "study.restored" : "study.binned");
  if (gone) forget(id);
  else refresh(id);
  if (event.type.startsWith("job.") || event.type === "segmentation.ready") factsSoon();
}

const factsSoon = settled(loadFacts, 1500);

/** @param {string} id @param {any} job */
function onProgress(id, job) {
  const study = table.rows?.find((/** @type {any} */ row) => row.id === id);
  if (!study) return;
  const changed = { ...study, job };
  table.update(changed);
  if (next.study?.id === id) next.progress(job);
}

/** @param {string} id */
function forget(id) {
  heard.get(id)?.();
  heard.delete(id);
  table.removeRow(id);
  if (next.study?.id === id) choose(table.rows?.find((/** @type {any} */ row) => row.id === table.selected) ?? null);
  factsSoon();
}

/** Studies others imported meanwhile wait behind one button, so that no row moves under the pointer. */
function showFresh() {
  const count = arrived.size;
  fresh.hidden = count === 0;
  fresh.textContent = interpolate(ngettext("{count} new study: show it", "{count} new studies: show them", count), { count });
}

for (const [stream, last] of Object.entries(page.streams ?? {})) {
  socket.subscribe(stream, /** @type {number} */ (last), {
    onEvent: (event) => {
      if (event.type !== "study.created" || binned() || own()) return;
      arrived.add(event.payload.study_id);
      if (table.rows?.length === 0) void load();
      else showFresh();
      factsSoon();
    },
    onReload: () => undefined,
  });
}

// --- choosing and acting -------------------------------------------------------------------------------------------

/** @param {any} study */
function choose(study) {
  table.selected = study?.id ?? "";
  next.study = study;
}

/** @param {any} study */
function open(study) {
  if (study && !binned()) location.assign(`/studies/${study.id}/`);
}

/** @param {any} study */
async function putInBin(study) {
  const done = await confirmDialog({
    title: interpolate(gettext("Move {case} to the bin"), { case: study.pseudonym }),
    note: gettext("Nobody sees the study any more. It can be restored for 30 days, then images, results and its key are erased."),
    act: gettext("Move to the bin"),
    kind: "bad",
    run: () => del(`/api/studies/${study.id}/`),
  });
  if (!done) return;
  forget(study.id);
  toast(interpolate(gettext("{case} is in the bin."), { case: study.pseudonym }), {
    act: { text: gettext("Undo"), run: () => restore(study) },
  });
}

/** @param {any} study */
async function restore(study) {
  try {
    await post(`/api/studies/${study.id}/restore/`);
    toast(interpolate(gettext("{case} is back in the worklist."), { case: study.pseudonym }), { kind: "good" });
    if (binned()) forget(study.id);
    else void load();
  } catch (error) {
    toastError(error);
  }
}

/** @param {any} study */
async function erase(study) {
  const done = await confirmDialog({
    title: interpolate(gettext("Erase {case} now"), { case: study.pseudonym }),
    note: gettext("Images, results and the key that opens them are destroyed. Nobody can bring them back."),
    act: gettext("Erase for ever"),
    kind: "bad",
    run: async () => {
      try {
        await post(`/api/studies/${study.id}/erase/`);
      } catch (error) {
        const { code, facts } = /** @type {any} */ (error);
        if (code !== "reauthentication_needed") throw error;
        location.assign(`${facts.url}?next=${encodeURIComponent(location.pathname + location.search)}`);
      }
    },
  });
  if (done) forget(study.id);
}

document.addEventListener("lam-choose", (event) => {
  const { study } = /** @type {CustomEvent} */ (event).detail;
  next.study = study;
});
document.addEventListener("lam-open", (event) => open(/** @type {CustomEvent} */ (event).detail.study));
document.addEventListener("lam-bin", (event) => putInBin(/** @type {CustomEvent} */ (event).detail.study));
document.addEventListener("lam-restore", (event) => restore(/** @type {CustomEvent} */ (event).detail.study));
document.addEventListener("lam-erase", (event) => erase(/** @type {CustomEvent} */ (event).detail.study));
document.addEventListener("lam-job-changed", () => next.study && refresh(next.study.id));

/** Below 1360 px the panel lives in a drawer. */
async function placePanel() {
  if (WIDE.matches) {
    find(".worklist").append(next, mine.next);
    drawer?.remove();
    drawer = null;
    return;
  }
  await use("drawer");
  if (WIDE.matches || drawer) return;
  drawer = h("wa-drawer", { label: gettext("Chosen study"), placement: "end", class: "worklist__drawer" });
  document.body.append(drawer);
  drawer.append(next, mine.next);
}

WIDE.addEventListener("change", placePanel);
find("#show-panel").addEventListener("click", async () => {
  await placePanel();
  if (drawer) drawer.open = true;
});

const shownTable = () => (own() ? mine.table : table);

const typing = (/** @type {Event} */ event) =>
  event.composedPath().some((node) => node instanceof HTMLElement && (node.matches("input, select, textarea") || node.isContentEditable));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("wa-dialog[open]")) return;
  if (event.key === "/" && !typing(event)) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape" && event.target === search) {
    search.value = "";
    query.q = "";
    search.blur();
    void load();
  } else if (event.target === search && event.key === "ArrowDown") {
    event.preventDefault();
    shownTable().move(0);
  } else if (typing(event)) return;
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    shownTable().move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && (event.target === document.body || event.target === find("#main"))) {
    if (own()) void mine.open();
    else open(next.study);
  } else if (own()) return;
  else if (event.key === "Delete" && next.study?.may?.includes("delete") && !binned()) void putInBin(next.study);
});

// --- the controls --------------------------------------------------------------------------------------------------

search.value = query.q;
search.addEventListener(
  "input",
  settled(() => {
    query.q = search.value.trim();
    mine.search(query.q);
    if (!own()) void load();
  }, 220),
);
for (const name of ["project", "modality", "order"]) {
  const select = find(`#${name}`);
  if (query[name]) select.value = query[name];
  if (select.selectedIndex < 0) select.selectedIndex = 0;
  select.addEventListener("change", () => {
    query[name] = select.value;
    void load();
  });
}
for (const button of document.querySelectorAll("[data-state-choice]")) {
  const choice = /** @type {HTMLElement} */ (button).dataset.stateChoice ?? "";
  const show = () => button.setAttribute("aria-pressed", String((query.state || "active") === choice));
  show();
  button.addEventListener("click", () => {
    query.state = choice === "active" ? "" : choice;
    for (const other of document.querySelectorAll("[data-state-choice]")) other.setAttribute("aria-pressed", String(other === button));
    void load();
  });
}
more.addEventListener("click", loadMore);
fresh.addEventListener("click", load);
new IntersectionObserver((entries) => entries[0].isIntersecting && !more.hidden && loadMore(), { root: frame, rootMargin: "240px" }).observe(more);
mine.search(query.q);
void placePanel();
void load();
if (!own() && page.open_readings !== undefined) void mine.load();
