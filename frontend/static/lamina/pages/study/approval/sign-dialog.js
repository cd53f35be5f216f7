// The signature: what is signed, the checks, what it means, the password, the hash before and after, in one look.

import { openDialog } from "../../../components/dialog.js";
import { fill, h, icon } from "../../../components/dom.js";
import { number } from "../../../components/format.js";
import { gettext, interpolate, known, ngettext } from "../../../i18n.js";

/** @import { Room } from "../room.js" */
/** @import { ApprovalDesk } from "./desk.js" */

/** @type {Record<string, () => string>} */
const MEANINGS = { authored: () => gettext("Authored"), reviewed: () => gettext("Reviewed"), approved: () => gettext("Approved") };
/** @type {Record<string, () => string>} */
const EXPLAINED = {
  authored: () => gettext("I made this read."),
  reviewed: () => gettext("I looked at all of it."),
  approved: () => gettext("I approve it. The case becomes read-only."),
};

/** @param {string} meaning */
export const meaningName = (meaning) => MEANINGS[meaning]?.() ?? meaning;

/** @param {string} digest */
const long = (digest) => h("code", { class: "digest", title: digest }, (digest.match(/.{4}/g) ?? []).join(" "));

/** What is covered, in the words of the manifest. @param {any} manifest @param {Room} room */
function covered(manifest, room) {
  const { segmentation, annotations, readings, sources, algorithm } = manifest;
  const labels = segmentation.segments.map((/** @type {any} */ one) => known(one.label)).join(gettext(", "));
  const rows = [
    [gettext("Study"), room.store.get().study.study.pseudonym ?? ""],
    [gettext("Outlines"), `${labels || gettext("none")} · ${interpolate(gettext("step {n}"), { n: number(segmentation.seq) })}`],
    [gettext("Measurements"), interpolate(ngettext("{count} measurement", "{count} measurements", annotations.length), { count: number(annotations.length) })],
    [gettext("Reads"), readings.filter((/** @type {any} */ one) => one.kind === "first").map((/** @type {any} */ one) => one.letter).join(gettext(", "))],
    [gettext("Algorithm"), algorithm ? `${algorithm.name} ${algorithm.version}` : gettext("none")],
    [gettext("Images"), interpolate(ngettext("{count} series", "{count} series", sources.length), { count: number(sources.length) })],
  ];
  return h("dl", { class: "covered" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** @param {Room} room @param {ApprovalDesk} desk */
export async function askSignature(room, desk) {
  await desk.load(true);
  const { told } = desk;
  if (!told?.manifest || !told.digest) return;
  let meaning = told.may.includes("approved") ? "approved" : told.may[0];
  const password = h("input", { class: "input", type: "password", autocomplete: "current-password", id: "sign-password", required: true, autofocus: true });
  const code = h("input", { class: "input", inputmode: "numeric", autocomplete: "one-time-code", id: "sign-code", maxlength: "10" });
  const second = h("details", { class: "sign__code" }, h("summary", {}, gettext("Sign with a code instead")), h("label", { class: "field", for: "sign-code" }, h("span", {}, gettext("Code of your second factor")), code));
  const held = h("p", { class: "case-foot__line case-foot__line--open", hidden: true });
  const showHeld = () => {
    const [sentence] = desk.blocking(meaning);
    held.hidden = !sentence;
    fill(held, icon("circle-dashed"), h("span", {}, sentence ?? ""));
  };
  const meanings = h("fieldset", { class: "sign__meanings" }, h("legend", {}, gettext("Meaning")), told.may.map((/** @type {string} */ one) =>
    h("label", { class: "sign__meaning" }, h("input", { type: "radio", name: "meaning", value: one, checked: one === meaning, onchange: () => {
      meaning = one;
      showHeld();
    } }), h("span", {}, h("strong", {}, meaningName(one)), " ", EXPLAINED[one]?.() ?? ""))));
  const last = told.signatures.at(-1);
  showHeld();
  await openDialog({
    title: gettext("Sign the case"),
    size: "large",
    keep: () => password.value !== "" || code.value !== "",
    body: h("div", { class: "sign" },
      h("section", {}, h("h3", {}, gettext("What you sign")), covered(told.manifest, room),
        h("h3", {}, gettext("SHA-256 of it")), last && h("p", { class: "second" }, interpolate(gettext("Signed last, version {version}:"), { version: last.version }), " ", long(last.digest)), h("p", {}, long(told.digest))),
      h("section", {}, meanings, held,
        h("label", { class: "field", for: "sign-password" }, h("span", {}, gettext("Your password")), password), second,
        h("p", { class: "hint" }, gettext("Your name, the time and this hash are written into the audit chain. Nothing of it can be changed afterwards.")))),
    acts: [{
      text: gettext("Sign"),
      kind: "filled",
      run: async (close) => {
        await desk.sign(meaning, told.digest, code.value ? { code: code.value.trim() } : { password: password.value });
        close(true);
      },
    }],
  });
}
