/** Projects: the ones the person belongs to (all for a site admin), with role and ways in; new ones by site admins. */

import { get, newKey, patch, post } from "../api/client.js";
import { openDialog } from "../components/dialog.js";
import { chip, fill, find, h, icon, pageData } from "../components/dom.js";
import { toastError } from "../components/toast.js";
import { gettext, interpolate, ngettext } from "../i18n.js";

const { person } = pageData("shell-data");
const roles = () => ({ admin: gettext("Admin"), reader: gettext("Reader"), viewer: gettext("Viewer") });

/** @param {any} project */
function row(project) {
  const role = /** @type {any} */ (roles())[project.role] ?? gettext("not a member");
  return h(
    "tr",
    {},
    h("td", {}, h("span", { class: "table__main" }, project.name), h("span", { class: "second" }, project.time_zone)),
    h("td", {}, role, project.is_adjudicator && h("span", { class: "second" }, gettext("adjudicates"))),
    h("td", {}, project.is_archived ? chip("", "archive", gettext("Archived")) : null),
    h(
      "td",
      { class: "table__acts" },
      project.role && [
        h("a", { class: "button button--small", href: `/?project=${project.id}` }, gettext("Studies")),
        " ",
        h("a", { class: "button button--small", href: `/projects/${project.slug}/reading/` }, gettext("Cases")),
        " ",
      ],
      // Who runs the site without belonging to the project has no navigation inside it.
      !project.role && [h("a", { class: "button button--small", href: `/projects/${project.slug}/audit/` }, gettext("Audit")), " "],
      h("a", { class: "button button--small", href: `/projects/${project.slug}/team/` }, gettext("Team")),
      " ",
      project.may.includes("manage") && h("button", { class: "button button--small button--quiet", type: "button", onclick: () => edit(project) }, icon("pencil"), gettext("Change")),
    ),
  );
}

/** @param {any} project null makes a new one */
async function edit(project) {
  const name = h("input", { class: "input", id: "project-name", value: project?.name ?? "", maxlength: "80", required: true });
  const zones = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
  const current = project?.time_zone ?? person.time_zone;
  const zone = h("select", { class: "select", id: "project-zone" }, [...new Set(["UTC", current, ...zones])].map((value) => h("option", { value, selected: value === current }, value)));
  const archived = h("input", { class: "checkbox", type: "checkbox", checked: project?.is_archived ?? false });
  const done = await openDialog({
    title: project ? gettext("Change the project") : gettext("New project"),
    note: project ? "" : gettext("You become its first admin and invite the others."),
    body: h(
      "div",
      { class: "form" },
      h("div", { class: "field" }, h("label", { for: "project-name" }, gettext("Name")), name),
      h("div", { class: "field" }, h("label", { for: "project-zone" }, gettext("Time zone")), zone, h("span", { class: "hint" }, gettext("Due dates are calendar days here."))),
      project && h("label", { class: "check-line" }, archived, h("span", {}, gettext("Archived: nothing new comes in"))),
    ),
    acts: [
      {
        text: project ? gettext("Save") : gettext("Make the project"),
        kind: "filled",
        run: async (close) => {
          if (!name.reportValidity()) return;
          const body = { name: name.value.trim(), time_zone: zone.value };
          close(project ? await patch(`/api/projects/${project.id}/`, { ...body, is_archived: archived.checked }) : await post("/api/projects/", body, { key: newKey() }));
        },
      },
    ],
  });
  if (!done) return;
  // A new project has nobody in it yet: its people are what comes next.
  if (project) await load();
  else location.assign(`/projects/${done.slug}/team/`);
}

async function load() {
  try {
    const { results } = await get("/api/projects/");
    find("#projects-second").textContent = interpolate(ngettext("{count} project", "{count} projects", results.length), { count: results.length });
    fill(
      find("#projects"),
      results.length ? results.map(row) : h("tr", {}, h("td", { colspan: "4" }, h("div", { class: "empty" }, icon("folder-open"), h("strong", {}, gettext("You are in no project yet")), h("span", {}, gettext("A project's admin invites you by link."))))),
    );
  } catch (error) {
    toastError(error);
  }
}

find("#new-project")?.addEventListener("click", () => edit(null));
void load();
