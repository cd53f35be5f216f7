// The marks on a study's images: what the server knows, and over it what this browser did and has not yet got through.
// `list` is what everybody's screen should show: known marks with the waiting operations applied in their order.

/** @import { StreamEvent } from "./study.js" */
/** @import { Kind, Statistics } from "../geometry/measure.js" */
/** @import { Point, Vec3 } from "../geometry/vectors.js" */

/** @typedef {{ value: string, scheme: string, meaning: string }} Code */
/**
 * @typedef {object} Mark  an annotation as GET /api/annotations/{id}/ answers it; points LPS mm, unit UCUM
 * @property {string} id @property {string} series_id @property {Kind} kind @property {number} number
 * @property {number} version  0 while the server has not heard of it
 * @property {Point[]} points @property {Vec3 | null} plane_normal
 * @property {number | null} value @property {string} unit @property {Statistics | null} statistics
 * @property {string} colour @property {string} name @property {number} name_version
 * @property {Code | null} finding @property {Code | null} finding_site @property {Code | null} laterality
 * @property {string} [lesion_role]  of a lesion followed over dates: target, node, new, gone, small; "" for most
 * @property {{ id: string, name: string, colour: string } | null} author
 * @property {{ id: string, name: string, colour: string } | null} changed_by
 * @property {string} created_at
 * @property {boolean} [is_deleted]
 * @property {boolean} [stale]  somebody named it anew and this browser has not asked yet
 */
/**
 * @typedef {object} Operation  one act of this person, as POST /api/studies/{id}/annotations/ takes it, and how it fares
 * @property {string} id @property {string} annotation @property {"add" | "change" | "delete" | "restore"} act
 * @property {number} base_version
 * @property {string} [series] @property {Kind} [kind] @property {number} [number] @property {string} [name]
 * @property {Partial<Mark>} values
 * @property {string} at  when it was done here
 * @property {"waiting" | "refused" | "conflict"} state
 * @property {string} [reason]  why it was refused @property {Mark} [theirs]  what stands there instead
 */
/**
 * @typedef {object} MarksState
 * @property {Record<string, Mark>} known  by id, deleted ones too: they can come back
 * @property {Operation[]} pending  in the order they were done
 * @property {Mark[]} list  oldest first
 * @property {Record<string, boolean>} hidden  by id; on this screen only
 * @property {boolean} allHidden
 * @property {string | null} selected @property {string | null} hovered
 * @property {Mark | null} draft  being drawn, or an existing one being dragged (then it stands in for it)
 */

/** Who is at this screen; a mark that is not yet known carries this name. @type {{ id: string, name: string, colour: string } | null} */
let me = null;
/** @param {{ id: string, name: string, colour: string } | null} person */
export const setMe = (person) => { me = person; };

/** @returns {MarksState} */
export const initialMarks = () => ({ known: {}, pending: [], list: [], hidden: {}, allHidden: false, selected: null, hovered: null, draft: null });

/** @param {MarksState} state @param {{ type: string } & Record<string, any>} action @returns {MarksState} */
export function reduceMarks(state, action) {
  switch (action.type) {
    case "marks.loaded":
      return listed({ ...state, known: byId(action.annotations) });
    case "study.loaded":
      return action.answer.annotations ? listed({ ...state, known: byId(action.answer.annotations) }) : state;
    case "mark.known":
      return withKnown(state, action.annotation);
    case "event":
      return reduceMarkEvent(state, action.event);
    case "marks.pending":
      return listed({ ...state, pending: action.pending });
    case "marks.set": {
      const changed = Object.entries(action.values).some(([key, value]) => !Object.is(/** @type {any} */ (state)[key], value));
      return changed ? { ...state, ...action.values } : state;
    }
    case "view.series":
      return state.draft || state.hovered ? { ...state, draft: null, hovered: null } : state;
    default:
      return state;
  }
}

/** annotation.added, changed, deleted, restored. @param {MarksState} state @param {StreamEvent} event @returns {MarksState} */
export function reduceMarkEvent(state, { type, payload }) {
  if (type === "annotation.deleted") {
    const mark = state.known[payload.annotation_id];
    if (!mark || mark.version >= payload.version) return state;
    return withKnown(state, { ...mark, version: payload.version, is_deleted: true, changed_by: payload.changed_by });
  }
  if (!type.startsWith("annotation.") || !payload.annotation) return state;
  // A name is nobody's business but the study's readers': events leave it out. Until it was asked for, the old one stays.
  const before = state.known[payload.annotation.id];
  const stale = payload.annotation.name_version !== (before?.name_version ?? 0);
  return withKnown(state, { ...payload.annotation, name: before?.name ?? "", ...(stale ? { stale, name_version: before?.name_version ?? 0 } : {}) });
}

/** An answer and its event may come in either order: the higher version stays. @param {MarksState} state @param {Mark} mark */
function withKnown(state, mark) {
  const before = state.known[mark.id];
  if (before && (before.version > mark.version || (before.version === mark.version && (!before.stale || mark.stale)))) return state;
  return listed({ ...state, known: { ...state.known, [mark.id]: mark } });
}

/** @param {Mark[]} annotations */
const byId = (annotations) => Object.fromEntries(annotations.map((one) => [one.id, one]));

/** @param {MarksState} state @returns {MarksState} */
function listed(state) {
  /** @type {Map<string, Mark>} */
  const marks = new Map(Object.entries(state.known));
  for (const operation of state.pending) {
    const mark = applied(marks.get(operation.annotation), operation);
    if (mark) marks.set(operation.annotation, mark);
  }
  const list = [...marks.values()].filter((one) => !one.is_deleted).sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : a.id < b.id ? -1 : 1));
  const gone = (/** @type {string | null} */ id) => id !== null && !list.some((one) => one.id === id);
  return { ...state, list, selected: gone(state.selected) ? null : state.selected, hovered: gone(state.hovered) ? null : state.hovered };
}

/** A mark after one waiting operation. @param {Mark | undefined} mark @param {Operation} operation @returns {Mark | undefined} */
function applied(mark, { act, annotation, series, kind, number, name, values, at, state }) {
  // What was refused or overtaken stays in sight in its row, but is not drawn as if it were true.
  if (state === "conflict" && mark) return mark;
  switch (act) {
    case "add":
      return mark ?? /** @type {Mark} */ ({
        id: annotation, series_id: series, kind, number, version: 0, plane_normal: null, value: null, unit: "", statistics: null, finding: null,
        finding_site: null, laterality: null, name: name ?? "", name_version: 0, author: me, changed_by: me, created_at: at, ...values,
      });
    case "change":
      return mark && { ...mark, ...values, name: name ?? mark.name };
    default:
      return mark && { ...mark, is_deleted: act === "delete" };
  }
}

// --- questions to the state --------------------------------------------------------------------------------------

/** @param {MarksState} state @param {string} id */
export const markNamed = (state, id) => state.list.find((one) => one.id === id) ?? null;

/** Marks of one series that are not hidden, with what is being drawn in place of what it changes. @param {MarksState} state @param {string} seriesId */
export function shownMarks(state, seriesId) {
  const { draft } = state;
  const shown = state.list.filter((one) => one.series_id === seriesId && one.id !== draft?.id && !state.hidden[one.id] && !state.allHidden);
  return draft && draft.series_id === seriesId ? [...shown, draft] : shown;
}

/** What waits for a mark, and why. @param {MarksState} state @param {string} id @returns {Operation | null} */
export const waitingFor = (state, id) =>
  state.pending.find((one) => one.annotation === id && one.state !== "waiting") ?? state.pending.find((one) => one.annotation === id) ?? null;

/** The version an operation made now is based on: what is known, and what already waits. @param {MarksState} state @param {string} id */
export function baseVersion(state, id) {
  const last = state.pending.filter((one) => one.annotation === id).at(-1);
  return last ? last.base_version + 1 : state.known[id]?.version ?? 0;
}

/** The number of the next mark of a kind: "Length 3". @param {MarksState} state @param {Kind} kind */
export const nextNumber = (state, kind) =>
  1 + Math.max(0, ...state.list.filter((one) => one.kind === kind).map((one) => one.number));
