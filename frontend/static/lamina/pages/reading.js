/** A project's cases, and the protocol they are read by: for its admins to change, for its members to look up. */

import { find, pageData } from "../components/dom.js";
import { CaseTable } from "./protocol/case-table.js";
import { openCases } from "./protocol/open-cases.js";
import { ProtocolForm } from "./protocol/protocol-form.js";

const { project } = pageData();
const cases = new CaseTable(project);
const form = new ProtocolForm(find("#part-protocol"), project);

/** @param {string} part */
function show(part) {
  find("#part-cases").hidden = part !== "cases";
  find("#part-protocol").hidden = part !== "protocol";
  for (const button of document.querySelectorAll("[data-part]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.part === part));
  history.replaceState(null, "", part === "protocol" ? "#protocol" : location.pathname);
}

for (const button of document.querySelectorAll("[data-part]")) button.addEventListener("click", () => show(/** @type {HTMLElement} */ (button).dataset.part ?? "cases"));
find("#open-cases")?.addEventListener("click", async () => {
  if (await openCases(project, await cases.studyIds())) await cases.load();
});
show(location.hash === "#protocol" ? "protocol" : "cases");
void cases.load();
void form.load();
