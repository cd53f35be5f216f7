/** People of the site, for its admins: reset a password by a link shown once, end sessions, close an account. */

import { get, patch, post } from "../api/client.js";
import { confirmDialog, openDialog } from "../components/dialog.js";
import { chip, fill, h } from "../components/dom.js";
import { ago } from "../components/format.js";
import { linkShownOnce } from "../components/link-once.js";
import { toast, toastError } from "../components/toast.js";
import { gettext, interpolate, ngettext } from "../i18n.js";

/** @param {string} me */
export async function openPeople(me) {
  const list = h("div", { class: "table-frame" });

  const draw = async () => {
    try {
      const { results } = await get("/api/people/");
      fill(
        list,
        h(
          "table",
          { class: "table" },
          h("thead", {}, h("tr", {}, [gettext("Person"), gettext("Last sign-in"), gettext("State"), ""].map((text) => h("th", { scope: "col" }, text)))),
          h("tbody", {}, results.map(row)),
        ),
      );
    } catch (error) {
      toastError(error);
    }
  };

  const row = (/** @type {any} */ person) =>
    h(
      "tr",
      {},
      h("td", {}, h("span", { class: "table__main" }, person.name), h("span", { class: "second" }, person.email)),
      h("td", { class: "second" }, person.last_login ? ago(person.last_login) : gettext("never")),
      h("td", {}, person.is_active ? (person.is_site_admin ? chip("accent", "shield", gettext("Site admin")) : chip("good", "circle-check", gettext("Active"))) : chip("", "ban", gettext("Closed"))),
      h(
        "td",
        { class: "table__acts" },
        h("button", { class: "button button--small button--quiet", type: "button", onclick: () => reset(person) }, gettext("Reset password")),
        h("button", { class: "button button--small button--quiet", type: "button", onclick: () => endSessions(person) }, gettext("End sessions")),
        person.id !== me && h("button", { class: "button button--small button--quiet", type: "button", onclick: () => setActive(person) }, person.is_active ? gettext("Close account") : gettext("Reopen")),
      ),
    );

  const reset = async (/** @type {any} */ person) => {
    let link = "";
    const done = await confirmDialog({
      title: interpolate(gettext("Reset the password of {name}"), { name: person.name }),
      note: gettext("The old password and all sessions end now. You get a link that works once; hand it over yourself."),
      act: gettext("Reset password"),
      run: async () => ({ link } = await post(`/api/people/${person.id}/reset-password/`)),
    });
    if (done) await linkShownOnce(gettext("Link for a new password"), link);
  };

  const endSessions = async (/** @type {any} */ person) => {
    try {
      const { count } = await post(`/api/people/${person.id}/end-sessions/`);
      toast(interpolate(ngettext("{count} session ended.", "{count} sessions ended.", count), { count }), { kind: "good" });
    } catch (error) {
      toastError(error);
    }
  };

  const setActive = async (/** @type {any} */ person) => {
    try {
      await patch(`/api/people/${person.id}/`, { is_active: !person.is_active });
      await draw();
    } catch (error) {
      toastError(error);
    }
  };

  void draw();
  await openDialog({ title: gettext("People"), note: gettext("Everybody with an account on this site."), body: list, size: "large" });
}
