/** A job's state in words: one place, so that worklist, operations and study page say the same. No DOM. */

import { gettext, interpolate, told } from "../i18n.js";
import { duration, percent, timeLeft } from "./format.js";

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {string} kind
 * @property {"queued" | "running" | "succeeded" | "failed" | "cancelled"} state
 * @property {number | null} [place]
 * @property {string} [phase]
 * @property {string} [detail]
 * @property {number | null} [fraction]
 * @property {number | null} [seconds_left]
 * @property {number} [attempt]
 * @property {number} [max_attempts]
 * @property {string} [device]
 * @property {string} [worker]
 * @property {{code: string, message: string, facts?: any} | null} [error]
 * @property {string} [created_at]
 * @property {string | null} [started_at]
 * @property {string | null} [finished_at]
 * @property {{id: string, name: string} | null} [requested_by]
 * @property {string | null} [study_id]
 * @property {{name: string, version: string, title: string} | null} [algorithm]
 * @property {boolean} [can_cancel]
 * @property {boolean} [can_retry]
 */

export const KINDS = () => ({
  reconstruction: gettext("Reconstruction"),
  intake: gettext("Import"),
  inspect: gettext("Check of files"),
  registration: gettext("Registration"),
});

export const PHASES = () => ({
  read: gettext("Reading the images"),
  inspect: gettext("Looking at the files"),
  check: gettext("Checking the files"),
  prepare: gettext("Preparing"),
  preprocess: gettext("Preprocessing"),
  locate: gettext("Locating"),
  infer: gettext("Network"),
  align: gettext("Aligning"),
  postprocess: gettext("Cleaning the outlines"),
  surface: gettext("Surfaces"),
  write: gettext("Writing the result"),
  store: gettext("Storing"),
});

/** What kind of work it is. @param {Job} job */
export const kindOf = (job) => /** @type {any} */ (KINDS())[job.kind] ?? job.kind;

/** Work units the engine counts in. @type {Record<string, () => string>} */
const UNITS = {
  tile: () => gettext("tile {number} of {all}"),
  image: () => gettext("image {number} of {all}"),
  series: () => gettext("series {number} of {all}"),
  surface: () => gettext("surface {number} of {all}"),
  run: () => gettext("run {number} of {all}"),
};

/** "tile 19 of 50", in the language of the page. @param {string} detail */
function detailWords(detail) {
  const [, unit, at, all] = /^(\w+) (\d+) of (\d+)$/.exec(detail) ?? [];
  return UNITS[unit] ? interpolate(UNITS[unit](), { number: at, all }) : detail;
}

/** Parts of one line. @param {string[]} parts */
const listed = (parts) => parts.filter(Boolean).join(gettext(", "));

/** Phase and real work units: "Network, tile 19 of 50". @param {Job} job */
export function phaseOf(job) {
  const phase = /** @type {any} */ (PHASES())[job.phase ?? ""] ?? job.phase ?? "";
  return listed([phase, detailWords(job.detail ?? "")]);
}

/** Seconds the job ran, null while unknown. @param {Job} job */
export const secondsOf = (job) =>
  job.started_at && job.finished_at ? (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000 : null;

/**
 * The one-line state: chip kind, symbol, text.
 * @param {Job} job
 * @returns {{kind: "" | "accent" | "good" | "caution" | "bad", symbol: string, text: string}}
 */
export function stateOf(job) {
  if (job.state === "queued") {
    const again = (job.attempt ?? 0) > 0;
    const text = job.place
      ? interpolate(gettext("In line, place {place}"), { place: job.place })
      : gettext("Waiting for a place");
    return { kind: again ? "caution" : "", symbol: "clock", text };
  }
  if (job.state === "running") {
    return {
      kind: "accent",
      symbol: "loader-circle",
      text: interpolate(gettext("Running, {percent}"), { percent: percent(job.fraction ?? 0) }),
    };
  }
  if (job.state === "failed") return { kind: "bad", symbol: "circle-x", text: gettext("Failed") };
  if (job.state === "cancelled") return { kind: "", symbol: "ban", text: gettext("Cancelled") };
  return { kind: "good", symbol: "circle-check", text: gettext("Done") };
}

/** The second line: phase, reason or how long it took. @param {Job} job */
export function lineOf(job) {
  const attempt =
    (job.attempt ?? 1) > 1
      ? interpolate(gettext("attempt {attempt} of {all}"), { attempt: job.attempt ?? 1, all: job.max_attempts ?? 3 })
      : "";
  if (job.state === "queued") return listed([stateOf(job).text, attempt]);
  if (job.state === "running") return listed([phaseOf(job) || gettext("Starting"), attempt]);
  if (job.state === "failed") return [job.error?.message ? told(job.error.message) : gettext("No reason was given."), attempt].filter(Boolean).join(" ");
  if (job.state === "cancelled") return gettext("Cancelled");
  const seconds = secondsOf(job);
  return seconds === null ? gettext("Done") : interpolate(gettext("Finished in {time}"), { time: duration(seconds) });
}

/** Time left in words, "" when nobody can say. @param {Job} job */
export const leftOf = (job) => (job.state === "running" ? timeLeft(job.seconds_left) : "");
