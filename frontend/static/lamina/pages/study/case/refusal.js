// A link somebody sent shows what is sealed for this person: a polite sentence instead, and no fact of what it shows.

import { banner } from "../../../components/banner.js";
import { gettext } from "../../../i18n.js";
import { decode, rowOf } from "../../../state/address.js";

/** @import { Room } from "../room.js" */
/** @import { CaseDesk } from "./desk.js" */

/** @param {Room} room @param {CaseDesk} desk */
export function refuseSealedLink(room, desk) {
  const wanted = decode(location.hash)?.seen?.result ?? null;
  if (!wanted) return;
  room.store.watch((state) => `${Boolean(state.case.case?.sealed)} ${state.study.segmentations.length}`, () => {
    const there = rowOf(room.store.get().study.segmentations, wanted) !== undefined;
    const sealed = Boolean(desk.case?.sealed) && !there;
    banner("sealed", sealed
      ? {
          text: desk.case.mine ? gettext("What this link shows is sealed for you. It opens when you commit your first read.") : gettext("What this link shows is sealed for you until its readers have finished."),
          kind: "plain",
          symbol: "lock",
          act: { text: gettext("Close"), run: () => banner("sealed", null) },
        }
      : null);
  });
}
