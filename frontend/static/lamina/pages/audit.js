/** Audit: what was done in a project and by whom, page by page; verified as a chain, and taken away. */

import { get } from "../api/client.js";
import { clear, fill, find, h, icon, pageData } from "../components/dom.js";
import { day, number, timeOfDay, utc } from "../components/format.js";
import { refusal } from "../components/refusal.js";
import { toastError } from "../components/toast.js";
import { gettext, interpolate, ngettext } from "../i18n.js";
import { actWord } from "./audit/act-words.js";
import { Filters } from "./audit/filters.js";
import { verifying } from "./audit/verify.js";

const { project } = pageData();
const body = find("#entries");
const more = find("#more-entries");
const COLUMNS = 6;
/** @type {any[]} */
let entries = [];
let asked = 0;
/** @type {number | null} the first entry that is not as it was sealed */
let brokenAt = null;

/** Ids and codes of an act; long ones are cut for the eye alone. @param {any} value */
const fact = (value) => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return h("span", { class: "code", title: text }, text.length > 24 ? `${text.slice(0, 8)} … ${text.slice(-8)}` : text);
};

/** @param {any} entry */
function details(entry) {
  const facts = Object.entries(entry.facts).filter(([, value]) => value !== null);
  const pairs = [[entry.target_kind, entry.target_id], ...facts].filter(([name]) => name);
  return h("details", {}, h("summary", {}, interpolate(ngettext("{count} fact", "{count} facts", pairs.length), { count: number(pairs.length) })),
    h("dl", { class: "pairs" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, fact(value)))), entry.hash && h("div", {}, h("dt", {}, gettext("Hash")), h("dd", {}, fact(entry.hash)))));
}

/** @param {any} entry */
function row(entry) {
  const at = new Date(entry.at);
  const isBroken = brokenAt !== null && entry.position !== null && entry.position >= brokenAt;
  return h("tr", { dataset: { id: entry.id, act: entry.act, position: String(entry.position ?? "") }, class: isBroken ? "is-broken" : null },
    h("td", { class: "audit__at" }, h("time", { datetime: entry.at, title: utc(entry.at) }, day(entry.at, project.time_zone), h("span", { class: "second" }, timeOfDay(at, project.time_zone)))),
    h("td", {}, entry.actor ?? h("span", { class: "second" }, gettext("the system"))),
    h("td", {}, h("span", { class: "table__main" }, actWord(entry.act)), h("span", { class: "second code" }, entry.act)),
    h("td", {}, entry.study && h("a", { href: `/studies/${entry.study.id}/` }, entry.study.pseudonym)),
    h("td", {}, details(entry)),
    h("td", { class: "number" }, entry.position === null ? h("span", { class: "second" }, gettext("not yet")) : number(entry.position), isBroken && h("span", { class: "second is-bad" }, icon("circle-x"), " ", entry.position === brokenAt ? gettext("broken here") : gettext("not proven"))));
}

function draw() {
  find("#audit-second").textContent = entries.length ? interpolate(gettext("{count} shown, newest first; times of the project, {zone}"), { count: number(entries.length), zone: project.time_zone }) : "\u00a0";
  const none = filters.some
    ? [gettext("No act fits these filters"), gettext("Clear a filter, or choose other days.")]
    : [gettext("Nothing was done here yet"), gettext("Acts appear by themselves as people work.")];
  fill(body, entries.length ? entries.map(row) : h("tr", {}, h("td", { colspan: String(COLUMNS) }, h("div", { class: "empty" }, icon("history"), h("strong", {}, none[0]), h("span", {}, none[1])))));
}

/** @param {boolean} [fresh] from the newest again */
async function load(fresh = true) {
  const own = (asked += 1);
  const last = fresh ? "" : entries[entries.length - 1]?.id;
  more.disabled = true;
  try {
    const told = await get(`/api/projects/${project.id}/audit/`, { ...filters.values, before: last });
    if (own !== asked) return;
    entries = fresh ? told.entries : [...entries, ...told.entries];
    if (fresh) filters.offer(told);
    more.hidden = !told.more;
    draw();
  } catch (error) {
    if (own !== asked) return;
    if (fresh && entries.length === 0) refused(error);
    else toastError(error);
  } finally {
    more.disabled = false;
  }
}

/** Nothing of the page is left where the chain is closed to the person. @param {any} error */
function refused(error) {
  clear(find("#audit-acts"));
  fill(find("#audit"), refusal(error, () => location.reload()));
}

const filters = new Filters(project, () => void load());
if (!project.may.includes("view")) find("#filter-study-field").hidden = true; // runs the site, sees no study of it
more.addEventListener("click", () => void load(false));
verifying(project, (position) => {
  brokenAt = position;
  draw();
});
void load();
