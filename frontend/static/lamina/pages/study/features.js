// What the study page is made of beyond its frame: one line per feature. A feature gets the room once, adds its part of
// the panel, its acts and tools, and asks `room.onSession` to be told of every series that opens.

import { initialMarks, reduceMarks } from "../../state/marks.js";
import { initialFusion, reduceFusion } from "../../state/fusion.js";
import { initialPlanes, reducePlanes } from "../../state/planes.js";
import { initialSpace, reduceSpace } from "../../state/space.js";
import { initialEdits, reduceEdits } from "../../state/edits.js";
import { initialCase, reduceCase } from "../../state/case.js";
import { makeCase } from "./case/case.js";
import { makeAdjudication } from "./adjudication/adjudication.js";
import { makeApproval } from "./approval/approval.js";
import { makeEditing } from "./editing.js";
import { makeBeside } from "./beside.js";
import { makeHanging } from "./hanging.js";
import { makeFullScreen } from "./layouts.js";
import { makeLink } from "./link.js";
import { makeFusion } from "./fusion.js";
import { makePhases } from "./phases.js";
import { makePlaneMenu } from "./plane-menu.js";
import { makeMeasurements } from "./measurements.js";
import { makeUndoButtons } from "./undo-buttons.js";
import { initialThreads, reduceThreads } from "../../state/threads.js";
import { initialCompare, reduceCompare } from "../../state/compare.js";
import { makeColumns } from "./columns/columns.js";
import { makeCompare } from "./compare/compare.js";
import { makeFollow } from "./follow/follow.js";
import { makeThreads } from "./threads/threads.js";
import { initialReport, makeReport, reduceReport } from "./report/report.js";
import { initialTogether, makeTogether, reduceTogether } from "./together/together.js";

/** @import { Room } from "./room.js" */

/** Parts of the state that features keep: name -> [initial, reducer]. @type {Record<string, [() => any, (part: any, action: any) => any]>} */
const KEPT = {
  marks: [initialMarks, reduceMarks],
  edits: [initialEdits, reduceEdits],
  case: [initialCase, reduceCase],
  compare: [initialCompare, reduceCompare],
  fusion: [initialFusion, reduceFusion],
  planes: [initialPlanes, reducePlanes],
  space: [initialSpace, reduceSpace],
  threads: [initialThreads, reduceThreads],
  report: [initialReport, reduceReport],
  together: [initialTogether, reduceTogether],
};

/** Reducers by name, for `combine`. */
export const PARTS = Object.fromEntries(Object.entries(KEPT).map(([name, [, reduce]]) => [name, reduce]));

export const initialParts = () => Object.fromEntries(Object.entries(KEPT).map(([name, [initial]]) => [name, initial()]));

/** Hanging before the link: what a link says goes over how a series hangs by itself. Columns before what is compared in them. @type {((room: Room) => void)[]} */
export const FEATURES = [makeMeasurements, makeFusion, makeHanging, makeBeside, makeLink, makeFullScreen, makePhases, makePlaneMenu, makeUndoButtons, makeEditing, makeColumns, makeCompare, makeFollow, makeCase, makeAdjudication, makeApproval, makeThreads, makeReport, makeTogether];
