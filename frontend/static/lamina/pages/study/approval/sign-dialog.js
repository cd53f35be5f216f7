// The signature: what is signed, the checks, what it means, the password, the hash before and after, in one look.

import { get } from "../../../api/client.js";
import { openDialog } from "../../../components/dialog.js";
import { fill, h, icon, pageData } from "../../../components/dom.js";
import { gettext, interpolate } from "../../../i18n.js";
import { checkList, covered, keyImage } from "./what-is-signed.js";

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

/** The first sixteen of a hash, as people compare them; the whole in the tooltip. @param {string} digest */
const short = (digest) => h("code", { class: "digest", title: digest }, (digest.slice(0, 16).match(/.{4}/g) ?? []).join(" "));

/** Before and now, so that everybody sees what follows what. @param {any} told */
function chain({ signatures, digest }) {
  const last = signatures.at(-1);
  return h("div", { class: "sign__chain" }, h("dl", {},
    h("div", {}, h("dt", {}, icon("link"), gettext("Before")), h("dd", {}, last ? short(last.digest) : gettext("not signed yet"))),
    h("div", {}, h("dt", {}, icon("badge-check"), gettext("This version")), h("dd", {}, short(digest)))),
  h("p", { class: "hint" }, gettext("SHA-256 over exactly this. Anyone can check the chain from an export, without this server.")));
}

/** @param {Room} room @param {ApprovalDesk} desk */
export async function askSignature(room, desk) {
  await desk.load(true);
  const { told } = desk;
  if (!told?.manifest || !told.digest) return;
  const [agreement, image] = await Promise.all([desk.agreement ?? get(`${desk.address}agreement/`).catch(() => null), keyImage(room)]);
  const pairs = agreement?.pairs ?? [];
  const { pseudonym } = room.store.get().study.study;
  const approves = told.may.includes("approved");
  let meaning = approves ? "approved" : told.may[0];
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
  showHeld();
  await openDialog({
    title: interpolate(approves ? gettext("Approve {case}") : gettext("Sign {case}"), { case: pseudonym ?? "" }),
    note: approves && interpolate(gettext("Version {version} becomes read-only once it is approved. Opening it again makes version {next} and needs a reason."), { version: told.version, next: told.version + 1 }),
    size: "large",
    keep: () => password.value !== "" || code.value !== "",
    body: h("div", { class: "sign" },
      h("section", {}, image, covered(room, told.manifest, pairs)),
      h("section", {},
        h("h3", {}, gettext("Checks")), checkList(room, told, pairs),
        meanings, held,
        h("div", { class: "field" }, h("label", { for: "sign-password" }, gettext("Your password")), password, h("span", { class: "hint" }, interpolate(gettext("Signed as {name}"), { name: pageData("shell-data")?.person?.name ?? "" }))), second,
        chain(told))),
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
