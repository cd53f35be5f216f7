// Versions of the shown segmentation: what it was, by whom, compared with now, brought back. Nothing is ever lost: bringing
// back is one more step.

import { get, post } from "../../api/client.js";
import { fill, h, icon, settled } from "../../components/dom.js";
import { DASH, ago, dice, ml, number } from "../../components/format.js";
import { toast, toastError } from "../../components/toast.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";

/** @import { Room } from "./room.js" */

/** @typedef {{ seq: number, name: string, kind: "begin" | "automatic" | "named" | "now", author: { name: string } | null, authors: string[], created_at: string, operations: number }} Version */

/** @param {Version} version */
function nameOf({ name, kind, seq }) {
  if (kind === "now") return gettext("Now");
  if (name) return name;
  return kind === "begin" || seq === 0 ? gettext("The beginning") : gettext("Saved by itself");
}

/** @param {Room} room */
export function makeVersions(room) {
  const section = /** @type {HTMLElement | null} */ (document.querySelector("#history"));
  if (!section) return;
  const { store } = room;
  const count = h("span", { class: "second" });
  const name = h("input", { class: "input", type: "text", maxlength: "80", "aria-label": gettext("Name of the version"), placeholder: gettext("Name this version") });
  const save = h("button", { class: "button button--small", type: "submit" }, gettext("Save version"));
  const form = h("form", { class: "versions__save", onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    void saveVersion().catch(toastError);
  } }, name, save);
  const list = h("ul", { class: "versions__list", role: "list" });
  const details = h("details", { class: "foldable", ontoggle: () => void load() },
    h("summary", { class: "section-head" }, h("h2", {}, gettext("Versions")), count, icon("chevron-down", { class: "section-head__arrow" })), form, list);
  fill(section, details);
  /** The version whose comparison is open. @type {number | null} */
  let compared = null;
  /** @type {any[] | null} */
  let comparison = null;
  /** @type {Version[]} */
  let versions = [];

  const address = () => `/api/segmentations/${store.get().view.segmentationId}/`;
  const shown = () => store.get().study.segmentations.find((/** @type {any} */ one) => one.id === store.get().view.segmentationId);

  async function load() {
    if (!details.open || section?.hidden) return;
    try {
      versions = (await get(`${address()}versions/`)).versions;
      draw();
    } catch (error) {
      fill(list, h("li", { class: "section-empty" }, /** @type {Error} */ (error).message));
    }
  }

  async function saveVersion() {
    const wanted = name.value.trim();
    if (!wanted) {
      name.focus();
      return;
    }
    await room.editing?.desk()?.sender.idle();
    await post(`${address()}versions/`, { name: wanted });
    name.value = "";
    toast(interpolate(gettext("Version {name} is kept."), { name: wanted }), { kind: "good" });
    await load();
  }

  /** @param {Version} version */
  async function compare(version) {
    if (compared === version.seq) compared = null;
    else {
      compared = version.seq;
      comparison = (await get(`${address()}compare/`, { a: version.seq })).segments;
    }
    draw();
  }

  /** @param {Version} version */
  async function restore(version) {
    const desk = room.editing?.desk();
    if (!desk) return;
    const step = interpolate(gettext("Restored {name}"), { name: nameOf(version) }).slice(0, 80);
    await desk.restore(version.seq, step);
    toast(interpolate(gettext("{name} is back. Undo takes that back."), { name: nameOf(version) }), { kind: "good" });
    await load();
  }

  /** @param {Version} version */
  function row(version) {
    const { seq, kind, author, authors = [], created_at: at, operations } = version;
    const who = authors.length > 0 ? authors.join(", ") : author?.name ?? "";
    const changes = operations > 0 ? interpolate(ngettext("{count} change", "{count} changes", operations), { count: number(operations) }) : "";
    return h("li", { class: "version", dataset: { seq: String(seq) } },
      h("div", { class: "version__line" },
        h("div", { class: "version__text" }, h("strong", {}, nameOf(version)), h("span", { class: "hint", title: at }, [who, ago(at), changes].filter(Boolean).join(" · "))),
        kind !== "now" && h("button", { class: "button button--small button--quiet", type: "button", "aria-expanded": String(compared === seq), onclick: () => void compare(version).catch(toastError) }, gettext("Compare")),
        kind !== "now" && room.editing?.desk() && h("button", { class: "button button--small button--quiet", type: "button", onclick: () => void restore(version).catch(toastError) }, gettext("Restore"))),
      compared === seq && comparison && table(comparison));
  }

  function draw() {
    count.textContent = versions.length ? number(versions.length) : "";
    fill(list, versions.length === 0 ? h("li", { class: "section-empty" }, gettext("No version yet.")) : versions.map(row));
  }

  const later = settled(() => void load(), 700);
  store.watch((state) => state.view.segmentationId, () => {
    compared = null;
    versions = [];
    count.textContent = "";
    fill(list);
  });
  store.watch(shown, (segmentation) => {
    section.hidden = segmentation?.kind !== "edited";
    form.hidden = !room.editing?.mayEdit();
    if (!section.hidden) later();
  });
}

/** Every segment then and now. @param {any[]} segments */
const table = (segments) =>
  h("table", { class: "compared" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, gettext("Segment")), h("th", { scope: "col" }, gettext("Then")), h("th", { scope: "col" }, gettext("Now")), h("th", { scope: "col", title: gettext("Dice by voxels: 1 is the same") }, "Dice"))),
    h("tbody", {}, segments.map(({ label, voxels_a: a, voxels_b: b, ml_a: then, ml_b: now, dice: same }) =>
      h("tr", {}, h("th", { scope: "row", title: label }, label), h("td", {}, then === null ? number(a) : ml(then)), h("td", {}, now === null ? number(b) : ml(now)), h("td", {}, same === null ? DASH : dice(same))))));
