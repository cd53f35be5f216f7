// The card of volume rendering: presets, the transfer function, surfaces with it or not. And the rendering itself, made
// when it is first wanted and freed with the series.

import { h, icon } from "../../components/dom.js";
import { histogram, transferPresets } from "../../geometry/transfer.js";
import { gettext, interpolate } from "../../i18n.js";
import { VolumeRendering } from "../../scene/volume-rendering.js";
import { spaceWord } from "./space-words.js";
import { makeTransferEditor } from "./transfer-editor.js";

/** @import { TransferPreset } from "../../geometry/transfer.js" */
/** @import { VolumeLook } from "../../state/space.js" */
/** @import { Room } from "./room.js" */

/** Values the editor shows: air to dense bone, or what the series has. @param {any} session @returns {{ low: number, high: number }} */
function editorRange({ series, volume }) {
  if (series.modality === "CT") return { low: -1100, high: 2000 };
  const [width, level] = volume.automatic_window;
  if (series.modality === "PT" && volume.unit === "SUV") return { low: 0, high: 12 };
  return { low: Math.min(volume.value_range[0], level - width / 2), high: level + width };
}

/** @param {Room} room */
export function makeVolumeCard(room) {
  const { store, frames } = room;
  const volume = () => (room.session?.kind === "volume" ? room.session : null);
  const look = () => store.get().space.volume;
  const change = (/** @type {Partial<VolumeLook>} */ part) => store.dispatch({ type: "space.volume", look: part });
  /** @type {TransferPreset[]} */
  let presets = [];

  const off = h("button", { type: "button", "aria-pressed": "true", dataset: { preset: "" }, onclick: () => store.dispatch({ type: "space.set", values: { volume: null } }) }, gettext("Off"));
  const choices = h("div", { class: "segmented segmented--small", role: "group", "aria-label": gettext("Volume rendering") }, off);
  const surfaces = h("input", { class: "checkbox", type: "checkbox", onchange: () => change({ surfaces: surfaces.checked }) });
  const together = h("label", { class: "check-line" }, surfaces, gettext("With the surfaces"));
  const edit = h("button", { class: "button button--small", type: "button", "aria-expanded": "false", dataset: { act: "transfer" }, onclick: () => {
    editing = !editing;
    draw();
  } }, icon("sliders-horizontal"), gettext("Colours and opacity"));
  const editor = makeTransferEditor((points) => change({ points, preset: "own" }));
  const foot = h("div", { class: "pane-card__line" }, together, edit);
  const element = h("div", { class: "pane-card__stack" }, choices, foot, editor.element);
  let editing = false;

  function draw() {
    const now = look();
    for (const button of choices.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.preset === (now?.preset ?? "")));
    foot.hidden = !now;
    surfaces.checked = Boolean(now?.surfaces);
    edit.setAttribute("aria-expanded", String(editing));
    editor.element.hidden = !now || !editing;
    if (now && editing) editor.show(now.points);
  }

  /** @param {any} session */
  function showPresets(session) {
    presets = transferPresets(session.series.modality, session.volume);
    choices.replaceChildren(off, ...presets.map((preset) => h("button", { type: "button", dataset: { preset: preset.id }, onclick: () =>
      store.dispatch({ type: "space.set", values: { volume: { preset: preset.id, style: preset.style, points: preset.points, surfaces: look()?.surfaces ?? false } } }) }, spaceWord(preset.id))));
  }

  const note = h("div", { class: "space-note" });
  frames.surfaces.element.append(note);

  room.onSession((session) => {
    if (session.kind !== "volume") return;
    const { space } = session;
    showPresets(session);
    editor.setRange(editorRange(session), session.unit);
    /** @type {VolumeRendering | null} */
    let rendering = null;
    const better = () => {
      if (!rendering) return;
      // The bricks and the histogram are counted in the whole volume, once it is there.
      if (rendering.whole && session.voxels) void rendering.count(session.voxels);
      space.invalidate();
    };
    const showNote = () => {
      const now = look();
      const { light, coarse, strips } = space.quality;
      note.textContent = [
        now ? interpolate(gettext("Volume: {preset}"), { preset: spaceWord(now.preset) }) : "",
        now && rendering && !rendering.whole ? gettext("preview, slices still come") : coarse && now ? gettext("coarser while it moves") : "",
        now && !coarse && strips < 1 ? gettext("getting sharper") : "",
        light ? gettext("fewer triangles while it moves") : "",
      ].filter(Boolean).join(" · ");
    };
    space.onQuality = showNote;
    const stop = store.watch((state) => state.space.volume, (now, before) => {
      if (now && !rendering) {
        rendering = new VolumeRendering(session.image, session.geometry, { slope: session.volume.slope, intercept: session.volume.intercept }, better);
        better();
      }
      if (now && rendering && (now.points !== before?.points || now.style !== before?.style)) {
        rendering.setTransfer(now.points, now.style);
        space.touch();
      }
      space.setVolume(now ? rendering : null, now?.surfaces ?? true);
      session.showSpacePlanes();
      session.showTexts();
      editor.setHistogram(now && rendering?.whole && session.voxels ? () => histogram(session.voxels, session.volume, editorRange(session)) : null);
      showNote();
      draw();
    });
    return () => {
      stop();
      space.setVolume(null, true);
      rendering?.dispose();
      note.textContent = "";
    };
  });

  return { element, shown: (/** @type {boolean} */ open) => open && draw() };
}
