// Segment editing on the study page: the desk of the shown labelmap, the acts of its keys, the ring under the pointer.

import { get, post } from "../../api/client.js";
import { nextSize } from "../../geometry/brush.js";
import { fillBetween } from "../../geometry/fill-between.js";
import { mmPerPixel } from "../../geometry/viewing.js";
import { countOf } from "../../geometry/spans.js";
import { decodeEffect } from "../../geometry/varints.js";
import { h, icon } from "../../components/dom.js";
import { toast } from "../../components/toast.js";
import { gettext, interpolate } from "../../i18n.js";
import { EDITING, readyDesk } from "../../tools/editing.js";
import { isClosed } from "../../state/case.js";
import { mayReplace } from "../../state/edits.js";
import { socket } from "../../state/socket.js";
import { EditDesk, sayWhy } from "./edit-desk.js";
import { makeEditingBar } from "./editing-bar.js";
import { newSegment } from "./editing-segments.js";
import { keyed } from "./key-words.js";
import { may } from "./room.js";
import { makeSavedState } from "./saved-state.js";
import { makeVersions } from "./versions.js";

/** @import { Point } from "../../geometry/vectors.js" */
/** @import { Surface2d } from "../../tools/tools.js" */
/** @import { Stroke } from "./edit-desk.js" */
/** @import { Room } from "./room.js" */

/** Ids of the tools that change segments. */
export const EDIT_TOOLS = new Set(EDITING.map(({ id }) => id));
/** Tools with a round brush. */
const ROUND = new Set(["brush", "eraser"]);
const SIZES = Object.freeze({ smallest: 1, largest: 100 });

/**
 * @typedef {object} Editing  what tools, list and bar ask of the room
 * @property {() => EditDesk | null} desk
 * @property {() => boolean} mayEdit
 * @property {(text: string) => void} say
 * @property {() => void} explain  why nothing can be drawn now
 * @property {(steps: number) => void} resize
 * @property {(point: Point) => Promise<void>} grow
 * @property {() => void} fillBetween
 * @property {() => Promise<EditDesk | null>} beginEmpty  a desk for a series without any result
 * @property {{ show: (surface: Surface2d, pixel: [number, number] | null) => void }} ring
 * @property {{ show: (name: string, pixels: [number, number][]) => void, hide: () => void }} line
 */

/** @param {Room} room */
export function makeEditing(room) {
  const { store } = room;
  const root = /** @type {HTMLElement} */ (document.querySelector("#study"));
  /** @type {EditDesk | null} */
  let desk = null;
  /** Someone waits for the desk of a segmentation that is being made. @type {((desk: EditDesk) => void)[]} */
  let expecting = [];
  /** Grown, shown, not yet accepted. @type {Stroke | null} */
  let grown = null;
  const view = () => store.get().view;
  const edits = () => store.get().edits;
  const set = (/** @type {Record<string, any>} */ values) => store.dispatch({ type: "edits.set", values });

  const mayEdit = () => {
    const { study } = store.get().study;
    return may(study.may, "annotate") && study.state !== "binned" && study.state !== "erased" && !isClosed(store.get().case.case);
  };
  const say = (/** @type {string} */ text) => void toast(text, { seconds: 5 });

  /** @type {Editing} */
  const editing = {
    desk: () => (mayEdit() ? desk : null),
    mayEdit,
    say,
    explain() {
      if (isClosed(store.get().case.case)) say(gettext("The read is closed: nothing can be drawn now."));
      else if (!mayEdit()) say(gettext("Drawing needs the reader role in this project."));
      else if (view().segmentationId) say(gettext("The outlines are still on their way."));
      else say(gettext("No segments yet. Make one: A"));
    },
    resize(steps) {
      set({ size: nextSize(edits().size, steps, SIZES.smallest, SIZES.largest) });
      ring.again();
    },
    grow,
    fillBetween: fillGaps,
    async beginEmpty() {
      const { session } = room;
      if (desk || session?.kind !== "volume") return desk;
      const made = await post(`/api/series/${session.series.id}/segmentations/`);
      const ready = new Promise((done) => expecting.push(done));
      room.wantedSegmentation = made.id;
      store.dispatch({ type: "segmentation.loaded", segmentation: made });
      return /** @type {Promise<EditDesk>} */ (ready);
    },
    ring: makeRing(room),
    line: { show: () => {}, hide: () => {} },
  };
  const ring = /** @type {ReturnType<typeof makeRing>} */ (editing.ring);
  room.editing = editing;

  room.onSession((session) => {
    if (session.kind !== "volume") return undefined;
    session.result.onLabels = (/** @type {any} */ segmentation, /** @type {number} */ seq) => {
      const mine = new EditDesk(room, session, segmentation, session.outlines, seq);
      desk = mine;
      session.desk = mine;
      const { active } = edits();
      set({ voxels: {}, locked: [], active: mine.segment(active) ? active : mine.segments[0]?.number ?? null });
      expecting.splice(0).forEach((done) => done(mine));
      return () => {
        drop();
        mine.close();
        if (desk === mine) desk = null;
        session.desk = null;
      };
    };
    session.result.onCopy = (/** @type {any} */ copy) => {
      if (!desk || copy.kind !== "edited") return false;
      desk.adopt(copy);
      return true;
    };
    const line = makeLine(session);
    editing.line = line;
    return () => line.remove();
  });

  // Events that are about voxels; rows are kept by the state's own reducer.
  room.onEvent((event) => (event.type === "study.loaded" ? void desk?.catchUp() : desk?.heard(event)));
  socket.onState((state) => {
    if (state === "live") desk?.sender.hurry();
  });
  window.addEventListener("online", () => desk?.sender.hurry());
  window.addEventListener("beforeunload", (event) => {
    if (desk && desk.sender.waiting > 0) event.preventDefault();
  });

  // --- acts ---------------------------------------------------------------------------------------------------

  /** Grow from a place: the server works it out, the reader accepts. @param {Point} point */
  async function grow(point) {
    const mine = readyDesk(room, true);
    if (!mine) return;
    drop();
    const { active, growReach, limited, low, high, strictness } = edits();
    const over = mayReplace(edits(), mine.segments.map(({ number }) => number), /** @type {number} */ (active));
    const prompt = { kind: "grow", segment: active, seeds_mm: [point], radius_mm: growReach, range: limited ? [Math.min(low, high), Math.max(low, high)] : null, strictness, over };
    try {
      const job = await mine.refine(prompt, gettext("grow"), gettext("Growing"), { preview: true });
      await mine.ended(job.id);
      const { effect } = await get(`${mine.address}previews/${job.id}/`);
      set({ busy: null });
      if (desk !== mine) return;
      const { spans } = decodeEffect(effect);
      if (countOf(spans) === 0) {
        say(gettext("Nothing grew from here. Choose a larger reach or a lower strictness."));
        return;
      }
      const stroke = mine.stroke(/** @type {number} */ (active), gettext("grow"), over);
      const voxels = stroke.draw(spans);
      grown = stroke;
      set({ preview: { number: active, voxels } });
    } catch (error) {
      set({ busy: null });
      sayWhy(error);
    }
  }

  /** Take what was grown away again. @returns {boolean} false: there was nothing */
  function drop() {
    if (!grown) return false;
    grown.cancel();
    grown = null;
    set({ preview: null });
    return true;
  }

  function accept() {
    if (!grown) return false;
    grown.end();
    grown = null;
    set({ preview: null });
    return true;
  }

  function fillGaps() {
    const mine = readyDesk(room, true);
    if (!mine || room.session?.kind !== "volume") return;
    const { active } = view();
    const name = active === "surfaces" ? "axial" : active;
    const { geometry, upright } = /** @type {any} */ (room.session);
    const number = /** @type {number} */ (edits().active);
    const spans = fillBetween(mine.labels.labels, geometry, upright[name], number);
    const changed = spans.length > 0 ? mine.apply(spans, number, gettext("fill between")) : 0;
    if (changed === 0) say(interpolate(gettext("{segment} has no gap between drawn slices in this plane."), { segment: mine.segment(number).label }));
  }

  /** Keys of tools a reader has no right to do nothing else either. */
  const guarded = Object.fromEntries([...EDIT_TOOLS].map((tool) => [`tool-${tool}`, () => {
    if (mayEdit()) return false;
    editing.explain();
    return true;
  }]));
  room.addActs({
    ...guarded,
    "fill-between": fillGaps,
    "segment-new": () => (mayEdit() ? void newSegment(room) : editing.explain()),
    "brush-smaller": () => (ROUND.has(view().tool) ? editing.resize(-1) : false),
    "brush-larger": () => (ROUND.has(view().tool) ? editing.resize(1) : false),
    accept,
    cancel: drop,
  });

  // Alt and wheel: the size of the brush, wherever the pointer is.
  room.grid.addEventListener("wheel", (event) => {
    if (!event.altKey || !ROUND.has(view().tool)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.deltaY !== 0) editing.resize(-Math.sign(event.deltaY));
  }, { capture: true, passive: false });

  store.watch((state) => `${state.view.tool} ${mayEdit()} ${state.study.study.state} ${state.case.case?.mine?.state}`, () => {
    const allowed = mayEdit();
    root.toggleAttribute("data-may-edit", allowed);
    const on = allowed && EDIT_TOOLS.has(view().tool);
    root.toggleAttribute("data-editing", on);
    ring.hide();
    if (!allowed && EDIT_TOOLS.has(view().tool)) store.dispatch({ type: "view.set", values: { tool: "window" } });
  });
  const scissors = document.querySelector('#rail [data-tool="scissors"]');
  scissors?.after(keyed(room.keymap, h("button", { class: "rail__button volume-only", type: "button", "aria-label": gettext("Fill between slices"), dataset: { act: "fill-between" }, onclick: fillGaps }, icon("layers")), "fill-between", gettext("Fill between slices"), "rail__key"));
  // The drawn-in segment may be gone: removed here or by another person.
  store.watch((state) => state.study.segmentations.find((/** @type {any} */ one) => one.id === state.view.segmentationId)?.segments, (segments) => {
    const { active } = edits();
    if (active !== null && segments && !segments.some((/** @type {any} */ one) => one.number === active)) set({ active: segments[0]?.number ?? null });
  });
  makeEditingBar(room, { accept, drop });
  makeSavedState(room);
  makeVersions(room);
}

/** The brush under the pointer. A page element, because moving it costs no drawing of the plane. @param {Room} room */
function makeRing(room) {
  const element = h("div", { class: "brush-ring", hidden: true, "aria-hidden": "true" });
  /** @type {[Surface2d, [number, number]] | null} */
  let at = null;
  const place = () => {
    element.hidden = !at;
    if (!at) return;
    const [surface, [x, y]] = at;
    const { size } = room.store.get().edits;
    const pixels = Math.max(2, size / mmPerPixel(/** @type {any} */ (surface.extent), surface.viewing(), surface.width, surface.height));
    element.style.setProperty("width", `${pixels}px`);
    element.style.setProperty("height", `${pixels}px`);
    element.style.setProperty("transform", `translate(${x - pixels / 2}px, ${y - pixels / 2}px)`);
  };
  return {
    /** @param {Surface2d} surface @param {[number, number] | null} pixel */
    show(surface, pixel) {
      at = pixel && room.editing?.mayEdit() ? [surface, pixel] : null;
      if (at && element.parentElement !== surface.element) surface.element.append(element);
      place();
    },
    again: place,
    hide() {
      at = null;
      place();
    },
  };
}

/** The line that scissors draw, over the plane. @param {any} session */
function makeLine(session) {
  /** @type {{ name: string, pixels: [number, number][] } | null} */
  let drawn = null;
  const redraw = () => session.invalidatePlanes();
  const remove = session.addOverlay((/** @type {CanvasRenderingContext2D} */ context, /** @type {any} */ pane) => {
    if (!drawn || drawn.name !== pane.name || drawn.pixels.length < 2) return;
    context.beginPath();
    drawn.pixels.forEach(([x, y], at) => (at === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
    context.closePath();
    context.lineWidth = 3.5;
    context.strokeStyle = "rgb(0 0 0 / 55%)";
    context.stroke();
    context.setLineDash([6, 4]);
    context.lineWidth = 1.5;
    context.strokeStyle = "#5AB0FF";
    context.stroke();
  });
  return {
    show(/** @type {string} */ name, /** @type {[number, number][]} */ pixels) {
      drawn = { name, pixels: pixels.slice() };
      redraw();
    },
    hide() {
      drawn = null;
      redraw();
    },
    remove,
  };
}
