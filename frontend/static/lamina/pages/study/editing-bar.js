// Options of the editing tool in hand, in the middle of the tool bar, where the windows stand otherwise (their keys go on).

import { fill, h, icon } from "../../components/dom.js";
import { ml, mm, number, percent } from "../../components/format.js";
import { gettext, interpolate, known } from "../../i18n.js";

/** @import { Room } from "./room.js" */

/**
 * Few words beside each other, one of them chosen.
 * @param {string} label @param {[string, string, string?][]} choices  value, words, tooltip @param {(value: string) => void} choose
 */
function choice(label, choices, choose) {
  const buttons = choices.map(([value, text, title]) => h("button", { type: "button", dataset: { value }, title: title ?? null, "aria-pressed": "false", onclick: () => choose(value) }, text));
  return {
    element: h("div", { class: "segmented segmented--small", role: "group", "aria-label": label }, buttons),
    show: (/** @type {string} */ chosen) => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.value === chosen))),
  };
}

/** @type {any[]} */
const NONE = [];

/** @param {any} state */
const segmentsOf = ({ view, study }) => study.segmentations.find((/** @type {any} */ one) => one.id === view.segmentationId)?.segments ?? NONE;

/** @param {Room} room @param {{ accept: () => boolean, drop: () => boolean }} acts */
export function makeEditingBar(room, { accept, drop }) {
  const { store } = room;
  const set = (/** @type {Record<string, any>} */ values) => store.dispatch({ type: "edits.set", values });
  const swatch = h("span", { class: "swatch" });
  const segment = h("select", { class: "tool-select editing-bar__segment", "aria-label": gettext("Active segment"), onchange: () => set({ active: Number(segment.value) }) });
  const shape = choice(gettext("Shape of the brush"), [["disc", gettext("Disc"), gettext("Paints the shown slice only")], ["ball", gettext("Ball"), gettext("Paints through the slices")]], (value) => set({ shape: value }));
  const size = h("input", { class: "range", type: "range", min: "1", max: "60", step: "0.5", "aria-label": gettext("Size of the brush"), title: gettext("Size: [ and ], or Alt and wheel"), oninput: () => set({ size: Number(size.value) }) });
  const sizeText = h("output", { class: "tool-value" });
  const limited = h("input", { type: "checkbox", id: "edit-limited", onchange: () => set({ limited: limited.checked }) });
  const limit = (/** @type {"low" | "high"} */ which, /** @type {string} */ label) => h("input", { class: "input editing-bar__number", type: "number", step: "any", "aria-label": label, onchange: (/** @type {any} */ event) => {
    const value = event.target.valueAsNumber;
    if (Number.isFinite(value)) set({ [which]: value, limited: true });
  } });
  const low = limit("low", gettext("Lowest value"));
  const high = limit("high", gettext("Highest value"));
  const unit = h("span", { class: "second" });
  const limits = h("span", { class: "editing-bar__part" }, h("label", { class: "check", for: "edit-limited" }, limited, h("span", {}, gettext("Only"))), low, h("span", { class: "second" }, "–"), high, unit);
  const over = choice(gettext("Paint over"), [["all", gettext("Over all"), gettext("Other segments give way, locked ones stay")], ["empty", gettext("Empty only"), gettext("Other segments stay")]], (value) => set({ overwrite: value }));
  const erases = choice(gettext("Erase"), [["one", gettext("This segment")], ["all", gettext("All unlocked")]], (value) => set({ erases: value }));
  const cut = choice(gettext("Shape of the cut"), [["free", gettext("Freehand")], ["rectangle", gettext("Rectangle")]], (value) => set({ cut: value }));
  const reach = choice(gettext("Depth of the cut"), [["slice", gettext("This slice")], ["all", gettext("All slices")]], (value) => set({ reach: value }));
  const cutAct = choice(gettext("Act of the cut"), [["erase", gettext("Erase"), gettext("Erase inside")], ["outside", gettext("Keep"), gettext("Erase outside")], ["fill", gettext("Fill"), gettext("Fill inside")]], (value) => set({ cutAct: value }));
  const distance = h("input", { class: "input editing-bar__number", type: "number", min: "2", max: "200", step: "1", "aria-label": gettext("Reach, mm"), onchange: () => {
    const value = distance.valueAsNumber;
    if (value >= 2 && value <= 200) set({ growReach: value });
  } });
  const strict = h("input", { class: "range", type: "range", min: "0", max: "100", step: "5", "aria-label": gettext("Strictness: how much alike the voxels must be"), oninput: () => set({ strictness: Number(strict.value) / 100 }) });
  const strictText = h("output", { class: "tool-value" });
  const preview = h("span", { class: "editing-bar__part editing-bar__preview", role: "status" });
  const acceptButton = h("button", { class: "button button--small button--filled", type: "button", onclick: accept }, gettext("Accept"), h("span", { class: "key", "aria-hidden": "true" }, "⏎"));
  const dropButton = h("button", { class: "button button--small", type: "button", onclick: drop }, gettext("Cancel"), h("span", { class: "key", "aria-hidden": "true" }, "Esc"));

  const parts = {
    segment: h("label", { class: "editing-bar__part" }, swatch, segment),
    shape: shape.element,
    size: h("label", { class: "tool-range" }, h("span", { class: "wide-only" }, gettext("Size")), size, sizeText),
    limits,
    over: over.element,
    erases: erases.element,
    cut: cut.element,
    reach: reach.element,
    cutAct: cutAct.element,
    distance: h("label", { class: "editing-bar__part" }, h("span", { class: "second" }, gettext("Reach")), distance, h("span", { class: "second" }, "mm")),
    strict: h("label", { class: "tool-range" }, h("span", {}, gettext("Strict")), strict, strictText),
    preview,
  };
  /** @type {Record<string, (keyof typeof parts)[]>} */
  const SHOWN = {
    brush: ["segment", "shape", "size", "limits", "over"],
    eraser: ["segment", "shape", "size", "limits", "erases"],
    scissors: ["segment", "cut", "reach", "cutAct", "erases"],
    grow: ["segment", "distance", "strict", "limits", "over", "preview"],
  };
  const bar = h("div", { class: "editing-bar", role: "group", "aria-label": gettext("Options of the tool"), hidden: true }, Object.values(parts));
  document.querySelector("#tool-bar .tool-bar__gap")?.before(bar);

  store.watch((state) => state.view.tool, (tool) => {
    const wanted = SHOWN[tool];
    bar.hidden = !wanted || !room.editing?.mayEdit();
    for (const [name, element] of Object.entries(parts)) element.hidden = !wanted?.includes(/** @type {any} */ (name));
    drawEdits();
  });

  store.watch(segmentsOf, drawSegments);
  store.watch((state) => state.view.segments, drawSegments);
  store.watch((state) => state.edits, drawEdits);

  function drawSegments() {
    const { active } = store.get().edits;
    const list = segmentsOf(store.get());
    fill(segment, list.length === 0 ? h("option", { value: "" }, gettext("No segment")) : list.map((/** @type {any} */ one) => h("option", { value: String(one.number), ".selected": one.number === active }, known(one.label))));
    if (list.length > 0 && !list.some((/** @type {any} */ one) => one.number === active)) segment.value = "";
    swatch.style.setProperty("background-color", store.get().view.segments[active ?? -1]?.colour ?? "transparent");
  }

  function drawEdits() {
    const { edits, view } = store.get();
    const { session } = room;
    shape.show(edits.shape);
    over.show(edits.overwrite);
    erases.show(edits.erases);
    cut.show(edits.cut);
    reach.show(edits.reach);
    cutAct.show(edits.cutAct);
    if (view.tool === "scissors") parts.erases.hidden = edits.cutAct === "fill";
    size.value = String(edits.size);
    sizeText.textContent = session?.geometry?.spacingKnown === false ? interpolate(gettext("{count} voxels"), { count: number(edits.size, 1) }) : mm(edits.size);
    limited.checked = edits.limited;
    limits.toggleAttribute("data-off", !edits.limited);
    if (document.activeElement !== low) low.value = String(edits.low);
    if (document.activeElement !== high) high.value = String(edits.high);
    unit.textContent = session?.unit ?? "";
    if (document.activeElement !== distance) distance.value = String(edits.growReach);
    strict.value = String(Math.round(edits.strictness * 100));
    strictText.textContent = percent(edits.strictness);
    if (edits.active !== Number(segment.value)) drawSegments();
    const voxel = session?.geometry ? session.geometry.spacing.reduce((/** @type {number} */ product, /** @type {number} */ one) => product * one, 1) / 1000 : 0;
    // A proposal asks for an answer: what made it gives way, so that both buttons are in sight on a laptop.
    for (const name of /** @type {const} */ (["limits", "over"])) parts[name].hidden = !SHOWN[view.tool]?.includes(name) || Boolean(edits.preview);
    if (edits.preview) fill(preview, h("strong", {}, `+${ml(edits.preview.voxels * voxel)}`), acceptButton, dropButton);
    else if (edits.busy) fill(preview, icon("loader-circle"), edits.busy);
    else fill(preview, h("span", { class: "hint" }, gettext("Click inside what should grow.")));
  }
}
