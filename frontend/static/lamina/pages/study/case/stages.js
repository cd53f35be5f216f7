// The steps of a reading in the middle of the top bar: done, where one is, what comes.

import { fill, h, icon } from "../../../components/dom.js";
import { gettext } from "../../../i18n.js";
import { stepsOf } from "../../../state/case.js";

/** @import { Room } from "../room.js" */

/** @type {Record<string, () => string>} */
const WORDS = {
  first_read: () => gettext("First read"),
  compare: () => gettext("Compare"),
  submit: () => gettext("Submit"),
  reading: () => gettext("Reading"),
  adjudication: () => gettext("Adjudication"),
  approval: () => gettext("Approval"),
};

/** @param {Room} room */
export function makeStages(room) {
  const list = h("ol", { class: "stages", "aria-label": gettext("Stages of this case"), role: "list", hidden: true });
  document.querySelector(".bar__middle")?.append(list);
  room.store.watch((state) => state.case.case, (given) => {
    const steps = stepsOf(given);
    list.hidden = steps.length === 0;
    fill(list, steps.map(({ key, state }) =>
      h("li", { dataset: { state, step: key }, "aria-current": state === "now" ? "step" : null }, h("span", { class: "stages__word" }, state === "done" && icon("check", { label: gettext("Done") }), WORDS[key]()))));
  });
}
