// After the submission: where the case stands now, how the readers agree once all reads are in, and the next case.

import { get } from "../../../api/client.js";
import { actWord, longActWord } from "../../../components/case-words.js";
import { fill, h, icon } from "../../../components/dom.js";
import { DASH, dice, mm, number } from "../../../components/format.js";
import { gettext, interpolate, known } from "../../../i18n.js";
import { judged, volumesApart } from "../../../state/case.js";
import { nextAfter, openReading } from "./next.js";

/** @import { Room } from "../room.js" */
/** @import { CaseDesk } from "./desk.js" */

/** What happens to the case now, in one line. @param {any} given @param {any} agreement @returns {[string, "good" | "open" | "", string]} */
function standing(given, agreement) {
  if (given.stage === "approval" && given.state === "completed") return ["circle-check", "good", gettext("Signed.")];
  if (given.stage === "adjudication") return ["git-compare", "open", gettext("Sent to the adjudicator. Names and other reads open when it is signed.")];
  const agree = (agreement?.pairs ?? []).every((/** @type {any} */ pair) => pair.is_within);
  if (given.stage === "approval" && !agree) return ["circle-check", "good", gettext("The adjudicator has decided. Approval comes next.")];
  if (given.stage === "approval") return ["circle-check", "good", gettext("The reads agree within the limits. Consensus is offered; approval comes next.")];
  return ["clock", "", gettext("Submitted. The other reads are still on their way.")];
}

/** @param {HTMLElement} section  of the agreement @param {Room} room @param {CaseDesk} desk */
export function makeAfter(section, room, desk) {
  /** The next own case; undefined while nobody asked. @type {any} */
  let next;
  let asked = "";

  async function load() {
    const given = desk.case;
    if (desk.phase !== "submitted") return;
    const key = `${given.id} ${given.stage} ${given.state}`;
    if (key === asked) return;
    asked = key;
    const [following, agreement] = await Promise.all([
      nextAfter(given.id).catch(() => undefined),
      given.stage === "reading" ? null : get(`/api/cases/${given.id}/agreement/`).catch(() => null),
    ]);
    next = following;
    // A new object each time: the foot is drawn again with what came.
    desk.tell("case.agreement", { agreement: { pairs: [], limits: {}, ...agreement, next: following?.reading.id ?? "" } });
  }

  /** @param {HTMLElement} body  the foot of the panel */
  function draw(body) {
    void load();
    const [symbol, kind, text] = standing(desk.case, desk.part.agreement);
    fill(body,
      h("p", { class: `case-foot__line${kind ? ` case-foot__line--${kind}` : ""}`, dataset: { standing: desk.case.stage } }, icon(symbol), h("span", {}, text)),
      next
        ? h("button", { class: "button button--filled button--tall button--wide", type: "button", dataset: { act: "next" }, title: actWord(next), onclick: () => void openReading(next) },
            interpolate(gettext("{act}: {case}"), { act: longActWord(next), case: next.study.pseudonym }), h("span", { class: "key", "aria-hidden": "true" }, "Enter"))
        : next === null
          ? [h("p", { class: "case-foot__line case-foot__line--good" }, icon("circle-check"), h("span", {}, gettext("Nothing to read. Well done."))), h("a", { class: "button button--tall button--wide", href: "/" }, gettext("Worklist"))]
          : null);
  }

  /** Dice, distance, volume per segment against the limits, for each pair of readers. */
  function drawAgreement() {
    const { agreement } = desk.part;
    const pairs = agreement?.pairs ?? [];
    section.hidden = pairs.length === 0 || desk.phase !== "submitted";
    if (section.hidden) return;
    fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Agreement of the readers"))), pairs.map((/** @type {any} */ pair) => pairTable(pair, agreement.limits)));
  }
  room.addActs({
    accept: () => {
      if (desk.phase !== "submitted" || !next) return false;
      void openReading(next);
      return true;
    },
  });
  room.store.watch((state) => state.case.agreement, drawAgreement);
  return draw;
}

/** @param {any} pair @param {{ dice: number | null, hd95_mm: number | null, volume_percent: number | null }} limits */
const pairTable = ({ left, right, segments }, limits) =>
  h("table", { class: "agreement-table", dataset: { pair: `${left}${right}` } },
    h("caption", {}, interpolate(gettext("Reader {a} and Reader {b}"), { a: left, b: right })),
    h("thead", {}, h("tr", {},
      h("th", { scope: "col" }, gettext("Segment")),
      h("th", { scope: "col", title: gettext("Overlap of both: twice the shared volume by the sum of both. 1 is the same.") }, "Dice"),
      h("th", { scope: "col", title: gettext("95 of 100 points of either surface are nearer than this to the other one.") }, gettext("Distance")),
      h("th", { scope: "col" }, gettext("Volume")))),
    h("tbody", {}, segments.map((/** @type {any} */ one) => h("tr", { dataset: { segment: String(one.number) } },
      h("th", { scope: "row" }, known(one.label)),
      cell("dice", one.dice, limits.dice, dice),
      cell("hd95_mm", one.hd95_mm, limits.hd95_mm, mm),
      cell("volume_difference_percent", volumesApart(one), limits.volume_percent, percents)))));

/** @param {number} value  in percent */
const percents = (value) => `${number(Math.abs(value), 1)}\u202f%`;

/**
 * A number with its limit below it, and a symbol beside: never colour alone.
 * @param {"dice" | "hd95_mm" | "volume_difference_percent"} measure @param {number | null} value @param {number | null} limit @param {(value: number) => string} word
 */
function cell(measure, value, limit, word) {
  const verdict = judged(measure, value, limit);
  return h("td", { class: verdict ? `is-${verdict}` : "", dataset: { measure, verdict: verdict ?? "" } },
    verdict && icon(verdict === "good" ? "check" : "x", { label: verdict === "good" ? gettext("within the limit") : gettext("past the limit") }),
    h("span", {}, value === null || value === undefined ? DASH : word(value)),
    limit !== null && limit !== undefined && h("span", { class: "second" }, interpolate(gettext("limit {limit}"), { limit: word(limit) })));
}
