/** What of the audit is asked for: person, act, study, days. It stands in the address as ids, codes and days alone. */

import { get } from "../../api/client.js";
import { fill, find, h, settled } from "../../components/dom.js";
import { gettext } from "../../i18n.js";
import { actWord } from "./act-words.js";

const NAMES = /** @type {const} */ (["person", "act", "study", "since", "until"]);
const MOST = 20;

export class Filters {
  /** @param {{ id: string }} project @param {() => void} changed */
  constructor(project, changed) {
    this.project = project;
    this.form = find("#filters");
    this.changed = changed;
    this.studies = /** @type {Map<string, string>} pseudonym with description -> id */ (new Map());
    const given = new URLSearchParams(location.search);
    /** @type {Record<string, string>} */
    this.values = Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ""]));
    this.study = find("#filter-study");
    for (const name of NAMES) if (name !== "study") find(`#filter-${name}`).addEventListener("change", (/** @type {any} */ event) => this.set(name, event.target.value));
    this.study.addEventListener("input", settled(() => void this.look(), 200));
    this.study.addEventListener("change", () => void this.take());
    this.form.addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
    this.form.addEventListener("reset", () => this.clear());
    find("#filter-since").value = this.values.since;
    find("#filter-until").value = this.values.until;
    if (this.values.study) void this.name();
    this.mark();
  }

  get some() {
    return Object.values(this.values).some(Boolean);
  }

  mark() {
    find("#filters-clear").disabled = !this.some;
  }

  /** @param {typeof NAMES[number]} name @param {string} value */
  set(name, value) {
    this.values[name] = value;
    this.tell();
  }

  clear() {
    for (const name of NAMES) this.values[name] = "";
    this.error("");
    this.tell();
  }

  tell() {
    const search = new URLSearchParams(Object.entries(this.values).filter(([, value]) => value)).toString();
    history.replaceState(null, "", search ? `?${search}` : location.pathname);
    this.mark();
    this.changed();
  }

  /** What there is to choose from. @param {{ acts: string[], people: { id: string, name: string }[] }} told */
  offer({ acts, people }) {
    const options = (/** @type {any} */ select, /** @type {string} */ all, /** @type {[string, string][]} */ choices, /** @type {string} */ chosen) =>
      fill(select, h("option", { value: "" }, all), choices.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
    options(find("#filter-person"), gettext("Everybody"), people.map(({ id, name }) => [id, name]), this.values.person);
    const words = acts.map((act) => /** @type {[string, string]} */ ([act, actWord(act)])).sort((a, b) => a[1].localeCompare(b[1]));
    options(find("#filter-act"), gettext("Every act"), words, this.values.act);
  }

  /** Studies whose words begin like what is typed. */
  async look() {
    const text = this.study.value.trim();
    if (!text || this.studies.has(text)) return;
    const { results } = await get("/api/studies/", { project: this.project.id, q: text, limit: MOST });
    this.studies = new Map(results.map((/** @type {any} */ one) => [one.description ? `${one.pseudonym} · ${one.description}` : one.pseudonym, one.id]));
    fill(find("#studies"), [...this.studies.keys()].map((value) => h("option", { value })));
  }

  /** The chosen one, or the only one that fits what is typed. */
  async take() {
    const text = this.study.value.trim();
    if (text) await this.look();
    const same = [...this.studies].filter(([name]) => name === text || name.split(" · ")[0].toLowerCase() === text.toLowerCase());
    const found = this.studies.get(text) ?? (same.length === 1 ? same[0][1] : "");
    this.error(text && !found ? (same.length ? gettext("Several studies have this name. Choose one of the list.") : gettext("No study of the project has this name.")) : "");
    if (!text || found) this.set("study", text ? found : "");
  }

  /** @param {string} text */
  error(text) {
    const note = find("#filter-study-error");
    note.textContent = text;
    note.hidden = !text;
    if (text) this.study.setAttribute("aria-invalid", "true");
    else this.study.removeAttribute("aria-invalid");
  }

  /** The address came with a study: say which. */
  async name() {
    try {
      const { pseudonym } = await get(`/api/studies/${this.values.study}/`);
      this.study.value = pseudonym;
    } catch {
      this.error(gettext("No study of the project has this name."));
    }
  }
}
