// What a reader may do to a whole segment: make one, name it, code it, lock, merge, move, refine, delete. Parts of the
// segment list's opened row, and the dialog of a new segment.

import { get } from "../../api/client.js";
import { confirmDialog, openDialog } from "../../components/dialog.js";
import { h, icon } from "../../components/dom.js";
import { gettext, interpolate, known } from "../../i18n.js";
import { sayWhy } from "./edit-desk.js";
import { SEGMENT_COLOURS } from "./words.js";

/** @import { EditDesk } from "./edit-desk.js" */
/** @import { Room } from "./room.js" */

/** @typedef {{ value: string, scheme: string, meaning: string }} Code */
/** @typedef {{ category: Code, type: Code, colour?: string }} SegmentType */

/** What a segment is until somebody says more: SNOMED CT, as DICOM CID 7150 and 7166 have it. @type {SegmentType} */
const PLAIN = {
  category: { value: "85756007", scheme: "SCT", meaning: "Tissue" },
  type: { value: "85756007", scheme: "SCT", meaning: "Tissue" },
};

/** @type {Promise<SegmentType[]> | null} */
let types = null;
/** The coded list, asked for once. @returns {Promise<SegmentType[]>} */
const segmentTypes = () => (types ??= get("/api/segment-types/").catch(() => {
  types = null;
  return [];
}));

/** A field for a coded type: what is written is looked up by its meaning. @param {string} value @param {(type: SegmentType) => void} choose */
function typeField(value, choose) {
  const id = `types-${Math.random().toString(36).slice(2)}`;
  const list = h("datalist", { id });
  const field = h("input", { class: "input", list: id, value, autocomplete: "off", "aria-label": gettext("Type"), placeholder: gettext("Type, for instance Kidney"), onchange: async () => {
    const wanted = field.value.trim().toLowerCase();
    const found = (await segmentTypes()).find(({ type }) => type.meaning.toLowerCase() === wanted);
    if (found) choose(found);
    else if (wanted) field.value = value;
  }, onfocus: async () => {
    if (list.childElementCount === 0) list.append(...(await segmentTypes()).map(({ type, category }) => h("option", { value: type.meaning, label: category.meaning })));
  } });
  return h("span", { class: "segment__type" }, field, list);
}

/** Twelve colours, one chosen. @param {string} chosen @param {(colour: string) => void} choose */
export function colourDots(chosen, choose) {
  const dots = SEGMENT_COLOURS.map((colour, at) => {
    const dot = h("button", { class: "colour-dot", type: "button", "aria-label": interpolate(gettext("Colour {number}"), { number: at + 1 }), "aria-pressed": String(chosen.toUpperCase() === colour), onclick: () => {
      for (const other of dots) other.setAttribute("aria-pressed", String(other === dot));
      choose(colour);
    } });
    dot.style.setProperty("background-color", colour);
    return dot;
  });
  return h("div", { class: "segment__colours", role: "group", "aria-label": gettext("Colour") }, dots);
}

/** The first of the twelve that no segment has. @param {any[]} segments */
export const freeColour = (segments) => SEGMENT_COLOURS.find((colour) => !segments.some((one) => one.colour.toUpperCase() === colour)) ?? SEGMENT_COLOURS[segments.length % 12];

/** Ask for name, type and colour of a new segment, make it, draw in it. @param {Room} room */
export async function newSegment(room) {
  if (room.session?.kind !== "volume") return;
  const segments = room.segmentation?.segments ?? [];
  let colour = freeColour(segments);
  let coded = PLAIN;
  const named = (/** @type {any} */ event) => event.target.value.trim();
  const name = h("input", { class: "input", type: "text", maxlength: "64", required: true, "aria-label": gettext("Name"), value: interpolate(gettext("Segment {number}"), { number: segments.length + 1 }), onfocus: (/** @type {any} */ event) => event.target.select() });
  let own = false;
  name.addEventListener("input", (/** @type {any} */ event) => (own = named(event) !== ""));
  const dots = h("div", {});
  const showDots = () => dots.replaceChildren(colourDots(colour, (one) => (colour = one)));
  const body = h("div", { class: "form" },
    h("label", { class: "field" }, h("span", { class: "field__label" }, gettext("Name")), name),
    h("label", { class: "field" }, h("span", { class: "field__label" }, gettext("Type")), typeField("", (one) => {
      coded = one;
      if (!own) name.value = one.type.meaning;
      if (one.colour && SEGMENT_COLOURS.includes(one.colour.toUpperCase()) && !segments.some((/** @type {any} */ other) => other.colour.toUpperCase() === one.colour?.toUpperCase())) colour = one.colour.toUpperCase();
      showDots();
    }), h("span", { class: "hint" }, gettext("SNOMED CT. It goes into every export."))),
    h("div", { class: "field" }, h("span", { class: "field__label" }, gettext("Colour")), dots));
  showDots();
  const made = await openDialog({ title: gettext("New segment"), body, acts: [{ text: gettext("Make the segment"), kind: "filled", run: async (close) => {
    const label = name.value.trim();
    if (!label) throw new Error(gettext("Give the segment a name."));
    const desk = room.editing?.desk() ?? (await room.editing?.beginEmpty());
    if (!desk) throw new Error(gettext("The outlines are still on their way."));
    const answer = await desk.send({ kind: "segment-add", name: interpolate(gettext("New segment {name}"), { name: label }), payload: { label, colour, category: coded.category, type: coded.type } });
    close(answer?.operation.number ?? null);
  } }] });
  if (typeof made !== "number") return;
  room.store.dispatch({ type: "edits.set", values: { active: made } });
  if (!["brush", "scissors", "grow"].includes(room.store.get().view.tool)) room.store.dispatch({ type: "view.set", values: { tool: "brush" } });
}

/** A small button with a symbol and a word. @param {string} symbol @param {string} text @param {() => void} run @param {Record<string, any>} [more] */
const small = (symbol, text, run, more = {}) => h("button", { class: "button button--small button--quiet", type: "button", onclick: run, ...more }, icon(symbol), text);

/** The editing part of an opened row. @param {Room} room @param {EditDesk} desk @param {any} segment @param {boolean} locked */
export function segmentActs(room, desk, segment, locked) {
  const { number: no, label } = segment;
  const change = (/** @type {any} */ values, /** @type {string} */ act) => void desk.send({ kind: "segment-change", name: desk.named(segment, act), payload: { number: no, ...values } });
  const name = h("input", { class: "input", value: label, maxlength: "64", "aria-label": interpolate(gettext("Name of {name}"), { name: label }), onchange: () => {
    const wanted = name.value.trim();
    if (wanted && wanted !== label) change({ label: wanted }, gettext("renamed"));
    else name.value = label;
  } });
  const others = desk.segments.filter((one) => one.number !== no);
  const merge = h("select", { class: "select select--small", "aria-label": interpolate(gettext("Merge {name} into"), { name: label }), disabled: locked, onchange: () => {
    const into = Number(merge.value);
    merge.value = "";
    void desk.send({ kind: "segment-merge", name: desk.named(segment, gettext("merged")), payload: { number: no, into } }).then(() => room.store.dispatch({ type: "edits.set", values: { active: into } }), () => {});
  } }, h("option", { value: "" }, gettext("Merge into")), others.map((one) => h("option", { value: String(one.number) }, known(one.label))));
  const move = (/** @type {number} */ by) => {
    const numbers = desk.segments.map((one) => one.number);
    const at = numbers.indexOf(no);
    if (at + by < 0 || at + by >= numbers.length) return;
    numbers.splice(at, 1);
    numbers.splice(at + by, 0, no);
    void desk.send({ kind: "segment-order", name: desk.named(segment, gettext("moved in the list")), payload: { numbers } });
  };
  const remove = () => confirmDialog({
    title: interpolate(gettext("Delete {name}?"), { name: label }),
    note: gettext("Its voxels become empty. Undo brings it back."),
    act: gettext("Delete the segment"),
    kind: "bad",
    run: () => desk.send({ kind: "segment-remove", name: interpolate(gettext("Deleted {name}"), { name: label }), payload: { number: no } }),
  });
  return h("div", { class: "segment__edit" },
    h("div", { class: "segment__pair" }, name, typeField(segment.type?.meaning ?? "", ({ category, type }) => change({ category, type }, gettext("type")))),
    refineRow(room, desk, segment, locked),
    h("div", { class: "segment__foot" },
      small(locked ? "lock" : "lock-open", locked ? gettext("Unlock") : gettext("Lock"), () => room.store.dispatch({ type: "edits.lock", number: no, locked: !locked }), { "aria-pressed": String(locked) }),
      h("button", { class: "icon-button", type: "button", "aria-label": gettext("Move up"), title: gettext("Move up"), onclick: () => move(-1) }, icon("arrow-up")),
      h("button", { class: "icon-button", type: "button", "aria-label": gettext("Move down"), title: gettext("Move down"), onclick: () => move(1) }, icon("arrow-down")),
      others.length > 0 && merge,
      h("button", { class: "icon-button segment__delete", type: "button", "aria-label": interpolate(gettext("Delete {name}"), { name: label }), title: gettext("Delete the segment"), disabled: locked, onclick: remove }, icon("trash-2"))));
}

/** What the server's engine can do to a segment, with its one number. @param {Room} room @param {EditDesk} desk @param {any} segment @param {boolean} locked */
function refineRow(room, desk, segment, locked) {
  const { number: no } = segment;
  /** @type {Record<string, { words: string, step: string, busy: string, unit?: string, value?: number, least?: number, most?: number, prompt: (value: number) => any }>} */
  const KINDS = {
    smooth: { words: gettext("Smooth"), step: gettext("smooth"), busy: gettext("Smoothing"), unit: "mm", value: 1.5, least: 0.5, most: 10, prompt: (mm) => ({ kind: "smooth", mm }) },
    expand: { words: gettext("Grow by"), step: gettext("grow by a margin"), busy: gettext("Growing"), unit: "mm", value: 2, least: 0.5, most: 30, prompt: (mm) => ({ kind: "margin", mm, range: null, over: [0] }) },
    shrink: { words: gettext("Shrink by"), step: gettext("shrink by a margin"), busy: gettext("Shrinking"), unit: "mm", value: 2, least: 0.5, most: 30, prompt: (mm) => ({ kind: "margin", mm: -mm, range: null, over: [0] }) },
    largest: { words: gettext("Keep the largest island"), step: gettext("largest island"), busy: gettext("Finding islands"), prompt: () => ({ kind: "islands", keep: "largest" }) },
    specks: { words: gettext("Remove islands below"), step: gettext("small islands"), busy: gettext("Finding islands"), unit: gettext("voxels"), value: 100, least: 2, most: 1e6, prompt: (voxels) => ({ kind: "islands", keep: "at-least", voxels: Math.round(voxels) }) },
    holes: { words: gettext("Fill holes"), step: gettext("fill holes"), busy: gettext("Filling holes"), prompt: () => ({ kind: "fill-holes" }) },
    split: { words: gettext("Split into islands"), step: gettext("split into islands"), busy: gettext("Finding islands"), prompt: () => ({ kind: "split" }) },
  };
  const value = h("input", { class: "input editing-bar__number", type: "number", step: "any", "aria-label": gettext("Amount") });
  const unit = h("span", { class: "second" });
  const kind = h("select", { class: "select select--small", "aria-label": interpolate(gettext("Refine {name}"), { name: segment.label }), onchange: () => show() },
    Object.entries(KINDS).map(([id, { words }]) => h("option", { value: id }, words)));
  const show = () => {
    const { value: start, unit: text = "", least, most } = KINDS[kind.value];
    value.hidden = start === undefined;
    value.value = String(start ?? "");
    if (least !== undefined) value.min = String(least);
    if (most !== undefined) value.max = String(most);
    unit.textContent = text;
  };
  show();
  const run = () => {
    const { prompt, step, busy, value: start, least = 0, most = 0 } = KINDS[kind.value];
    const amount = start === undefined ? 0 : Math.min(most, Math.max(least, value.valueAsNumber || start));
    desk.refine({ segment: no, ...prompt(amount) }, step, busy).catch(sayWhy);
  };
  return h("div", { class: "segment__pair segment__refine" }, kind, value, unit, h("button", { class: "button button--small", type: "button", disabled: locked, onclick: run }, gettext("Do it")));
}
