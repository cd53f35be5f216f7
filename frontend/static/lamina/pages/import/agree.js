// Step 3 of an import: which series are there, what is wrong with them, and what stays behind.

import { chip, fill, find, h, icon } from "../../components/dom.js";
import { verdictOf } from "../../components/findings.js";
import { bytes, number } from "../../components/format.js";
import { gettext, interpolate, language, ngettext } from "../../i18n.js";
import { drawSide } from "./consent.js";
import { flow, head, place, showStep, side } from "./flow.js";

/** Step 3. @param {{ giveUp: () => void, imported: () => Promise<void> }} acts */
export function agree({ giveUp, imported }) {
  showStep("agree");
  const { intake } = flow;
  const { findings } = intake;
  const count = findings.length;
  const files = findings.reduce((/** @type {number} */ sum, /** @type {any} */ f) => sum + f.files_count, 0);
  head(
    count === 0 ? gettext("No series found") : interpolate(ngettext("{count} series found", "{count} series found", count), { count: number(count) }),
    [
      interpolate(ngettext("{count} file", "{count} files", files), { count: number(files) }),
      bytes(intake.total_bytes ?? 0),
      gettext("nothing has entered a study yet"),
    ].join(" · "),
    [h("button", { class: "button", type: "button", onclick: giveUp }, icon("folder-open"), gettext("Other files"))],
  );
  const table = /** @type {any} */ (document.createElement("lam-findings"));
  const message = h("div", { id: "series-message" });
  fill(place, totals(findings), count > 0 && h("div", { class: "table-frame" }, table), message, leftOut());
  side.hidden = count === 0;
  if (count === 0) return;
  table.addEventListener("lam-series", (/** @type {CustomEvent} */ event) => showMessage(event.detail.finding));
  drawSide(table, { giveUp, imported });
  table.findings = findings;
}

/** "2 ready, 1 with a warning, 1 refused". @param {any[]} findings */
function totals(findings) {
  const of = (/** @type {string} */ verdict) => findings.filter((f) => f.verdict === verdict && !f.withheld).length;
  const [ready, warned] = [of("accept"), of("warn")];
  const withheld = findings.filter((f) => f.withheld).length;
  const pictures = findings.filter((f) => f.verdict === "refuse" && f.may_import && !f.withheld).length;
  const refused = of("refuse") - pictures;
  return h(
    "div",
    { class: "totals" },
    ready > 0 && chip("good", "circle-check", interpolate(gettext("{count} ready"), { count: ready })),
    warned > 0 && chip("caution", "triangle-alert", interpolate(gettext("{count} with a warning"), { count: warned })),
    pictures > 0 && chip("", "image", interpolate(gettext("{count} kept as images"), { count: pictures })),
    withheld > 0 && chip("caution", "eye", interpolate(gettext("{count} held back"), { count: withheld })),
    refused > 0 && chip("bad", "circle-x", interpolate(gettext("{count} refused"), { count: refused })),
  );
}

/** Files that are no image, each with its reason. */
function leftOut() {
  const lines = [
    ...(flow.intake.ignored ?? []).map((/** @type {any} */ one) => [one.file, one.text]),
    ...flow.refusedFiles.map((one) => [one.path, one.error.message]),
  ];
  if (lines.length === 0) return null;
  return h(
    "details",
    { class: "card left-out" },
    h("summary", {}, interpolate(ngettext("{count} file stays behind", "{count} files stay behind", lines.length), { count: number(lines.length) })),
    h("dl", { class: "pairs" }, lines.slice(0, 200).map(([file, text]) => h("div", {}, h("dt", {}, file), h("dd", {}, text)))),
  );
}

/** The message card of the chosen series: reason and cure. @param {any} finding */
function showMessage(finding) {
  const holder = find("#series-message");
  if (!holder) return;
  const { symbol, kind } = verdictOf(finding);
  const name = finding.description || finding.modality || gettext("This series");
  // The whole message names what was found, in English only; its reasons are in the language of the page.
  const reasons = finding.reasons.map((/** @type {any} */ reason) => reason.text || reason.code);
  if (finding.verdict === "accept") return fill(holder);
  fill(
    holder,
    h(
      "div",
      { class: `message message--${kind}` },
      icon(symbol),
      h("h3", {}, name),
      h("p", { class: "second" }, (language === "en" && finding.message) || reasons.join(" ")),
    ),
  );
}
