// The reading room on the study page: what is sealed, the form, the commit, the reveal, the decisions, the next case.

import { find } from "../../../components/dom.js";
import { makeAfter } from "./after.js";
import { makeCaseAhead } from "./ahead.js";
import { CaseDesk } from "./desk.js";
import { makeFoot } from "./foot.js";
import { makeForm } from "./form.js";
import { makeHead } from "./head.js";
import { refuseSealedLink } from "./refusal.js";
import { makeReveal } from "./reveal.js";
import { makeStages } from "./stages.js";

/** @import { Room } from "../room.js" */

/** Events after which the case is asked for again, as this person. */
const MOVES = new Set(["case.moved", "reading.begun", "reading.committed", "reading.submitted", "reading.withdrawn", "reading.assigned", "case.opened"]);

/** @param {Room} room */
export function makeCase(room) {
  const { store } = room;
  store.dispatch({ type: "case.loaded", case: store.get().study.study.case ?? null });
  const desk = new CaseDesk(room);
  room.case = desk;
  const root = find("#study");

  // The page knows where the reading stands: style and other parts ask here.
  store.watch((state) => `${desk.phase} ${Boolean(state.case.case?.sealed)}`, () => {
    root.dataset.phase = desk.phase;
    root.toggleAttribute("data-sealed", Boolean(desk.case?.sealed));
  });

  makeStages(room);
  makeHead(find("#case-head"), room, desk);
  makeReveal(find("#case-places"), room, desk);
  makeForm(find("#case-form"), room, desk);
  const after = makeAfter(find("#case-agreement"), room, desk);
  makeFoot(find("#case-foot"), room, desk, { after });
  refuseSealedLink(room, desk);
  makeCaseAhead(room);

  let asking = false;
  room.onEvent((event) => {
    if (event.type === "comparison.ready") void desk.differences();
    if (!MOVES.has(event.type) || asking || desk.part.busy) return;
    asking = true;
    // Several events belong to one act: ask once, when they are through.
    setTimeout(() => {
      asking = false;
      void desk.reload().catch(() => {});
    }, 100);
  });
}
