// The last step of a case in the panel: outlines to sign, what holds the signature back, who has signed, opening again.

import { openDialog } from "../../../components/dialog.js";
import { fill, find, h, icon } from "../../../components/dom.js";
import { gettext, interpolate } from "../../../i18n.js";
import { choiceName } from "../compare/words.js";
import { ApprovalDesk } from "./desk.js";
import { askSignature, meaningName } from "./sign-dialog.js";

/** @import { Room } from "../room.js" */

/** Ways to join reads, in words. @type {Record<string, () => [string, string]>} */
const METHODS = {
  union: () => [gettext("Union"), gettext("Every voxel that any reader has")],
  majority: () => [gettext("Majority"), gettext("Every voxel that more than half of the readers have")],
  staple: () => ["STAPLE", gettext("Weighs each reader by how well they agree with the others (Warfield 2004)")],
};

/** Events after which a signature may be free, or held back. */
const THREADS = /^(thread|comment|segmentation|annotation)\./;

/** UTC of a signature, as it is written everywhere. @param {string} iso */
const utc = (iso) => `${iso.slice(0, 19).replace("T", " ")} UTC`;

/** @param {Room} room */
export function makeApproval(room) {
  const section = find("#approval");
  const desk = new ApprovalDesk(room, draw);

  function draw() {
    section.hidden = !desk.isHere || !desk.told;
    if (section.hidden) return;
    const { told } = desk;
    fill(section,
      h("header", { class: "section-head" }, h("h2", {}, desk.isSigned ? interpolate(gettext("Signed, version {version}"), { version: told.version }) : gettext("Approval"))),
      signatures(),
      !desk.isSigned && told.may.length > 0 && [desk.isShared && outlines(), foot()],
      !desk.isSigned && told.may.length === 0 && h("p", { class: "case-foot__line" }, icon("clock"), h("span", {}, gettext("Waits for its signature."))),
      desk.isSigned && signed());
  }

  function signatures() {
    const { signatures: rows, reopenings } = desk.told;
    return rows.length + reopenings.length > 0 && h("ul", { class: "signatures", role: "list" },
      rows.map((/** @type {any} */ one) => h("li", { class: "signature", dataset: { meaning: one.meaning } }, icon("badge-check"),
        h("div", {}, h("strong", {}, one.name), h("span", {}, `${meaningName(one.meaning)} · ${utc(one.signed_at)}`), h("a", { href: `/api/cases/${desk.case.id}/signatures/${one.id}/`, title: one.digest, download: "" }, h("code", {}, `${one.digest.slice(0, 4)} ${one.digest.slice(4, 8)}`), " ", interpolate(gettext("version {version}"), { version: one.version }))))),
      reopenings.map((/** @type {any} */ one) => h("li", { class: "signature" }, icon("rotate-ccw"), h("div", {}, h("strong", {}, interpolate(gettext("Opened again as version {version}"), { version: one.version })), h("span", {}, `${one.name} · ${utc(one.at)}`), h("span", {}, one.reason)))));
  }

  /** Which outlines: a read's, the shared copy, or a consensus made now. */
  function outlines() {
    const { segmentations } = room.store.get().study;
    const name = (/** @type {any} */ one) => {
      const segmentation = segmentations.find((/** @type {any} */ row) => row.id === one.id);
      return one.letter ? desk.case.readings.find((/** @type {any} */ read) => read.letter === one.letter)?.name ?? "" : segmentation ? choiceName(segmentation) : "";
    };
    const several = desk.case.readings.filter((/** @type {any} */ one) => one.kind === "first" && one.state === "submitted" && one.segmentation).length > 1;
    return h("div", { class: "approval__outlines" },
      h("h3", {}, gettext("Outlines to sign")),
      h("div", { class: "approval__choices", role: "group", "aria-label": gettext("Outlines to sign") }, desk.candidates.map((one) =>
        h("button", { class: "approval__choice", type: "button", "aria-pressed": String(one.id === desk.told.final), dataset: { outlines: one.id }, disabled: desk.busy !== "", onclick: () => void desk.choose(one) }, icon(one.id === desk.told.final ? "circle-check" : "circle"), h("span", {}, name(one))))),
      several && h("h3", {}, gettext("Or make a consensus")),
      several && h("div", { class: "segmented", role: "group", "aria-label": gettext("Or make a consensus") }, Object.entries(METHODS).map(([method, words]) => {
        const [text, title] = words();
        return h("button", { type: "button", title, dataset: { method }, disabled: desk.busy !== "", onclick: () => void desk.consensus(method) }, desk.busy === method ? gettext("Working") : text);
      })));
  }

  function foot() {
    const { may } = desk.told;
    const meaning = may.includes("approved") ? "approved" : may[0];
    const held = [...desk.blocking(meaning), ...(room.store.get().edits?.busy ? [gettext("Changes are being saved.")] : [])];
    return h("div", { class: "case-foot__row" },
      h("p", { class: `case-foot__line case-foot__line--${held.length > 0 ? "open" : "good"}`, dataset: { held: String(held.length) } }, icon(held.length > 0 ? "circle-dashed" : "circle-check"), h("span", {}, held[0] ?? gettext("Ready to sign."))),
      h("button", { class: "button button--filled button--tall", type: "button", dataset: { act: "approve" }, "aria-disabled": String(held.length > 0 || desk.busy !== ""), onclick: () => held.length > 0 || desk.busy || void askSignature(room, desk) }, may.includes("approved") ? gettext("Approve") : gettext("Sign")));
  }

  function signed() {
    return h("div", { class: "approval__signed" },
      h("p", { class: "case-foot__line case-foot__line--good" }, icon("lock"), h("span", {}, gettext("Read-only. What was signed no longer changes."))),
      (desk.case.may ?? []).includes("reopen") && h("button", { class: "button button--small", type: "button", dataset: { act: "reopen" }, onclick: () => void askReopen() }, gettext("Open again")));
  }

  async function askReopen() {
    const reason = h("textarea", { class: "textarea", rows: "3", maxlength: "2000", "aria-label": gettext("Reason") });
    await openDialog({
      title: gettext("Open the signed case again"),
      body: h("div", { class: "form" }, h("p", {}, gettext("It becomes its next version. What was signed stays as it is.")), h("label", { class: "field" }, h("span", {}, gettext("Reason")), reason)),
      keep: () => reason.value.trim() !== "",
      acts: [{
        text: gettext("Open again"),
        kind: "filled",
        run: async (close) => {
          await desk.reopen(reason.value);
          close(true);
        },
      }],
    });
  }

  room.store.watch((state) => `${state.case.case?.id} ${state.case.case?.stage} ${state.case.case?.state} ${state.case.case?.version} ${state.case.case?.sealed} ${state.case.case?.final}`, () => void desk.load());
  let soon = 0;
  room.onEvent((event) => {
    if (!desk.isHere || !THREADS.test(event.type)) return;
    clearTimeout(soon);
    soon = window.setTimeout(() => void desk.load(), 250);
  });
}
