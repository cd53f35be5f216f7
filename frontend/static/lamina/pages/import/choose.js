// Step 1 of an import: choose files, or go on with some that were half sent.

import { fromChoice } from "../../components/collect.js";
import { fill, h, icon } from "../../components/dom.js";
import { bytes } from "../../components/format.js";
import { gettext, interpolate } from "../../i18n.js";
import { flow, head, place, rememberInAddress, shell, showStep, side } from "./flow.js";

/** @typedef {{ file: File, path: string }} Entry */

const importable = () => shell.projects.filter((/** @type {any} */ p) => p.may.includes("import"));

/** Step 1. @param {(entries: Entry[]) => void} start */
export function drawChoice(start) {
  side.hidden = true;
  showStep("choose");
  head(gettext("Import images"), gettext("DICOM as files, folder or zip; NIfTI as .nii or .nii.gz."));
  const projects = importable();
  if (!projects.some((/** @type {any} */ p) => p.id === flow.project)) flow.project = projects[0].id;
  const files = h("input", { type: "file", multiple: true, hidden: true, onchange: () => start(fromChoice(files.files)) });
  const folder = h("input", { type: "file", webkitdirectory: true, multiple: true, hidden: true, onchange: () => start(fromChoice(folder.files)) });
  const drop = h(
    "div",
    { class: "drop", id: "drop" },
    icon("upload"),
    h("strong", {}, gettext("Drop files or a folder here")),
    h("span", { class: "second" }, gettext("Up to 20,000 files of 4 GiB each.")),
    h(
      "div",
      { class: "drop__acts" },
      h("button", { class: "button button--filled button--tall", type: "button", onclick: () => files.click() }, icon("files"), gettext("Choose files")),
      h("button", { class: "button button--tall", type: "button", onclick: () => folder.click() }, icon("folder"), gettext("Choose a folder")),
    ),
    files,
    folder,
  );
  fill(
    place,
    h(
      "label",
      { class: "import__project" },
      h("span", { class: "field__label" }, gettext("Into project")),
      h(
        "select",
        { class: "select", id: "project", onchange: (/** @type {any} */ e) => { flow.project = e.target.value; rememberInAddress(""); } },
        projects.map((/** @type {any} */ p) => h("option", { value: p.id, selected: p.id === flow.project }, p.name)),
      ),
    ),
    drop,
    h(
      "ul",
      { class: "import__promises", role: "list" },
      [
        ["shield-check", gettext("Names, dates of birth and other direct identifiers are replaced before anything enters a study.")],
        ["lock", gettext("What you send lies encrypted under a key of its own, destroyed after the import or after 24 hours.")],
        ["eye", gettext("You see every change, before and after, and agree to it first.")],
      ].map(([symbol, text]) => h("li", {}, icon(symbol), h("span", {}, text))),
    ),
  );
}

/** Some bytes are there already: the same files go on from the last one. @param {(entries: Entry[]) => void} start @param {() => void} giveUp */
export function drawUnfinished(start, giveUp) {
  const { intake } = flow;
  showStep("choose");
  const received = intake.received_bytes ?? 0;
  head(gettext("Go on sending"), interpolate(gettext("{sent} of {size} arrived before the page was closed."), { sent: bytes(received), size: bytes(intake.total_bytes ?? 0) }), [
    h("button", { class: "button", type: "button", onclick: giveUp }, icon("x"), gettext("Discard")),
  ]);
  const files = h("input", { type: "file", multiple: true, hidden: true, onchange: () => start(fromChoice(files.files)) });
  fill(
    place,
    h("div", { class: "drop", id: "drop" }, icon("upload"), h("strong", {}, gettext("Drop the same files again")), h("span", { class: "second" }, gettext("They continue where they stopped.")), h("button", { class: "button button--filled", type: "button", onclick: () => files.click() }, gettext("Choose files")), files),
  );
}
