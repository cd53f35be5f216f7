// Buttons of the 3D pane: clipping, standard views, planes inside, fit, large.

import { fill, h, icon } from "../../components/dom.js";
import { percent } from "../../components/format.js";
import { STANDARD_VIEWS } from "../../geometry/orbit.js";
import { gettext } from "../../i18n.js";
import { enlarge } from "./controls.js";
import { word } from "./words.js";

/** @import { Room } from "./room.js" */

const PLANES = ["axial", "coronal", "sagittal"];

/** @param {Room} room */
export function makeSpaceTools(room) {
  const { store, frames } = room;
  const { tools } = frames.surfaces;
  const space = () => (room.session?.kind === "volume" ? room.session.space : null);
  const set = (/** @type {Record<string, any>} */ values) => store.dispatch({ type: "view.set", values });
  const button = (/** @type {string} */ symbol, /** @type {string} */ name, /** @type {() => void} */ run, /** @type {string} */ act) =>
    h("button", { class: "pane-button", type: "button", title: name, "aria-label": name, dataset: { act }, onclick: run }, icon(symbol));

  /** @type {"clip" | "views" | null} */
  let open = null;
  const card = h("div", { class: "pane-card", hidden: true });
  const toggle = (/** @type {"clip" | "views"} */ which) => {
    open = open === which ? null : which;
    draw();
  };
  const clip = button("scissors", gettext("Clip the surfaces"), () => toggle("clip"), "clip");
  const views = button("rotate-3d", gettext("Standard views"), () => toggle("views"), "views");
  const planes = button("layers", gettext("Planes in the 3D"), () => set({ planesIn3d: !room.session?.planesShown?.() }), "planes");
  const fit = button("focus", gettext("Show everything"), () => space()?.fit(), "fit");
  const large = button("maximize-2", gettext("Large"), () => enlarge(room, "surfaces"), "large");
  fill(tools, clip, views, planes, fit, large);
  frames.surfaces.element.append(card);

  const position = h("input", { class: "range", type: "range", min: "0", max: "1000", "aria-label": gettext("Position of the clipping plane"), oninput: () => {
    const { clip: now } = store.get().view;
    if (now) set({ clip: { ...now, position: Number(position.value) / 1000 } });
  } });
  const where = h("output", { class: "tool-value" });
  const choices = PLANES.map((name) =>
    h("button", { type: "button", "aria-pressed": "false", dataset: { plane: name }, onclick: () => set({ clip: { plane: name, position: 0.5, flipped: false } }) }, word(name)));
  const off = h("button", { type: "button", "aria-pressed": "true", onclick: () => set({ clip: null }) }, gettext("Off"));
  const flip = h("button", { class: "pane-button", type: "button", title: gettext("Keep the other side"), "aria-label": gettext("Keep the other side"), onclick: () => {
    const { clip: now } = store.get().view;
    if (now) set({ clip: { ...now, flipped: !now.flipped } });
  } }, icon("flip-horizontal"));

  function draw() {
    card.hidden = !open;
    clip.setAttribute("aria-expanded", String(open === "clip"));
    views.setAttribute("aria-expanded", String(open === "views"));
    if (open === "clip") {
      fill(
        card,
        h("div", { class: "segmented segmented--small", role: "group", "aria-label": gettext("Clipping plane") }, off, choices),
        h("div", { class: "pane-card__line" }, position, where, flip),
      );
    } else if (open === "views") {
      fill(card, h("div", { class: "pane-card__grid" }, Object.keys(STANDARD_VIEWS).map((name) =>
        h("button", { class: "button button--small button--quiet", type: "button", onclick: () => space()?.lookFrom(name) }, h("span", { class: "key" }, name), word(name)))));
    }
  }

  store.watch((state) => state.view, ({ clip: now, planesIn3d, segmentationId, large: big }) => {
    clip.setAttribute("aria-pressed", String(Boolean(now)));
    planes.setAttribute("aria-pressed", String(planesIn3d ?? segmentationId === null));
    fill(large, icon(big === "surfaces" ? "minimize-2" : "maximize-2"));
    off.setAttribute("aria-pressed", String(!now));
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.dataset.plane === now?.plane));
    position.disabled = !now;
    flip.disabled = !now;
    if (now) position.value = String(Math.round(now.position * 1000));
    where.textContent = now ? percent(now.position) : "";
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && open) {
      open = null;
      draw();
    }
  });
}
