// The next own case: what it is, on its way while this one is read, opened with one act.

import { get, post } from "../../../api/client.js";
import { toastError } from "../../../components/toast.js";
import { inOrder } from "../../../state/case.js";

/**
 * A row of the worklist opens where it is read. A read not begun is begun; an adjudication begins with its first choice.
 * @param {any} row @returns {Promise<boolean>} false: it was refused, and said why
 */
export async function openReading({ reading, study }) {
  try {
    if (reading.state === "assigned" && reading.kind !== "adjudication") await post(`/api/readings/${reading.id}/begin/`);
    location.assign(`/studies/${study.id}/`);
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}

/** The first open case that is not this one, null where there is none. @param {string} caseId */
export async function nextAfter(caseId) {
  const { results } = await get("/api/worklist/");
  const open = results.filter((/** @type {any} */ row) => row.case.id !== caseId && row.reading.state !== "submitted" && row.reading.state !== "withdrawn");
  return inOrder(open)[0] ?? null;
}
