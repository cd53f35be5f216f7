// The layouts in the tool bar: buttons, the hanging protocol by its name, full screen.

import { fill, find, h, icon } from "../../components/dom.js";
import { gettext } from "../../i18n.js";
import { protocolName } from "./hanging.js";
import { keyed } from "./key-words.js";
import { word } from "./words.js";

/** @import { Layout } from "../../state/view.js" */
/** @import { Room } from "./room.js" */

/** @type {readonly (readonly [Layout, string])[]} */
const LAYOUTS = [["1x1", "square"], ["2x2", "grid-2x2"], ["1x3", "columns-3"], ["1+3", "layout-panel-left"], ["3d", "box"]];

/** A layout of the reader's own choice, around the active viewport. @param {Room} room @param {Layout} layout */
export function lay(room, layout) {
  const { active, main } = room.store.get().view;
  room.store.dispatch({ type: "view.set", values: { layout, large: null, protocol: null, main: active === "surfaces" ? main : active } });
}

/** @param {Room} room @returns {HTMLElement[]} */
export function makeLayouts(room) {
  const { store } = room;
  const buttons = LAYOUTS.map(([layout, symbol]) =>
    h("button", { type: "button", "aria-pressed": "false", "aria-label": word(layout), title: word(layout), dataset: { layout }, onclick: () => lay(room, layout) }, icon(symbol)));
  const protocol = h("select", { class: "tool-select tool-select--hanging", id: "hanging", "aria-label": gettext("Hanging protocol"), title: gettext("Hanging protocol: how studies of this modality open for you"), onchange: () => {
    if (protocol.value) room.hanging?.choose(protocol.value);
  } });
  const show = () => {
    const { view } = store.get();
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.layout === view.layout));
    const own = view.protocol === null ? [h("option", { value: "" }, gettext("Own layout"))] : [];
    const choices = room.hanging?.choices ?? [];
    const key = JSON.stringify([view.protocol, choices.map(({ id }) => id)]);
    if (protocol.dataset.key !== key) {
      protocol.dataset.key = key;
      fill(protocol, own, choices.map(({ id }) => h("option", { value: id }, protocolName(id))));
    }
    protocol.value = view.protocol ?? "";
  };
  store.watch((state) => [state.view.layout, state.view.protocol, state.view.seriesId, state.study.priors.length].join(), show);
  return [
    h("div", { class: "segmented segmented--icons volume-only", role: "group", "aria-label": gettext("Layout") }, buttons),
    h("div", { class: "volume-only" }, protocol),
  ];
}

/** The whole screen for the study, and back; nothing where the browser has no such thing. @param {Room} room */
export function makeFullScreen(room) {
  const root = document.documentElement;
  if (!document.fullscreenEnabled) return;
  const toggle = () => void (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()).catch(() => {});
  const button = h("button", { class: "icon-button", type: "button", id: "full-screen", "aria-pressed": "false", "aria-label": gettext("Full screen"), onclick: toggle });
  const show = () => {
    const on = document.fullscreenElement !== null;
    button.setAttribute("aria-pressed", String(on));
    fill(button, icon(on ? "minimize" : "maximize"));
    // What is not the picture steps back: the browser's own bars are gone, ours make room too.
    root.toggleAttribute("data-full", on);
  };
  document.addEventListener("fullscreenchange", show);
  show();
  room.addActs({ "full-screen": toggle });
  find("#study-acts").append(keyed(room.keymap, button, "full-screen", gettext("Full screen")));
}
