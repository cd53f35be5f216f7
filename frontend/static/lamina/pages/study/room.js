// What the parts of the study page share: the store, the stage, the viewports, the open series.

/** @import { Store } from "../../state/store.js" */
/** @import { StudyState } from "../../state/study.js" */
/** @import { UndoStack } from "../../state/undo.js" */
/** @import { ViewState } from "../../state/view.js" */
/** @import { Stage } from "../../scene/stage.js" */
/** @import { Beside } from "./beside.js" */
/** @import { Hanging } from "./hanging.js" */
/** @import { Link } from "./link.js" */
/** @import { Frame, ViewportName } from "./frames.js" */
/** @import { MarkDesk } from "./measurements.js" */
/** @import { PictureSession } from "./picture-session.js" */
/** @import { VolumeSession } from "./volume-session.js" */
/** @import { Editing } from "./editing.js" */
/** @import { CaseDesk } from "./case/desk.js" */
/** @import { CompareDesk } from "./compare/desk.js" */
/** @import { Columns } from "./columns/columns.js" */
/** @import { Together } from "./together/together.js" */
/** @import { KeyActs } from "../../tools/keys.js" */
/** @import { Keymap } from "../../tools/keymap.js" */

/** The two parts every page has, and what the features keep. @typedef {{ view: ViewState, study: StudyState, [part: string]: any }} RoomState */

/**
 * @typedef {object} Room
 * @property {Store<RoomState>} store
 * @property {(answer: any) => Store<RoomState>} makeStore  for another study of the same shape
 * @property {Stage} stage
 * @property {HTMLElement} grid
 * @property {Record<ViewportName, Frame>} frames
 * @property {(VolumeSession | PictureSession) & Record<string, any> | null} session
 * @property {Promise<void>} [made]  resolves when the page with all its features is made
 * @property {Map<string, Promise<ArrayBuffer>>} early  files asked for before the viewer was here, by address
 * @property {Editing} [editing]  segment editing, once its feature is made
 * @property {CaseDesk} [case]  what the reader does with the case the study is read in
 * @property {CompareDesk} [comparison]  two segmentations compared, once its feature is made
 * @property {Columns} [columns]  two outlines in two columns
 * @property {Together} [together]  who else is here, once its feature is made
 * @property {UndoStack} undo  the page's one stack of named steps
 * @property {MarkDesk} [marks]  where marks are made and kept
 * @property {any} segmentation  the one that is shown, or null
 * @property {string | null} wantedSegmentation  chosen by hand; null takes the newest
 * @property {(text: string, error?: any) => void} report  something failed that the reader should know
 * @property {(name: string) => void} mark  a moment worth measuring, on the page's own timeline
 * @property {(id: string) => void} openSeries
 * @property {Hanging} [hanging]
 * @property {Beside} [beside]  another study of the patient beside this one
 * @property {Link} [link]  the view in the address bar
 * @property {() => void} closeSeries
 * @property {() => void} togglePanel
 * @property {() => void} showKeys
 * @property {Keymap} keymap  this person's keys and buttons
 * @property {KeyActs} acts  what a key may call, by the act's name
 * @property {(acts: KeyActs) => () => void} addActs  several may register one act: the last is asked first, and one
 *   that answers `false` passes it on
 * @property {(listener: (event: any) => void) => void} onEvent  hear every event of the study's streams, after the store
 * @property {(event: any) => void} heard  tells those listeners
 * @property {(streams: Record<string, number>) => void} [follow]  what may be heard now, with the last numbers known
 * @property {(begin: (session: any) => (() => void) | void) => void} onSession  for every series that opens, the open
 *   one included; what it answers is called when that series closes
 */

/** @param {any} person the study's `may` @param {string} act */
export const may = (person, act) => Array.isArray(person) && person.includes(act);

/** @param {string} name */
export function mark(name) {
  performance.mark(`lamina:${name}`);
  document.documentElement.dataset[name] = String(Math.round(performance.now()));
}
