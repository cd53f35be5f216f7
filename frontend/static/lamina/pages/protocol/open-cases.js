/** Opening cases from studies, many at once: each is dealt to its readers by load. */

import { newKey, pages, post } from "../../api/client.js";
import { openDialog } from "../../components/dialog.js";
import { fill, h } from "../../components/dom.js";
import { modalityName, number } from "../../components/format.js";
import { toast } from "../../components/toast.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";

/** All studies of a project. @param {string} projectId */
async function studiesOf(projectId) {
  const cursor = pages("/api/studies/", { project: projectId, state: "active", order: "pseudonym", limit: 100 });
  const all = [];
  while (!cursor.done) all.push(...(await cursor.next()).results);
  return all;
}

/** @param {{ id: string }} project @param {Set<string>} taken  ids of studies with a case @returns {Promise<boolean>} whether any was opened */
export async function openCases(project, taken) {
  const free = (await studiesOf(project.id)).filter((study) => !taken.has(study.id) && study.series_count !== 0);
  /** @type {Set<string>} */
  const chosen = new Set();
  const count = h("span", { class: "second", role: "status" });
  const say = () => {
    count.textContent = interpolate(ngettext("{count} chosen", "{count} chosen", chosen.size), { count: number(chosen.size) });
    all.checked = chosen.size > 0 && chosen.size === shown().length;
  };
  const search = h("input", { class: "input", type: "search", placeholder: gettext("Case or description"), "aria-label": gettext("Find a study"), oninput: () => draw() });
  const all = h("input", { class: "checkbox", type: "checkbox", "aria-label": gettext("Choose all"), onchange: () => {
    for (const study of shown()) if (all.checked) chosen.add(study.id);
    else chosen.delete(study.id);
    draw();
  } });
  const practice = h("input", { class: "checkbox", type: "checkbox" });
  const list = h("div", { class: "choose-studies__list" });
  const shown = () => free.filter((study) => `${study.pseudonym} ${study.description}`.toLowerCase().includes(search.value.trim().toLowerCase()));
  function draw() {
    fill(list, shown().map((study) => h("label", {},
      h("input", { class: "checkbox", type: "checkbox", ".checked": chosen.has(study.id), dataset: { study: study.id }, onchange: (/** @type {any} */ event) => {
        if (event.target.checked) chosen.add(study.id);
        else chosen.delete(study.id);
        say();
      } }),
      h("span", {}, h("strong", {}, study.pseudonym), h("span", { class: "second" }, ` ${study.description}`)),
      h("span", { class: "second" }, study.modalities?.map(modalityName).join(" · ")))));
    say();
  }
  draw();
  const opened = await openDialog({
    title: gettext("Open cases"),
    note: gettext("Each study becomes a case and is dealt to the readers with the fewest open cases."),
    body: free.length
      ? h("div", { class: "choose-studies" }, search, h("div", { class: "check-line" }, all, h("span", {}, gettext("Choose all")), count), list, h("label", { class: "check-line" }, practice, h("span", {}, gettext("Practice: counts in no statistics"))))
      : h("p", {}, gettext("Every study of the project is a case already.")),
    acts: free.length ? [{
      text: gettext("Open cases"),
      kind: "filled",
      run: async (close) => {
        if (chosen.size === 0) throw new Error(gettext("Choose at least one study."));
        close(await post(`/api/projects/${project.id}/cases/`, { studies: [...chosen], ...(practice.checked ? { is_practice: true } : {}) }, { key: newKey() }));
      },
    }] : [],
  });
  if (!opened) return false;
  toast(interpolate(ngettext("{count} case is open.", "{count} cases are open.", chosen.size), { count: number(chosen.size) }), { kind: "good" });
  return true;
}
