// The bell in the top bar: what others said to this person, newest first, with the way there.

import { ApiProblem, get, post } from "../api/client.js";
import { fill, find, h, icon } from "../components/dom.js";
import { ago, utc } from "../components/format.js";
import { toastError } from "../components/toast.js";
import { gettext, interpolate, ngettext } from "../i18n.js";

/** @typedef {{ id: string, kind: "mention" | "reply" | "resolved" | "reopened", actor: { name: string, colour: string | null } | null, study_id: string, thread_id: string, pseudonym: string, address: string, created_at: string, is_read: boolean }} Notice */

/** @type {Record<Notice["kind"], () => string>} */
const WORDS = {
  mention: () => gettext("{person} mentioned you"),
  reply: () => gettext("{person} answered"),
  resolved: () => gettext("{person} resolved a comment"),
  reopened: () => gettext("{person} reopened a comment"),
};
/** @type {Record<Notice["kind"], string>} */
const SYMBOLS = { mention: "message-square", reply: "message-square", resolved: "circle-check", reopened: "rotate-ccw" };

/** Put the list behind the bell that stands in the page. */
export function makeBell() {
  const button = find("#bell");
  if (!button) return;
  const count = find(".bell__count", button);
  const list = h("ul", { class: "bell__list", role: "list" });
  const all = h("button", { class: "button button--small button--quiet", type: "button", onclick: () => void read(null) }, gettext("Mark all as read"));
  const panel = h("div", { class: "bell__panel", id: "bell-panel", role: "dialog", "aria-label": gettext("Notices"), tabindex: "-1", hidden: true },
    h("header", { class: "bell__head" }, h("h2", {}, gettext("Notices")), all), list);
  button.setAttribute("aria-controls", panel.id);
  button.after(panel);
  /** @type {{ results: Notice[], unread: number }} */
  let known = { results: [], unread: 0 };
  let asked = 0;

  async function load() {
    const turn = ++asked;
    try {
      const answer = await get("/api/notices/");
      if (turn === asked) show(answer);
    } catch (error) {
      // Signed out or away: the live state at the foot says so.
      if (!(error instanceof ApiProblem)) throw error;
    }
  }

  /** @param {string[] | null} ids  null: all */
  async function read(ids) {
    try {
      const answer = await post("/api/notices/read/", ids ? { ids } : {});
      asked += 1;
      show(answer);
    } catch (error) {
      toastError(error);
    }
  }

  /** @param {typeof known} answer */
  function show(answer) {
    known = answer;
    const { unread } = known;
    count.hidden = unread === 0;
    count.textContent = unread > 99 ? "99+" : String(unread);
    button.setAttribute("aria-label", unread ? interpolate(ngettext("Notices: {count} new", "Notices: {count} new", unread), { count: unread }) : gettext("Notices"));
    button.dataset.unread = String(unread);
    all.hidden = unread === 0;
    fill(list, known.results.length ? known.results.map(row) : h("li", { class: "bell__none" }, gettext("Nothing new. Who mentions or answers you rings here.")));
  }

  /** @param {Notice} notice */
  function row(notice) {
    const words = interpolate(WORDS[notice.kind](), { person: notice.actor?.name ?? gettext("Somebody") });
    const go = () => {
      if (!notice.is_read) void read([notice.id]);
      close();
    };
    const element = h("li", { class: "bell__row", dataset: { notice: notice.id } },
      h("a", { class: "bell__link", href: notice.address, onclick: go }, icon(SYMBOLS[notice.kind]),
        h("span", { class: "bell__words" }, h("span", {}, words), h("span", { class: "second" }, notice.pseudonym)),
        h("time", { class: "second", datetime: notice.created_at, title: utc(notice.created_at) }, ago(notice.created_at)),
        !notice.is_read && h("span", { class: "bell__new" }, gettext("new"))));
    element.toggleAttribute("data-unread", !notice.is_read);
    return element;
  }

  function close() {
    if (panel.hidden) return;
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
  }

  button.addEventListener("click", () => {
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
    if (panel.hidden) return;
    show(known);
    panel.focus({ preventScroll: true });
  });
  panel.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
    button.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!panel.parentElement?.contains(/** @type {Node} */ (event.target))) close();
  });
  document.addEventListener("lamina:mine", (event) => {
    const { type } = /** @type {CustomEvent} */ (event).detail;
    if (type === "notice.added" || type === "notices.read") void load();
  });
  // What opened or closed a seal may have brought or taken notices.
  window.addEventListener("focus", () => void load());
  void load();
}
