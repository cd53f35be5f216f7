/** Algorithms: versions on the left, the chosen one's measured numbers, segments and origin on the right. */

import { get } from "../api/client.js";
import { banner } from "../components/banner.js";
import { linesOf, measureTitle, measured, measuresOf, title } from "../components/card-words.js";
import { chip, fill, find, h, icon } from "../components/dom.js";
import { number } from "../components/format.js";
import { use } from "../components/webawesome.js";
import { gettext, interpolate, known, told } from "../i18n.js";

/** @type {any[]} */
let versions = [];
let chosen = new URLSearchParams(location.search).get("version") || "";
const detail = find("#algorithm");

function stateChip(/** @type {any} */ version) {
  if (version.disabled_reason) return chip("bad", "circle-x", gettext("Switched off"));
  if (version.status === "experimental") return chip("caution", "triangle-alert", gettext("Experimental"));
  return version.in_service ? chip("good", "circle-check", gettext("In service")) : chip("", "archive", gettext("Retired"));
}

function drawList() {
  fill(
    find("#versions"),
    versions.map((version) =>
      h(
        "li",
        {},
        h(
          "button",
          { class: "version", type: "button", "aria-pressed": String(version.id === chosen), onclick: () => choose(version.id) },
          h("span", { class: "version__head" }, h("strong", {}, known(version.title)), stateChip(version)),
          h("span", { class: "second" }, `${version.name} ${version.version} · ${version.inputs.join(" + ")}`),
        ),
      ),
    ),
  );
}

function choose(/** @type {string} */ id) {
  chosen = id;
  history.replaceState(null, "", `?version=${id}`);
  const focused = document.activeElement?.closest("#versions") !== null;
  drawList();
  if (focused) find('#versions [aria-pressed="true"]')?.focus();
  draw();
}

function measures(/** @type {any} */ version) {
  const rows = measuresOf(version.card).sort((a, b) => a.group.localeCompare(b.group) || a.name.localeCompare(b.name));
  if (rows.length === 0) return h("p", { class: "card__body second" }, gettext("No measured numbers: this version was not trained on data."));
  const hasGroup = rows.some((row) => row.group);
  return h(
    "div",
    { class: "algorithm__table" },
    h(
      "table",
      { class: "table" },
      h(
        "thead",
        {},
        h("tr", {}, h("th", { scope: "col" }, gettext("Measure")), hasGroup && h("th", { scope: "col" }, gettext("Of")), h("th", { scope: "col", class: "number" }, gettext("Mean")), h("th", { scope: "col", class: "number" }, gettext("95 % interval")), h("th", { scope: "col", class: "number" }, gettext("Worst")), h("th", { scope: "col", class: "number" }, gettext("Cases"))),
      ),
      h(
        "tbody",
        {},
        rows.map((row, index) =>
          h(
            "tr",
            {},
            h("td", {}, row.definition ? [h("span", { class: "defined", id: `measure-${index}`, tabindex: "0" }, known(measureTitle(row.name))), h("wa-tooltip", { for: `measure-${index}` }, known(row.definition))] : known(measureTitle(row.name))),
            hasGroup && h("td", { class: "second" }, row.group.split(", ").filter(Boolean).map((one) => known(title(one))).join(", ")),
            h("td", { class: "number value" }, measured(row.mean, row.unit)),
            h("td", { class: "number second" }, row.low === null ? "" : interpolate(gettext("{low} to {high}"), { low: measured(row.low, row.unit, true), high: measured(row.high, row.unit) })),
            h("td", { class: "number second", title: row.worstCase }, measured(row.worst, row.unit)),
            h("td", { class: "number second" }, row.n === null ? "" : number(row.n)),
          ),
        ),
      ),
    ),
  );
}

const pair = (/** @type {string} */ name, /** @type {any} */ value) => value && h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** @param {string} use @returns {string | undefined} */
const madeFor = (use) => /** @type {Record<string, string>} */ ({ patient: gettext("patients"), phantom: gettext("phantoms only"), any: gettext("patients and phantoms") })[use];

function draw() {
  const version = versions.find((one) => one.id === chosen);
  if (!version) return;
  const lines = linesOf(version.card);
  const short = lines.filter(([, text]) => text.length <= 60);
  const long = lines.filter(([, text]) => text.length > 60);
  fill(
    detail,
    h("div", { class: "page__head" }, h("div", { class: "page__title" }, h("h1", {}, known(version.title)), h("p", {}, known(version.summary))), h("div", { class: "page__acts" }, stateChip(version))),
    version.disabled_reason && h("div", { class: "message message--bad" }, icon("circle-alert"), h("p", {}, told(version.disabled_reason))),
    h("section", { class: "card" }, h("div", { class: "card__head" }, h("h2", {}, gettext("Measured")), h("span", { class: "second" }, gettext("on cases nobody trained on"))), measures(version)),
    h(
      "div",
      { class: "algorithm__pairs" },
      h(
        "section",
        { class: "card" },
        h("div", { class: "card__head" }, h("h2", {}, gettext("Segments")), h("span", { class: "second" }, number(version.segments.length))),
        h(
          "ul",
          { class: "next__segments algorithm__segments", role: "list" },
          version.segments.map((/** @type {any} */ segment) => {
            const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
            swatch.style.setProperty("background-color", segment.colour);
            return h("li", {}, swatch, h("span", {}, known(segment.label)), h("span", { class: "hint", title: `${segment.type?.scheme} ${segment.type?.value}` }, segment.type?.meaning));
          }),
        ),
      ),
      h(
        "section",
        { class: "card" },
        h("div", { class: "card__head" }, h("h2", {}, gettext("Where it came from"))),
        h(
          "dl",
          { class: "pairs card__body" },
          pair(gettext("Name"), h("span", { class: "code" }, `${version.name} ${version.version}`)),
          pair(gettext("Images"), version.inputs.join(" + ")),
          pair(gettext("Body part"), version.body_part),
          pair(gettext("Made for"), madeFor(version.intended_for)),
          pair(gettext("Weights"), version.weights_sha256 ? h("span", { class: "code", title: version.weights_sha256 }, `${version.weights_sha256.slice(0, 4)} ${version.weights_sha256.slice(4, 8)}`) : gettext("none")),
          short.map(([name, text]) => pair(known(name), known(text))),
          pair(gettext("Licence"), version.licence),
          version.attribution && pair(gettext("Attribution"), version.attribution),
        ),
      ),
    ),
    long.length > 0 && h("section", { class: "card" }, h("div", { class: "card__head" }, h("h2", {}, gettext("Good to know"))), h("dl", { class: "card__body algorithm__texts" }, long.map(([name, text]) => h("div", {}, h("dt", { class: "value" }, known(name)), h("dd", { class: "second" }, known(text)))))),
  );
  void use("tooltip");
}

async function load() {
  try {
    const answer = await get("/api/algorithms/");
    versions = answer.results ?? answer;
    find("#count").textContent = interpolate(gettext("{count} versions"), { count: number(versions.length) });
    banner("list", null);
    if (versions.length === 0) {
      fill(detail, h("div", { class: "empty" }, icon("cpu"), h("strong", {}, gettext("No algorithms are installed")), h("span", {}, gettext("The engine lists none. Install its weights, then restart."))));
      return;
    }
    if (!versions.some((one) => one.id === chosen)) chosen = versions[0].id;
    drawList();
    draw();
  } catch (error) {
    banner("list", { text: /** @type {Error} */ (error).message, act: { text: gettext("Try again"), run: load } });
  }
}

void load();
