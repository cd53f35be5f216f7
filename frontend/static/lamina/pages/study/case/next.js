// The next own case: what it is, on its way while this one is read, opened with one act.

import { get, post } from "../../../api/client.js";
import { toastError } from "../../../components/toast.js";
import { inOrder } from "../../../state/case.js";

/** A row of the worklist opens where it is read; one not begun is begun. @param {any} row */
export async function openReading({ reading, case: given, study }) {
  try {
    if (reading.kind === "adjudication") {
      location.assign(`/cases/${given.id}/adjudication/`);
      return;
    }
    if (reading.state === "assigned") await post(`/api/readings/${reading.id}/begin/`);
    location.assign(`/studies/${study.id}/`);
  } catch (error) {
    toastError(error);
  }
}

/** The first open case that is not this one, null where there is none. @param {string} caseId */
export async function nextAfter(caseId) {
  const { results } = await get("/api/worklist/");
  const open = results.filter((/** @type {any} */ row) => row.case.id !== caseId && row.reading.state !== "submitted" && row.reading.state !== "withdrawn");
  return inOrder(open)[0] ?? null;
}
