/** A project's cases, and the protocol they are read by: for its admins to change, for its members to look up. */

import { find, pageData } from "../components/dom.js";
import { gettext } from "../i18n.js";
import { CaseTable } from "./protocol/case-table.js";
import { openCases } from "./protocol/open-cases.js";
import { ProtocolForm } from "./protocol/protocol-form.js";

const { project } = pageData();
const cases = new CaseTable(project);
const form = new ProtocolForm(find("#part-protocol"), project);

/** @param {string} part */
function show(part) {
  const protocol = part === "protocol";
  find("#part-cases").hidden = protocol;
  find("#part-protocol").hidden = !protocol;
  find("#reading-title").textContent = protocol ? gettext("Reading protocol") : gettext("Cases");
  find("#cases-second").hidden = protocol;
  // One next step on a page: there it is to save.
  if (find("#open-cases")) find("#open-cases").hidden = protocol;
  for (const button of document.querySelectorAll("[data-part]")) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.part === part));
  history.replaceState(null, "", protocol ? "#protocol" : location.pathname);
}

for (const button of document.querySelectorAll("[data-part]")) button.addEventListener("click", () => show(/** @type {HTMLElement} */ (button).dataset.part ?? "cases"));
find("#open-cases")?.addEventListener("click", async () => {
  if (await openCases(project, await cases.studyIds())) await cases.load();
});
const asked = () => show(location.hash === "#protocol" ? "protocol" : "cases");
addEventListener("hashchange", asked);
asked();
void cases.load();
void form.load();
