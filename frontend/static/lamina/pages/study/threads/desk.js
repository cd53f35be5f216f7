// The desk of questions: it keeps the threads true, pins new ones under the pointer, sends what is written, goes where
// a thread was pinned, and finds its surface again after it has moved.

import { ApiProblem, get, newKey, patch, post } from "../../../api/client.js";
import { pageData } from "../../../components/dom.js";
import { toastError } from "../../../components/toast.js";
import { nearestOnSurface } from "../../../geometry/nearest.js";
import { clampPoint } from "../../../geometry/volume.js";
import { decode } from "../../../state/address.js";
import { Outbox } from "../../../state/outbox.js";
import { mentionsIn, placeOf, segmentIn } from "../../../state/threads.js";
import { seenOf } from "../link.js";
import { may } from "../room.js";

/** @import { Point } from "../../../geometry/vectors.js" */
/** @import { Saying, Spot, Thread, ThreadsState } from "../../../state/threads.js" */
/** @import { Room } from "../room.js" */

/** A surface farther from the point than this is another thing, mm. */
const NEAR = 60;
/** What a jump leaves as it is: the newest result, and the reader's own habits. */
const KEPT = ["tool", "texts", "outlines", "fill", "smooth", "linked", "inverted"];
const LEFT_OUT = ["result", "segments", "beside", "fusion"];

export class ThreadDesk {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    this.me = pageData("shell-data")?.person ?? null;
    const { study } = room.store.get().study;
    this.address = `/api/studies/${study.id}/threads/`;
    /** Where the pointer rests now. @type {{ name: string, pixel: [number, number] } | null} */
    this.pointer = null;
    /** What a thread's place was worked out from, so that it is not done twice. @type {Map<string, string>} */
    this.worked = new Map();
    this.asking = new Set();
    /** @type {Outbox<Saying>} */
    this.outbox = new Outbox({
      send: (saying) => this.sendOne(saying),
      changed: (pending) => room.store.dispatch({ type: "threads.pending", pending }),
      done: (_, thread) => room.store.dispatch({ type: "thread.known", thread }),
    });
    if (this.me) void this.outbox.open(this.me.id, `threads ${study.id}`);
    window.addEventListener("online", () => this.outbox.retry());
    window.addEventListener("pagehide", (event) => event.persisted || this.outbox.close());
    room.store.watch((state) => state.threads.wanted, () => void this.load());
    room.store.watch((state) => state.threads.stale, (stale) => Object.keys(stale).forEach((id) => void this.ask(id)));
  }

  /** @returns {ThreadsState} */
  get state() {
    return this.room.store.get().threads;
  }

  /** @param {Partial<ThreadsState>} values */
  set(values) {
    this.room.store.dispatch({ type: "threads.set", values });
  }

  /** May this person write here? */
  get allowed() {
    const { study } = this.room.store.get().study;
    return may(study.may, "annotate") && study.state === "active";
  }

  // --- keeping it true ------------------------------------------------------------------------------------------

  async load() {
    try {
      const { threads, people } = await get(this.address);
      this.room.store.dispatch({ type: "threads.loaded", threads, people });
    } catch (error) {
      // An erased study or a lost connection: the page's banner says so.
      if (!(error instanceof ApiProblem)) throw error;
    }
  }

  /** @param {string} id */
  async ask(id) {
    if (this.asking.has(id)) return;
    this.asking.add(id);
    try {
      this.room.store.dispatch({ type: "thread.known", thread: await get(`/api/threads/${id}/`) });
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 404) this.room.store.dispatch({ type: "thread.gone", id });
    } finally {
      this.asking.delete(id);
    }
    // An event that came while it was asked for told of a newer one.
    if (this.state.stale[id] > (this.state.list.find((one) => one.id === id)?.version ?? 0) && navigator.onLine) setTimeout(() => void this.ask(id), 1000);
  }

  // --- asking and answering -------------------------------------------------------------------------------------

  /** The place under the pointer, else where the planes cross. @returns {Spot | null} */
  spotHere() {
    const session = /** @type {any} */ (this.room.session);
    if (!session?.geometry) return null;
    const { pointer } = this;
    if (pointer?.name === "surfaces") {
      const hit = session.space?.pick?.(pointer.pixel);
      if (hit) return this.spotAt(hit.point, hit.segment);
    } else if (pointer) {
      const point = session.views?.[pointer.name]?.pointAt(pointer.pixel);
      if (point) return this.spotAt(clampPoint(session.geometry, point));
    }
    const { point } = this.room.store.get().view;
    return point && this.spotAt(point);
  }

  /** @param {Point} point @param {number} [number]  of the segment that was pointed at @returns {Spot} */
  spotAt(point, number) {
    const session = /** @type {any} */ (this.room.session);
    const wanted = number ?? session?.sample?.(point)?.label ?? 0;
    const row = wanted ? session.segments.get(wanted) : null;
    const rounded = /** @type {Point} */ (point.map((value) => Math.round(value * 1000) / 1000));
    const surface = row ? this.surfacePoint(wanted, rounded) : null;
    return { point: rounded, segment: row ? { number: wanted, label: row.label, surface } : null };
  }

  /** The point of a segment's surface nearest to a place. @param {number} number @param {Point} point @returns {Point | null} */
  surfacePoint(number, point) {
    const found = nearestOn(this.meshOf(number), point);
    return found && found.distance < NEAR ? /** @type {Point} */ (found.point.map((value) => Math.round(value * 1000) / 1000)) : null;
  }

  /** @param {number} number */
  meshOf(number) {
    return /** @type {any} */ (this.room.session)?.surfaces?.meshes.get(number) ?? null;
  }

  /** Pin a question. @param {string} text @param {Spot} spot */
  open(text, spot) {
    const { room } = this;
    const id = newKey();
    const { segmentation } = room;
    const pin = {
      id, series: room.session?.series.id, point_mm: spot.point, view: room.link?.fragment ?? "",
      ...(spot.segment && segmentation ? { segmentation: segmentation.id, segment: spot.segment.number, surface_mm: spot.segment.surface } : {}),
    };
    this.set({ spot: null, selected: id });
    this.say(id, text, pin);
  }

  /** @param {string} thread @param {string} text @param {any} [pin] */
  say(thread, text, pin) {
    this.outbox.push({ id: newKey(), annotation: thread, text, mentions: mentionsIn(text, this.state.people), pin, at: new Date().toISOString(), state: "waiting" });
  }

  /** @param {Saying} saying */
  sendOne({ id, annotation, text, mentions, pin }) {
    const comment = { id, text, mentions };
    return pin ? post(this.address, { ...pin, comment }) : post(`/api/threads/${annotation}/comments/`, comment);
  }

  /** @param {Saying} saying */
  retry(saying) {
    this.outbox.retry(({ id }) => id === saying.id);
  }

  /** @param {Saying} saying */
  discard(saying) {
    this.outbox.drop(({ id, annotation }) => id === saying.id || (Boolean(saying.pin) && annotation === saying.annotation));
  }

  /** @param {Thread} thread @param {"resolve" | "reopen"} act */
  async turn(thread, act) {
    try {
      this.room.store.dispatch({ type: "thread.known", thread: await post(`/api/threads/${thread.id}/${act}/`) });
    } catch (error) {
      toastError(error);
    }
  }

  /** Throws what the server refuses, so that the words stay in their field. @param {string} id  of the comment @param {string} text @param {number} version */
  async edit(id, text, version) {
    const thread = await patch(`/api/comments/${id}/`, { text, base_version: version, mentions: mentionsIn(text, this.state.people) });
    this.room.store.dispatch({ type: "thread.known", thread });
  }

  // --- going there ----------------------------------------------------------------------------------------------

  /** Planes, 3D and view go where the thread was pinned, the newest result staying in sight. @param {Thread} thread */
  goTo(thread) {
    const { room } = this;
    this.set({ selected: thread.id });
    const seen = thread.view ? decode(thread.view)?.seen ?? {} : {};
    for (const key of LEFT_OUT) delete seen[key];
    const now = /** @type {any} */ (seenOf(room));
    for (const key of KEPT) seen[key] = now[key];
    seen.at = placeOf(this.state, thread);
    const there = room.session?.series.id === thread.series_id;
    if (room.link) room.link.wanted = { ...seen, series: null };
    if (there && room.link) room.link.begin(room.session);
    else room.openSeries(thread.series_id);
    const space = /** @type {any} */ (room.session)?.space;
    if (space && !seen.camera) space.flyTo({ ...space.orbit, target: seen.at });
  }

  // --- after a new reconstruction -------------------------------------------------------------------------------

  /** The segment a thread is about as it is shown now; null where it is gone. @param {Thread} thread */
  rowOf(thread) {
    return segmentIn(thread.segment, this.room.segmentation);
  }

  /** Find every thread's surface again, where one was swapped since. */
  findSurfaces() {
    const { segmentation, store } = this.room;
    /** @type {ThreadsState["moved"]} */
    const moved = {};
    let changed = false;
    for (const thread of this.state.list) {
      const from = thread.segment?.surface_mm;
      const row = from && thread.series_id === store.get().view.seriesId ? this.rowOf(thread) : null;
      const mesh = row && this.meshOf(row.number);
      const key = mesh ? `${segmentation.id} ${mesh.geometry.uuid} ${from}` : "";
      const before = this.state.moved[thread.id];
      if (this.worked.get(thread.id) === key) {
        if (before) moved[thread.id] = before;
        continue;
      }
      this.worked.set(thread.id, key);
      const found = mesh && from ? nearestOn(mesh, from) : null;
      if (found) moved[thread.id] = found;
      changed ||= Boolean(found || before);
    }
    if (changed) this.set({ moved });
  }
}

/** @param {any} mesh  of the scene, in LPS mm with its middle at its own origin @param {Point} point */
function nearestOn(mesh, point) {
  const index = mesh?.geometry.getIndex()?.array;
  if (!index) return null;
  return nearestOnSurface({ positions: mesh.geometry.getAttribute("position").array, index, offset: mesh.position.toArray() }, point);
}
