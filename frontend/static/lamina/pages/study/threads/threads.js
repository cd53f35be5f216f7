// Comments on the study page: the key M, pins, and the panel's list of threads with the field for a new one.

import { fill, find, h, icon } from "../../../components/dom.js";
import { toast } from "../../../components/toast.js";
import { position } from "../../../geometry/format.js";
import { gettext, interpolate, known, ngettext } from "../../../i18n.js";
import { openThreads } from "../../../state/threads.js";
import { makeCard, openWord, unsent } from "./card.js";
import { ThreadDesk } from "./desk.js";
import { makePins } from "./pins.js";
import { makeWriter } from "./writer.js";

/** @import { Thread, ThreadsState } from "../../../state/threads.js" */
/** @import { Room } from "../room.js" */

/** @param {Room} room */
export function makeThreads(room) {
  const desk = new ThreadDesk(room);
  const section = find("#comments");
  const open = h("span", { class: "chip chip--caution", hidden: true });
  const add = h("button", { class: "icon-button", type: "button", title: gettext("Pin a question"), "aria-label": gettext("Pin a question"), onclick: () => begin() }, icon("plus"));
  const list = h("ul", { class: "threads", role: "list" });
  const older = h("button", { class: "threads__older", type: "button", hidden: true, "aria-expanded": "false", onclick: () => {
    showResolved = !showResolved;
    draw(desk.state);
  } });
  const settled = h("ul", { class: "threads", role: "list", hidden: true });
  const spot = h("p", { class: "threads__spot second", hidden: true });
  const writer = makeWriter({
    label: gettext("Write a comment, @ to mention"), act: gettext("Pin comment"), stays: true, key: room.keymap.keysOf("comment")[0] ?? "", people: () => desk.state.people,
    send: (text) => {
      const here = desk.state.spot ?? desk.spotHere();
      if (!here) throw new Error(gettext("Open a series first: a comment is pinned to a place."));
      desk.open(text, here);
    },
    cancel: () => {
      desk.set({ spot: null });
      writer.field.blur();
    },
  });
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Comments")), open, h("span", { class: "section-head__gap" }), add), list, older, settled, spot, writer.element);

  let showResolved = false;
  /** @type {string | null} */
  let replying = null;
  /** @type {string | null} */
  let editing = null;
  /** Cards by thread, made again only when what they show has changed. @type {Map<string, { key: string, element: HTMLElement, focus: () => void }>} */
  const cards = new Map();

  /** Pin a question where the pointer or the crosshair is. */
  function begin() {
    if (!desk.allowed) {
      toast(gettext("Commenting needs the reader role in this project."));
      return true;
    }
    const here = desk.spotHere();
    if (!here) return false;
    const panel = find("#study");
    if (getComputedStyle(section).visibility === "hidden" || section.getClientRects().length === 0 || section.getBoundingClientRect().left >= window.innerWidth) panel.toggleAttribute("data-panel", true);
    desk.set({ spot: here, selected: null });
    writer.focus();
    writer.element.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** @param {Thread} thread */
  function cardOf(thread) {
    const { state } = desk;
    const shown = room.segmentation ? desk.rowOf(thread)?.number ?? -1 : null;
    const waiting = state.pending.filter((one) => one.annotation === thread.id);
    const number = state.list.indexOf(thread);
    const key = JSON.stringify([thread, number, state.selected === thread.id, state.moved[thread.id]?.distance, waiting, shown, replying === thread.id, thread.comments.some(({ id }) => id === editing) && editing, desk.allowed, desk.outbox.kept]);
    const old = cards.get(thread.id);
    if (old?.key === key) return old.element;
    // Words that are being typed are not taken from under the hands.
    const typing = old?.element.contains(document.activeElement) && document.activeElement instanceof HTMLTextAreaElement ? document.activeElement : null;
    const card = makeCard(desk, thread, {
      replying: replying === thread.id, editing,
      reply: () => {
        replying = replying === thread.id ? null : thread.id;
        draw(desk.state);
        cards.get(thread.id)?.focus();
      },
      edit: (id) => {
        editing = id;
        draw(desk.state);
        if (id) /** @type {any} */ (section.querySelector(`[data-comment="${id}"] textarea`))?.focus();
      },
    });
    const field = typing && /** @type {HTMLTextAreaElement | null} */ (card.element.querySelector("textarea"));
    if (typing && field) {
      field.value = typing.value;
      const { selectionStart, selectionEnd } = typing;
      queueMicrotask(() => {
        field.focus({ preventScroll: true });
        field.setSelectionRange(selectionStart, selectionEnd);
      });
    }
    cards.set(thread.id, { key, ...card });
    return card.element;
  }

  /** @param {ThreadsState} state */
  function draw(state) {
    const waiting = openThreads(state);
    const done = state.list.filter((one) => one.state === "resolved");
    open.hidden = waiting.length === 0;
    open.textContent = openWord(waiting.length);
    // While the case is blind a comment stays the writer's own until it opens, and what is submitted takes none.
    const given = room.store.get().case?.case;
    const alone = Boolean(given?.is_blind && given.mine);
    writer.element.hidden = add.hidden = !desk.allowed || (alone && given.mine.state === "submitted");
    writer.field.placeholder = alone ? gettext("A note, yours until the case opens") : gettext("Write a comment, @ to mention");
    // A question that has not got through stands below the others; resolved ones are folded away, unless gone to.
    const fresh = state.pending.filter((one) => one.pin && !state.list.some(({ id }) => id === one.annotation)).map((one) => h("li", { class: "thread" }, unsent(desk, one)));
    const empty = state.list.length + fresh.length === 0 && state.loaded;
    put(list, [...waiting.map(cardOf), ...fresh, ...(empty ? [h("li", { class: "section-empty" }, desk.allowed ? interpolate(gettext("Pin a question: {key}"), { key: room.keymap.keysOf("comment")[0] ?? "M" }) : gettext("No comments yet"))] : [])]);
    const shown = showResolved || done.some(({ id }) => id === state.selected);
    older.hidden = done.length === 0;
    fill(older, icon(shown ? "chevron-up" : "chevron-down"), interpolate(ngettext("{count} resolved", "{count} resolved", done.length), { count: done.length }));
    older.setAttribute("aria-expanded", String(shown));
    settled.hidden = !shown;
    put(settled, shown ? done.map(cardOf) : []);
    for (const id of [...cards.keys()]) if (!state.list.some((one) => one.id === id)) cards.delete(id);
    spot.hidden = !state.spot;
    if (state.spot) fill(spot, icon("map-pin"), [position(state.spot.point), state.spot.segment && known(state.spot.segment.label)].filter(Boolean).join(" · "));
  }

  room.store.watch((state) => state.threads, (threads, before) => {
    draw(threads);
    if (threads.selected && threads.selected !== before?.selected) cards.get(threads.selected)?.element.scrollIntoView({ block: "nearest" });
  });
  room.store.watch((state) => state.study.study.state, () => draw(desk.state));
  room.store.watch((state) => `${state.case.case?.is_blind} ${state.case.case?.mine?.state}`, () => draw(desk.state));
  room.store.watch((state) => state.study.segmentations, () => draw(desk.state));
  room.store.watch((state) => state.view.segmentationId, () => queueMicrotask(() => draw(desk.state)));

  makePins(room, desk, (id) => {
    const thread = desk.state.list.find((one) => one.id === id);
    if (thread) desk.goTo(thread);
  });
  for (const [name, { element }] of Object.entries(room.frames)) {
    element.addEventListener("pointermove", (event) => {
      const box = element.getBoundingClientRect();
      desk.pointer = { name, pixel: [event.clientX - box.left, event.clientY - box.top] };
    });
    element.addEventListener("pointerleave", () => (desk.pointer = null));
  }
  room.addActs({
    comment: () => begin(),
    cancel: () => {
      if (!desk.state.spot && !desk.state.selected) return false;
      desk.set({ spot: null, selected: null });
      return true;
    },
  });
  openAsked(room, desk);
  // Times grow old.
  window.setInterval(() => draw(desk.state), 60_000);
}

/** Children as wanted, those that stay left where they are: moving one would take the focus from a field in it. @param {Element} parent @param {Element[]} wanted */
function put(parent, wanted) {
  for (const child of [...parent.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
}

/** A link from the bell or a letter names a thread: go there once it is known. @param {Room} room @param {ThreadDesk} desk */
function openAsked(room, desk) {
  /** @type {string | null} */
  let wanted = null;
  const read = () => {
    wanted = /[#&]thread=([0-9a-f-]{36})/.exec(location.hash)?.[1] ?? wanted;
    go();
  };
  const go = () => {
    if (!wanted || !desk.state.loaded || !room.session) return;
    const thread = desk.state.list.find(({ id }) => id === wanted);
    if (thread) queueMicrotask(() => desk.goTo(thread));
    else toast(gettext("This comment is not there, or is closed to you."));
    wanted = null;
  };
  read();
  window.addEventListener("hashchange", read);
  room.store.watch((state) => state.threads.loaded, go);
  room.onSession(() => void queueMicrotask(go));
}
