// Together on one study: who else is here, where they point, what they draw, and following one of them. Everything here
// comes over the room of the study and is kept nowhere; while a read is sealed the room is shut and nothing is said.

import { colourOf, drawers, followers, initialPresence, reducePresence } from "../../../state/presence.js";
import { socket } from "../../../state/socket.js";
import { Speaker } from "../../../state/speaker.js";
import { createStore } from "../../../state/store.js";
import { makeCursors } from "./cursors.js";
import { makeFollowing } from "./follow.js";
import { listenToPointer } from "./pointing.js";
import { makePeople } from "./people.js";

/** @import { Presence } from "../../../state/presence.js" */
/** @import { Store } from "../../../state/store.js" */
/** @import { Room } from "../room.js" */

/** What those who follow are told of the view, ms apart. */
const VIEW_EVERY = 100;

/**
 * @typedef {object} Together  what the rest of the page may ask
 * @property {Store<Presence>} store
 * @property {(words: Record<string, any>) => void} say
 * @property {(stroke: { number: number | null, erases: boolean } | null) => void} draws  a brush stroke begins, or ends
 * @property {(member: string | null) => void} follow
 */

/** The part of the page's state that changes seldom. @typedef {{ drawing: Record<number, { name: string, colour: string }[]>, following: string | null }} TogetherState */

/** @returns {TogetherState} */
export const initialTogether = () => ({ drawing: {}, following: null });

/** @param {TogetherState} part @param {any} action @returns {TogetherState} */
export const reduceTogether = (part, action) => (action.type === "together.set" ? { ...part, ...action.values } : part);

/** @param {Room} room */
export function makeTogether(room) {
  const { id } = room.store.get().study.study;
  const name = `study:${id}`;
  const store = createStore(initialPresence(), reducePresence);
  const now = () => performance.now();
  const speaker = new Speaker({ send: (words) => seat.say(words), later: (act, ms) => setTimeout(act, ms), now });

  /** @type {Together} */
  const together = {
    store,
    say: (words) => speaker.say(words),
    draws(stroke) {
      const segmentation = room.editing?.desk()?.segmentation.id;
      if (stroke && (!segmentation || !stroke.number)) return;
      speaker.say({ stroke: stroke && { segmentation, number: stroke.number, mm: room.store.get().edits.size, erases: stroke.erases } });
    },
    follow: (member) => following.follow(member),
  };
  room.together = together;

  const following = makeFollowing(room, together);
  makePeople(room, together);
  makeCursors(room, together);
  listenToPointer(room, together);

  const seat = socket.join(name, {
    onRoom({ me, people }) {
      const first = store.get().me !== me;
      store.dispatch({ type: "presence.room", me, people, now: now() });
      // A new seat: those who are here know nothing of this reader yet.
      if (first) speaker.hush(false);
    },
    onSaid: (said) => store.dispatch({ type: "presence.said", said, now: now() }),
    onShut() {
      speaker.hush(true);
      store.dispatch({ type: "presence.shut" });
    },
    onAway() {
      speaker.hush(true);
      store.dispatch({ type: "presence.away", now: now() });
    },
  });
  // A case that opens lets its readers meet; nobody need reload for it.
  room.onEvent?.((/** @type {any} */ event) => {
    if (store.get().state === "shut" && (event.type === "case.moved" || event.type === "study.loaded")) seat.join();
  });

  // Pencils: who draws in which row of the shown list.
  let key = "{}";
  const tellRows = () => {
    const { segmentation } = room;
    const found = drawers(store.get(), [room.store.get().view.segmentationId, segmentation?.id, segmentation?.based_on?.id]);
    const drawing = Object.fromEntries(Object.entries(found).map(([number, people]) => [number, people.map((one) => ({ name: one.name, colour: colourOf(one) }))]));
    if (JSON.stringify(drawing) === key) return;
    key = JSON.stringify(drawing);
    room.store.dispatch({ type: "together.set", values: { drawing } });
  };
  store.watch((presence) => presence.drawings, tellRows);
  room.store.watch((state) => state.view.segmentationId, tellRows);
  const ticking = setInterval(() => store.dispatch({ type: "presence.tick", now: now() }), 1000);

  // The view, as long as somebody follows it. The camera is in no store: it is looked at.
  let telling = 0;
  store.watch(followers, (members) => {
    clearInterval(telling);
    // Who has just begun to follow knows nothing yet, however still this reader sits.
    speaker.again("view");
    telling = members ? window.setInterval(() => speaker.say({ view: following.seen() }), VIEW_EVERY) : 0;
  });

  window.addEventListener("pagehide", (event) => {
    if (event.persisted) return;
    clearInterval(ticking);
    clearInterval(telling);
    seat.leave();
  });
}
