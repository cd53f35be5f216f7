// The adjudicator's part of the panel: where two reads differ past the limits, without names; whose outline it shall be
// at each place; why; submit.

import { openDialog } from "../../../components/dialog.js";
import { fill, find, h, icon } from "../../../components/dom.js";
import { dice, ml, mm, number } from "../../../components/format.js";
import { gettext, interpolate, known, ngettext } from "../../../i18n.js";
import { AdjudicationDesk } from "./desk.js";

/** @import { Room } from "../room.js" */
/** @import { Place } from "./desk.js" */

/** @param {string} letter */
const reader = (letter) => interpolate(gettext("Reader {letter}"), { letter });

/** What the outlines may begin from, in words. @param {string} base */
const baseName = (base) => ({ algorithm: gettext("Algorithm"), nothing: gettext("Nothing") })[base] ?? reader(base);

/** @param {Room} room */
export function makeAdjudication(room) {
  const section = find("#adjudication");
  const head = h("div", { class: "case-head" });
  const pairs = h("div", { class: "ruling__pairs" });
  const base = h("div", { class: "ruling__base" });
  const listHead = h("header", { class: "ruling__places" });
  const list = h("ol", { class: "places", role: "list" });
  const reason = h("textarea", { class: "textarea", rows: "2", maxlength: "2000", "aria-label": gettext("Reason of the ruling"), placeholder: gettext("Reason of the ruling"), oninput: () => {
    desk.reason = reason.value;
    drawFoot();
  } });
  const foot = find("#ruling-foot");
  fill(section, head, pairs, base, listHead, list, h("div", { class: "ruling__reason" }, reason));
  const desk = new AdjudicationDesk(room, draw);

  function draw() {
    section.hidden = !desk.isMine || !desk.told;
    foot.hidden = section.hidden || !desk.isOpen;
    if (section.hidden) return;
    const { told } = desk;
    const submitted = told.state === "submitted";
    fill(head,
      h("p", { class: "ruling__kind" }, icon("scale"), h("span", {}, submitted ? gettext("Your ruling is submitted") : gettext("Adjudication, without names"))),
      h("h2", { class: "case-head__large" }, gettext("Choose the more accurate boundary")),
      h("p", { class: "second" }, gettext("Independent reads differ past the limits. Choose for the whole case, then at each place, or draw your own.")));
    fill(pairs, told.agreement.pairs.map(pairTable));
    drawBase(submitted);
    drawPlaces(submitted);
    reason.closest(".ruling__reason")?.toggleAttribute("hidden", !desk.isOpen);
    drawFoot();
  }

  /** The numbers that sent the case here, the limit beside each. @param {any} pair */
  function pairTable(pair) {
    const { limits } = desk.told.agreement;
    const over = (/** @type {string} */ metric, /** @type {number} */ segment) => pair.excesses.some((/** @type {any} */ one) => one.metric === metric && one.number === segment);
    const cell = (/** @type {string} */ text, /** @type {boolean} */ bad, /** @type {string} */ limit) =>
      h("td", { class: bad ? "is-bad" : "" }, bad && icon("x", { label: gettext("past the limit") }), h("span", {}, text), limit && h("span", { class: "second" }, interpolate(gettext("limit {limit}"), { limit })));
    const answers = pair.excesses.filter((/** @type {any} */ one) => one.metric === "category").map((/** @type {any} */ one) => desk.case.protocol.form.find((/** @type {any} */ question) => question.key === one.key)?.text ?? one.key);
    return h("section", { class: "ruling__pair" },
      h("h3", {}, `${reader(pair.left)} · ${reader(pair.right)}`),
      h("table", { class: "agreement-table" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, gettext("Segment")), h("th", { scope: "col", title: gettext("Overlap of both: twice the shared volume by the sum of both. 1 is the same.") }, "Dice"), h("th", { scope: "col", title: gettext("95 of 100 points of either surface are nearer than this to the other one.") }, gettext("Distance")))),
        h("tbody", {}, pair.segments.map((/** @type {any} */ row) => h("tr", { dataset: { segment: String(row.number) } },
          h("th", { scope: "row" }, known(row.label)),
          cell(dice(row.dice), over("dice", row.number), limits.dice === null ? "" : dice(limits.dice)),
          cell(mm(row.hd95_mm), over("hd95_mm", row.number), limits.hd95_mm === null ? "" : mm(limits.hd95_mm)))))),
      answers.length > 0 && h("p", { class: "case-foot__line case-foot__line--open" }, icon("circle-dashed"), h("span", {}, interpolate(gettext("Answered differently: {questions}"), { questions: answers.join(gettext(", ")) }))));
  }

  /** @param {boolean} submitted */
  function drawBase(submitted) {
    const { bases, base: from } = desk.told;
    base.hidden = submitted;
    fill(base,
      h("h3", {}, gettext("The whole case, to begin with")),
      h("div", { class: "segmented", role: "group", "aria-label": gettext("Begin your outlines from") }, bases.map((/** @type {string} */ one) =>
        h("button", { type: "button", dataset: { base: one }, "aria-pressed": String(one === from), disabled: desk.busy, onclick: () => void (one !== from && start(one)) }, baseName(one)))));
  }

  /** Starting over takes the picks away, so it is asked first. @param {string} one */
  async function start(one) {
    if (desk.told.picks.length > 0) {
      const sure = await openDialog({
        title: gettext("Begin again?"),
        body: h("p", {}, gettext("Your choices at the places are taken back. What you drew stays in the versions.")),
        acts: [{ text: gettext("Begin again"), kind: "filled", run: (close) => close(true) }],
      });
      if (!sure) return;
    }
    await desk.begin(one);
    const first = desk.places[0];
    if (first) await desk.look(first);
  }

  /** @param {boolean} submitted */
  function drawPlaces(submitted) {
    const { base: from } = desk.told;
    const { length: count } = desk.places;
    const open = desk.places.filter(({ choice }) => !choice).length;
    list.hidden = count === 0;
    listHead.hidden = count === 0;
    fill(listHead, h("h3", {}, interpolate(ngettext("{count} place where they differ", "{count} places where they differ", count), { count: number(count) })),
      h("span", { class: "second" }, interpolate(gettext("decided {done} / {count}"), { done: number(count - open), count: number(count) })));
    fill(list, desk.places.map((place) => card(place, !submitted && Boolean(from))));
  }

  /** Numbered as its mark in the planes and in the 3D. @param {Place} place @param {boolean} open */
  function card(place, open) {
    const { pair, region, choice } = place;
    const further = region.side === "a_only" ? pair.left : pair.right;
    const key = AdjudicationDesk.key(place);
    const element = h("li", { class: "place", dataset: { place: String(region.n), choice } });
    element.toggleAttribute("data-chosen", key === desk.chosen);
    const pick = (/** @type {string} */ value, /** @type {string} */ text) =>
      h("button", { type: "button", dataset: { choice: value }, "aria-pressed": String(choice === value), disabled: desk.busy, onclick: () => void desk.pick(place, value) }, text);
    fill(element,
      h("button", { class: "place__head", type: "button", onclick: () => void desk.look(place) },
        h("span", { class: "place__n" }, region.n),
        h("span", { class: "place__text" }, h("strong", {}, known(region.label)), h("span", { class: "place__side" }, h("span", { class: `swatch swatch--side-${region.side === "a_only" ? "a" : "b"}`, "aria-hidden": "true" }), interpolate(gettext("{name} goes further"), { name: reader(further) }))),
        h("span", { class: "place__size" }, h("b", {}, region.max_mm === null ? interpolate(ngettext("{count} voxel", "{count} voxels", region.voxels), { count: number(region.voxels) }) : mm(Math.abs(region.max_mm))), h("span", {}, ml(region.volume_ml)))),
      open && h("div", { class: "place__body" }, h("div", { class: "segmented place__acts", role: "group", "aria-label": interpolate(gettext("Whose outline at place {n}"), { n: region.n }) }, pick(pair.left, reader(pair.left)), pick(pair.right, reader(pair.right)), pick("own", gettext("My own")))));
    return element;
  }

  const words = {
    places: () => interpolate(ngettext("{count} place to decide", "{count} places to decide", desk.told.open_places), { count: number(desk.told.open_places) }),
    answers: () => gettext("Questions of the form are open."),
    reason: () => gettext("Say in a few words why."),
  };

  function drawFoot() {
    const { missing } = desk;
    foot.hidden = !desk.isOpen;
    if (foot.hidden) return;
    fill(foot, h("div", { class: "case-foot" },
      h("p", { class: `case-foot__line case-foot__line--${missing ? "open" : "good"}` }, icon(missing ? "circle-dashed" : "circle-check"), h("span", {}, missing ? words[missing]() : gettext("Everything is decided."))),
      h("button", { class: "button button--filled button--tall button--wide", type: "button", dataset: { act: "rule" }, "aria-disabled": String(missing !== null || desk.busy), onclick: () => missing || desk.busy || void ask() }, gettext("Submit ruling"))));
  }

  async function ask() {
    await openDialog({
      title: gettext("Submit the ruling"),
      body: h("p", {}, gettext("Your outlines and the reason are kept for ever and go to approval. The readers see them when the case is signed.")),
      acts: [{
        text: gettext("Submit ruling"),
        kind: "filled",
        run: async (close) => {
          await desk.submit();
          close(true);
        },
      }],
    });
  }

  room.store.watch((state) => `${state.case.case?.id} ${state.case.case?.mine?.kind} ${state.case.case?.mine?.state} ${state.case.case?.stage}`, () => (desk.isMine ? void desk.load() : desk.leave()));
  room.store.watch((state) => state.case.answers, () => desk.told && drawFoot());
  room.onSession(() => {
    if (desk.told) void desk.show();
  });
}
