// The panel's part of a comparison: what is compared, the hot spots, agreement per segment, how far the colours reach.

import { fill, find, h, icon } from "../../../components/dom.js";
import { DASH, NARROW, dice, ml, mm, number } from "../../../components/format.js";
import { svg } from "../../../components/svg.js";
import { hexOf, rampAt } from "../../../geometry/distance.js";
import { csvOf, directionsOf, unionOf } from "../../../geometry/hotspots.js";
import { gettext, interpolate, known, ngettext } from "../../../i18n.js";
import { fileName, save } from "../snapshot.js";
import { makePicker } from "./picker.js";
import { directionText, furtherText, measureDefinitions } from "./words.js";

/** @import { Region } from "../../../geometry/hotspots.js" */
/** @import { Room } from "../room.js" */
/** @import { CompareDesk } from "./desk.js" */

const BINS = 21;
/** More rows than these are told as a number. */
const MOST_ROWS = 30;

/** @param {number | null} value */
const signedPercent = (value) => (value === null ? "" : `${value > 0 ? "+" : ""}${number(value, 1)}${NARROW}%`);

/** @param {Room} room @param {CompareDesk} desk */
export function makePanel(room, desk) {
  const section = find("#compare");
  const picker = makePicker(room, desk);
  const count = h("span", { class: "second" });
  const state = h("p", { class: "compare__state", role: "status", hidden: true });
  const heading = h("h3", { class: "compare__title" });
  const list = h("ol", { class: "spots", role: "list" });
  const table = h("div", { class: "compare__table" });
  const chart = h("div", { class: "compare__chart" });
  const range = h("input", { class: "range", type: "range", min: "1", max: "30", step: "0.5", "aria-label": gettext("Range of the colours"), oninput: () => desk.set({ range: Number(range.value) }) });
  const rangeText = h("output", { class: "tool-value" });
  const from = h("input", { class: "range", type: "range", min: "0", max: "15", step: "0.5", "aria-label": gettext("Hot spot from"), oninput: () => desk.set({ from: Number(from.value) }) });
  const fromText = h("output", { class: "tool-value" });
  const csv = h("button", { class: "button button--small", type: "button", onclick: () => {
    const text = csvOf(desk.comparison, gettext("Not for clinical use"));
    save(new Blob([text], { type: "text/csv" }), fileName(room, gettext("distances"), ".csv"));
  } }, icon("download"), gettext("Distances as CSV"));
  const toggle = h("button", { class: "button button--small", type: "button", dataset: { act: "compare-toggle" }, onclick: () => {
    if (desk.part.open) desk.hide();
    else void desk.open();
  } });
  const body = h("div", { class: "compare__body", hidden: true },
    heading, list, table, chart,
    h("div", { class: "compare__ranges" },
      h("label", { class: "tool-range" }, h("span", {}, gettext("Range")), range, rangeText),
      h("label", { class: "tool-range" }, h("span", {}, gettext("Hot spot from")), from, fromText)),
    h("div", { class: "compare__foot" }, csv, toggle));
  const details = h("details", { class: "foldable", ontoggle: () => details.open && void picker.more() }, h("summary", { class: "section-head" }, h("h2", {}, gettext("Compare")), count, icon("chevron-down", { class: "section-head__arrow" })), picker.form, state, body);
  fill(section, details);

  /** A case's own list has the same places, to decide on: this one stays folded and does not draw the eye away. */
  const isListedAbove = () => ["#case-places", "#adjudication"].some((id) => !find(id).hidden);

  /** @param {Region} region @param {number[] | null} bounds */
  function row(region, bounds) {
    const { part, roles } = desk;
    const chosen = part.chosen === region.n;
    const size = Math.abs(region.max_mm ?? part.range);
    const bar = h("span", { class: "spot__bar", "aria-hidden": "true" }, h("span", {}));
    const inner = /** @type {HTMLElement} */ (bar.firstChild);
    inner.style.setProperty("width", `${Math.min(100, (size / Math.max(...desk.spots.map(({ max_mm: one }) => Math.abs(one ?? 0)), 0.1)) * 100).toFixed(0)}%`);
    inner.style.setProperty("background-color", hexOf(rampAt(region.side === "b_only" ? 0.8 : -0.8)));
    const where = bounds && region.middle_mm ? directionText(directionsOf(region.middle_mm, bounds)) : "";
    const many = (desk.comparison?.result.segments.length ?? 0) > 1;
    return h("li", {}, h("button", { class: "spot", type: "button", dataset: { spot: String(region.n) }, "aria-current": chosen ? "true" : null, onclick: () => desk.goTo(region.n) },
      h("span", { class: "spot__n" }, region.n),
      h("span", { class: "spot__text" }, h("strong", {}, [many && known(region.label), where].filter(Boolean).join(" · ")), h("span", { class: "spot__side" }, furtherText(region, roles)), bar),
      h("span", { class: "spot__size" }, h("b", {}, region.max_mm === null ? DASH : mm(Math.abs(region.max_mm))), h("span", {}, ml(region.volume_ml)))));
  }

  function drawList() {
    const { part, spots, comparison } = desk;
    const left = comparison.result.regions_left_out;
    heading.textContent = part.from > 0
      ? interpolate(ngettext("{count} hot spot over {size}", "{count} hot spots over {size}", spots.length), { count: number(spots.length), size: mm(part.from) })
      : interpolate(ngettext("{count} place that differs", "{count} places that differ", spots.length), { count: number(spots.length) });
    const boxes = new Map(comparison.result.segments.map((/** @type {any} */ one) => [one.number,
      desk.painted[part.side]?.boundsOf(one.number) ?? unionOf(comparison.result.regions.filter((/** @type {Region} */ region) => region.number === one.number).map((/** @type {Region} */ region) => region.bounds_mm))]));
    const shown = spots.slice(0, MOST_ROWS);
    const more = spots.length - shown.length + (part.from === 0 ? left : 0);
    fill(list, shown.map((region) => row(region, boxes.get(region.number) ?? null)),
      more > 0 && h("li", { class: "section-empty" }, interpolate(gettext("and {count} smaller ones"), { count: number(more) })),
      spots.length === 0 && h("li", { class: "section-empty" }, gettext("No place is that far apart.")));
    if (!isListedAbove()) list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }

  function drawTable() {
    const { comparison, part, roles } = desk;
    const { segments } = comparison.result;
    const definitions = measureDefinitions();
    const one = segments.find((/** @type {any} */ segment) => segment.number === part.segment) ?? segments[0];
    const name = (/** @type {string} */ text, /** @type {string} */ title = "") => h("dt", { title }, text);
    const line = (/** @type {string} */ measure, /** @type {any} */ term, /** @type {string} */ value, /** @type {string} */ beside = "") => h("div", { class: "measure", dataset: { measure } }, term, h("dd", {}, value), h("dd", { class: "second" }, beside));
    const pick = segments.length > 1 && h("select", { class: "select", "aria-label": gettext("Segment"), onchange: (/** @type {any} */ event) => desk.set({ segment: event.target.value ? Number(event.target.value) : null }) },
      h("option", { value: "", ".selected": part.segment === null }, gettext("All segments")),
      segments.map((/** @type {any} */ segment) => h("option", { value: String(segment.number), ".selected": segment.number === part.segment }, `${known(segment.label)} · Dice ${dice(segment.dice)}`)));
    fill(table, h("h3", {}, gettext("Agreement")), pick,
      h("dl", { dataset: { segment: String(one.number) } },
        line("dice", name("Dice", definitions.dice), dice(one.dice)),
        line("hd95", name(gettext("Surface distance, 95\u202f%"), definitions.hd95), mm(one.hd95_mm)),
        line("assd", name(gettext("Mean surface distance"), definitions.assd), mm(one.assd_mm)),
        line("max", name(gettext("Largest distance"), definitions.max), mm(one.max_mm)),
        line("volume-a", name(interpolate(gettext("Volume, {who}"), { who: roles.a.name })), ml(one.volume_a_ml)),
        line("volume-b", name(interpolate(gettext("Volume, {who}"), { who: roles.b.name })), ml(one.volume_b_ml), signedPercent(one.volume_difference_percent))),
      comparison.unpaired.length > 0 && h("p", { class: "hint" }, interpolate(gettext("Only in one of both, not compared: {names}"), { names: comparison.unpaired.map((/** @type {any} */ segment) => known(segment.label)).join(gettext(", ")) })));
  }

  function drawChart() {
    const { part } = desk;
    const painted = desk.painted[part.side];
    const number_ = part.segment ?? desk.comparison.result.segments[0]?.number;
    const shares = painted?.sharesOf(number_, part.range, BINS, desk.sign) ?? null;
    chart.hidden = !shares;
    if (!shares) return;
    // Square roots: most of any surface lies near zero, and the rest is what one looks for.
    const tallest = Math.sqrt(Math.max(...shares));
    const bars = [...shares].map((share, at) => {
      const high = share > 0 ? Math.max(1, (Math.sqrt(share) / tallest) * 46) : 0;
      return svg("rect", { x: at * 10 + 0.5, y: 48 - high, width: 9, height: high, fill: hexOf(rampAt(((at + 0.5) / BINS) * 2 - 1)) });
    });
    const picture = svg("svg", { viewBox: "0 0 210 48", preserveAspectRatio: "none", "aria-hidden": "true" }, bars);
    fill(chart, h("h3", {}, gettext("Share of the surface by distance"), h("span", { class: "second" }, " · ", gettext("square-root scale"))), picture,
      h("div", { class: "compare__axis", "aria-hidden": "true" }, [-part.range, 0, part.range].map((value) => h("span", {}, value === 0 ? "0" : `${value > 0 ? "+" : ""}${number(value, Number.isInteger(value) ? 0 : 1)}${NARROW}mm`))));
  }

  function draw() {
    const { part } = desk;
    const { comparison } = part;
    section.hidden = room.session?.kind !== "volume" || (picker.count() < 2 && !comparison);
    picker.draw();
    const done = Boolean(comparison?.result);
    body.hidden = !done;
    const words = { queued: gettext("Comparing: waiting for a place"), running: gettext("Comparing"), failed: gettext("The comparison failed"), cancelled: gettext("The comparison was cancelled") };
    state.hidden = !comparison || done;
    state.textContent = comparison && !done ? [words[/** @type {"queued"} */ (comparison.state)], comparison.error?.message].filter(Boolean).join(". ") : "";
    count.textContent = done ? number(desk.spots.length) : "";
    if (!done) return;
    range.value = String(part.range);
    rangeText.textContent = `± ${mm(part.range)}`;
    from.value = String(part.from);
    fromText.textContent = mm(part.from);
    toggle.textContent = part.open ? gettext("Close the comparison") : gettext("Show again");
    drawList();
    drawTable();
    drawChart();
  }

  room.store.watch((state_) => state_.compare, (part, before) => {
    if (part.open && !before?.open && !isListedAbove()) details.open = true;
    draw();
  });
  room.store.watch((state_) => state_.study.segmentations, draw);
  room.store.watch((state_) => state_.view.segmentationId, draw);
  room.onSession(() => {
    draw();
    return draw;
  });
  return { draw };
}
