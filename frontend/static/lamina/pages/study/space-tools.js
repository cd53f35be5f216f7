// Buttons of the 3D pane, and the card that one of them opens: clipping, the volume, standard views.

import { fill, h, icon } from "../../components/dom.js";
import { STANDARD_VIEWS } from "../../geometry/orbit.js";
import { gettext } from "../../i18n.js";
import { enlarge } from "./controls.js";
import { makeClipCard } from "./space-clip.js";
import { makeVolumeCard } from "./space-volume.js";
import { saveViewport } from "./snapshot.js";
import { recordTurntable, videoKind } from "./turntable.js";
import { word } from "./words.js";

/** @import { Room } from "./room.js" */

/** @typedef {"clip" | "volume" | "views"} Card */

/** @param {Room} room */
export function makeSpaceTools(room) {
  const { store, frames } = room;
  const { tools } = frames.surfaces;
  const space = () => (room.session?.kind === "volume" ? room.session.space : null);
  const set = (/** @type {Record<string, any>} */ values) => store.dispatch({ type: "view.set", values });
  const button = (/** @type {string} */ symbol, /** @type {string} */ name, /** @type {() => void} */ run, /** @type {string} */ act) =>
    h("button", { class: "pane-button", type: "button", title: name, "aria-label": name, dataset: { act }, onclick: run }, icon(symbol));

  const card = h("div", { class: "pane-card", hidden: true });
  /** @type {AbortController | null} */
  let recording = null;
  const videoText = h("span", {}, gettext("Turntable video"));
  const video = h("button", { class: "button button--small pane-card__wide", type: "button", dataset: { act: "turntable" }, disabled: !videoKind(), onclick: async () => {
    if (recording) {
      recording.abort();
      return;
    }
    recording = new AbortController();
    await recordTurntable(room, recording.signal, (text) => (videoText.textContent = text ? `${text} · ${gettext("Stop")}` : gettext("Turntable video")));
    recording = null;
  } }, icon("video"), videoText);
  const views = h("div", { class: "pane-card__grid" }, video, Object.keys(STANDARD_VIEWS).map((name) =>
    h("button", { class: "button button--small button--quiet", type: "button", dataset: { view: name }, onclick: () => space()?.lookFrom(name) }, h("span", { class: "key" }, name), word(name))));
  /** @type {Record<Card, any>} */
  const contents = { clip: makeClipCard(room), volume: makeVolumeCard(room), views: { element: views, shown: () => {} } };
  /** @type {Card | null} */
  let open = null;
  const show = (/** @type {Card | null} */ which) => {
    open = which;
    card.hidden = !open;
    card.dataset.card = open ?? "";
    fill(card, open && contents[open].element);
    for (const [name, content] of Object.entries(contents)) {
      buttons[/** @type {Card} */ (name)].setAttribute("aria-expanded", String(open === name));
      content.shown(open === name);
    }
  };
  const toggle = (/** @type {Card} */ which) => show(open === which ? null : which);
  /** @type {Record<Card, any>} */
  const buttons = {
    clip: button("scissors", gettext("Clip the surfaces"), () => toggle("clip"), "clip"),
    volume: button("cloud", gettext("Show the volume"), () => toggle("volume"), "volume"),
    views: button("rotate-3d", gettext("Standard views"), () => toggle("views"), "views"),
  };
  const planes = button("layers", gettext("Planes in the 3D"), () => set({ planesIn3d: !room.session?.planesShown?.() }), "planes");
  const fit = button("focus", gettext("Show everything"), () => space()?.fit(), "fit");
  const picture = button("camera", gettext("Save a picture of the 3D"), () => void saveViewport(room, frames.surfaces), "picture");
  const large = button("maximize-2", gettext("Large"), () => enlarge(room, "surfaces"), "large");
  fill(tools, buttons.clip, buttons.volume, buttons.views, planes, fit, picture, large);
  frames.surfaces.element.append(card);

  // Without a result and without the volume itself the planes are all there is: then they are shown unasked.
  store.watch(({ view, space }) => view.planesIn3d ?? (view.segmentationId === null && !space.volume), (on) => planes.setAttribute("aria-pressed", String(on)));
  store.watch((state) => state.view, ({ clip, large: big }) => {
    buttons.clip.setAttribute("aria-pressed", String(Boolean(clip || store.get().space.box)));
    fill(large, icon(big === "surfaces" ? "minimize-2" : "maximize-2"));
  });
  store.watch((state) => state.space, ({ volume, box }) => {
    buttons.clip.setAttribute("aria-pressed", String(Boolean(box || store.get().view.clip)));
    buttons.volume.setAttribute("aria-pressed", String(Boolean(volume)));
  });
  // Any other viewport by the tool bar: the one the reader works in.
  const active = h("button", { class: "icon-button", type: "button", title: gettext("Save a picture of the active viewport"), "aria-label": gettext("Save a picture of the active viewport"), dataset: { act: "picture-active" }, onclick: () => void saveViewport(room, frames[store.get().view.active]) }, icon("camera"));
  document.querySelector("#tool-bar .panel-button")?.before(active);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !open) return;
    const { activeElement } = document;
    const within = card.contains(activeElement);
    const from = buttons[open];
    show(null);
    if (within) from.focus();
  });
}
