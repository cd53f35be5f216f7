// The "Plane" menu of the tool bar: what is done to the active plane beyond window and zoom. Turn and mirror it, make
// it a slab, tilt it, play it.

import { fill, find, h, icon } from "../../components/dom.js";
import { mm, number } from "../../components/format.js";
import { turnAbout } from "../../geometry/oblique.js";
import { NO_SLAB } from "../../geometry/slab.js";
import { length, normalise, scale, subtract } from "../../geometry/vectors.js";
import { corners } from "../../geometry/volume.js";
import { gettext, interpolate } from "../../i18n.js";
import { makeCine } from "./cine.js";
import { floatBelow } from "./floating.js";
import { keyed } from "./key-words.js";
import { activePlane } from "./plane-turning.js";
import { word } from "./words.js";

/** @import { PlaneName } from "../../geometry/planes.js" */
/** @import { PlaneTurning } from "./plane-turning.js" */
/** @import { SlabMode } from "../../geometry/slab.js" */
/** @import { Room } from "./room.js" */
/** @import { ScreenTurn } from "./plane-turning.js" */

/** Degrees of one press on a tilt button. */
const TILT = 5;

/** @type {[string, ScreenTurn, string, () => string][]} */
const TURNS = [
  ["rotate-right", "right", "rotate-cw", () => gettext("Rotate right")],
  ["rotate-left", "left", "rotate-ccw", () => gettext("Rotate left")],
  ["flip-across", "across", "flip-horizontal", () => gettext("Flip left and right")],
  ["flip-along", "along", "flip-vertical", () => gettext("Flip up and down")],
];

/** The turning of the open series, or null over a picture. @param {Room} room @returns {PlaneTurning | null} */
const turningOf = (room) => /** @type {any} */ (room.session)?.turning ?? null;

/** @param {Room} room */
export function makePlaneMenu(room) {
  const acts = Object.fromEntries(TURNS.map(([act, turn]) => [act, () => turningOf(room)?.turn(activePlane(room), turn)]));
  room.addActs(acts);
  const name = h("strong", {});
  const turns = TURNS.map(([act, turn, symbol, words]) =>
    keyed(room.keymap, h("button", { class: "icon-button", type: "button", "aria-label": words(), dataset: { turn }, onclick: acts[act] }, icon(symbol)), act, words()));
  const slab = slabPart(room);
  const oblique = obliquePart(room);
  const cine = makeCine(room);
  const reset = h("button", { class: "button button--small", type: "button", dataset: { act: "plane-reset" }, onclick: () => resetPlane(room) }, icon("rotate-ccw"), gettext("Reset this plane"));
  const card = h("div", { class: "float-card plane-card", id: "plane-card", role: "group", "aria-label": gettext("Plane") },
    h("div", { class: "plane-card__head" }, name, h("div", { class: "plane-card__turns" }, turns)),
    slab.element, oblique.element, cine.element,
    h("div", { class: "plane-card__foot" }, reset));
  const button = h("button", { class: "tool-toggle volume-only", type: "button", dataset: { act: "plane-menu" }, title: gettext("Rotate, slab, oblique and cine of the active plane") },
    icon("sliders-horizontal"), h("span", { class: "wide-only" }, gettext("Plane")));
  find(".tool-bar__gap").before(button);
  floatBelow(button, card);

  const show = () => {
    const turning = turningOf(room);
    if (!turning?.state) return;
    const plane = activePlane(room);
    fill(name, word(plane));
    // Slices made by the server can be turned and played, not thickened or tilted.
    slab.element.hidden = oblique.element.hidden = room.session?.kind !== "volume";
    slab.show(plane);
    oblique.show(plane);
    const { turns: turned, tilts, slabs } = turning.state;
    const touched = Boolean(turned[plane] || tilts[plane] || slabs[plane]);
    /** @type {any} */ (reset).disabled = !touched;
    // On while something about a plane is not as the file has it, so that a forgotten mirror is in sight.
    button.setAttribute("aria-pressed", String([turned, tilts, slabs].some((one) => Object.keys(one).length > 0)));
  };
  room.store.watch((state) => state.planes, show);
  room.store.watch((state) => state.view.active, show);
  room.onSession(() => show());
}

/** The active plane as the volume has it; its zoom and window stay. @param {Room} room */
function resetPlane(room) {
  const turning = turningOf(room);
  if (!turning?.state) return;
  const plane = activePlane(room);
  const { [plane]: _, ...tilts } = turning.state.tilts;
  turning.setTilts(tilts);
  const { viewing } = room.store.get().view;
  room.store.dispatch({ type: "planes.turn", plane, turn: { turn: 0, mirrored: false } });
  room.store.dispatch({ type: "view.viewing", plane, viewing: { ...viewing[plane], pan: [0, 0] } });
  room.store.dispatch({ type: "planes.slab", planes: [plane], slab: NO_SLAB });
}

/** Thickness and what is shown of it. @param {Room} room */
function slabPart(room) {
  const set = (/** @type {{ mode?: SlabMode, mm?: number }} */ change) => {
    const turning = turningOf(room);
    const plane = activePlane(room);
    turning?.setSlab(plane, { mode: modeNow(plane), mm: 0, ...turning.state?.slabs[plane], ...change });
  };
  /** Chosen before there is a thickness. @type {SlabMode} */
  let waiting = "max";
  const modeNow = (/** @type {string} */ plane) => turningOf(room)?.state?.slabs[plane]?.mode ?? waiting;
  const modes = /** @type {SlabMode[]} */ (["max", "min", "mean"]).map((mode) =>
    h("button", { type: "button", "aria-pressed": "false", dataset: { slab: mode }, onclick: () => {
      waiting = mode;
      set({ mode });
      show(activePlane(room));
    } }, word(`slab-${mode}`)));
  const range = h("input", { class: "range", type: "range", min: "0", max: "100", step: "1", "aria-label": gettext("Slab thickness"), dataset: { act: "slab" }, oninput: () => set({ mm: Number(range.value) }) });
  const text = h("output", { class: "tool-value" });
  const element = h("div", { class: "plane-card__part" },
    h("div", { class: "plane-card__line" }, h("span", { class: "plane-card__name" }, gettext("Slab")), h("div", { class: "segmented segmented--small", role: "group", "aria-label": gettext("Slab shows") }, modes)),
    h("div", { class: "plane-card__line" }, range, text));
  /** @param {string} plane */
  function show(plane) {
    const slab = turningOf(room)?.state?.slabs[plane];
    for (const button of modes) button.setAttribute("aria-pressed", String(button.dataset.slab === modeNow(plane)));
    range.value = String(slab?.mm ?? 0);
    const samples = turningOf(room)?.slabOf(/** @type {PlaneName} */ (plane));
    text.textContent = slab ? mm(slab.mm) : gettext("one slice");
    text.title = samples ? interpolate(gettext("{count} samples, {step} apart"), { count: number(2 * samples.each + 1), step: mm(samples.step) }) : "";
  }
  room.onSession((session) => {
    if (session.kind !== "volume") return;
    const box = corners(session.geometry);
    range.max = String(Math.min(200, Math.round(length(subtract(box[7], box[0])) / 2)));
  });
  return { element, show };
}

/** Tilt by buttons, for whom dragging a grip is not the way; and back. @param {Room} room */
function obliquePart(room) {
  /** @param {"up" | "down" | "left" | "right"} way */
  const tilt = (way) => {
    const turning = turningOf(room);
    if (!turning) return;
    const name = activePlane(room);
    const plane = turning.planes[name];
    const axis = normalise(way === "up" || way === "down" ? plane.right : plane.down);
    turning.tilt([name], turnAbout(scale(axis, 1), way === "up" || way === "right" ? TILT : -TILT));
  };
  const button = (/** @type {string} */ symbol, /** @type {any} */ way, /** @type {string} */ words) =>
    h("button", { class: "icon-button", type: "button", title: words, "aria-label": words, dataset: { tilt: way }, onclick: () => tilt(way) }, icon(symbol));
  const angle = { angle: `${TILT}°` };
  const straight = h("button", { class: "button button--small", type: "button", dataset: { act: "straighten" }, onclick: () => turningOf(room)?.straighten() }, gettext("Straighten all"));
  const text = h("output", { class: "tool-value" });
  const element = h("div", { class: "plane-card__part" },
    h("div", { class: "plane-card__line" },
      h("span", { class: "plane-card__name" }, gettext("Oblique")),
      button("arrow-up", "up", interpolate(gettext("Tilt up by {angle}"), angle)),
      button("arrow-down", "down", interpolate(gettext("Tilt down by {angle}"), angle)),
      button("arrow-left", "left", interpolate(gettext("Tilt left by {angle}"), angle)),
      button("arrow-right", "right", interpolate(gettext("Tilt right by {angle}"), angle)),
      text, straight),
    h("p", { class: "second" }, gettext("With the crosshair, drag a ring on a line to turn the other planes.")));
  /** @param {string} plane */
  const show = (plane) => {
    const turning = turningOf(room);
    if (!turning) return;
    text.textContent = `${number(turning.degrees(/** @type {PlaneName} */ (plane)), 1)}°`;
    /** @type {any} */ (straight).disabled = !turning.tilted;
  };
  return { element, show };
}
