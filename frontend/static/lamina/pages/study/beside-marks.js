// What the other study's readers measured, drawn over its planes and its 3D: to be seen, not to be taken hold of.

import { drawMarks, inSpace, onPlane } from "../../scene/marks.js";
import { shownMarks } from "../../state/marks.js";
import { labelTexts } from "./measurement-words.js";

/** @import { VolumeSession } from "./volume-session.js" */

/** @param {VolumeSession} session  of the other study; its store holds the marks @returns {() => void} */
export function showMarks(session) {
  const { store } = session.room;
  const drawn = () => shownMarks(store.get().marks, session.series.id).map((mark) => ({
    mark, look: { lit: false, drawing: false, texts: session.view.texts ? labelTexts(mark, false) : [] },
  }));
  const removes = [
    session.addOverlay((context, pane) => drawMarks(context, onPlane(pane), drawn())),
    // In the 3D what lies in no plane, as in this study.
    session.space.addOverlay((context, pane) => drawMarks(context, inSpace(pane), drawn().filter(({ mark }) => !mark.plane_normal || mark.points.length === 1))),
  ];
  return () => removes.forEach((remove) => remove());
}
