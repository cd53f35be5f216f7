// The card of the clipping: one plane with a slider, or a box whose six faces are moved by sliders here and by grips in
// the 3D, which show while the card is open or the pointer is there.

import { h, icon } from "../../components/dom.js";
import { mm, percent } from "../../components/format.js";
import { axisLetters, boxFaces, faceMiddle, facePosition } from "../../geometry/clipping.js";
import { PLANE_NAMES } from "../../geometry/planes.js";
import { gettext, interpolate } from "../../i18n.js";
import { gripAt, drawGrips } from "../../scene/clip-grips.js";
import { movedFace, wholeBox } from "../../state/space.js";
import { PLANE_COLOURS, word } from "./words.js";

/** @import { SpacePane } from "../../scene/orbit-viewport.js" */
/** @import { Room } from "./room.js" */

const NBSP = "\u00a0";
const PLANES = /** @type {const} */ (["axial", "coronal", "sagittal"]);

/** @param {Room} room */
export function makeClipCard(room) {
  const { store } = room;
  const set = (/** @type {any} */ clip) => store.dispatch({ type: "view.set", values: { clip } });
  const setBox = (/** @type {any} */ box) => store.dispatch({ type: "space.set", values: { box } });
  /** The planes as the volume has them, however the reader turned the pictures. */
  const planesOf = (/** @type {any} */ session) => session.upright ?? session.planes;
  const volume = () => (room.session?.kind === "volume" ? room.session : null);

  const position = h("input", { class: "range", type: "range", min: "0", max: "1000", "aria-label": gettext("Position of the clipping plane"), oninput: () => {
    const { clip: now } = store.get().view;
    if (now) set({ ...now, position: Number(position.value) / 1000 });
  } });
  const where = h("output", { class: "tool-value" });
  const flip = h("button", { class: "pane-button", type: "button", title: gettext("Keep the other side"), "aria-label": gettext("Keep the other side"), onclick: () => {
    const { clip: now } = store.get().view;
    if (now) set({ ...now, flipped: !now.flipped });
  } }, icon("flip-horizontal"));
  const off = h("button", { type: "button", "aria-pressed": "true", onclick: () => {
    set(null);
    setBox(null);
  } }, gettext("Off"));
  const choices = PLANES.map((name) => h("button", { type: "button", "aria-pressed": "false", dataset: { plane: name }, onclick: () => {
    setBox(null);
    set({ plane: name, position: 0.5, flipped: false });
  } }, word(name)));
  const boxed = h("button", { type: "button", "aria-pressed": "false", dataset: { act: "box" }, onclick: () => {
    set(null);
    if (!store.get().space.box) setBox(wholeBox());
  } }, gettext("Box"));

  /** One slider per face, named by the side of the patient it cuts. */
  const faces = PLANES.flatMap((plane) => /** @type {const} */ ([0, 1]).map((face) => {
    const range = h("input", { class: "range", type: "range", min: "0", max: "1000", dataset: { axis: plane, face: String(face) }, oninput: () => {
      const { box } = store.get().space;
      if (box) setBox(movedFace(box, plane, face, Number(range.value) / 1000));
    } });
    const letter = h("span", { class: "key" });
    const text = h("output", { class: "tool-value clip-face__value" });
    return { plane, face, range, letter, text, element: h("label", { class: "clip-face" }, letter, range, text) };
  }));
  const whole = h("button", { class: "button button--small button--quiet", type: "button", onclick: () => setBox(wholeBox()) }, gettext("Whole volume"));
  const line = h("div", { class: "pane-card__line" }, position, where, flip);
  const grid = h("div", { class: "clip-faces" }, faces.map(({ element }) => element), whole);
  const element = h("div", { class: "pane-card__stack" },
    h("div", { class: "segmented segmented--small", role: "group", "aria-label": gettext("Clipping") }, off, choices, boxed), line, grid);

  function show() {
    const { view: { clip }, space: { box } } = store.get();
    off.setAttribute("aria-pressed", String(!clip && !box));
    boxed.setAttribute("aria-pressed", String(Boolean(box)));
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice.dataset.plane === clip?.plane));
    line.hidden = !clip;
    grid.hidden = !box;
    if (clip) {
      position.value = String(Math.round(clip.position * 1000));
      where.textContent = percent(clip.position);
    }
    const session = volume();
    if (!box || !session) return;
    for (const { plane, face, range, letter, text } of faces) {
      const [low, high] = axisLetters(planesOf(session)[plane]);
      letter.textContent = face === 0 ? low : high;
      range.setAttribute("aria-label", interpolate(gettext("Face {side} of the box"), { side: face === 0 ? low : high }));
      range.value = String(Math.round(box[plane][face] * 1000));
      text.textContent = session.geometry.spacingKnown ? facePosition(session.geometry, planesOf(session)[plane], box[plane][face], mm, NBSP) : percent(box[plane][face]);
    }
  }
  store.watch((state) => state.view.clip, show);
  store.watch((state) => state.space.box, show);

  // The box is cut in millimetres of the open volume.
  let open = false;
  room.onSession((session) => {
    if (session.kind !== "volume") return;
    const { space, geometry } = session;
    const upright = planesOf(session);
    let over = false;
    const box = () => (open || over ? store.get().space.box : null);
    const { element: pane3d } = room.frames.surfaces;
    const near = (/** @type {PointerEvent} */ event) => {
      over = event.type === "pointerenter";
      if (store.get().space.box) space.redrawLines();
    };
    pane3d.addEventListener("pointerenter", near);
    pane3d.addEventListener("pointerleave", near);
    const places = () => {
      const now = box();
      return now ? PLANE_NAMES.flatMap((plane) => /** @type {const} */ ([0, 1]).map((face) => ({ plane, face, colour: PLANE_COLOURS[plane], ...faceMiddle(geometry, upright, now, plane, face) }))) : [];
    };
    const stops = [
      store.watch((state) => state.space.box, (now) => {
        space.setBox(now ? boxFaces(geometry, upright, now) : []);
        show();
      }),
      space.addOverlay((/** @type {CanvasRenderingContext2D} */ context, /** @type {SpacePane} */ pane) => {
        const now = box();
        if (now) drawGrips(context, pane, geometry, upright, now, places());
      }, { handles: true }),
      () => pane3d.removeEventListener("pointerenter", near),
      () => pane3d.removeEventListener("pointerleave", near),
      space.addGrips((/** @type {[number, number]} */ pixel) => {
        const pane = space.pane(space.width, space.height);
        const grip = gripAt(pane, places(), pixel);
        if (!grip) return null;
        const before = store.get().space.box[grip.plane][grip.face];
        const [fromX, fromY] = pixel;
        return (/** @type {[number, number]} */ [x, y]) => {
          const now = store.get().space.box;
          if (now) setBox(movedFace(now, grip.plane, grip.face, before + grip.shareOf(x - fromX, y - fromY)));
        };
      }),
    ];
    return () => stops.forEach((stop) => stop());
  });

  return {
    element,
    shown(/** @type {boolean} */ now) {
      if (now === open) return;
      open = now;
      volume()?.space.redrawLines();
    },
  };
}
