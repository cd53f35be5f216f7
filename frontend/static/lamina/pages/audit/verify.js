/** Verifying the chain: the whole of it, from the first entry to the signed head, and what came of it in words. */

import { get } from "../../api/client.js";
import { fill, find, h, icon } from "../../components/dom.js";
import { number, timeOfDay, utc } from "../../components/format.js";
import { toastError } from "../../components/toast.js";
import { use } from "../../components/webawesome.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";

/** A hash or key to compare: shortened for the eye, whole for the clipboard. @param {string} name @param {string} value */
const copied = (name, value) => h("div", {}, h("dt", {}, name), h("dd", { class: "code" }, h("span", { title: value }, `${value.slice(0, 8)} … ${value.slice(-8)}`), h("wa-copy-button", { value, "copy-label": interpolate(gettext("Copy: {name}"), { name }), "success-label": gettext("Copied"), "error-label": gettext("Could not copy") }, h("span", { slot: "copy-icon", class: "copy-icon" }, icon("copy")), h("span", { slot: "success-icon", class: "copy-icon is-good" }, icon("check")))));

/** @param {any} told */
function words(told) {
  const whole = told.problems.length === 0;
  const waiting = told.waiting > 0 && interpolate(ngettext("{count} act of the last seconds has no place in the chain yet.", "{count} acts of the last seconds have no place in the chain yet.", told.waiting), { count: number(told.waiting) });
  const sentence = whole
    ? interpolate(ngettext("The chain is whole: {count} entry, up to its signed head.", "The chain is whole: {count} entries, from the first to the signed head.", told.entries), { count: number(told.entries) })
    : interpolate(gettext("The chain is not whole: {problems}."), { problems: told.problems.join("; ") });
  return h("div", { class: `message message--${whole ? "good" : "bad"}`, dataset: { whole: String(whole) } },
    icon(whole ? "circle-check" : "circle-x"),
    h("strong", {}, sentence),
    !whole && h("p", {}, told.position ? interpolate(gettext("Entries before number {n} are as they were sealed; from there on nothing is proven. Take the export away now and keep it."), { n: number(told.position) }) : gettext("Take the export away now, keep it, and ask who can write to the database.")),
    waiting && h("p", { class: "second" }, waiting),
    h("dl", { class: "pairs audit__keys" }, copied(gettext("Head"), told.head), copied(gettext("Public key"), told.public_key)),
    h("p", { class: "second", title: utc(told.verified_at) }, interpolate(gettext("Verified at {time} by this server. To verify without it, download the export and run: manage.py verify_audit FILE"), { time: timeOfDay(new Date(told.verified_at)) })));
}

/** @param {{ id: string }} project @param {(position: number | null) => void} broken  told the first entry that is not as it was sealed */
export function verifying(project, broken) {
  const button = find("#verify");
  const place = find("#verified");
  button.addEventListener("click", async () => {
    button.disabled = true;
    fill(place, h("p", { class: "second" }, gettext("Reading the chain, entry by entry")));
    try {
      const told = await get(`/api/projects/${project.id}/audit/verify/`);
      fill(place, words(told));
      broken(told.position);
      void use("copy-button");
    } catch (error) {
      fill(place);
      toastError(error);
    }
    button.disabled = false;
  });
}
