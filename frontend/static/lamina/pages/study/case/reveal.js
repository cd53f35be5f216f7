// After the commit: the places where the first read and the algorithm differ, largest first, each to be decided; the
// measures of every segment beside the project's limits; both reads with time and hash.

import { fill, h, icon } from "../../../components/dom.js";
import { dice, ml, mm, number } from "../../../components/format.js";
import { toast, toastError } from "../../../components/toast.js";
import { gettext, interpolate, known, ngettext } from "../../../i18n.js";
import { isReader, judged, volumesApart, placeBeside } from "../../../state/case.js";
import { placeCard } from "./place-card.js";

/** @import { Place } from "../../../state/case.js" */
/** @import { Room } from "../room.js" */
/** @import { CaseDesk } from "./desk.js" */

/** "14:06:31" in the person's zone, the whole time in the tooltip. @param {string} iso */
const timeOf = (iso) =>
  h("time", { datetime: iso, title: iso }, new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: document.documentElement.dataset.timeZone || undefined }).format(new Date(iso)));

/** The first eight of a hash, as people compare them. @param {string} digest */
const short = (digest) => (digest ? h("code", { title: digest }, `${digest.slice(0, 4)} ${digest.slice(4, 8)}`) : null);

/** Signed percent of a difference in volume. @param {number | null} value */
const signed = (value) => (value === null || value === undefined ? "" : `${value > 0 ? "+" : ""}${number(value, 1)}\u202f%`);

/**
 * Measures of one segment with the limit beside the number it judges.
 * @param {any} segment @param {any} protocol @param {{ a: string, b: string }} names  whose volumes
 */
export function measures(segment, protocol, names) {
  const beside = (/** @type {"good" | "bad" | null} */ verdict, /** @type {string} */ passed, /** @type {string} */ failed) =>
    h("dd", { class: verdict === "good" ? "is-good" : verdict === "bad" ? "is-bad" : "second" }, verdict === "good" ? passed : verdict === "bad" ? failed : "");
  const row = (/** @type {string} */ name, /** @type {string} */ value, /** @type {any} */ limit, /** @type {string} */ title = "", /** @type {string} */ measure = "") =>
    h("div", { class: "measure", title, dataset: { measure } }, h("dt", {}, name), h("dd", {}, value), limit ?? h("dd", {}));
  const overlap = judged("dice", segment.dice, protocol?.dice_limit);
  const far = judged("hd95_mm", segment.hd95_mm, protocol?.hd95_limit_mm);
  const size = judged("volume_difference_percent", volumesApart(segment), protocol?.volume_limit_percent);
  const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
  swatch.style.setProperty("background-color", segment.colour ?? "#AEB8C4");
  const limit = (/** @type {string} */ text) => ({ limit: text });
  return h("section", { class: "measures", dataset: { segment: String(segment.number) } },
    h("h3", {}, swatch, known(segment.label)),
    h("dl", {},
      row("Dice", dice(segment.dice), beside(overlap, interpolate(gettext("above limit {limit}"), limit(dice(protocol?.dice_limit ?? 0))), interpolate(gettext("below limit {limit}"), limit(dice(protocol?.dice_limit ?? 0)))), gettext("Overlap of both: twice the shared volume by the sum of both. 1 is the same."), "dice"),
      row(gettext("Surface distance, 95\u202f%"), mm(segment.hd95_mm), beside(far, interpolate(gettext("within limit {limit}"), limit(mm(protocol?.hd95_limit_mm))), interpolate(gettext("over limit {limit}"), limit(mm(protocol?.hd95_limit_mm)))), gettext("95 of 100 points of either surface are nearer than this to the other one."), "hd95"),
      row(interpolate(gettext("Volume, {who}"), { who: names.a }), ml(segment.volume_a_ml), null, "", "volume-a"),
      row(interpolate(gettext("Volume, {who}"), { who: names.b }), ml(segment.volume_b_ml), h("dd", { class: size === "bad" ? "is-bad" : size === "good" ? "is-good" : "second" }, signed(segment.volume_difference_percent)), "", "volume-b")));
}

/** @param {HTMLElement} section @param {Room} room @param {CaseDesk} desk */
export function makeReveal(section, room, desk) {
  const head = h("div", { class: "case-head case-head--open" });
  const list = h("ol", { class: "places", role: "list" });
  const numbers = h("div");
  const kept = h("div", { class: "kept" });
  fill(section, head, list, numbers, kept);
  const hands = {
    look: (/** @type {Place} */ place) => desk.look(place),
    decide: async (/** @type {Place} */ place, /** @type {"keep" | "take" | "edit"} */ act, /** @type {string} */ reason) => {
      try {
        await desk.decide(place, act, reason);
        if (act === "edit") edit(place);
      } catch (error) {
        toastError(error);
      }
    },
  };

  /** The brush in hand, in the segment, at the place. @param {Place} place */
  function edit(place) {
    room.comparison?.hide();
    room.store.dispatch({ type: "edits.set", values: { active: place.number } });
    room.store.dispatch({ type: "view.set", values: { tool: "brush" } });
    toast(gettext("Draw here. Every stroke is kept as you make it."), { seconds: 5 });
  }

  const chosen = () => desk.part.differences?.places.find(({ n }) => n === desk.part.place) ?? null;
  const inPlaces = () => isReader(desk.case) && desk.phase === "comparing" && (desk.part.differences?.places.length ?? 0) > 0;

  function step(/** @type {1 | -1} */ by) {
    if (!isReader(desk.case) || !["comparing", "submitted"].includes(desk.phase)) return false;
    const places = desk.part.differences?.places ?? [];
    const next = places.find(({ n }) => n === placeBeside(places, desk.part.place, by));
    if (next) desk.look(next);
    return Boolean(next);
  }

  const press = (/** @type {"keep" | "take" | "edit"} */ act) => () => {
    const button = inPlaces() && chosen() && /** @type {HTMLElement | null} */ (list.querySelector(`.place[data-chosen] [data-verdict="${act}"]`));
    if (!button) return false;
    button.click();
    return true;
  };
  room.addActs({ "place-next": () => step(1), "place-back": () => step(-1), "keep-mine": press("keep"), "take-theirs": press("take"), "edit-place": press("edit") });

  function title() {
    const { differences } = desk.part;
    const count = differences?.places.length ?? 0;
    if (!differences || differences.state === "working" || differences.state === "waiting") return [gettext("Comparing"), gettext("Your first read is kept. The differences come in a moment.")];
    if (differences.state === "none") return [gettext("Nothing to compare with"), gettext("There is no result of an algorithm for this series.")];
    if (differences.state === "failed") return [gettext("The comparison failed"), differences.problem || gettext("You can submit without it, or try again.")];
    if (count === 0) return [gettext("No place where you differ"), gettext("Your outlines and the algorithm's are the same within a voxel.")];
    const crumbs = differences.left_out ?? 0;
    return [interpolate(ngettext("{count} place where you differ", "{count} places where you differ", count), { count: number(count) }), crumbs > 0 ? interpolate(ngettext("Largest first. {count} more is less than a voxel apart.", "Largest first. {count} more are less than a voxel apart.", crumbs), { count: number(crumbs) }) : gettext("Largest first. Decide each one.")];
  }

  function draw() {
    const { phase } = desk;
    const given = desk.case;
    section.hidden = !isReader(given) || (phase !== "comparing" && phase !== "submitted");
    if (section.hidden) return;
    const { differences } = desk.part;
    const [large, second] = title();
    fill(head,
      given.mine.committed_at && h("p", { class: "case-head__opened" }, icon("lock-open"), h("span", {}, gettext("Result opened"), " ", timeOf(given.mine.committed_at))),
      h("h2", { class: "case-head__large" }, large),
      h("p", { class: "second" }, second),
      differences?.state === "failed" && phase === "comparing" && h("button", { class: "button button--small", type: "button", onclick: () => void desk.differences(true) }, gettext("Try again")));
    drawPlaces();
    const protocol = given.protocol;
    fill(numbers, (differences?.segments ?? []).map((/** @type {any} */ segment) => measures(segment, protocol, { a: gettext("you"), b: gettext("algorithm") })));
    const first = differences?.first ?? (given.mine.committed_at ? { at: given.mine.committed_at, digest: given.mine.first_digest ?? "" } : null);
    const other = differences?.other;
    kept.hidden = !first;
    fill(kept,
      first && h("p", { class: "kept__row" }, icon("lock"), h("span", {}, gettext("Your first read"), " · ", timeOf(first.at)), short(first.digest)),
      other && h("p", { class: "kept__row" }, icon("cpu"), h("span", {}, known(other.title), other.version ? ` ${other.version}` : "", " · ", timeOf(other.at)), short(other.digest)),
      first && h("p", { class: "hint" }, other ? gettext("Both are stored and stay unchanged.") : gettext("It is stored and stays unchanged.")));
  }

  function drawPlaces() {
    const { differences, place } = desk.part;
    const places = differences?.places ?? [];
    list.hidden = places.length === 0;
    const typed = /** @type {HTMLInputElement | null} */ (list.querySelector(".place[data-chosen] input"));
    const before = typed && { place: typed.closest("li")?.dataset.place, value: typed.value, focused: document.activeElement === typed };
    fill(list, places.map((one) => placeCard(room, one, one.n === place, hands, desk.phase === "comparing")));
    const field = /** @type {HTMLInputElement | null} */ (list.querySelector(".place[data-chosen] input"));
    // Another part of the page may have changed meanwhile: what is being typed stays.
    if (field && before && before.place === field.closest("li")?.dataset.place && before.focused) {
      field.value = before.value;
      field.focus();
    }
    // The first place comes with how many there are, and what opened.
    (places[0]?.n === place ? head : list.querySelector(".place[data-chosen]"))?.scrollIntoView({ block: "nearest" });
  }

  room.store.watch((state) => `${state.case.case?.mine?.state} ${state.case.case?.id}`, () => {
    draw();
    if (isReader(desk.case) && (desk.phase === "comparing" || desk.phase === "submitted") && !desk.part.differences) void desk.differences(desk.phase === "comparing");
  });
  room.store.watch((state) => state.case.differences, draw);
  // Both outlines, numbered places and the painted surface come with the list, once; by hand they go and come back.
  let painted = "";
  const paint = () => {
    const { differences } = desk.part;
    const { session, comparison } = room;
    if (!comparison || desk.phase !== "comparing" || differences?.state !== "ready" || !differences.comparison || differences.places.length === 0) return;
    if (session?.kind !== "volume" || painted === differences.comparison) return;
    painted = differences.comparison;
    const [k, j, i] = /** @type {any} */ (session).geometry.spacing;
    // The same places as in the list: where both lie a voxel apart.
    comparison.set({ from: Math.cbrt(k * j * i), chosen: desk.part.place });
    void comparison.show(differences.comparison).catch(toastError);
  };
  room.store.watch((state) => `${state.case.differences?.comparison} ${state.case.differences?.state} ${state.view.segmentationId}`, paint);
  room.store.watch((state) => state.compare?.chosen, (n) => {
    if (n && desk.part.differences?.places.some((one) => one.n === n) && desk.part.differences.comparison === room.comparison?.comparison?.id) desk.tell("case.place", { place: n });
  });
  room.store.watch((state) => state.case.place, () => !section.hidden && drawPlaces());
}
