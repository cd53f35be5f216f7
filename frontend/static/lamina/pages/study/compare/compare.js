// Comparing on the study page: any two outlines of the series, the painted surface, the hot spots, and the keys for them.

import { pageData } from "../../../components/dom.js";
import { socket } from "../../../state/socket.js";
import { CompareDesk } from "./desk.js";
import { makeLegend } from "./legend.js";
import { makeLegendLines } from "./legend-lines.js";
import { makePanel } from "./panel.js";

export { showComparison } from "./desk.js";

/** @import { Room } from "../room.js" */

/** @param {Room} room */
export function makeCompare(room) {
  const desk = new CompareDesk(room);
  room.comparison = desk;
  makePanel(room, desk);
  makeLegend(room, desk);
  makeLegendLines(room, desk);

  room.addActs({ "place-next": () => desk.step(1), "place-back": () => desk.step(-1) });
  room.store.watch((state) => [state.compare.range, state.compare.segment, state.compare.from, state.compare.chosen].join(), () => {
    if (!desk.part.open) return;
    desk.restyle();
    room.session?.invalidatePlanes?.();
    desk.refreshMarks();
  });
  room.store.watch((state) => state.compare.side, () => {
    const { session } = room;
    if (desk.part.open && desk.showing && session?.kind === "volume" && !desk.inColumns) void desk.paint(/** @type {any} */ (session), desk.showing.signal).then(() => desk.set({}), () => {});
  });
  // Another result in the viewports, or another series: the comparison was about what is gone.
  let shown = room.store.get().view.segmentationId;
  room.store.watch((state) => state.view.segmentationId, (id) => {
    if (desk.part.open && id !== shown) desk.hide();
    shown = id;
  });
  room.onSession(() => () => desk.hide());

  // Readiness is told to who asked, on their own stream; other parts of the page may wait for the same.
  const person = pageData("shell-data")?.person?.id;
  if (person) {
    const stop = socket.subscribe(`user:${person}`, null, {
      onEvent: (event) => {
        if (event.type !== "comparison.ready" || event.payload.study_id !== room.store.get().study.study.id) return;
        desk.heard(event.payload.comparison_id);
        room.heard(event);
      },
    });
    window.addEventListener("pagehide", (event) => !event.persisted && stop());
  }
}
