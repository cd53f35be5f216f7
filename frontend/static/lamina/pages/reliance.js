/** Reliance: who went over to the algorithm when it was right and when it was wrong, and how long that took. */

import { get } from "../api/client.js";
import { fill, find, h, icon, pageData } from "../components/dom.js";
import { figure, figureCell, figureHead } from "../components/figure.js";
import { number } from "../components/format.js";
import { refusal } from "../components/refusal.js";
import { roving } from "../components/roving.js";
import { svg } from "../components/svg.js";
import { gettext, interpolate, known, ngettext } from "../i18n.js";

const { project } = pageData();
const manages = project.may.includes("manage");
const place = find("#reliance");
const METER = { width: 132, height: 16, edge: 7 };

/** The rate on a line from 0 to 100 %, its interval as a bar. Over-reliance is a diamond, under-reliance a ring. @param {any} rate @param {string} key */
function meter(rate, key) {
  if (rate.value === null) return null;
  const x = (/** @type {number} */ share) => METER.edge + share * (METER.width - 2 * METER.edge);
  const [at, middle] = [x(rate.value), METER.height / 2];
  return svg("svg", { class: `meter meter--${key}`, width: METER.width, height: METER.height, "aria-hidden": "true" },
    svg("path", { class: "meter__line", d: `M${x(0)} ${middle}H${x(1)}M${x(0)} 3V13M${x(0.5)} 5V11M${x(1)} 3V13` }),
    svg("path", { class: "meter__interval", d: `M${x(rate.low)} ${middle}H${x(rate.high)}` }),
    key === "over_reliance" ? svg("path", { class: "meter__mark", d: `M${at} ${middle - 5}l5 5l-5 5l-5 -5z` }) : svg("circle", { class: "meter__mark", cx: at, cy: middle, r: 4 }));
}

/** @param {any} row @param {string} key */
const rateCell = (row, key) => h("td", { class: "number", dataset: { column: key } }, figure(row[key], key), meter(row[key], key));

/** @param {any} row @param {string} key */
const count = (row, key) => h("td", { class: "number", dataset: { column: key } }, number(row[key]));

/** Headings of the two counts. */
const counted = () => [
  [gettext("Went over"), gettext("Places where the reader’s outline, as submitted, is the algorithm’s.")],
  [gettext("Kept own"), gettext("Places where the reader’s outline, as submitted, is that of the first read.")],
].map(([text, definition]) => h("th", { scope: "col", class: "number" }, h("span", { class: "defined", dataset: { definition } }, text)));

/** @param {any} row */
const line = (row) => h("tr", { dataset: { reader: row.reader.id } },
  h("th", { scope: "row" }, h("span", { class: "table__main" }, row.reader.name)),
  h("td", { class: "reliance__algorithm" }, known(row.title), h("span", { class: "second code" }, `${row.algorithm} ${row.version}`)),
  h("td", { class: "number second" }, number(row.cases)),
  count(row, "changed_when_right"), count(row, "kept_when_right"), rateCell(row, "under_reliance"),
  count(row, "changed_when_wrong"), count(row, "kept_when_wrong"), rateCell(row, "over_reliance"),
  figureCell(row.seconds_to_change, "seconds_to_change"));

/** @param {any[]} rows */
function table(rows) {
  const col = (/** @type {string} */ text, /** @type {Record<string, any>} */ more = {}) => h("th", { scope: "col", class: "number", ...more }, text);
  const frame = h("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": gettext("Reliance on the algorithm") },
    h("table", { class: "table figures", id: "readers" },
      h("thead", {},
        h("tr", {}, h("th", { scope: "col", rowspan: "2" }, gettext("Reader")), h("th", { scope: "col", rowspan: "2" }, gettext("Algorithm")), col(gettext("Cases"), { rowspan: "2" }),
          h("th", { scope: "colgroup", colspan: "3", class: "figures__over" }, icon("check"), gettext("Where the algorithm was right")),
          h("th", { scope: "colgroup", colspan: "3", class: "figures__over" }, icon("x"), gettext("Where it was wrong")),
          figureHead("seconds_to_change", { rowspan: "2" })),
        h("tr", {}, counted(), figureHead("under_reliance"), counted(), figureHead("over_reliance"))),
      h("tbody", {}, rows.map(line))));
  roving(frame, "[data-definition]");
  return h("section", { class: "card" }, frame, h("p", { class: "reliance__how second" }, gettext("A place is where a first read and the algorithm differed. What was signed says who was right there; what the reader submitted says whether the reader went over.")));
}

const nothing = () =>
  h("div", { class: "card" }, h("div", { class: "empty" }, icon("scale"), h("strong", {}, manages ? gettext("No case with an algorithm's result is signed yet") : gettext("None of your cases with an algorithm's result is signed yet")), h("span", {}, gettext("Places where a first read and the algorithm differed are judged by what was signed.")), h("a", { class: "button", href: manages ? `/projects/${project.slug}/reading/` : "/" }, manages ? gettext("Open the cases") : gettext("Open the worklist"))));

async function load() {
  try {
    const { rows } = await get(`/api/projects/${project.id}/reliance/`);
    const readers = new Set(rows.map((/** @type {any} */ row) => row.reader.id)).size;
    find("#reliance-second").textContent = manages ? interpolate(ngettext("{count} reader, over signed cases", "{count} readers, over signed cases", readers), { count: number(readers) }) : gettext("your own signed cases; nobody but the project's admins sees them too");
    fill(place, rows.length ? table(rows) : nothing());
  } catch (error) {
    fill(place, refusal(error, load));
  }
  place.toggleAttribute("aria-busy", false);
}

void load();
