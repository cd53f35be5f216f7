/** Readings in words: one place, so that worklist, study page and the admin's table say the same. No DOM. */

import { gettext, interpolate } from "../i18n.js";
import { daysUntil, whyOf } from "../state/case.js";
import { day, percent } from "./format.js";

/** What the reader does next at a case. @param {{ reading: any, case: any }} row */
export function stageWord({ reading, case: given }) {
  if (reading.kind === "adjudication") return gettext("Adjudication");
  if (reading.state === "committed") return gettext("Compare");
  if (reading.state !== "submitted") return reading.letter && reading.letter !== "A" ? gettext("Second read") : gettext("First read");
  return caseStageWord(given.stage);
}

/** @param {string} stage */
export function caseStageWord(stage) {
  if (stage === "adjudication") return gettext("Adjudication");
  return stage === "approval" ? gettext("Approval") : gettext("Reading");
}

/** @param {string} state */
export function caseStateWord(state) {
  if (state === "completed") return gettext("Done");
  return state === "in_progress" ? gettext("In progress") : gettext("Not begun");
}

/** @param {string} state of a reading */
export function readingStateWord(state) {
  switch (state) {
    case "in_progress":
      return gettext("reading");
    case "committed":
      return gettext("comparing");
    case "submitted":
      return gettext("submitted");
    case "withdrawn":
      return gettext("withdrawn");
    default:
      return gettext("not begun");
  }
}

/** Why a case waits, as a chip. @param {{ reading: any, case: any, job?: any }} row @returns {{ kind: string, symbol: string, text: string }} */
export function whyChip(row) {
  const { job } = row;
  switch (whyOf(row)) {
    case "job_running":
      return { kind: "sealed", symbol: "lock", text: interpolate(gettext("Job running, {percent}"), { percent: percent(job.fraction ?? 0) }) };
    case "job_waiting":
      return { kind: "sealed", symbol: "lock", text: job.place ? interpolate(gettext("Job in line, place {place}"), { place: job.place }) : gettext("Job in line") };
    case "result_sealed":
      return { kind: "sealed", symbol: "lock", text: gettext("Result sealed") };
    case "reads_sealed":
      return { kind: "sealed", symbol: "lock", text: gettext("Other reads sealed") };
    case "to_compare":
      return { kind: "accent", symbol: "git-compare", text: gettext("Result open, not submitted") };
    case "to_adjudicate":
      return { kind: "caution", symbol: "git-compare", text: gettext("Reads differ, you decide") };
    case "waits_readers":
      return { kind: "", symbol: "clock", text: gettext("Waits for other readers") };
    case "waits_adjudicator":
      return { kind: "", symbol: "clock", text: gettext("Sent to the adjudicator") };
    case "waits_approval":
      return { kind: "", symbol: "clock", text: gettext("Waits for approval") };
    case "signed":
      return { kind: "good", symbol: "check", text: gettext("Signed") };
    case "withdrawn":
      return { kind: "", symbol: "ban", text: gettext("Given to another reader") };
    default:
      return { kind: "accent", symbol: "circle", text: gettext("Open to read") };
  }
}

/** @param {{ reading: any, case: any }} row  words on the button that opens it */
export function actWord({ reading, case: given }) {
  if (reading.kind === "adjudication" && reading.state !== "submitted") return gettext("Adjudicate");
  if (reading.state === "assigned") return gettext("Start");
  if (reading.state === "in_progress" || reading.state === "committed") return gettext("Go on");
  return given.state === "completed" ? gettext("Look") : gettext("Open");
}

/** The same on the large button. @param {{ reading: any, case: any }} row */
export function longActWord(row) {
  const { reading } = row;
  if (reading.kind === "adjudication" && reading.state !== "submitted") return gettext("Open the adjudication");
  if (reading.state === "assigned") return reading.letter && reading.letter !== "A" ? gettext("Start second read") : gettext("Start first read");
  if (reading.state === "in_progress") return gettext("Go on reading");
  return reading.state === "committed" ? gettext("Go on comparing") : gettext("Open study");
}

/** Today as a calendar day. @param {string} [timeZone] @param {Date} [now] */
export const today = (timeZone, now = new Date()) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(now);

/**
 * A due day: "Today", "Tomorrow", "Yesterday", the date; `late` once it is today or past.
 * @param {string | null} dueOn @param {string} on  today @returns {{ text: string, note: string, late: boolean }}
 */
export function dueWord(dueOn, on) {
  const days = daysUntil(dueOn, on);
  if (dueOn === null || days === null) return { text: gettext("No date"), note: "", late: false };
  if (days === 0) return { text: gettext("Today"), note: "", late: true };
  if (days === 1) return { text: gettext("Tomorrow"), note: "", late: false };
  return { text: day(dueOn), note: days < 0 ? gettext("overdue") : "", late: days < 0 };
}

/** A usual time to read, or what was read so far. @param {number} seconds */
export const minutes = (seconds) => interpolate(gettext("{minutes}\u202fmin"), { minutes: Math.max(1, Math.round(seconds / 60)) });
