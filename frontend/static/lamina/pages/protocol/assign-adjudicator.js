/** A case goes to an adjudicator: where nobody was free when the reads differed, or whoever had it cannot go on. */

import { get, post } from "../../api/client.js";
import { openDialog } from "../../components/dialog.js";
import { chip, h, icon } from "../../components/dom.js";
import { toast, toastError } from "../../components/toast.js";
import { gettext, interpolate } from "../../i18n.js";

/** Who settles the case now, if anybody. @param {any} one  a case */
const holderOf = (one) => one.readings.find((/** @type {any} */ reading) => reading.kind === "adjudication" && reading.state !== "withdrawn");

/** What stands with the readers of a case that waits for a ruling. @param {any} one  a case @param {() => Promise<void>} done @returns {HTMLElement | null} */
export function adjudicatorRow(one, done) {
  if (!one.may?.includes("assign_adjudicator")) return null;
  const holder = holderOf(one);
  return h("li", { dataset: { adjudicator: holder ? "given" : "missing" } },
    !holder && chip("caution", "triangle-alert", gettext("No adjudicator")),
    h("button", { class: "button button--small button--quiet", type: "button", dataset: { act: "assign-adjudicator" }, onclick: () => void assign(one, holder, done) }, icon("scale"), holder ? gettext("Another adjudicator") : gettext("Choose an adjudicator")));
}

/** @param {any} one @param {any} holder @param {() => Promise<void>} done */
async function assign(one, holder, done) {
  /** @type {any[]} */
  let people;
  try {
    people = (await get(`/api/cases/${one.id}/adjudicator/`)).results;
  } catch (error) {
    toastError(error);
    return;
  }
  const name = (/** @type {any} */ person) => (person.is_adjudicator ? interpolate(gettext("{name} (adjudicates)"), person) : person.name);
  const select = h("select", { class: "select", id: "adjudicator-person" }, people.map((person) => h("option", { value: person.id }, name(person))));
  const notes = [
    holder && interpolate(gettext("{name} hands the case over. What was drawn so far is kept with the withdrawn ruling."), { name: holder.name }),
    gettext("Only people who did not read this case are listed."),
  ];
  const given = await openDialog({
    title: interpolate(gettext("Adjudicator of {case}"), { case: one.pseudonym }),
    note: notes.filter(Boolean).join(" "),
    body: people.length
      ? h("div", { class: "field" }, h("label", { for: "adjudicator-person" }, gettext("Adjudicator")), select)
      : h("p", {}, gettext("Everybody who reads in this project has a part in this case. Invite somebody, or make another member a reader.")),
    acts: people.length ? [{
      text: gettext("Give the case"),
      kind: "filled",
      run: async (close) => {
        await post(`/api/cases/${one.id}/adjudicator/`, { person: select.value });
        close(true);
      },
    }] : [],
  });
  if (!given) return;
  toast(gettext("The case has an adjudicator."), { kind: "good" });
  await done();
}
