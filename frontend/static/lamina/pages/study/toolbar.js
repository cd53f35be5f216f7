// The tool rail at the left and the tool bar above the viewports.

import { fill, h, icon } from "../../components/dom.js";
import { percent } from "../../components/format.js";
import { toast } from "../../components/toast.js";
import { sameWindow } from "../../geometry/windows.js";
import { gettext } from "../../i18n.js";
import { EDITING } from "../../tools/editing.js";
import { TOOL_GROUPS } from "../../tools/tools.js";
import { keyed } from "./key-words.js";
import { makeLayouts } from "./layouts.js";
import { word } from "./words.js";

/** @import { Room } from "./room.js" */

/** Room for one viewport only (SCREENS, "Regions"): as study-layout.css has it. */
const NARROW = window.matchMedia("(max-width: 819px)");

/** Tools that change voxels. */
const DRAWING = new Set(EDITING.map(({ id }) => id));

/** @param {Room} room @param {Record<string, any>} values */
const set = (room, values) => room.store.dispatch({ type: "view.set", values });

/** A button of the rail; the key of its act stands in its corner and in its tooltip. @param {Room} room @param {string} symbol @param {string} name @param {string} act @param {() => void} run @param {Record<string, any>} [more] */
const railButton = (room, symbol, name, act, run, more = {}) =>
  keyed(room.keymap, h("button", { class: "rail__button", type: "button", "aria-label": name, onclick: run, ...more }, icon(symbol)), act, name, "rail__key");

/** @param {HTMLElement} rail @param {Room} room */
export function makeRail(rail, room) {
  const groups = TOOL_GROUPS.map((group) => group.filter(({ more }) => !more).map((tool) => railButton(room, tool.symbol, word(tool.id), `tool-${tool.id}`, () => set(room, { tool: tool.id }), { class: tool.volumeOnly ? "rail__button volume-only" : "rail__button", dataset: { tool: tool.id, ...(DRAWING.has(tool.id) && { drawing: "" }) } })));
  const tools = groups.flat();
  const tooSmall = gettext("Open on a larger screen to draw");
  const noDrawing = h("button", { class: "rail__button rail__no-drawing volume-only", type: "button", "aria-label": tooSmall, title: tooSmall, onclick: () => toast(tooSmall) }, icon("pencil"));
  const invert = railButton(room, "contrast", gettext("Invert"), "invert", () => set(room, { inverted: !room.store.get().view.inverted }));
  const smooth = railButton(room, "blend", gettext("Smooth between voxels"), "smooth", () => set(room, { interpolated: !room.store.get().view.interpolated }), { dataset: { act: "interpolate" } });
  const reset = railButton(room, "rotate-ccw", gettext("Reset the view"), "reset", () => room.session?.reset(), { dataset: { act: "reset" } });
  fill(
    rail,
    groups.map((group, at) => [group, at === groups.length - 1 && noDrawing, h("span", { class: "rail__line" })]),
    invert,
    smooth,
    reset,
    h("span", { class: "rail__gap" }),
    railButton(room, "keyboard", gettext("Show all keys"), "sheet", () => room.showKeys()),
  );
  // A finger on a phone would paint over the neighbours: there one looks and measures.
  const keepOff = () => {
    if (!NARROW.matches || !DRAWING.has(room.store.get().view.tool)) return;
    set(room, { tool: "window" });
    toast(tooSmall);
  };
  room.store.watch((state) => state.view.tool, keepOff);
  NARROW.addEventListener("change", keepOff);
  room.store.watch((state) => state.view, (view) => {
    for (const button of tools) button.setAttribute("aria-pressed", String(button.dataset.tool === view.tool));
    invert.setAttribute("aria-pressed", String(view.inverted));
    smooth.setAttribute("aria-pressed", String(view.interpolated));
  });
}

/** @param {HTMLElement} bar @param {Room} room */
export function makeToolbar(bar, room) {
  const { store } = room;
  const presets = h("div", { class: "segmented", role: "group", "aria-label": gettext("Window") });
  const more = h("select", { class: "tool-select", "aria-label": gettext("More windows"), hidden: true, onchange: () => {
    const preset = store.get().view.presets.find((one) => one.id === more.value);
    more.value = "";
    if (preset) apply(preset);
  } });
  const linked = h("button", { class: "tool-toggle volume-only", type: "button", "aria-pressed": "true", title: gettext("Zoom and window go to all planes"), onclick: () => set(room, { linked: !store.get().view.linked }) },
    icon("link"), h("span", { class: "wide-only" }, gettext("Linked")));
  const outlines = h("button", { class: "tool-toggle volume-only", type: "button", "aria-pressed": "true", title: gettext("Outlines on the planes"), dataset: { act: "outlines" }, onclick: () => set(room, { outlines: !store.get().view.outlines }) },
    icon("square"), h("span", { class: "wide-only" }, gettext("Outline")));
  const fillRange = h("input", { class: "range", type: "range", min: "0", max: "60", step: "2", "aria-label": gettext("Fill of the outlines"), oninput: () => set(room, { fill: Number(fillRange.value) / 100 }) });
  const fillText = h("output", { class: "tool-value" });
  fill(
    bar,
    makeLayouts(room),
    presets,
    more,
    linked,
    h("span", { class: "tool-bar__gap" }),
    outlines,
    h("label", { class: "tool-range volume-only" }, h("span", {}, gettext("Fill")), fillRange, fillText),
    keyed(room.keymap, h("button", { class: "icon-button panel-button", type: "button", "aria-label": gettext("Panel"), onclick: () => room.togglePanel() }, icon("panel-right")), "panel", gettext("Panel")),
  );

  /** @param {{ width: number, level: number }} preset */
  const apply = ({ width, level }) => {
    const target = (room.beside?.target ?? room).store;
    const { active } = target.get().view;
    target.dispatch({ type: "view.window", plane: active === "surfaces" ? "axial" : active, window: { width, level } });
  };
  /** @type {any} */
  let shownFor;
  store.watch((state) => state.view, (view) => {
    linked.setAttribute("aria-pressed", String(view.linked));
    outlines.setAttribute("aria-pressed", String(view.outlines));
    fillRange.value = String(Math.round(view.fill * 100));
    fillText.textContent = percent(view.fill);
    const list = view.presets;
    if (shownFor !== list) {
      shownFor = list;
      fill(presets, list.filter((one) => one.key !== null).map((one) =>
        h("button", { type: "button", "aria-pressed": "false", dataset: { preset: one.id }, onclick: () => apply(one) }, word(one.id), h("span", { class: "segmented__key", "aria-hidden": "true" }, one.key))));
      const others = list.filter((one) => one.key === null);
      more.hidden = others.length === 0;
      fill(more, h("option", { value: "" }, gettext("More")), others.map((one) => h("option", { value: one.id }, word(one.id))));
    }
    const window = view.windows[view.active === "surfaces" ? "axial" : view.active];
    const chosen = window && list.find((one) => sameWindow(window, one));
    for (const button of presets.children) button.setAttribute("aria-pressed", String(button.dataset.preset === chosen?.id));
  });
}
