// The segments of the shown result: colour, name, volume, eye. A chosen row becomes the active one, the one tools draw
// in, and opens colour, opacity, "centre" and, for who may edit, all that can be done to a segment.

import { fill, h, icon } from "../../components/dom.js";
import { ml, number, percent } from "../../components/format.js";
import { gettext, interpolate, known, ngettext } from "../../i18n.js";
import { colourDots, newSegment, segmentActs } from "./editing-segments.js";

/** @import { ViewState } from "../../state/view.js" */
/** @import { Room } from "./room.js" */

/** A volume, or voxels where the spacing is unknown. @param {any} segment */
export const sizeOf = (segment) =>
  segment.volume_ml === null || segment.volume_ml === undefined
    ? interpolate(ngettext("{count} voxel", "{count} voxels", segment.voxels), { count: number(segment.voxels) })
    : ml(segment.volume_ml);

/** The same from voxels counted here. @param {any} segment @param {number} voxels @param {any} geometry  of the volume, null where there is none */
export function sizeOfVoxels(segment, voxels, geometry) {
  if (!geometry?.spacingKnown) return sizeOf({ ...segment, volume_ml: null, voxels });
  const [k, j, i] = geometry.spacing;
  return ml((voxels * k * j * i) / 1000);
}

/** Rows above which a search field helps. */
const SEARCH_FROM = 9;

/** @type {any[]} */
const NONE = [];

/** @param {HTMLElement} section @param {Room} room */
export function makeSegmentList(section, room) {
  const { store } = room;
  const count = h("span", { class: "second" });
  const all = h("button", { class: "icon-button", type: "button", onclick: () => {
    const looks = Object.values(store.get().view.segments);
    store.dispatch({ type: "view.allSegments", look: { shown: !looks.some((look) => look.shown) } });
  } });
  const search = h("input", { class: "input segment-search", type: "search", placeholder: gettext("Find a segment"), "aria-label": gettext("Find a segment"), hidden: true, oninput: () => draw() });
  const list = h("ul", { class: "segments", role: "list" });
  const add = h("button", { class: "icon-button", type: "button", "aria-label": gettext("New segment"), title: `${gettext("New segment")} (A)`, dataset: { act: "segment-new" }, onclick: () => void newSegment(room) }, icon("plus"));
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Segments")), count, h("span", { class: "section-head__gap" }), all, add), search, list);

  /** @type {number | null} */
  let opened = null;
  /** @type {Map<number, { segment: any, row: HTMLElement, swatch: HTMLElement, eye: HTMLElement, size: HTMLElement, lock: HTMLElement, drawers: HTMLElement }>} */
  const rows = new Map();
  /** The state's own copy: a segment may have been renamed since the result was opened. @param {any} state */
  const segmentsOf = ({ view, study }) => study.segmentations.find((/** @type {any} */ one) => one.id === view.segmentationId)?.segments ?? NONE;

  /** @param {any} segment */
  function row(segment) {
    const { number: no } = segment;
    const swatch = h("span", { class: "swatch" });
    const eye = h("button", { class: "icon-button segment__eye", type: "button", onclick: (/** @type {Event} */ event) => {
      event.stopPropagation();
      store.dispatch({ type: "view.segment", number: no, look: { shown: !store.get().view.segments[no]?.shown } });
    } });
    const name = h("button", { class: "segment__name", type: "button", "aria-expanded": String(opened === no), title: segment.label, onclick: () => {
      opened = opened === no ? null : no;
      store.dispatch({ type: "edits.set", values: { active: no } });
      draw();
    }, ondblclick: () => room.session?.centreOn?.(no) }, swatch, h("span", {}, known(segment.label)));
    const size = h("span", { class: "segment__size" });
    const lock = h("span", { class: "segment__lock", hidden: true, title: gettext("Locked") }, icon("lock", { label: gettext("Locked") }));
    const drawers = h("span", { class: "segment__drawers", hidden: true });
    const line = h("div", { class: "segment__line" }, name, drawers, lock, size, eye);
    const element = h("li", { class: "segment", dataset: { segment: String(no) }, onpointerenter: () => light(no), onpointerleave: () => light(null) }, line, opened === no && details(segment));
    rows.set(no, { segment, row: element, swatch, eye, size, lock, drawers });
    return element;
  }

  /** @param {any} segment */
  function details(segment) {
    const { number: no, label, triangles } = segment;
    const look = store.get().view.segments[no];
    if (!look) return null;
    const text = h("output", { class: "tool-value" }, percent(look.opacity));
    const opacity = h("input", { class: "range", type: "range", min: "0", max: "100", step: "5", value: String(Math.round(look.opacity * 100)), "aria-label": interpolate(gettext("Opacity of {name} in 3D"), { name: label }), oninput: () => {
      store.dispatch({ type: "view.segment", number: no, look: { opacity: Number(opacity.value) / 100 } });
      text.textContent = percent(Number(opacity.value) / 100);
    } });
    const desk = room.editing?.desk();
    const colours = colourDots(look.colour, (colour) => {
      if (desk) void desk.send({ kind: "segment-change", name: desk.named(segment, gettext("colour")), payload: { number: no, colour } });
      store.dispatch({ type: "view.segment", number: no, look: { colour } });
    });
    return h(
      "div",
      { class: "segment__details" },
      desk && segmentActs(room, desk, segment, store.get().edits.locked.includes(no)),
      colours,
      h("label", { class: "tool-range" }, h("span", {}, gettext("Opacity")), opacity, text),
      h("div", { class: "segment__foot" },
        h("button", { class: "button button--small", type: "button", onclick: () => room.session?.centreOn?.(no) }, icon("focus"), gettext("Centre")),
        h("button", { class: "button button--small button--quiet", type: "button", onclick: () => only(no) }, gettext("Only this one")),
        triangles ? h("span", { class: "hint" }, interpolate(gettext("{count} triangles"), { count: number(triangles) })) : null),
    );
  }

  /** @param {number} no */
  function only(no) {
    store.dispatch({ type: "view.allSegments", look: { shown: false } });
    store.dispatch({ type: "view.segment", number: no, look: { shown: true, opacity: 1 } });
  }

  /** @param {number | null} no */
  function light(no) {
    const { lit, segments } = store.get().view;
    const wanted = no !== null && segments[no]?.shown ? no : null;
    if (wanted !== lit) store.dispatch({ type: "view.set", values: { lit: wanted } });
  }

  function draw() {
    const segments = segmentsOf(store.get());
    rows.clear();
    add.hidden = !room.editing?.mayEdit() || ["picture", "slices"].includes(room.session?.kind ?? "");
    search.hidden = segments.length < SEARCH_FROM;
    all.hidden = segments.length === 0;
    const wanted = search.hidden ? "" : search.value.trim().toLowerCase();
    const shown = segments.filter((/** @type {any} */ segment) => segment.label.toLowerCase().includes(wanted));
    count.textContent = segments.length ? number(segments.length) : "";
    const { view, study } = store.get();
    const picture = study.series.some((one) => one.id === view.seriesId && !one.volume);
    if (segments.length === 0) fill(list, h("li", { class: "section-empty" }, picture ? gettext("A picture without a volume has no segments.") : add.hidden ? gettext("No segments yet. Start a reconstruction below.") : gettext("No segments yet. Start a reconstruction below, or draw one: A")));
    else if (shown.length === 0) fill(list, h("li", { class: "section-empty" }, gettext("No segment has this name.")));
    else fill(list, shown.map(row));
    paint(store.get().view);
    paintEdits();
    paintDrawers();
  }

  /** Sizes while they change, the active row, locks. */
  function paintEdits() {
    const { edits } = store.get();
    for (const [no, { segment, row: element, size, lock }] of rows) {
      const voxels = edits.voxels[no];
      const text = voxels === undefined ? sizeOf(segment) : sizeOfVoxels(segment, voxels, room.session?.geometry);
      if (size.textContent !== text) size.textContent = text;
      element.toggleAttribute("data-active", edits.active === no && Boolean(room.editing?.desk()));
      lock.hidden = !edits.locked.includes(no);
    }
  }

  /** Who else draws in a segment just now: a word to the others, no lock. */
  function paintDrawers() {
    const drawing = store.get().together?.drawing ?? {};
    for (const [no, { drawers }] of rows) {
      const people = drawing[no] ?? [];
      drawers.hidden = people.length === 0;
      drawers.title = people.map((/** @type {any} */ one) => interpolate(gettext("{name} draws here"), { name: one.name })).join(", ");
      fill(drawers, people.length > 0 && icon("pencil"), people.map((/** @type {any} */ one) => one.name).join(", "));
      drawers.style.setProperty("--person", people[0]?.colour ?? "currentColor");
    }
  }

  /** @param {ViewState} view */
  function paint({ segments, lit }) {
    for (const [no, { row: element, swatch, eye }] of rows) {
      const look = segments[no];
      if (!look) continue;
      const label = element.querySelector(".segment__name span:last-child")?.textContent ?? "";
      swatch.style.setProperty("background-color", look.colour);
      element.toggleAttribute("data-lit", lit === no);
      element.toggleAttribute("data-hidden", !look.shown);
      if (eye.dataset.shown !== String(look.shown)) {
        eye.dataset.shown = String(look.shown);
        fill(eye, icon(look.shown ? "eye" : "eye-off"));
        eye.setAttribute("aria-label", interpolate(look.shown ? gettext("Hide {name}") : gettext("Show {name}"), { name: label }));
        eye.setAttribute("aria-pressed", String(look.shown));
      }
    }
    const any = Object.values(segments).some((look) => look.shown);
    if (all.dataset.shown !== String(any)) {
      all.dataset.shown = String(any);
      fill(all, icon(any ? "eye" : "eye-off"));
      all.setAttribute("aria-label", any ? gettext("Hide all segments") : gettext("Show all segments"));
      all.title = any ? gettext("Hide all segments") : gettext("Show all segments");
    }
  }

  store.watch((state) => `${state.view.seriesId} ${state.view.segmentationId}`, () => {
    opened = null;
    draw();
  });
  // What another person or an own act changed in the rows; sizes alone are painted, so that a field keeps its focus.
  store.watch(segmentsOf, (now, before) => {
    if (!before || !sameRows(now, before)) draw();
    else for (const segment of now) {
      const row = rows.get(segment.number);
      if (row) row.segment = segment;
    }
    paintEdits();
  });
  store.watch((state) => state.study.study.may, draw);
  store.watch((state) => state.edits?.locked, draw);
  store.watch((state) => state.edits, paintEdits);
  store.watch((state) => state.together?.drawing, paintDrawers);
  store.watch((state) => state.view, paint);
}

/** The same segments by the same names, types, colours, in the same order. @param {any[]} a @param {any[]} b */
const sameRows = (a, b) =>
  a.length === b.length && a.every((one, at) => one.number === b[at].number && one.label === b[at].label && one.colour === b[at].colour && one.type?.value === b[at].type?.value);
