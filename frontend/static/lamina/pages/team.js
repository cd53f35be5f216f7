/** Team: members with role and duty, invitations by a link shown once. */

import { del, get, patch, post } from "../api/client.js";
import { confirmDialog, openDialog } from "../components/dialog.js";
import { chip, fill, find, h, icon, pageData } from "../components/dom.js";
import { day, initials } from "../components/format.js";
import { linkShownOnce } from "../components/link-once.js";
import { toast, toastError } from "../components/toast.js";
import { gettext, interpolate, ngettext } from "../i18n.js";

const { project } = pageData();
const me = pageData("shell-data").person;
const base = `/api/projects/${project.id}`;
const manages = project.may.includes("manage");
const ROLES = /** @type {const} */ (["admin", "reader", "viewer"]);
const names = () => ({ admin: gettext("Admin"), reader: gettext("Reader"), viewer: gettext("Viewer") });
const PALETTE = ["#7AD7FF", "#FF9EBB", "#C6F26D", "#BAA37E", "#F9E3D8", "#C58BFF"];

/** @param {string} selected @param {Record<string, any>} properties */
const roleSelect = (selected, properties) =>
  h("select", { class: "select", ...properties }, ROLES.map((role) => h("option", { value: role, selected: role === selected }, names()[role])));

/** @param {any} member */
function row(member) {
  const { user, role, is_adjudicator: adjudicates } = member;
  const change = async (/** @type {any} */ body) => {
    try {
      await patch(`${base}/members/${user.id}/`, body);
    } catch (error) {
      toastError(error);
    }
    await load();
  };
  return h(
    "tr",
    {},
    h(
      "td",
      {},
      h(
        "div",
        { class: "member" },
        h("span", { class: "person", dataset: { colour: String(Math.max(0, PALETTE.indexOf(user.colour))) }, "aria-hidden": "true" }, initials(user.name)),
        h("div", {}, h("strong", {}, user.name), user.id === me.id && h("span", { class: "hint" }, ` ${gettext("you")}`), h("span", { class: "second" }, user.email)),
      ),
    ),
    h("td", {}, manages ? roleSelect(role, { "aria-label": interpolate(gettext("Role of {name}"), { name: user.name }), onchange: (/** @type {any} */ e) => change({ role: e.target.value }) }) : names()[/** @type {keyof ReturnType<typeof names>} */ (role)]),
    h(
      "td",
      {},
      role === "reader" &&
        (manages
          ? h("label", { class: "check-line" }, h("input", { class: "checkbox", type: "checkbox", checked: adjudicates, onchange: (/** @type {any} */ e) => change({ is_adjudicator: e.target.checked }) }), h("span", {}, gettext("Adjudicates")))
          : adjudicates && chip("accent", "users", gettext("Adjudicates"))),
    ),
    h(
      "td",
      { class: "table__acts" },
      manages && h("button", { class: "button button--small button--quiet", type: "button", onclick: () => remove(member) }, icon("x"), gettext("Remove")),
    ),
  );
}

/** @param {any} member */
async function remove(member) {
  const done = await confirmDialog({
    title: interpolate(gettext("Remove {name}"), { name: member.user.name }),
    note: gettext("The person no longer sees this project; open pages close its images at once. What they made stays."),
    act: gettext("Remove"),
    kind: "bad",
    run: () => del(`${base}/members/${member.user.id}/`),
  });
  if (done) await load();
}

/** @param {any} invitation */
const waiting = (invitation) =>
  h(
    "tr",
    {},
    h("td", {}, h("div", { class: "member" }, icon("mail"), h("div", {}, h("strong", {}, invitation.email), h("span", { class: "second" }, interpolate(gettext("open until {day}"), { day: day(invitation.expires_at) }))))),
    h("td", {}, names()[/** @type {keyof ReturnType<typeof names>} */ (invitation.role)]),
    h("td", {}, invitation.is_adjudicator && chip("accent", "users", gettext("Adjudicates"))),
    h("td", { class: "table__acts" }, h("button", { class: "button button--small button--quiet", type: "button", onclick: () => withdraw(invitation) }, icon("x"), gettext("Withdraw"))),
  );

/** @param {any} invitation */
async function withdraw(invitation) {
  try {
    await del(`${base}/invitations/${invitation.id}/`);
    toast(gettext("The link no longer works."), { kind: "good" });
  } catch (error) {
    toastError(error);
  }
  await load();
}

async function invite() {
  const email = h("input", { class: "input", type: "email", id: "invite-email", required: true, autocomplete: "off" });
  const role = roleSelect("reader", { id: "invite-role" });
  const duty = h("input", { class: "checkbox", type: "checkbox" });
  const dutyLine = h("label", { class: "check-line" }, duty, h("span", {}, gettext("Adjudicates: decides where two readers differ")));
  role.addEventListener("change", () => {
    dutyLine.hidden = role.value !== "reader";
  });
  const made = await openDialog({
    title: gettext("Invite a person"),
    note: gettext("You get a link that works once, for 14 days and for this address only."),
    body: h(
      "div",
      { class: "form" },
      h("div", { class: "field" }, h("label", { for: "invite-email" }, gettext("E-mail address")), email),
      h("div", { class: "field" }, h("label", { for: "invite-role" }, gettext("Role")), role, h("span", { class: "hint" }, gettext("Admins manage people and delete studies; readers import, reconstruct and mark; viewers look."))),
      dutyLine,
    ),
    acts: [
      {
        text: gettext("Make the link"),
        kind: "filled",
        run: async (close) => {
          if (!email.reportValidity()) return;
          close(await post(`${base}/invitations/`, { email: email.value.trim(), role: role.value, is_adjudicator: role.value === "reader" && duty.checked }));
        },
      },
    ],
  });
  if (!made) return;
  await load();
  await linkShownOnce(interpolate(gettext("Link for {email}"), { email: made.email }), made.link);
}

async function load() {
  try {
    const [members, invitations] = await Promise.all([get(`${base}/members/`), manages ? get(`${base}/invitations/`) : { results: [] }]);
    const count = members.results.length;
    find("#team-second").textContent = interpolate(ngettext("{count} person", "{count} people", count), { count });
    fill(find("#members"), members.results.map(row));
    find("#invitations-card").hidden = invitations.results.length === 0;
    fill(find("#invitations"), invitations.results.map(waiting));
  } catch (error) {
    toastError(error);
  }
}

find("#invite")?.addEventListener("click", invite);
void load();
