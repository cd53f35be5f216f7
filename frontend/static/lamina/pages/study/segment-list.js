// The segments of the shown result: colour, name, volume, eye; a chosen row opens colour, opacity and "centre".

import { fill, h, icon } from "../../components/dom.js";
import { ml, number, percent } from "../../components/format.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";
import { SEGMENT_COLOURS } from "./words.js";

/** @import { ViewState } from "../../state/view.js" */
/** @import { Room } from "./room.js" */

/** A volume, or voxels where the spacing is unknown. @param {any} segment */
export const sizeOf = (segment) =>
  segment.volume_ml === null || segment.volume_ml === undefined
    ? interpolate(ngettext("{count} voxel", "{count} voxels", segment.voxels), { count: number(segment.voxels) })
    : ml(segment.volume_ml);

/** Rows above which a search field helps. */
const SEARCH_FROM = 9;

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
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Segments")), count, h("span", { class: "section-head__gap" }), all), search, list);

  /** @type {number | null} */
  let opened = null;
  /** @type {Map<number, { row: HTMLElement, swatch: HTMLElement, eye: HTMLElement }>} */
  const rows = new Map();

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
      draw();
    }, ondblclick: () => room.session?.centreOn?.(no) }, swatch, h("span", {}, segment.label));
    const line = h("div", { class: "segment__line" }, name, h("span", { class: "segment__size" }, sizeOf(segment)), eye);
    const element = h("li", { class: "segment", dataset: { segment: String(no) }, onpointerenter: () => light(no), onpointerleave: () => light(null) }, line, opened === no && details(segment));
    rows.set(no, { row: element, swatch, eye });
    return element;
  }

  /** @param {any} segment */
  function details({ number: no, label, triangles }) {
    const look = store.get().view.segments[no];
    const text = h("output", { class: "tool-value" }, percent(look.opacity));
    const opacity = h("input", { class: "range", type: "range", min: "0", max: "100", step: "5", value: String(Math.round(look.opacity * 100)), "aria-label": interpolate(gettext("Opacity of {name} in 3D"), { name: label }), oninput: () => {
      store.dispatch({ type: "view.segment", number: no, look: { opacity: Number(opacity.value) / 100 } });
      text.textContent = percent(Number(opacity.value) / 100);
    } });
    const colours = SEGMENT_COLOURS.map((colour, at) => {
      const dot = h("button", { class: "colour-dot", type: "button", "aria-label": interpolate(gettext("Colour {number}"), { number: at + 1 }), "aria-pressed": String(look.colour.toUpperCase() === colour), onclick: () => {
        store.dispatch({ type: "view.segment", number: no, look: { colour } });
        draw();
      } });
      dot.style.setProperty("background-color", colour);
      return dot;
    });
    return h(
      "div",
      { class: "segment__details" },
      h("div", { class: "segment__colours", role: "group", "aria-label": gettext("Colour") }, colours),
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
    const segments = room.segmentation?.segments ?? [];
    rows.clear();
    search.hidden = segments.length < SEARCH_FROM;
    all.hidden = segments.length === 0;
    const wanted = search.hidden ? "" : search.value.trim().toLowerCase();
    const shown = segments.filter((/** @type {any} */ segment) => segment.label.toLowerCase().includes(wanted));
    count.textContent = segments.length ? number(segments.length) : "";
    const { view, study } = store.get();
    const picture = study.series.some((one) => one.id === view.seriesId && !one.volume);
    if (segments.length === 0) fill(list, h("li", { class: "section-empty" }, picture ? gettext("A picture without a volume has no segments.") : gettext("No segments yet. Start a reconstruction below.")));
    else if (shown.length === 0) fill(list, h("li", { class: "section-empty" }, gettext("No segment has this name.")));
    else fill(list, shown.map(row));
    paint(store.get().view);
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
  store.watch((state) => state.view, paint);
}
