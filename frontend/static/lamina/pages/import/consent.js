// Step 3, the side: what changes in the header, before and after, with the consent at its foot.

import { get, newKey, post } from "../../api/client.js";
import { fill, h } from "../../components/dom.js";
import { number } from "../../components/format.js";
import "../../components/tag-table.js";
import { toastError } from "../../components/toast.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";
import { flow, side } from "./flow.js";

/** What the server is told of one chosen series: nothing empty. @param {{key: string, modality: string, confirmed: boolean}} kept */
const asChoice = ({ key, modality, confirmed }) => ({ key, ...(modality && { modality }), ...(confirmed && { confirmed }) });

const changesOf = new Map();

/** The before and after table, consent at its foot. @param {any} table @param {{ giveUp: () => void, imported: () => Promise<void> }} acts */
export function drawSide(table, { giveUp, imported }) {
  const tags = /** @type {any} */ (document.createElement("lam-tags"));
  const about = h("p", { class: "second" });
  const consent = h("input", { class: "checkbox", type: "checkbox", id: "consent", onchange: () => update() });
  const why = h("p", { class: "hint import__why" });
  const go = h("button", { class: "button button--filled button--tall", type: "button", id: "go", onclick: () => run() });
  const choice = h("div", { class: "segmented", role: "group", "aria-label": gettext("Which elements") });

  const update = () => {
    const count = table.kept.length;
    go.textContent = interpolate(ngettext("De-identify and import {count} series", "De-identify and import {count} series", count), { count: number(count) });
    const reason =
      count === 0
        ? gettext("Choose at least one series.")
        : table.unnamed.length > 0
          ? gettext("Say for each NIfTI file which images it holds.")
          : !consent.checked
            ? gettext("The button wakes up when you have agreed.")
            : "";
    why.textContent = reason;
    go.disabled = reason !== "";
  };

  const drawChoice = () => {
    const changes = tags.changes ?? [];
    const changed = changes.filter((/** @type {any} */ c) => c.action !== "kept").length;
    const button = (/** @type {boolean} */ all, /** @type {string} */ text) =>
      h("button", { type: "button", "aria-pressed": String(choice.dataset.all === String(all)), onclick: () => { choice.dataset.all = String(all); tags.all = all; drawChoice(); } }, text);
    fill(choice, button(false, interpolate(gettext("Changes {count}"), { count: number(changed) })), button(true, interpolate(gettext("All {count}"), { count: number(changes.length) })));
  };
  choice.dataset.all = "false";

  const showChanges = async (/** @type {any} */ finding) => {
    const name = finding.description || finding.modality || gettext("This series");
    about.textContent = `${name} · ${gettext("direct identifiers replaced, dates moved, age kept")}`;
    tags.changes = changesOf.get(finding.key) ?? null;
    drawChoice();
    if (tags.changes) return;
    try {
      const answer = await get(`/api/intakes/${flow.intake.id}/changes/`, { key: finding.key });
      changesOf.set(finding.key, answer.results ?? answer);
      if (table.selected?.key === finding.key) tags.changes = changesOf.get(finding.key);
    } catch (error) {
      tags.changes = [];
      toastError(error);
    }
    drawChoice();
  };

  const run = async () => {
    go.disabled = true;
    try {
      await post(`/api/intakes/${flow.intake.id}/import/`, { series: table.kept.map(asChoice), consent: true }, { key: newKey() });
      await imported();
    } catch (error) {
      toastError(error);
      update();
    }
  };

  table.addEventListener("lam-series", (/** @type {CustomEvent} */ event) => {
    void showChanges(event.detail.finding);
  });
  table.addEventListener("lam-kept", update);
  fill(
    side,
    h("div", { class: "import__side-head" }, h("div", {}, h("h2", {}, gettext("What changes in the header")), about), choice),
    h("div", { class: "import__tags", tabindex: "0", role: "region", "aria-label": gettext("Before and after") }, tags),
    h(
      "div",
      { class: "import__foot" },
      h("label", { class: "check-line", for: "consent" }, consent, h("span", {}, gettext("I have the right to use these images for research and have looked at the changes."))),
      why,
      h("div", { class: "import__acts" }, h("button", { class: "button button--tall", type: "button", onclick: giveUp }, gettext("Back")), go),
    ),
  );
  queueMicrotask(update);
}
