// One thread in the panel: who asked what and when, the answers, where its surface went, what can be done.

import { get } from "../../../api/client.js";
import { fill, h, icon } from "../../../components/dom.js";
import { ago, initials, mm, utc } from "../../../components/format.js";
import { toastError } from "../../../components/toast.js";
import { gettext, interpolate, known, ngettext } from "../../../i18n.js";
import { numberOf, partsOf } from "../../../state/threads.js";
import { makeWriter } from "./writer.js";

/** @import { Comment, Person, Saying, Thread } from "../../../state/threads.js" */
/** @import { ThreadDesk } from "./desk.js" */

/** A surface that moved less than its number can say has not moved, mm. */
const MOVED = 0.05;

/** @param {Person | null} person */
export function avatar(person) {
  const name = person?.name ?? gettext("Somebody");
  const face = h("span", { class: "person person--small thread__face", "aria-hidden": "true" }, initials(name));
  if (person?.colour) face.style.setProperty("background-color", person.colour);
  else face.classList.add("thread__face--masked");
  return face;
}

/** What was written, as text; addresses can be clicked, names are lit. @param {string} text @param {string[]} names */
export const written = (text, names) =>
  partsOf(text, names).map(({ kind, text: part }) => {
    if (kind === "link") return h("a", { href: part, target: "_blank", rel: "noopener noreferrer nofollow" }, part);
    return kind === "mention" ? h("span", { class: "thread__mention" }, part) : part;
  });

/**
 * @param {ThreadDesk} desk @param {Thread} thread @param {{ replying: boolean, editing: string | null, reply: () => void, edit: (id: string | null) => void }} doing
 */
export function makeCard(desk, thread, doing) {
  const { state, allowed } = desk;
  const number = numberOf(state, thread.id);
  const [first, ...answers] = thread.comments;
  const waiting = state.pending.filter((one) => one.annotation === thread.id && !one.pin);
  const resolved = thread.state === "resolved";
  const act = (/** @type {string} */ text, /** @type {() => void} */ run, strong = false) =>
    h("button", { class: `thread__act${strong ? " thread__act--strong" : ""}`, type: "button", onclick: run }, text);
  const chip = h("button", { class: "thread__number", type: "button", title: gettext("Go there"), "aria-label": interpolate(gettext("Go to comment {number}"), { number }), onclick: () => desk.goTo(thread) }, String(number));
  const writer = doing.replying && makeWriter({
    label: gettext("Answer"), act: gettext("Reply"), people: () => desk.state.people, cancel: doing.reply,
    send: (text) => {
      desk.say(thread.id, text);
      doing.reply();
    },
  });
  const element = h("li", { class: "thread", dataset: { thread: thread.id, state: thread.state } },
    h("article", { "aria-label": interpolate(gettext("Comment {number} of {person}"), { number, person: thread.author?.name ?? gettext("somebody") }) },
      comment(desk, thread, first, doing, chip),
      answers.map((one) => comment(desk, thread, one, doing, null)),
      waiting.map((one) => unsent(desk, one)),
      h("div", { class: "thread__foot" },
        whereabouts(desk, thread),
        allowed && h("span", { class: "thread__acts" }, act(gettext("Reply"), doing.reply), resolved ? act(gettext("Reopen"), () => void desk.turn(thread, "reopen"), true) : act(gettext("Resolve"), () => void desk.turn(thread, "resolve"), true))),
      resolved && h("p", { class: "thread__resolved" }, icon("circle-check"), h("span", {}, interpolate(gettext("Resolved by {person}"), { person: thread.resolved_by?.name ?? gettext("somebody") })), thread.resolved_at && time(thread.resolved_at)),
      writer && writer.element));
  element.toggleAttribute("data-chosen", state.selected === thread.id);
  return { element, focus: () => writer && writer.focus() };
}

/** @param {string} iso */
const time = (iso) => h("time", { class: "second", datetime: iso, title: utc(iso) }, ago(iso));

/** @param {ThreadDesk} desk @param {Thread} thread @param {Comment} said @param {any} doing @param {HTMLElement | null} chip */
function comment(desk, thread, said, doing, chip) {
  if (!said) return null;
  const names = said.mentions.map(({ name }) => name);
  const old = h("ol", { class: "thread__versions", hidden: true });
  const showOld = async () => {
    old.hidden = !old.hidden;
    if (old.hidden || old.childElementCount) return;
    try {
      const versions = await get(`/api/comments/${said.id}/versions/`);
      fill(old, versions.map((/** @type {any} */ one) => h("li", {}, time(one.written_at), h("span", {}, one.text))));
    } catch (error) {
      toastError(error);
    }
  };
  const editing = doing.editing === said.id;
  const writer = editing && makeWriter({
    label: gettext("Edit comment"), text: said.text, act: gettext("Save"), people: () => desk.state.people, cancel: () => doing.edit(null),
    send: async (text) => {
      await desk.edit(said.id, text, said.version);
      doing.edit(null);
    },
  });
  return h("div", { class: "thread__comment", dataset: { comment: said.id } }, avatar(said.author),
    h("div", { class: "thread__said" },
      h("p", { class: "thread__who" }, h("strong", {}, said.author?.name ?? gettext("Somebody")), time(said.created_at),
        said.edited_at && h("button", { class: "thread__act", type: "button", title: utc(said.edited_at), onclick: () => void showOld() }, gettext("edited")),
        said.is_mine && desk.allowed && !editing && h("button", { class: "icon-button thread__edit", type: "button", title: gettext("Edit comment"), "aria-label": gettext("Edit comment"), onclick: () => doing.edit(said.id) }, icon("pencil")),
        chip),
      writer ? writer.element : h("p", { class: "thread__text" }, written(said.text, names)), old));
}

/** What has not got through: it is kept, and says so. @param {ThreadDesk} desk @param {Saying} saying */
export function unsent(desk, saying) {
  const refused = saying.state !== "waiting";
  return h("div", { class: "thread__unsent", dataset: { state: saying.state }, role: refused ? "alert" : null },
    h("p", { class: "thread__text" }, saying.text),
    h("p", { class: "thread__why" }, icon(refused ? "circle-alert" : "clock"),
      h("span", {}, refused ? saying.reason ?? gettext("The server refused this.") : desk.outbox.kept ? gettext("Not sent yet. Kept in this browser.") : gettext("Not sent yet. It is lost when this page closes.")),
      h("button", { class: "thread__act thread__act--strong", type: "button", onclick: () => desk.retry(saying) }, gettext("Retry")),
      refused && h("button", { class: "thread__act", type: "button", onclick: () => desk.discard(saying) }, gettext("Discard"))));
}

/** The segment it is about, whether its surface moved, or that it is gone. @param {ThreadDesk} desk @param {Thread} thread */
function whereabouts(desk, thread) {
  const { segment } = thread;
  if (!segment) return h("span", { class: "thread__where second" });
  const name = known(segment.label);
  const { segmentation } = desk.room;
  const there = desk.rowOf(thread);
  // The rows of its own segmentation are newer than what was asked when the thread was loaded.
  const gone = segmentation?.id === segment.segmentation_id ? !there : segment.is_gone && !there;
  if (gone) return h("span", { class: "thread__where thread__where--gone" }, icon("circle-x"), interpolate(gettext("{segment} is gone"), { segment: name }));
  if (segmentation && !there) return h("span", { class: "thread__where second" }, interpolate(gettext("{segment}, not in this result"), { segment: name }));
  const moved = desk.state.moved[thread.id]?.distance ?? 0;
  if (moved >= MOVED) return h("span", { class: "thread__where thread__where--moved", title: interpolate(gettext("The surface of {segment} lies this far from where it was asked about."), { segment: name }) }, icon("expand"), interpolate(gettext("surface moved {distance}"), { distance: mm(moved) }));
  return h("span", { class: "thread__where second" }, name);
}

/** @param {number} count */
export const openWord = (count) => interpolate(ngettext("{count} open", "{count} open", count), { count });
