// "Saved 2 s ago" in the top bar: how far the reader's own changes have got.

import { fill, h, icon } from "../../components/dom.js";
import { ago, duration } from "../../components/format.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";

/** @import { Room } from "./room.js" */

/** @param {Room} room */
export function makeSavedState(room) {
  const element = h("span", { class: "saved", role: "status", hidden: true });
  document.querySelector(".bar__end")?.prepend(element);
  let timer = 0;
  let shown = "";

  /** @param {string} symbol @param {string} text @param {string} kind */
  const show = (symbol, text, kind) => {
    element.dataset.kind = kind;
    if (shown === symbol + text) return;
    shown = symbol + text;
    // Every second another number: the page would be read aloud without end.
    element.setAttribute("aria-live", kind === "saved" ? "off" : "polite");
    fill(element, icon(symbol), h("span", {}, text));
  };

  function draw() {
    const { waiting, savedAt, away, busy } = room.store.get().edits;
    element.hidden = waiting === 0 && savedAt === null && !busy;
    clearTimeout(timer);
    if (element.hidden) return;
    if (away && waiting > 0) show("cloud-off", interpolate(ngettext("{count} change waits", "{count} changes wait", waiting), { count: waiting }), "away");
    else if (waiting > 0) show("cloud-upload", gettext("Saving"), "saving");
    else if (busy) show("loader-circle", busy, "saving");
    else if (savedAt !== null) {
      const seconds = Math.max(0, Math.round((Date.now() - savedAt) / 1000));
      const text = seconds < 60 ? interpolate(gettext("Saved {time} ago"), { time: duration(seconds) }) : interpolate(gettext("Saved: {time}"), { time: ago(new Date(savedAt).toISOString()) });
      show("cloud-check", text, "saved");
      timer = window.setTimeout(draw, seconds < 60 ? 1000 : 30_000);
    }
  }
  room.store.watch((state) => state.edits, draw);
}
