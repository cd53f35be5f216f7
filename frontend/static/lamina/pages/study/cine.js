// Cine: the slices of the active plane run by themselves, round and round or to and fro, or the phases of a study that
// has several volumes of one geometry. Each frame waits until the last one was drawn, so a slow machine drops to what
// it can do and says so.

import { fill, h, icon } from "../../components/dom.js";
import { number } from "../../components/format.js";
import { cineNext } from "../../geometry/cine.js";
import { sliceAt } from "../../geometry/planes.js";
import { gettext, interpolate } from "../../i18n.js";
import { keyed } from "./key-words.js";
import { phaseWords } from "./phases.js";
import { activePlane } from "./plane-turning.js";

/** @import { Room } from "./room.js" */

export const FASTEST = 60;

/** @param {Room} room */
export function makeCine(room) {
  const { store } = room;
  const cine = () => store.get().planes.cine;
  const set = (/** @type {any} */ change) => store.dispatch({ type: "planes.cine", cine: change });
  let way = 1;
  let frame = 0;
  let last = 0;
  /** Frames really shown in the running second. @type {number[]} */
  let shown = [];

  const play = h("button", { class: "icon-button", type: "button", "aria-label": gettext("Play and stop"), dataset: { act: "cine" }, onclick: () => toggle() });
  const bounce = h("button", { class: "icon-button", type: "button", "aria-pressed": "false", title: gettext("To and fro"), "aria-label": gettext("To and fro"), dataset: { act: "cine-bounce" }, onclick: () => set({ bounce: !cine().bounce }) }, icon("repeat"));
  const speed = h("input", { class: "range", type: "range", min: "1", max: String(FASTEST), step: "1", "aria-label": gettext("Frames per second"), dataset: { act: "cine-fps" }, oninput: () => set({ fps: Number(speed.value) }) });
  const text = h("output", { class: "tool-value" });
  const phaseRange = h("input", { class: "range", type: "range", min: "1", step: "1", "aria-label": gettext("Phase"), dataset: { act: "phase" }, oninput: () => {
    phasesOf()?.show(Number(phaseRange.value) - 1);
    showPhase();
  } });
  const phaseText = h("output", { class: "tool-value" });
  const overPhases = h("input", { type: "checkbox", dataset: { act: "cine-phases" }, onchange: () => set({ over: overPhases.checked ? "phases" : "slices" }) });
  const phases = h("div", { hidden: true },
    h("div", { class: "plane-card__line" }, h("span", { class: "plane-card__name" }, gettext("Phase")), phaseRange, phaseText),
    h("label", { class: "plane-card__line" }, overPhases, gettext("Play the phases instead of the slices")));
  const element = h("div", { class: "plane-card__part" },
    h("div", { class: "plane-card__line" }, h("span", { class: "plane-card__name" }, gettext("Cine")), keyed(room.keymap, play, "cine", gettext("Play and stop")), bounce, speed, text),
    phases);

  const phasesOf = () => /** @type {any} */ (room.session)?.phases ?? null;
  function toggle() {
    if (!(/** @type {any} */ (room.session)?.planes)) return;
    set({ playing: cine().playing ? null : activePlane(room) });
  }
  room.addActs({ cine: () => toggle() });

  /** @param {number} now */
  const step = (now) => {
    const { playing, fps, bounce: fro, over } = cine();
    const session = /** @type {any} */ (room.session);
    if (!playing || !session?.planes) {
      frame = 0;
      return;
    }
    frame = requestAnimationFrame(step);
    // A quarter of a frame early is on time: screens do not tick in our rhythm.
    if (now - last < 1000 / fps - 4) return;
    last = now;
    shown = [...shown.filter((at) => now - at < 1000), now];
    if (over === "phases" && phasesOf()) {
      const next = cineNext(phasesOf().at, phasesOf().count, way, fro);
      way = next.way;
      phasesOf().show(next.at);
      showPhase();
    } else {
      const { point } = store.get().view;
      if (!point) return;
      const plane = session.planes[playing];
      const next = cineNext(sliceAt(session.geometry, plane, point), plane.count, way, fro);
      way = next.way;
      session.toSlice(playing, next.at);
    }
    showSpeed();
  };

  const showPhase = () => {
    const all = phasesOf();
    phases.hidden = !all;
    if (!all) return;
    phaseRange.max = String(all.count);
    phaseRange.value = String(all.at + 1);
    const words = phaseWords(all.series);
    phaseText.textContent = interpolate(gettext("{at} of {count}"), { at: number(all.at + 1), count: number(all.count) });
    if (all.series.phase && words) phaseText.textContent += ` · ${words}`;
    phaseText.title = words;
  };

  const showSpeed = () => {
    const { playing, fps } = cine();
    const real = playing && shown.length > 2 ? ((shown.length - 1) * 1000) / (shown[shown.length - 1] - shown[0]) : fps;
    text.textContent = interpolate(gettext("{fps} fps"), { fps: number(fps) });
    // More than a fifth slower than asked for is worth a word.
    text.title = real < 0.8 * fps ? interpolate(gettext("This machine shows {fps} per second"), { fps: number(real, 1) }) : "";
    text.classList.toggle("is-caution", real < 0.8 * fps);
  };

  store.watch((state) => state.planes.cine, ({ playing, fps, bounce: fro }) => {
    fill(play, icon(playing ? "pause" : "play"));
    play.setAttribute("aria-pressed", String(Boolean(playing)));
    bounce.setAttribute("aria-pressed", String(fro));
    speed.value = String(fps);
    overPhases.checked = store.get().planes.cine.over === "phases";
    showSpeed();
    if (playing && !frame) {
      way = 1;
      shown = [];
      last = 0;
      frame = requestAnimationFrame(step);
    }
  });
  room.onSession(() => {
    showPhase();
    return () => set({ playing: null });
  });
  return { element, phases };
}
