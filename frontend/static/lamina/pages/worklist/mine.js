/** A reader's own cases on the worklist: list, chosen case, facts, start with one key, kept true by events. */

import { get } from "../../api/client.js";
import { banner } from "../../components/banner.js";
import { minutes, today } from "../../components/case-words.js";
import { find, pageData, settled } from "../../components/dom.js";
import { number } from "../../components/format.js";
import "../../components/next-reading.js";
import { nothingToRead } from "../../components/reading-table.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";
import { daysUntil, inOrder } from "../../state/case.js";
import { socket } from "../../state/socket.js";
import { makeAhead } from "../next-case/make.js";
import { openReading } from "../study/case/next.js";

const WEEK = 7 * 86_400_000;

/** @param {any} row */
const isOpen = ({ reading }) => reading.state !== "submitted" && reading.state !== "withdrawn";

/** Seconds in the middle; null of none. @param {number[]} values */
function median(values) {
  if (values.length === 0) return null;
  const sorted = values.slice().sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export class Mine {
  constructor() {
    this.table = find("lam-reading-table");
    this.next = find("lam-next-reading");
    /** @type {any[]} */
    this.all = [];
    this.done = false;
    this.shown = false;
    this.words = "";
    /** @type {Map<string, () => void>} */
    this.heard = new Map();
    /** The chosen case opens next: its first slices come while the person looks at the list. */
    this.ahead = makeAhead();
    document.addEventListener("lam-reading-choose", (event) => {
      this.choose(/** @type {CustomEvent} */ (event).detail.row);
    });
    document.addEventListener("lam-reading-open", (event) => void this.open(/** @type {CustomEvent} */ (event).detail.row));
    const shell = pageData("shell-data");
    const stream = `user:${shell?.person?.id}`;
    const again = settled(() => void this.load(), 300);
    socket.subscribe(stream, shell?.streams?.[stream] ?? 0, {
      onEvent: ({ type }) => (type === "worklist.changed" || type === "reading.assigned") && again(),
      onReload: () => this.load(),
    });
  }

  /** @param {boolean} done  the finished ones */
  show(done) {
    this.shown = true;
    this.done = done;
    this.table.rows = null;
    void this.load();
  }

  hide() {
    this.shown = false;
    this.ahead.want(null);
    for (const stop of this.heard.values()) stop();
    this.heard.clear();
  }

  /** Ask again; the counts on the buttons follow even while another list is in sight. */
  async load() {
    try {
      const { results } = await get("/api/worklist/");
      this.all = results;
      this.counts();
      if (!this.shown) return;
      banner("list", null);
      this.draw();
    } catch (error) {
      if (!this.shown) return;
      this.table.rows ??= [];
      banner("list", { text: /** @type {Error} */ (error).message, act: { text: gettext("Try again"), run: () => void this.load() } });
    }
  }

  counts() {
    const open = this.all.filter(isOpen).length;
    find("#mine-count").textContent = open ? number(open) : "";
    const done = this.all.length - open;
    find("#done-count").textContent = done ? number(done) : "";
  }

  /** @param {string} words  that rows have to hold */
  search(words) {
    this.words = words.toLowerCase();
    if (this.shown) this.draw();
  }

  draw() {
    const wanted = this.all.filter((row) => isOpen(row) !== this.done && `${row.study.pseudonym} ${row.study.description}`.toLowerCase().includes(this.words));
    const rows = this.done ? wanted : inOrder(wanted);
    const shown = /** @type {any[] | null} */ (this.table.rows);
    // Rows that stand keep their places; only another set of rows draws the list anew.
    const same = shown && shown.length === rows.length && shown.every((one) => rows.some(({ reading }) => reading.id === one.reading.id));
    if (same && shown && shown.length > 0) for (const row of rows) this.table.update(row);
    else {
      this.table.empty = nothingToRead(this.done);
      this.table.rows = rows;
    }
    const chosen = rows.find(({ reading }) => reading.id === this.table.selected) ?? rows[0] ?? null;
    this.table.selected = chosen?.reading.id ?? "";
    this.choose(chosen);
    this.facts();
    this.hear(rows);
  }

  /** @param {any} row */
  choose(row) {
    this.next.row = row;
    this.ahead.want(row && isOpen(row) ? row.study.id : null);
  }

  facts() {
    const zone = document.documentElement.dataset.timeZone || undefined;
    const open = this.all.filter(isOpen);
    const due = open.filter(({ reading, study }) => (daysUntil(reading.due_on, today(study.project?.time_zone || zone)) ?? 1) <= 0).length;
    const week = this.all.filter(({ reading }) => reading.submitted_at && Date.now() - Date.parse(reading.submitted_at) < WEEK);
    const usual = median(this.all.filter(({ reading }) => reading.state === "submitted" && reading.seconds > 0).map(({ reading }) => reading.seconds));
    const set = (/** @type {string} */ id, /** @type {string} */ value) => find(id).setAttribute("value", value);
    set("#fact-due", number(due));
    set("#fact-read", number(week.length));
    set("#fact-time", usual === null ? "—" : minutes(usual));
    const left = interpolate(ngettext("{count} case", "{count} cases", open.length), { count: number(open.length) });
    const today_ = due ? interpolate(ngettext("{count} due today", "{count} due today", due), { count: number(due) }) : "";
    const time = usual === null || open.length === 0 ? "" : interpolate(gettext("about {time} of reading"), { time: minutes(usual * open.length) });
    find("#list-note").textContent = [left, today_, time].filter(Boolean).join(", ");
  }

  /** Progress of jobs, and cases that moved. @param {any[]} rows */
  hear(rows) {
    const again = settled(() => void this.load(), 300);
    for (const { study } of rows) {
      if (this.heard.has(study.id)) continue;
      this.heard.set(study.id, socket.subscribe(`study:${study.id}`, null, {
        onEvent: ({ type }) => (type.startsWith("job.") || type.startsWith("case.")) && again(),
        onProgress: (job) => this.progress(study.id, job),
        onReload: () => undefined,
      }));
    }
  }

  /** @param {string} studyId @param {any} job */
  progress(studyId, job) {
    if (job.kind !== "reconstruction") return;
    for (const row of this.table.rows ?? []) {
      if (row.study.id !== studyId) continue;
      const changed = { ...row, job };
      this.table.update(changed);
      if (this.next.row?.reading.id === row.reading.id) this.next.row = changed;
    }
  }

  /** The chosen case opens; one not begun is begun. @param {any} [row] */
  async open(row = this.next.row) {
    // Refused: what stands in the list is old.
    if (row && !(await openReading(row))) void this.load();
  }
}
