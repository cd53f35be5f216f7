// The case a study is read in, as its reader sees it: stage, own reading, answers to the form, places where the first
// read and the algorithm differ, and what was decided at each. No words, no DOM: pages/study/case draws it.

/** @typedef {{ key: string, text: string, kind: "choice" | "yes_no" | "number" | "text", choices?: { code: string, scheme: string, meaning: string }[], required?: boolean }} Question */
/** @typedef {{ act: "keep" | "take" | "edit", reason: string, decided_at?: string }} Verdict */
/**
 * A place: a connected region where two outlines of one segment differ. `max_mm` is signed; `middle_mm` lies between both.
 * @typedef {{ n: number, key: string, number: number, label: string, voxels: number, volume_ml: number | null, max_mm: number | null, centroid_mm: [number, number, number] | null, middle_mm: [number, number, number] | null, bounds_mm: any, side: "a_only" | "b_only", verdict: Verdict | null }} Place
 */
/**
 * What the server says of the differences of one reading. `state` "none": there is nothing to compare with.
 * @typedef {{ state: "none" | "waiting" | "working" | "failed" | "ready", comparison: string | null, segments: any[], places: Place[], left_out?: number, first: any, other: any, problem?: string }} Differences
 */
/**
 * @typedef {object} CasePart
 * @property {any} case  `case` of the study's state; null where the study is read in none
 * @property {Record<string, any>} answers  to the form, by the question's key
 * @property {Differences | null} differences
 * @property {number | null} place  n of the place that is looked at
 * @property {any} agreement  between the readers, once all reads are in
 * @property {string} busy  the act under way: "begin", "commit", "submit", or ""
 */

/** @returns {CasePart} */
export const initialCase = () => ({ case: null, answers: {}, differences: null, place: null, agreement: null, busy: "" });

/** @param {CasePart} part @param {{ type: string } & Record<string, any>} action @returns {CasePart} */
export function reduceCase(part, action) {
  switch (action.type) {
    case "study.loaded":
      return withCase(part, action.answer.case ?? null);
    case "case.loaded":
      return withCase(part, action.case);
    case "case.answer": {
      const { [action.key]: before, ...rest } = part.answers;
      return { ...part, answers: action.value === null || action.value === "" ? rest : { ...rest, [action.key]: action.value } };
    }
    case "case.differences": {
      const { differences } = action;
      const places = differences?.places ?? [];
      const place = places.some((/** @type {Place} */ { n }) => n === part.place) ? part.place : firstOpen(places);
      return { ...part, differences, place };
    }
    case "case.verdict":
      return part.differences ? { ...part, differences: withVerdict(part.differences, action.key, action.verdict) } : part;
    case "case.place":
      return part.place === action.place ? part : { ...part, place: action.place };
    case "case.agreement":
      return { ...part, agreement: action.agreement };
    case "case.busy":
      return part.busy === action.busy ? part : { ...part, busy: action.busy };
    default:
      return part;
  }
}

/** A newer `case`; answers typed here stay until the server has taken them. @param {CasePart} part @param {any} given @returns {CasePart} */
function withCase(part, given) {
  const fresh = part.case?.id !== given?.id;
  const answers = fresh ? { ...(given?.mine?.answers ?? {}) } : part.answers;
  return { ...part, case: given, answers, ...(fresh ? { differences: null, place: null, agreement: null } : {}) };
}

/** @param {Differences} differences @param {string} key @param {Verdict | null} verdict @returns {Differences} */
const withVerdict = (differences, key, verdict) =>
  ({ ...differences, places: differences.places.map((one) => (one.key === key ? { ...one, verdict } : one)) });

/** @param {Place[]} places */
const firstOpen = (places) => (places.find(({ verdict }) => !verdict) ?? places[0])?.n ?? null;

// --- questions ---------------------------------------------------------------------------------------------------

/** Where the person's own work stands. @typedef {"none" | "assigned" | "reading" | "comparing" | "submitted"} Phase */

/** @type {Readonly<Record<string, Phase>>} */
const PHASES = Object.freeze({ assigned: "assigned", in_progress: "reading", committed: "comparing", submitted: "submitted" });

/** @param {any} given  `case` @returns {Phase} */
export const phaseOf = (given) => PHASES[given?.mine?.state] ?? "none";

/** An own read of the first kind; adjudicators have a page of their own. @param {any} given */
export const isReader = (given) => given?.mine?.kind === "first";

/** Nothing may be drawn or answered by this person: not begun, submitted, or others read it sealed. @param {any} given */
export const isClosed = (given) => {
  if (!given) return false;
  // Reads that agree are open to all: a consensus is drawn together until it is signed.
  if (given.stage === "approval" && !given.is_blind) return given.state === "completed";
  if (given.mine && phaseOf(given) !== "none") return phaseOf(given) === "assigned" || phaseOf(given) === "submitted";
  return Boolean(given.sealed) || given.state === "completed";
};

/**
 * The steps in the top bar. A reader's own three; otherwise where the case stands.
 * @param {any} given  `case` @returns {{ key: string, state: "done" | "now" | "next" }[]}
 */
export function stepsOf(given) {
  if (!given) return [];
  const phase = phaseOf(given);
  const own = isReader(given) && phase !== "none" && phase !== "submitted";
  const keys = own ? ["first_read", "compare", "submit"] : ["reading", ...(given.stage === "adjudication" || given.adjudicated ? ["adjudication"] : []), "approval"];
  const at = own ? (phase === "comparing" ? 1 : 0) : given.stage === "approval" && given.state === "completed" ? keys.length : keys.indexOf(given.stage);
  return keys.map((key, index) => ({ key, state: index < at ? "done" : index === at ? "now" : "next" }));
}

/** @param {any} value */
const isAnswered = (value) => value !== undefined && value !== null && value !== "";

/** Required questions without an answer. @param {Question[]} form @param {Record<string, any>} answers @returns {Question[]} */
export const unanswered = (form, answers) => form.filter(({ key, required }) => required && !isAnswered(answers[key]));

/** Segments of the protocol in which nothing was drawn. @param {any[]} wanted @param {any[]} drawn @returns {any[]} */
export const undrawn = (wanted, drawn) => wanted.filter(({ number }) => !((drawn.find((one) => one.number === number)?.voxels ?? 0) > 0));

/** @param {Differences | null} differences */
export const undecided = (differences) => (differences?.state === "ready" ? differences.places.filter(({ verdict }) => !verdict).length : 0);

/** The place after or before, around the end. @param {Place[]} places @param {number | null} place @param {1 | -1} step @returns {number | null} */
export function placeBeside(places, place, step) {
  if (places.length === 0) return null;
  const at = places.findIndex(({ n }) => n === place);
  return at < 0 ? places[0].n : places[(at + step + places.length) % places.length].n;
}

/** After a decision: the next one still open, else stay. @param {Place[]} places @param {number | null} place @returns {number | null} */
export function nextOpen(places, place) {
  const at = Math.max(0, places.findIndex(({ n }) => n === place));
  const around = [...places.slice(at + 1), ...places.slice(0, at + 1)];
  return around.find(({ verdict }) => !verdict)?.n ?? place;
}

/**
 * How far two volumes lie apart, in percent of their mean: neither of two reads is the reference. This is what the
 * limit judges, here as on the server; null where a side is not known.
 * @param {{ voxels_a?: number | null, voxels_b?: number | null }} row @returns {number | null}
 */
export function volumesApart({ voxels_a: a, voxels_b: b }) {
  if (typeof a !== "number" || typeof b !== "number") return null;
  return a === b ? 0 : (Math.abs(a - b) / ((a + b) / 2)) * 100;
}

/**
 * A measure against the project's limit: "good", "bad", or null where there is none of the two.
 * Dice has to reach its limit; distance and volume difference may not pass theirs.
 * @param {"dice" | "hd95_mm" | "volume_difference_percent"} measure @param {number | null | undefined} value @param {number | null | undefined} limit
 * @returns {"good" | "bad" | null}
 */
export function judged(measure, value, limit) {
  if (limit === null || limit === undefined || value === null || value === undefined) return null;
  const within = measure === "dice" ? value >= limit : Math.abs(value) <= limit;
  return within ? "good" : "bad";
}

// --- the worklist ------------------------------------------------------------------------------------------------

/** Why a case waits, as one word for the chip. @typedef {"job_running" | "job_waiting" | "result_sealed" | "reads_sealed" | "to_compare" | "to_adjudicate" | "to_read" | "waits_readers" | "waits_adjudicator" | "waits_approval" | "signed" | "withdrawn"} Why */

/** @param {{ reading: any, case: any, job?: any }} row  of the worklist @returns {Why} */
export function whyOf({ reading, case: given, job }) {
  if (reading.state === "withdrawn") return "withdrawn";
  if (reading.state === "submitted") {
    if (given.state === "completed") return "signed";
    return given.stage === "reading" ? "waits_readers" : given.stage === "adjudication" ? "waits_adjudicator" : "waits_approval";
  }
  if (reading.kind === "adjudication") return "to_adjudicate";
  if (reading.state === "committed") return "to_compare";
  if (!given.sealed) return "to_read";
  if (job?.state === "running") return "job_running";
  if (job?.state === "queued") return "job_waiting";
  return given.result_waiting ? "result_sealed" : "reads_sealed";
}

/**
 * Days from today to a calendar day; negative when it is past.
 * @param {string | null} dueOn  "2026-11-22" @param {string} today  the same form, in the project's zone @returns {number | null}
 */
export const daysUntil = (dueOn, today) => (dueOn ? Math.round((Date.parse(dueOn) - Date.parse(today)) / 86_400_000) : null);

/** Open readings in the order in which they should be read: by day, then as they were dealt. @param {any[]} rows */
export const inOrder = (rows) =>
  rows.map((row, at) => ({ row, at })).sort((a, b) => (a.row.reading.due_on ?? "9").localeCompare(b.row.reading.due_on ?? "9") || a.at - b.at).map(({ row }) => row);
