/** Fetching the next case ahead, with what the page knows: the key to keep it under, the person's limits. */

import { pageData } from "../../components/dom.js";
import { CAP_PLACE, capBytes } from "../../geometry/memory.js";
import { Ahead } from "./ahead.js";

/** The person's own limit in this browser, if there is one. */
function chosenCap() {
  try {
    return localStorage.getItem(CAP_PLACE);
  } catch {
    return null; // a browser may refuse storage altogether
  }
}

export function makeAhead() {
  const machine = /** @type {any} */ (navigator);
  const ahead = new Ahead({
    secret: pageData("shell-data")?.ahead_key,
    cap: capBytes(machine.deviceMemory, chosenCap()),
    saving: Boolean(machine.connection?.saveData),
    done: (study) => {
      document.documentElement.dataset.ahead = study;
    },
  });
  window.addEventListener("pagehide", (event) => !event.persisted && ahead.close());
  return ahead;
}
