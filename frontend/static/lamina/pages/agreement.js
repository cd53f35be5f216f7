/** Agreement: how far a project's readers agree, over all and by pair; outlines, volumes, answers. For its admins. */

import { get } from "../api/client.js";
import { fill, find, h, icon, pageData } from "../components/dom.js";
import { figure } from "../components/figure.js";
import { number } from "../components/format.js";
import { refusal } from "../components/refusal.js";
import { gettext, interpolate } from "../i18n.js";
import { answersCard } from "./agreement/answers.js";
import { outlinesCard, pairsCard } from "./agreement/outlines.js";
import { volumesCard } from "./agreement/volumes.js";

const { project } = pageData();
const place = find("#agreement");

/** Nothing to show yet: why, and what to do. @param {any} told */
function nothing(told) {
  const alone = told.readers_per_case < 2;
  const [text, act, href] = alone
    ? [gettext("Every case has a single reader. Set two or more in the reading protocol to see how far they agree."), gettext("Open the reading protocol"), `/projects/${project.slug}/reading/#protocol`]
    : told.all_cases === 0
      ? [gettext("No case is open in this project. Open cases and deal them to two readers or more."), gettext("Open the cases"), `/projects/${project.slug}/reading/`]
      : [gettext("Numbers appear here once all reads of a case are in and it is open to everybody."), gettext("Open the cases"), `/projects/${project.slug}/reading/`];
  return h("div", { class: "card" }, h("div", { class: "empty" }, icon("git-compare"), h("strong", {}, gettext("No case has two submitted reads yet")), h("span", {}, text), h("a", { class: "button", href }, act)));
}

/** @param {any} told */
function facts(told) {
  const fact = (/** @type {string} */ label, /** @type {any} */ value) => h("div", { class: "fact" }, h("span", { class: "fact__label" }, label), value);
  const within = figure(told.within, "within");
  within.setAttribute("tabindex", "0");
  return h("div", { class: "facts" },
    fact(gettext("Cases that count"), h("span", { class: "figure" }, h("span", { class: "figure__value", id: "agreement-cases" }, interpolate(gettext("{count} of {all}"), { count: number(told.cases), all: number(told.all_cases) })), h("span", { class: "second" }, gettext("settled, of all cases")))),
    fact(gettext("Within the limits"), within),
    fact(gettext("Readers"), h("span", { class: "figure" }, h("span", { class: "figure__value" }, number(told.people.length)), h("span", { class: "second" }, told.people.map((/** @type {any} */ one) => one.name).join(", ")))));
}

async function load() {
  try {
    const told = await get(`/api/projects/${project.id}/agreement/`);
    if (told.cases === 0) fill(place, nothing(told));
    else fill(place, facts(told), outlinesCard(told), told.pairs.length > 1 && pairsCard(told), volumesCard(told), told.questions.length > 0 && answersCard(told));
  } catch (error) {
    fill(place, refusal(error, load));
  }
  place.toggleAttribute("aria-busy", false);
}

void load();
