// While a case is read the next one is fetched ahead: asked for once this one is whole and again when the worklist moves.

import { makeAhead } from "../../next-case/make.js";
import { nextAfter } from "./next.js";

/** @import { Room } from "../room.js" */

/** After the case itself is there, and after events that come in a row, ms. */
const REST = 2000;
const MOVES = new Set(["worklist.changed", "reading.assigned"]);

/** @param {Room} room */
export function makeCaseAhead(room) {
  const ahead = makeAhead();
  let timer = 0;
  const ask = async () => {
    const given = room.case?.case;
    const { session } = room;
    if (!given?.mine || !session) return;
    // Its own volume first; one that does not come whole (a server's slices) has the line to itself.
    const { progress } = /** @type {any} */ (session);
    if (session.kind === "volume" && progress.loaded < progress.total) return soon();
    const row = await nextAfter(given.id).catch(() => null);
    ahead.want(row?.study.id ?? null);
  };
  const soon = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), REST);
  };
  document.addEventListener("lamina:mine", (event) => MOVES.has(/** @type {CustomEvent} */ (event).detail.type) && soon());
  room.onSession(soon);
}
