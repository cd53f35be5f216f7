// The questions pinned in a study, as the server shows them to this person, and what this browser wrote and has not yet
// got through. Events name a thread and its version only: the feature asks for what is stale.

/** @import { StreamEvent } from "./study.js" */
/** @import { Point } from "../geometry/vectors.js" */

/** `id` is null while the case is blind; then the name is a letter. @typedef {{ id: string | null, name: string, colour: string | null }} Person */
/**
 * @typedef {object} Comment
 * @property {string} id @property {Person | null} author @property {string} text @property {number} version
 * @property {Person[]} mentions @property {boolean} is_mine @property {string} created_at @property {string | null} edited_at
 */
/** @typedef {{ segmentation_id: string | null, seq: number, number: number, label: string, surface_mm: Point | null, is_gone: boolean }} ThreadSegment */
/**
 * @typedef {object} Thread  as GET /api/threads/{id}/ answers it; points LPS mm
 * @property {string} id @property {string} series_id @property {number} version @property {Point} point_mm
 * @property {ThreadSegment | null} segment @property {string} view  the fragment of the address it was pinned in
 * @property {"open" | "resolved"} state @property {boolean} is_private
 * @property {Person | null} author @property {string} created_at
 * @property {Person | null} resolved_by @property {string | null} resolved_at
 * @property {Comment[]} comments
 */
/**
 * @typedef {object} Saying  a comment on its way; `pin` where it opens a thread
 * @property {string} id  of the comment @property {string} annotation  of the thread: one after the other within it
 * @property {string} text @property {string[]} mentions
 * @property {any} [pin] @property {string} at
 * @property {"waiting" | "refused" | "conflict"} state @property {string} [reason]
 */
/** A place somebody is about to ask about. @typedef {{ point: Point, segment: { number: number, label: string, surface: Point | null } | null }} Spot */
/**
 * @typedef {object} ThreadsState
 * @property {Thread[]} list  oldest first @property {boolean} loaded
 * @property {Record<string, number>} stale  thread -> the version an event told of
 * @property {number} wanted  rises when the whole list has to be asked for again
 * @property {Person[]} people  whom one may mention
 * @property {Saying[]} pending @property {string | null} selected @property {Spot | null} spot
 * @property {Record<string, { point: Point, distance: number }>} moved  thread -> where its surface lies now
 */

/** @returns {ThreadsState} */
export const initialThreads = () => ({ list: [], loaded: false, stale: {}, wanted: 0, people: [], pending: [], selected: null, spot: null, moved: {} });

const TOLD = new Set(["thread.opened", "thread.resolved", "thread.reopened", "comment.added", "comment.edited"]);

/** @param {ThreadsState} state @param {{ type: string } & Record<string, any>} action @returns {ThreadsState} */
export function reduceThreads(state, action) {
  switch (action.type) {
    case "threads.loaded":
      return { ...state, list: inOrder(action.threads), people: action.people, loaded: true, stale: {}, selected: kept(action.threads, state.selected) };
    case "thread.known":
      return withThread(state, action.thread);
    case "thread.gone":
      return { ...state, list: state.list.filter(({ id }) => id !== action.id), stale: without(state.stale, action.id), selected: state.selected === action.id ? null : state.selected };
    case "threads.pending":
      return { ...state, pending: action.pending };
    case "threads.set": {
      const changed = Object.entries(action.values).some(([key, value]) => !Object.is(/** @type {any} */ (state)[key], value));
      return changed ? { ...state, ...action.values } : state;
    }
    case "view.series":
      return state.spot ? { ...state, spot: null } : state;
    case "study.loaded":
      return { ...state, wanted: state.wanted + 1 };
    case "event":
      return reduceThreadEvent(state, action.event);
    default:
      return state;
  }
}

/** @param {ThreadsState} state @param {StreamEvent} event @returns {ThreadsState} */
export function reduceThreadEvent(state, { type, payload }) {
  // What a seal closed or opened is another list altogether.
  if (type === "case.moved") return { ...state, wanted: state.wanted + 1 };
  if (!TOLD.has(type)) return state;
  const known = state.list.find(({ id }) => id === payload.thread_id)?.version ?? 0;
  if (known >= payload.version || (state.stale[payload.thread_id] ?? 0) >= payload.version) return state;
  return { ...state, stale: { ...state.stale, [payload.thread_id]: payload.version } };
}

/** Answers may overtake each other: the higher version stays. @param {ThreadsState} state @param {Thread} thread */
function withThread(state, thread) {
  const before = state.list.find(({ id }) => id === thread.id);
  const stale = (state.stale[thread.id] ?? 0) <= thread.version ? without(state.stale, thread.id) : state.stale;
  if (before && before.version > thread.version) return stale === state.stale ? state : { ...state, stale };
  return { ...state, stale, list: inOrder([...state.list.filter(({ id }) => id !== thread.id), thread]) };
}

/** @param {Record<string, number>} all @param {string} id */
function without(all, id) {
  if (!(id in all)) return all;
  const { [id]: _, ...rest } = all;
  return rest;
}

/** @param {Thread[]} threads @param {string | null} id */
const kept = (threads, id) => (threads.some((one) => one.id === id) ? id : null);

/** @param {Thread[]} threads */
const inOrder = (threads) => threads.slice().sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id < b.id ? -1 : 1));

// --- questions to the state --------------------------------------------------------------------------------------

/** @param {ThreadsState} state */
export const openThreads = (state) => state.list.filter((one) => one.state === "open");

/** What a thread is called on this screen: its place in the list. @param {ThreadsState} state @param {string} id */
export const numberOf = (state, id) => state.list.findIndex((one) => one.id === id) + 1;

/** Where a thread lies now: carried along with its surface. @param {ThreadsState} state @param {Thread} thread @returns {Point} */
export function placeOf(state, thread) {
  const moved = state.moved[thread.id];
  const from = thread.segment?.surface_mm;
  if (!moved || !from) return thread.point_mm;
  return /** @type {Point} */ (thread.point_mm.map((value, axis) => value + moved.point[axis] - from[axis]));
}

/**
 * The segment a thread is about, in the segmentation that is shown: the same one, or in another result the one of the
 * same name and kind.
 * @param {ThreadSegment | null} segment @param {any} segmentation  as the API gives it @returns {any}  null: there is none
 */
export function segmentIn(segment, segmentation) {
  if (!segment || !segmentation) return null;
  const rows = /** @type {any[]} */ (segmentation.segments);
  if (segmentation.id === segment.segmentation_id) return rows.find((row) => row.number === segment.number) ?? null;
  const named = rows.filter((row) => row.label === segment.label);
  return named.find((row) => row.number === segment.number) ?? named[0] ?? null;
}

// --- what is written ---------------------------------------------------------------------------------------------

/** @typedef {{ kind: "text" | "link" | "mention", text: string }} Part */

/** An address people may click: http and https only, a host, no name and password in it. @param {string} text */
function isSafe(text) {
  try {
    const { protocol, username, password, hostname } = new URL(text);
    return (protocol === "http:" || protocol === "https:") && !username && !password && hostname !== "";
  } catch {
    return false;
  }
}

/**
 * Plain text in pieces: addresses and mentioned names on their own. Nothing in it is ever markup.
 * @param {string} text @param {string[]} [names]  of the people mentioned @returns {Part[]}
 */
export function partsOf(text, names = []) {
  const mentions = names.map((name) => `@${name}`).sort((a, b) => b.length - a.length);
  /** @type {Part[]} */
  const parts = [];
  let plain = "";
  const flush = () => {
    if (plain) parts.push({ kind: "text", text: plain });
    plain = "";
  };
  for (let at = 0; at < text.length;) {
    const mention = text[at] === "@" ? mentions.find((one) => text.startsWith(one, at)) : undefined;
    // A full stop, a bracket or a comma after an address belongs to the sentence.
    const address = /^https?:\/\/[^\s/<>"'`{}|\\^][^\s<>"'`{}|\\^]*/i.exec(text.slice(at, at + 2000))?.[0].replace(/[.,;:!?)\]。，；：！？）】]+$/u, "");
    const whole = mention ?? (address && isSafe(address) && !/[\p{L}\p{N}]$/u.test(plain) ? address : undefined);
    if (whole) {
      flush();
      parts.push({ kind: mention ? "mention" : "link", text: whole });
      at += whole.length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return parts;
}

/** The people who are named in a text behind an at sign. @param {string} text @param {Person[]} people @returns {string[]} ids */
export function mentionsIn(text, people) {
  const found = new Set(partsOf(text, people.map(({ name }) => name)).filter(({ kind }) => kind === "mention").map((part) => part.text.slice(1)));
  return people.filter(({ id, name }) => id && found.has(name)).map(({ id }) => /** @type {string} */ (id));
}

/** What is being typed behind the last at sign before the cursor; null: no name is. @param {string} text @param {number} cursor */
export function mentionAt(text, cursor) {
  const found = /(?:^|[\s(（，。])@([^@\n]{0,40})$/u.exec(text.slice(0, cursor));
  return found ? { from: cursor - found[1].length - 1, typed: found[1] } : null;
}
