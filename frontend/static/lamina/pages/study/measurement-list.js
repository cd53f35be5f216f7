// The panel's measurements: a row with a small picture, name, value, who and when. A click goes there; a chosen row
// opens its name, colour, finding, site and side.

import { get } from "../../api/client.js";
import { fill, find, h, icon } from "../../components/dom.js";
import { ago, initials, utc } from "../../components/format.js";
import { gettext, interpolate } from "../../i18n.js";
import { drawThumbnail } from "../../scene/marks.js";
import { waitingFor } from "../../state/marks.js";
import { SYMBOLS, kindWord, markName, roleWord, rolesFor, sizeText, valueText } from "./measurement-words.js";
import { SEGMENT_COLOURS } from "./words.js";

/** @import { Mark, MarksState } from "../../state/marks.js" */
/** @import { Vec3 } from "../../geometry/vectors.js" */
/** @import { MarkDesk } from "./measurements.js" */
/** @import { Room } from "./room.js" */

const CODED = /** @type {const} */ (["finding", "finding_site", "laterality"]);
/** @type {Record<string, () => string>} */
const CODED_WORDS = { finding: () => gettext("Finding"), finding_site: () => gettext("Site"), laterality: () => gettext("Side") };
/** Twice the size on screen, for sharp screens. */
const PICTURE = Object.freeze({ width: 88, height: 68 });

/** @param {Room} room @param {MarkDesk} desk */
export function makeMeasurementList(room, desk) {
  const { store } = room;
  const section = find("#measurements");
  const count = h("span", { class: "second" });
  const unsent = h("span", { class: "chip chip--caution", hidden: true });
  const magnet = h("button", { class: "icon-button volume-only", type: "button", "aria-pressed": "false", title: gettext("Snap to the outlines"), "aria-label": gettext("Snap to the outlines"), onclick: () => {
    desk.snapping = !desk.snapping;
    magnet.setAttribute("aria-pressed", String(desk.snapping));
  } }, icon("magnet"));
  const all = h("button", { class: "icon-button", type: "button", onclick: () => desk.set({ allHidden: !desk.state.allHidden }) });
  const list = h("ul", { class: "measurements", role: "list" });
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Measurements")), count, unsent, h("span", { class: "section-head__gap" }), magnet, all), list);

  /** Rows by mark, made again only when what they show has changed. @type {Map<string, { key: string, row: HTMLElement, picture: HTMLCanvasElement, drawn: string }>} */
  const rows = new Map();
  /** @type {Record<string, any[]> | null} */
  let codes = null;

  async function loadCodes() {
    codes ??= await get("/api/annotation-codes/");
    draw(desk.state);
  }

  /** @param {Mark} mark @param {MarksState} state */
  function row(mark, state) {
    const waiting = waitingFor(state, mark.id);
    const chosen = state.selected === mark.id;
    const hidden = Boolean(state.hidden[mark.id]) || state.allHidden;
    const name = markName(mark);
    const picture = h("canvas", { class: "measurement__picture", width: PICTURE.width, height: PICTURE.height, "aria-hidden": "true" });
    const symbol = icon(SYMBOLS[mark.kind] ?? "ruler");
    symbol.style.setProperty("color", mark.colour);
    const said = [mark.laterality && label("laterality", mark.laterality), mark.finding_site && label("finding_site", mark.finding_site), mark.finding && label("finding", mark.finding)].filter(Boolean).join(", ");
    const size = mark.statistics && mark.kind !== "probe" ? sizeText(mark) : "";
    const second = [size, roleWord(mark.lesion_role ?? ""), said, mark.author?.id === desk.me?.id ? "" : mark.author?.name].filter(Boolean).join(" · ");
    const value = h("span", { class: "measurement__value" }, valueText(mark));
    const head = h("button", { class: "measurement__head", type: "button", "aria-expanded": String(chosen), onclick: () => (chosen ? desk.set({ selected: null }) : desk.goTo(mark.id)) },
      h("span", { class: "measurement__frame" }, picture, symbol),
      h("span", { class: "measurement__text" }, h("strong", {}, name), h("span", { class: "second" }, second || kindWord(mark.kind))),
      h("span", { class: "measurement__side" }, value, when(mark, waiting)));
    const person = mark.author && h("span", { class: "measurement__person", title: mark.author.name, role: "img", "aria-label": mark.author.name }, initials(mark.author.name));
    person?.style.setProperty("background-color", mark.author?.colour ?? "");
    const eye = h("button", { class: "icon-button measurement__eye", type: "button", "aria-pressed": String(!hidden), "aria-label": interpolate(hidden ? gettext("Show {name}") : gettext("Hide {name}"), { name }), onclick: () => desk.set({ hidden: { ...state.hidden, [mark.id]: !state.hidden[mark.id] }, allHidden: false }) }, icon(hidden ? "eye-off" : "eye"));
    const element = h("li", { class: "measurement", dataset: { mark: mark.id, kind: mark.kind }, onpointerenter: () => desk.set({ hovered: mark.id }), onpointerleave: () => desk.set({ hovered: null }) },
      h("div", { class: "measurement__line" }, head, person, eye),
      waiting && waiting.state !== "waiting" && trouble(mark, waiting),
      chosen && details(mark));
    element.toggleAttribute("data-chosen", chosen);
    element.toggleAttribute("data-hidden", hidden);
    return { row: element, picture };
  }

  /** @param {string} list_ @param {any} code */
  const label = (list_, code) => codes?.[list_]?.find((one) => one.value === code.value && one.scheme === code.scheme)?.label ?? code.meaning;

  /** @param {Mark} mark @param {ReturnType<typeof waitingFor>} waiting */
  function when(mark, waiting) {
    if (!waiting) return h("time", { class: "second", datetime: mark.created_at, title: utc(mark.created_at) }, ago(mark.created_at));
    return h("span", { class: "measurement__unsent", title: desk.outbox.kept ? gettext("Kept in this browser until the server has it") : gettext("Not sent yet. It is lost when this page closes.") },
      icon(waiting.state === "waiting" ? "clock" : "circle-alert"), waiting.state === "waiting" ? gettext("not sent") : gettext("not saved"));
  }

  /** @param {Mark} mark @param {NonNullable<ReturnType<typeof waitingFor>>} waiting */
  function trouble(mark, waiting) {
    const button = (/** @type {string} */ text, /** @type {() => void} */ run) => h("button", { class: "button button--small", type: "button", onclick: run }, text);
    if (waiting.state === "conflict") {
      const who = waiting.theirs?.changed_by?.name ?? "";
      const what = waiting.theirs?.is_deleted ? gettext("{person} deleted this meanwhile.") : gettext("{person} changed this meanwhile. Yours is not lost.");
      return h("div", { class: "measurement__trouble", role: "alert" }, icon("triangle-alert"), h("span", {}, interpolate(what, { person: who })), button(gettext("Keep mine"), () => desk.keepMine(mark.id)), button(gettext("Take theirs"), () => desk.keepTheirs(mark.id)));
    }
    return h("div", { class: "measurement__trouble", role: "alert" }, icon("circle-alert"), h("span", {}, waiting.reason ?? gettext("The server refused this.")), button(gettext("Retry"), () => desk.retry(mark.id)), button(gettext("Discard"), () => desk.keepTheirs(mark.id)));
  }

  /** @param {Mark} mark */
  function details(mark) {
    const name = h("input", { class: "input", type: "text", maxlength: "200", ".value": mark.name, placeholder: markName({ ...mark, name: "" }), "aria-label": gettext("Name"), list: mark.lesion_role ? "lesion-names" : null, disabled: !desk.allowed, autocomplete: "off",
      onchange: () => name.value.trim() !== mark.name && desk.change(mark.id, {}, gettext("{mark}, renamed"), name.value.trim()),
      onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && name.blur() });
    const colours = ["#FEEE3E", ...SEGMENT_COLOURS.filter((colour) => colour !== "#FEEE3E")].map((colour) => {
      const dot = h("button", { class: "colour-dot", type: "button", disabled: !desk.allowed, "aria-label": interpolate(gettext("Colour {number}"), { number: SEGMENT_COLOURS.indexOf(colour) + 1 }), "aria-pressed": String(mark.colour.toUpperCase() === colour), onclick: () => desk.change(mark.id, { colour }, gettext("{mark}, colour")) });
      dot.style.setProperty("background-color", colour);
      return dot;
    });
    const choosers = CODED.map((field) => {
      const now = /** @type {any} */ (mark)[field];
      const chosen = now ? `${now.scheme} ${now.value}` : "";
      const select = h("select", { class: "select", "aria-label": CODED_WORDS[field](), disabled: !desk.allowed, onchange: () => {
        const code = codes?.[field].find((one) => `${one.scheme} ${one.value}` === select.value);
        desk.change(mark.id, { [field]: code ? { value: code.value, scheme: code.scheme, meaning: code.meaning } : null }, interpolate(gettext("{mark}, {what}"), { what: CODED_WORDS[field]().toLowerCase(), mark: "{mark}" }));
      } }, h("option", { value: "" }, "—"), (codes?.[field] ?? (now ? [{ ...now, label: now.meaning }] : [])).map((one) =>
        h("option", { value: `${one.scheme} ${one.value}`, title: `${one.scheme} ${one.value}` }, one.label)));
      select.value = chosen;
      return h("label", { class: "measurement__chooser" }, h("span", { class: "second" }, CODED_WORDS[field]()), select);
    });
    const role = h("select", { class: "select", "aria-label": gettext("Over time"), disabled: !desk.allowed, onchange: () => desk.change(mark.id, { lesion_role: role.value }, gettext("{mark}, over time")) },
      h("option", { value: "" }, "—"), rolesFor(mark.kind).map((one) => h("option", { value: one }, roleWord(one))));
    role.value = mark.lesion_role ?? "";
    if (!codes) void loadCodes().catch(() => {});
    return h("div", { class: "measurement__details" },
      h("label", { class: "measurement__chooser measurement__chooser--wide" }, h("span", { class: "second" }, gettext("Name")), name),
      choosers,
      h("label", { class: "measurement__chooser", title: gettext("A lesion is known by its name, the same on every date") }, h("span", { class: "second" }, gettext("Over time")), role),
      h("div", { class: "segment__colours", role: "group", "aria-label": gettext("Colour") }, colours),
      h("div", { class: "measurement__foot" },
        h("button", { class: "button button--small", type: "button", onclick: () => desk.goTo(mark.id) }, icon("focus"), gettext("Go there")),
        desk.mayDelete(mark) && h("button", { class: "button button--small button--quiet", type: "button", onclick: () => desk.remove(mark.id) }, icon("trash-2"), gettext("Delete"))));
  }

  /** @param {MarksState} state */
  function draw(state) {
    count.textContent = state.list.length ? String(state.list.length) : "";
    all.hidden = state.list.length === 0;
    const shown = !state.allHidden;
    fill(all, icon(shown ? "eye" : "eye-off"));
    all.title = shown ? gettext("Hide all measurements") : gettext("Show all measurements");
    all.setAttribute("aria-label", all.title);
    const waits = state.pending.length;
    unsent.hidden = waits === 0 || state.pending.every((one) => one.state === "waiting" && Date.now() - Date.parse(one.at) < 1500);
    unsent.textContent = interpolate(gettext("{count} not sent"), { count: waits });
    if (state.list.length === 0) {
      rows.clear();
      fill(list, h("li", { class: "section-empty" }, room.session?.kind === "picture" ? gettext("A picture without a volume is not measured.") : desk.allowed ? interpolate(gettext("Press {key} and drag"), { key: room.keymap.keysOf("tool-length")[0] ?? "D" }) : gettext("No measurements yet")));
      return;
    }
    // A field that is being typed into must not be taken from under the hands.
    const typing = list.contains(document.activeElement) && document.activeElement?.matches("input[type=text], select") ? /** @type {HTMLElement | null} */ (document.activeElement.closest(".measurement"))?.dataset.mark : null;
    const kept = new Set();
    let moved = rows.size !== state.list.length;
    for (const mark of state.list) {
      kept.add(mark.id);
      const waiting = waitingFor(state, mark.id);
      const key = JSON.stringify([mark, waiting?.state, waiting?.reason, state.selected === mark.id, state.hidden[mark.id], state.allHidden, Boolean(codes), desk.allowed]);
      const old = rows.get(mark.id);
      if (old?.key === key || (old && typing === mark.id && state.selected === mark.id)) continue;
      const made = row(mark, state);
      old?.row.replaceWith(made.row);
      rows.set(mark.id, { key, ...made, drawn: "" });
      moved ||= !old;
    }
    for (const [id] of rows) if (!kept.has(id)) rows.delete(id) && (moved = true);
    if (moved) fill(list, state.list.map(({ id }) => rows.get(id)?.row));
    for (const [id, { row: element }] of rows) element.toggleAttribute("data-lit", state.hovered === id || state.selected === id);
    pictures();
  }

  /** Small pictures, from the voxels that are here. */
  function pictures() {
    const { session } = desk;
    const { view } = store.get();
    if (!session?.voxels || view.seriesId !== session.series.id) return;
    for (const mark of desk.state.list) {
      const entry = rows.get(mark.id);
      const window = view.windows.axial;
      const key = JSON.stringify([mark.points, mark.colour, window, session.series.id]);
      if (!entry || !window || mark.series_id !== session.series.id || entry.drawn === key) continue;
      const basis = basisOf(session.upright ?? session.planes, mark.plane_normal);
      const valueAt = (/** @type {any} */ point) => {
        const sample = session.sample(point);
        return sample ? sample.value : view.windows.axial.level - view.windows.axial.width;
      };
      if (drawThumbnail(entry.picture, mark, { ...basis, valueAt, window, inverted: session.series.modality === "PT" })) {
        entry.drawn = key;
        entry.row.toggleAttribute("data-pictured", true);
      }
    }
  }

  store.watch((state) => state.marks, (marks, before) => {
    if (before && marks.draft !== before.draft && marks.list === before.list && marks.selected === before.selected && marks.hovered === before.hovered) return;
    draw(marks);
    if (marks.selected && marks.selected !== before?.selected) rows.get(marks.selected)?.row.scrollIntoView({ block: "nearest" });
  });
  store.watch((state) => state.study.study.state, () => draw(desk.state));
  room.onSession((session) => {
    pictures();
    if (session.kind !== "volume") return;
    // Slices that come later bring the pictures that waited for them.
    const looking = window.setInterval(() => {
      pictures();
      if (!session.loaded?.includes(0)) clearInterval(looking);
    }, 700);
    return () => clearInterval(looking);
  });
  // Times grow old.
  window.setInterval(() => {
    for (const time of list.querySelectorAll("time")) time.textContent = ago(time.dateTime);
  }, 30_000);
}

/** Screen directions for a mark's own plane: those of the plane that lies as it does, else the axial one. @param {Record<string, { right: Vec3, down: Vec3, normal: Vec3 }>} planes @param {Vec3 | null} normal */
function basisOf(planes, normal) {
  const along = (/** @type {Vec3} */ one) => (normal ? Math.abs(one[0] * normal[0] + one[1] * normal[1] + one[2] * normal[2]) : 0);
  const best = Object.values(planes).reduce((chosen, one) => (along(one.normal) > along(chosen.normal) + 1e-6 ? one : chosen), planes.axial);
  return { right: best.right, down: best.down };
}
