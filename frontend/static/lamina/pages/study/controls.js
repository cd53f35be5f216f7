// The reader's hands: pointers and keys of the study page, wired to the open series.

import { find } from "../../components/dom.js";
import { FITTED, zoomedAt } from "../../geometry/viewing.js";
import { listen } from "../../tools/pointer.js";
import { listenToKeys } from "../../tools/keys.js";
import { TOOLS, toolFor, toolNamed } from "../../tools/tools.js";
import { shownViewports } from "../../state/view.js";
import { VIEWPORTS } from "./frames.js";

/** @import { Drag } from "../../tools/pointer.js" */
/** @import { Surface2d } from "../../tools/tools.js" */
/** @import { Room } from "./room.js" */
/** @import { ViewportName } from "./frames.js" */
/** @import { VolumeSession } from "./volume-session.js" */

const PLANES = /** @type {const} */ (["axial", "coronal", "sagittal"]);

/** @param {Room} room @param {Record<string, any>} values */
const set = (room, values) => room.store.dispatch({ type: "view.set", values });

/** A plane (or the picture) as the tools see it. @param {Room} room @param {"axial" | "coronal" | "sagittal"} name @returns {Surface2d | null} */
export function surfaceOf({ session, store, frames }, name) {
  if (!session) return null;
  const common = {
    name,
    element: frames[name].element,
    viewing: () => store.get().view.viewing[name],
    window: () => store.get().view.windows[name],
    setViewing: (/** @type {any} */ viewing) => store.dispatch({ type: "view.viewing", plane: name, viewing }),
    setWindow: (/** @type {any} */ window) => store.dispatch({ type: "view.window", plane: name, window }),
    scroll: (/** @type {number} */ steps) => session.scroll(name, steps),
  };
  if (session.kind !== "picture") {
    const volume = /** @type {VolumeSession} */ (/** @type {unknown} */ (session));
    const view = volume.views[name];
    return {
      ...common,
      width: view.width,
      height: view.height,
      extent: volume.planes[name],
      valueStep: volume.unit === "SUV" ? 0.1 : Math.max(Math.abs(volume.volume.slope), 1e-6),
      pointAt: (pixel) => view.pointAt(pixel),
      setPoint: (point) => volume.goTo(point),
    };
  }
  if (name !== "axial") return null;
  const { view2d } = /** @type {any} */ (session);
  return { ...common, width: view2d.width, height: view2d.height, extent: view2d.size, valueStep: 1, pointAt: () => null, setPoint: () => {} };
}

/** @param {Room} room @param {"axial" | "coronal" | "sagittal"} name */
export function listenToPlane(room, name) {
  return listen(room.frames[name].element, {
    press(pixel, event) {
      set(room, { active: name });
      const surface = surfaceOf(room, name);
      if (!surface) return null;
      const { tool } = room.store.get().view;
      const wanted = toolFor(event, tool, room.keymap.buttons.plane);
      return (wanted.id === tool ? room.marks?.hands.grab(surface, pixel, event) : null) ?? wanted.start(surface, pixel, room, event);
    },
    both(pixel, event) {
      const { both } = room.keymap.buttons.plane;
      const surface = both ? surfaceOf(room, name) : null;
      return surface && toolNamed(/** @type {string} */ (both)).start(surface, pixel, room, event);
    },
    hover(pixel) {
      room.session?.hover(pixel && { name, pixel });
      const { hover } = toolNamed(room.store.get().view.tool);
      const surface = hover && surfaceOf(room, name);
      if (surface) hover(surface, pixel, room);
    },
    click: () => {},
    twice: () => room.marks?.hands.twice() || enlarge(room, name),
    scroll: (steps) => room.session?.scroll(name, steps),
    zoom: (factor, pixel) => {
      const surface = surfaceOf(room, name);
      surface?.setViewing(zoomedAt(surface.extent, surface.viewing(), surface.width, surface.height, pixel, factor));
    },
  });
}

/** A drag of the 3D's camera. @param {any} pane @param {string} act  "turn", "zoom", "pan" @param {[number, number]} pixel @returns {Drag} */
function moving(pane, act, [x, y]) {
  return ([toX, toY]) => {
    const [dx, dy] = [toX - x, toY - y];
    [x, y] = [toX, toY];
    if (act === "zoom") pane.zoom(2 ** (-dy / 200));
    else if (act === "pan") pane.shift(dx, dy);
    else pane.turn(dx, dy);
  };
}

/** @param {Room} room */
export function listenToSpace(room) {
  const { element } = room.frames.surfaces;
  let hovering = 0;
  const space = () => (room.session?.kind === "volume" ? /** @type {any} */ (room.session).space : null);
  return listen(element, {
    press(pixel, event) {
      set(room, { active: "surfaces" });
      const pane = space();
      if (!pane) return null;
      const grip = event.button === 0 ? pane.gripAt(pixel) : null;
      if (grip) return grip;
      const { left, middle, right } = room.keymap.buttons.space;
      return moving(pane, event.button === 2 ? right : event.button === 1 ? middle : left, pixel);
    },
    both(pixel) {
      const [pane, { both }] = [space(), room.keymap.buttons.space];
      return pane && both ? moving(pane, both, pixel) : null;
    },
    hover(pixel) {
      const pane = space();
      if (!pane) return;
      clearTimeout(hovering);
      if (!pixel) {
        room.session?.hoverSurface?.(null);
        return;
      }
      // Looking for the surface under the pointer costs milliseconds: only once it rests for a moment.
      hovering = window.setTimeout(() => room.session?.hoverSurface?.(pane.pick(pixel)?.segment ?? null), 60);
    },
    click(pixel, event) {
      const pane = space();
      if (!pane || event.button !== 0 || room.marks?.hands.clickSpace(pixel)) return;
      const face = pane.cubeFaceAt(pixel);
      if (face) {
        pane.lookFrom(face);
        return;
      }
      const hit = pane.pick(pixel);
      if (hit) room.session?.goTo?.(hit.point);
    },
    twice(pixel) {
      const pane = space();
      const hit = pane?.pick(pixel);
      if (hit) room.session?.goTo?.(hit.point);
      else if (!pane?.cubeFaceAt(pixel)) enlarge(room, "surfaces");
    },
    scroll: (steps) => space()?.zoom(0.88 ** steps),
    zoom: (factor) => space()?.zoom(factor),
  });
}

/** One viewport large, or back. @param {Room} room @param {ViewportName} name */
export function enlarge(room, name) {
  const { large } = room.store.get().view;
  set(room, { large: large === name ? null : name, active: name });
}

/** @param {Room} room */
export function keyActs(room) {
  const view = () => room.store.get().view;
  /** The active plane, or axial while the 3D is active. */
  const plane = () => {
    const { active } = view();
    return active === "surfaces" ? "axial" : active;
  };
  const slices = (/** @type {number} */ steps) => room.session?.scroll(plane(), steps);
  const zoom = (/** @type {number} */ factor) => {
    if (view().active === "surfaces" && room.session?.kind === "volume") {
      /** @type {any} */ (room.session).space.zoom(factor);
      return;
    }
    const surface = surfaceOf(room, plane());
    if (surface) surface.setViewing(zoomedAt(surface.extent, surface.viewing(), surface.width, surface.height, [surface.width / 2, surface.height / 2], factor));
  };
  const step = (/** @type {number} */ by) => {
    const { layout, large, active } = view();
    // One at a time steps through all of them; side by side only through those in sight.
    const shown = large || layout === "1x1" ? VIEWPORTS : shownViewports(view());
    const name = shown[(shown.indexOf(active) + by + shown.length) % shown.length];
    set(room, { active: name, large: view().large ? name : null });
  };
  const series = (/** @type {number} */ by) => {
    const { series: list } = room.store.get().study;
    const at = list.findIndex((one) => one.id === view().seriesId);
    const next = list[at + by];
    if (next) room.openSeries(next.id);
  };
  /** @type {Record<string, () => any>} */
  const acts = {
    "slice-back": () => slices(-1),
    "slice-on": () => slices(1),
    "slice-first": () => room.session?.toSlice(plane(), 0),
    "slice-last": () => room.session?.toSlice(plane(), Number.MAX_SAFE_INTEGER),
    "viewport-back": () => step(-1),
    "viewport-on": () => step(1),
    "series-back": () => series(-1),
    "series-on": () => series(1),
    "zoom-in": () => zoom(1.25),
    "zoom-out": () => zoom(0.8),
    fit: () => {
      if (view().active === "surfaces" && room.session?.kind === "volume") /** @type {any} */ (room.session).space.fit();
      else room.store.dispatch({ type: "view.viewing", plane: plane(), viewing: FITTED });
    },
    reset: () => room.session?.reset(),
    invert: () => set(room, { inverted: !view().inverted }),
    // The image alone for as long as the key is down.
    "hide-outlines": () => {
      const { outlines, fill } = view();
      set(room, { outlines: false, fill: 0 });
      return () => set(room, { outlines, fill });
    },
    texts: () => set(room, { texts: !view().texts }),
    panel: () => room.togglePanel(),
    sheet: () => room.showKeys(),
    small: () => (view().large ? set(room, { large: null }) : false),
    "slice-back-10": () => slices(-10),
    "slice-on-10": () => slices(10),
  };
  for (const { id } of TOOLS) acts[`tool-${id}`] = () => set(room, { tool: id });
  for (const key of [1, 2, 3, 4, 5]) {
    acts[`window-${key}`] = () => {
      const preset = view().presets.find((one) => one.key === key);
      if (preset) room.store.dispatch({ type: "view.window", plane: plane(), window: { width: preset.width, level: preset.level } });
    };
  }
  return acts;
}

/** The preset says which tool is chosen at first; who has chosen another keeps it. @param {Room} room @returns {() => void} */
function firstTool(room) {
  let first = room.store.get().view.tool;
  const take = () => {
    const { tool } = room.keymap.buttons;
    if (room.store.get().view.tool === first) set(room, { tool });
    first = tool;
    // The left-handed preset has the rail at the right, the panel at the left.
    find("#study").dataset.hand = room.keymap.preset === "left" ? "left" : "right";
  };
  take();
  return room.keymap.watch(take);
}

/** @param {Room} room @returns {() => void} */
export function listenToReader(room) {
  room.addActs(keyActs(room));
  const stops = [...PLANES.map((name) => listenToPlane(room, name)), listenToSpace(room), listenToKeys(room.acts, room.keymap.actsOf)];
  const focus = new AbortController();
  for (const name of VIEWPORTS) {
    room.frames[name].element.addEventListener("focus", () => set(room, { active: name }), { signal: focus.signal });
  }
  stops.push(() => focus.abort(), firstTool(room));
  return () => stops.forEach((stop) => stop());
}
