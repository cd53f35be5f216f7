// What a signature covers and what speaks for it, in one look: outlines with their volumes and the agreement of the
// reads, a key image, and the checks that passed or did not.

import { get } from "../../../api/client.js";
import { h, icon } from "../../../components/dom.js";
import { dice, ml, mm, number } from "../../../components/format.js";
import { gettext, interpolate, known, ngettext } from "../../../i18n.js";

/** @import { Room } from "../room.js" */

/** Segments a glance takes in; the rest is counted. */
const SHOWN = 8;

/** @typedef {{ number: number, label: string, colour: string, volume_ml: number | null, dice: number | null }} Row */
/** @typedef {{ state: "good" | "open", text: string, value: string }} Check */

/** The worst Dice of any two reads, by segment number. @param {any[]} pairs  of GET agreement/ @returns {Map<number, number>} */
export function worstDice(pairs) {
  const worst = new Map();
  for (const { segments } of pairs) for (const one of segments ?? []) {
    if (typeof one.dice === "number") worst.set(one.number, Math.min(one.dice, worst.get(one.number) ?? 1));
  }
  return worst;
}

/** The largest of a measure over all pairs and segments, null of none. @param {any[]} pairs @param {string} measure @returns {number | null} */
const largest = (pairs, measure) =>
  pairs.flatMap(({ segments }) => (segments ?? []).map((/** @type {any} */ one) => one[measure])).filter((value) => typeof value === "number").reduce((most, value) => (most === null ? value : Math.max(most, value)), /** @type {number | null} */ (null));

/** How the reads stand to each other, as one check. @param {any} manifest @param {any[]} pairs @returns {Check | null} */
export function agreementCheck({ agreement }, pairs) {
  const found = agreement?.pairs ?? [];
  if (found.length === 0) return null;
  const overlap = [...worstDice(pairs).values()].reduce((least, value) => Math.min(least, value), Infinity);
  const far = largest(pairs, "hd95_mm");
  const value = [Number.isFinite(overlap) ? `Dice ${dice(overlap)}` : "", far === null ? "" : mm(far)].filter(Boolean).join(gettext(", "));
  const agree = found.every((/** @type {any} */ one) => one.is_within);
  if (agree) return { state: "good", text: gettext("The reads agree within the limits"), value };
  return { state: agreement.adjudicated ? "good" : "open", text: agreement.adjudicated ? gettext("The reads differed, the adjudicator decided") : gettext("The reads differ past the limits"), value };
}

/** Comments that were asked and are settled, and what is saved. @param {any} told  of GET approval/ @param {{ open: number, all: number }} comments @param {any[]} pairs @returns {Check[]} */
export function checksOf({ manifest, version }, { open, all }, pairs) {
  const agreement = agreementCheck(manifest, pairs);
  return [
    { state: open > 0 ? "open" : "good", text: open > 0 ? gettext("Comments are open") : gettext("Comments resolved"), value: all > 0 ? interpolate(gettext("{count} of {all}"), { count: number(all - open), all: number(all) }) : gettext("none") },
    ...(agreement ? [agreement] : []),
    { state: "good", text: gettext("Saved"), value: interpolate(gettext("version {version}, step {step}"), { version, step: number(manifest.segmentation.seq) }) },
  ];
}

/** @param {Check} check */
const line = ({ state, text, value }) =>
  h("li", { dataset: { check: state } }, icon(state === "good" ? "circle-check" : "triangle-alert", { class: state === "good" ? "is-good" : "is-caution", label: state === "good" ? gettext("passed") : gettext("look here") }), h("span", {}, text), h("span", {}, value));

/** @param {Room} room @param {any} told */
export function checkList(room, told, /** @type {any[]} */ pairs) {
  const { list } = room.store.get().threads;
  const open = list.filter((/** @type {any} */ one) => one.state === "open").length;
  return h("ul", { class: "lines sign__checks", role: "list" }, checksOf(told, { open, all: list.length }, pairs).map(line));
}

/** Signed segments with what the page knows of them. @param {any} manifest @param {any[]} segmentations @param {any[]} pairs @returns {Row[]} */
export function rowsOf({ segmentation }, segmentations, pairs) {
  const own = segmentations.find((one) => one.id === segmentation.id)?.segments ?? [];
  const worst = worstDice(pairs);
  return segmentation.segments.map((/** @type {any} */ one) => {
    const found = own.find((/** @type {any} */ row) => row.number === one.number);
    return { number: one.number, label: one.label, colour: found?.colour ?? "transparent", volume_ml: found?.volume_ml ?? null, dice: worst.get(one.number) ?? null };
  });
}

/** @param {Row} row */
function segment({ label, colour, volume_ml: volume, dice: overlap }) {
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.setProperty("background-color", colour);
  return h("tr", {}, h("th", { scope: "row" }, h("span", {}, swatch, known(label))), h("td", {}, ml(volume)), h("td", {}, overlap === null ? "" : `Dice ${dice(overlap)}`));
}

/** The newest key image of the case, as people kept it. @param {Room} room @returns {Promise<HTMLElement | null>} */
export async function keyImage(room) {
  /** @type {any[]} */
  const images = await get(`/api/studies/${room.store.get().study.study.id}/key-images/`).catch(() => []);
  const last = images.at(-1);
  if (!last) return null;
  const caption = interpolate(gettext("Key image {n} of {count}"), { n: number(images.length), count: number(images.length) });
  return h("figure", { class: "sign__image" }, h("img", { src: last.url, alt: caption, width: last.width, height: last.height }), h("figcaption", {}, caption));
}

/** Outlines, marks, images, algorithm. @param {Room} room @param {any} manifest @param {any[]} pairs */
export function covered(room, manifest, pairs) {
  const rows = rowsOf(manifest, room.store.get().study.segmentations, pairs);
  const { annotations, sources, algorithm, readings } = manifest;
  const rest = [
    rows.length > SHOWN && interpolate(ngettext("{count} more segment", "{count} more segments", rows.length - SHOWN), { count: number(rows.length - SHOWN) }),
    interpolate(ngettext("{count} measurement", "{count} measurements", annotations.length), { count: number(annotations.length) }),
    interpolate(ngettext("{count} series", "{count} series", sources.length), { count: number(sources.length) }),
    algorithm ? interpolate(gettext("algorithm {name}"), { name: `${algorithm.name} ${algorithm.version}` }) : gettext("no algorithm"),
    interpolate(gettext("reads {letters}"), { letters: readings.filter((/** @type {any} */ one) => one.kind === "first").map((/** @type {any} */ one) => one.letter).join(gettext(", ")) }),
  ].filter(Boolean).join(gettext(", "));
  return [
    h("div", { class: "sign__head" }, h("h3", {}, gettext("What you sign")), rows.some((row) => row.dice !== null) && h("span", { class: "second" }, gettext("between readers"))),
    rows.length > 0 ? h("table", { class: "covered" }, h("tbody", {}, rows.slice(0, SHOWN).map(segment))) : h("p", {}, gettext("No segment is outlined.")),
    h("p", { class: "second" }, rest),
  ];
}
