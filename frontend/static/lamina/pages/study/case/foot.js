// The one next step at the foot of the panel: start, commit, submit, the next case. What blocks it, or what it costs,
// stands beside it in a line.

import { openDialog } from "../../../components/dialog.js";
import { fill, h, icon } from "../../../components/dom.js";
import { number } from "../../../components/format.js";
import { gettext, interpolate, ngettext } from "../../../i18n.js";
import { isReader, unanswered, undecided } from "../../../state/case.js";
import { keyWord } from "../key-words.js";

/** @import { Room } from "../room.js" */
/** @import { CaseDesk } from "./desk.js" */

/** @param {string} symbol @param {"good" | "open" | ""} kind @param {string} text */
const line = (symbol, kind, text) => h("p", { class: `case-foot__line${kind ? ` case-foot__line--${kind}` : ""}` }, icon(symbol), h("span", {}, text));

/** Names of the first three, then how many more. @param {string[]} names */
function few(names) {
  const shown = names.slice(0, 3).join(gettext(", "));
  const more = names.length - 3;
  return more > 0 ? interpolate(ngettext("{names} and {count} more", "{names} and {count} more", more), { names: shown, count: more }) : shown;
}

/** @param {HTMLElement} section @param {Room} room @param {CaseDesk} desk @param {{ after: (body: HTMLElement) => void }} parts */
export function makeFoot(section, room, desk, { after }) {
  const body = h("div", { class: "case-foot" });
  fill(section, body);
  let drawn = "";

  /** "2 segments, 1 measurement, 2 answers" @param {any} state */
  function made(state) {
    const segments = (desk.segmentation?.segments ?? []).filter((/** @type {any} */ one) => (state.edits.voxels[one.number] ?? one.voxels) > 0).length;
    const marks = state.marks.list.length;
    const answers = Object.keys(desk.part.answers).length;
    return [
      interpolate(ngettext("{count} segment", "{count} segments", segments), { count: number(segments) }),
      marks > 0 && interpolate(ngettext("{count} measurement", "{count} measurements", marks), { count: number(marks) }),
      (desk.case?.protocol?.form ?? []).length > 0 && interpolate(ngettext("{count} answer", "{count} answers", answers), { count: number(answers) }),
    ].filter(Boolean).join(gettext(", "));
  }

  function draw() {
    const { phase } = desk;
    section.hidden = !isReader(desk.case) || phase === "none";
    if (section.hidden) return;
    const state = room.store.get();
    const open = unanswered(desk.case.protocol?.form ?? [], desk.part.answers);
    const empty = desk.empty;
    const left = undecided(desk.part.differences);
    const { busy } = desk.part;
    const key = JSON.stringify([phase, open.map((one) => one.key), empty.map((one) => one.number), left, desk.part.differences?.state, desk.part.differences?.places.length, busy, phase === "reading" && made(state), desk.case.may, phase === "submitted" && [desk.case, desk.part.agreement]]);
    if (key === drawn) return;
    drawn = key;
    const draws = { none: () => {}, assigned: drawStart, reading: drawCommit, comparing: drawSubmit, submitted: () => after(body) };
    draws[phase](open, empty, left, busy, state);
  }

  function drawStart() {
    fill(body,
      h("button", { class: "button button--filled button--tall button--wide", type: "button", dataset: { act: "begin" }, onclick: () => void desk.begin() }, desk.case.mine.letter === "A" ? gettext("Start first read") : gettext("Start reading"), h("span", { class: "key", "aria-hidden": "true" }, keyWord("Enter"))),
      h("p", { class: "case-foot__cost" }, gettext("Drawing and answers open when you start.")));
  }

  /** @param {any[]} open @param {any[]} empty @param {number} _left @param {string} busy @param {any} state */
  function drawCommit(open, empty, _left, busy, state) {
    const sealed = desk.case.protocol?.is_sealed;
    const blocked = open.length > 0;
    fill(body,
      blocked ? line("circle-dashed", "open", interpolate(gettext("To answer first: {questions}"), { questions: few(open.map(({ text }) => text)) })) : line("circle-check", "good", made(state)),
      empty.length > 0 && line("circle-dashed", "open", interpolate(gettext("Nothing drawn yet: {segments}"), { segments: few(empty.map(({ label }) => label)) })),
      h("button", { class: `button button--tall button--wide ${sealed ? "button--sealed" : "button--filled"}`, type: "button", dataset: { act: "commit" }, "aria-disabled": String(blocked || busy !== ""), onclick: () => blocked || busy || void askCommit(empty, state) }, icon(sealed ? "lock-open" : "check"), busy === "commit" ? gettext("Committing") : gettext("Commit first read")),
      h("p", { class: "case-foot__cost" }, sealed ? gettext("You cannot change it after this. A copy is sealed.") : gettext("You cannot change it after this. A copy is kept.")));
  }

  /** Says what it costs before it is done. @param {any[]} empty @param {any} state */
  async function askCommit(empty, state) {
    const sealed = desk.case.protocol?.is_sealed;
    await openDialog({
      title: gettext("Commit the first read"),
      body: h("div", { class: "form" },
        h("p", {}, interpolate(gettext("You commit: {what}."), { what: made(state) })),
        h("ul", { class: "lines" },
          h("li", {}, icon("lock"), h("span", {}, gettext("A copy with its hash is kept for ever; nobody changes it."))),
          h("li", {}, icon("lock-open"), h("span", {}, sealed ? gettext("The algorithm's result opens to you. Other reads stay sealed.") : gettext("The places where you and the algorithm differ are listed."))),
          h("li", {}, icon("pencil"), h("span", {}, gettext("You go on with a copy of your own and decide at each place.")))),
        empty.length > 0 && h("p", { class: "case-foot__line case-foot__line--open" }, icon("triangle-alert"), h("span", {}, interpolate(gettext("Nothing is drawn in: {segments}. It counts as not there."), { segments: few(empty.map(({ label }) => label)) })))),
      acts: [{
        text: gettext("Commit first read"),
        kind: sealed ? /** @type {any} */ ("sealed") : "filled",
        run: async (close) => {
          await desk.commit();
          close(true);
        },
      }],
    });
  }

  /** @param {any[]} open @param {any[]} _empty @param {number} left @param {string} busy */
  function drawSubmit(open, _empty, left, busy) {
    const { differences } = desk.part;
    const count = differences?.places.length ?? 0;
    const waiting = differences?.state === "working" || differences?.state === "waiting";
    const blocked = open.length > 0 || left > 0 || !differences;
    const text = open.length > 0 ? interpolate(gettext("To answer first: {questions}"), { questions: few(open.map(({ text: words }) => words)) })
      : left > 0 ? interpolate(gettext("{count} of {all} decided"), { count: count - left, all: count })
        : count > 0 ? interpolate(ngettext("{count} place decided", "All {count} places decided", count), { count })
          : waiting ? gettext("The comparison waits; submitting does not.") : gettext("Nothing left to decide.");
    fill(body, h("div", { class: "case-foot__row" },
      line(blocked ? "circle-dashed" : "circle-check", blocked ? "open" : "good", text),
      h("button", { class: "button button--filled button--tall", type: "button", dataset: { act: "submit" }, "aria-disabled": String(blocked || busy !== ""), onclick: () => blocked || busy || void askSubmit() }, busy === "submit" ? gettext("Submitting") : gettext("Submit"))));
  }

  async function askSubmit() {
    await openDialog({
      title: gettext("Submit your read"),
      body: h("p", {}, gettext("Your read becomes read-only. When all reads are in they are compared; past the project's limits an adjudicator decides.")),
      acts: [{
        text: gettext("Submit"),
        kind: "filled",
        run: async (close) => {
          await desk.submit();
          close(true);
        },
      }],
    });
  }

  room.addActs({
    accept: () => {
      if (desk.phase !== "assigned" || !isReader(desk.case)) return false;
      void desk.begin();
      return true;
    },
  });
  room.store.watch((state) => state.case, draw);
  room.store.watch((state) => state.edits.voxels, draw);
  room.store.watch((state) => state.study.segmentations, draw);
  room.store.watch((state) => state.marks, draw);
}
