// What the study page is made of beyond its frame: one line per feature. A feature gets the room once, adds its part of
// the panel, its acts and tools, and asks `room.onSession` to be told of every series that opens.

import { initialPlanes, reducePlanes } from "../../state/planes.js";
import { initialSpace, reduceSpace } from "../../state/space.js";
import { makePlaneMenu } from "./plane-menu.js";
import { makeUndoButtons } from "./undo-buttons.js";

/** @import { Room } from "./room.js" */

/** Parts of the state that features keep: name -> [initial, reducer]. @type {Record<string, [() => any, (part: any, action: any) => any]>} */
const KEPT = { planes: [initialPlanes, reducePlanes], space: [initialSpace, reduceSpace] };

/** Reducers by name, for `combine`. */
export const PARTS = Object.fromEntries(Object.entries(KEPT).map(([name, [, reduce]]) => [name, reduce]));

export const initialParts = () => Object.fromEntries(Object.entries(KEPT).map(([name, [initial]]) => [name, initial()]));

/** @type {((room: Room) => void)[]} */
export const FEATURES = [makePlaneMenu, makeUndoButtons];
