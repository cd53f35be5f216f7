// Hands on marks: which one lies under a pixel of a plane or of the 3D, dragging it or one of its handles, and placing
// points on surfaces by clicks. What comes of it goes through the desk (measurements.js).

import { movedBy, rounded, withHandle } from "../../geometry/measure.js";
import { coarser, surfacePath } from "../../geometry/surface-path.js";
import { distance, dot, subtract } from "../../geometry/vectors.js";
import { clampPoint } from "../../geometry/volume.js";
import { gettext } from "../../i18n.js";
import { hitMark, inSpace } from "../../scene/marks.js";
import { shownMarks } from "../../state/marks.js";
import { Drawing, KIND_OF_TOOL, ON_SURFACES, frameOf } from "../../tools/measuring.js";
import { surfaceOf } from "./controls.js";
import { labelTexts } from "./measurement-words.js";

/** @import { Point } from "../../geometry/vectors.js" */
/** @import { MarkLook, MarkPane } from "../../scene/marks.js" */
/** @import { Mark } from "../../state/marks.js" */
/** @import { Drag } from "../../tools/pointer.js" */
/** @import { Surface2d } from "../../tools/tools.js" */
/** @import { MarkDesk } from "./measurements.js" */

/** mm between a picked point and the first crossing of the surface it lies on, at most. */
const NEAR = 5;
/** Tools over which a press on a mark takes hold of it, beside the measuring ones. */
const VIEWING = new Set(["window", "pan", "zoom", "crosshair", "scroll"]);

export class MarkHands {
  /** @param {MarkDesk} desk */
  constructor(desk) {
    this.desk = desk;
  }

  get tool() {
    return this.desk.room.store.get().view.tool;
  }

  /** @param {Surface2d} surface @returns {MarkPane | null} */
  paneOf(surface) {
    const frame = frameOf(surface);
    const origin = surface.pointAt([0, 0]);
    if (!frame || !origin) return null;
    const step = this.desk.session?.planes[surface.name]?.step ?? 1;
    return {
      space: false, width: surface.width, height: surface.height, normal: frame.normal, half: step / 2,
      depth: (point) => dot(subtract(point, origin), frame.normal),
      toPixel: (point) => [dot(subtract(point, origin), frame.right) / frame.pixel, dot(subtract(point, origin), frame.down) / frame.pixel],
    };
  }

  /** @returns {MarkPane | null} */
  spacePane() {
    const space = this.desk.session?.space;
    if (!space) return null;
    return inSpace(space.pane(space.width, space.height));
  }

  /** What is to be drawn, and how. */
  drawn() {
    const { session, state } = this.desk;
    if (!session) return [];
    const { texts } = this.desk.room.store.get().view;
    return shownMarks(state, session.series.id).map((mark) => {
      const drawing = mark === state.draft;
      const lit = drawing || mark.id === state.selected || mark.id === state.hovered;
      return { mark, look: { lit, drawing, texts: texts ? labelTexts(mark, drawing || mark.id === state.selected) : [] } };
    });
  }

  /** In the 3D: what was drawn on surfaces with its label, of the others the chosen one and single places, bare. */
  drawnInSpace() {
    return this.drawn()
      .filter(({ mark, look }) => look.lit || !mark.plane_normal || mark.points.length === 1)
      .map(({ mark, look }) => (mark.plane_normal ? { mark, look: { ...look, texts: [] } } : { mark, look }));
  }

  /** A press on a mark takes hold of it, whatever tool for looking or measuring is chosen. @param {Surface2d} surface @param {[number, number]} pixel @param {PointerEvent} event @returns {Drag | null} */
  grab(surface, pixel, event) {
    const { tool } = this;
    this.desk.ended = false;
    if (event.shiftKey || this.desk.drawing || (!VIEWING.has(tool) && !(tool in KIND_OF_TOOL))) return null;
    const pane = this.paneOf(surface);
    const found = pane && hitMark(pixel, pane, this.drawn());
    // Labels are large: while measuring, a press on one draws.
    const hit = found?.part === "label" && tool in KIND_OF_TOOL ? null : found;
    if (!hit) {
      if (this.desk.state.selected) this.desk.set({ selected: null });
      return null;
    }
    return this.dragOf(hit, (at) => this.desk.pointIn(surface, at), surface.pointAt(pixel));
  }

  /** The same in the 3D: ends of what was drawn there slide over the surfaces. @param {[number, number]} pixel @returns {Drag | null} */
  grabInSpace(pixel) {
    const pane = this.spacePane();
    const hit = !this.desk.drawing && pane && hitMark(pixel, pane, this.drawnInSpace());
    if (!hit || hit.part === "label") return null;
    const { space } = this.desk.session;
    if (hit.part !== "handle" || hit.mark.plane_normal) {
      this.desk.set({ selected: hit.mark.id });
      return null;
    }
    return this.dragOf(hit, (at) => space.pick(at)?.point ?? null, null);
  }

  /** @param {NonNullable<ReturnType<typeof hitMark>>} hit @param {(pixel: [number, number]) => Point | null} placeAt @param {Point | null} from @returns {Drag} */
  dragOf({ mark, part, handle }, placeAt, from) {
    this.desk.set({ selected: mark.id });
    const still = () => {};
    if (!this.desk.allowed || part === "label") return still;
    const { kind, points, plane_normal: normal } = mark;
    const flat = (/** @type {Point} */ point) => (normal ? /** @type {Point} */ (point.map((value, axis) => value - normal[axis] * dot(subtract(point, points[0]), normal))) : point);
    return {
      move: (pixel) => {
        const place = placeAt(pixel);
        if (!place) return;
        const bent = part === "handle" ? withHandle(kind, kind === "surface_distance" ? [points[0], points[points.length - 1]] : points, kind === "surface_distance" ? Math.min(handle, 1) : handle, flat(place)) : from && movedBy(points, subtract(flat(place), flat(from)));
        if (bent && this.inside(bent)) this.desk.set({ draft: this.desk.measure({ ...mark, points: rounded(bent) }, true) });
      },
      end: (_, moved) => {
        const { draft } = this.desk.state;
        this.desk.set({ draft: null });
        if (!moved || !draft || draft.id !== mark.id) return;
        const whole = kind === "surface_distance" ? { ...draft, points: rounded(this.overSurface(draft.points)) } : draft;
        const { points: places, plane_normal, value, unit, statistics } = this.desk.measure(whole);
        this.desk.change(mark.id, { points: places, plane_normal, value, unit, statistics }, part === "handle" ? gettext("{mark}, changed") : gettext("{mark}, moved"));
      },
      cancel: () => this.desk.set({ draft: null }),
    };
  }

  /** @param {Point[]} points */
  inside(points) {
    const { geometry } = this.desk.session;
    return points.every((point) => clampPoint(geometry, point).every((value, axis) => Math.abs(value - point[axis]) < Math.max(...geometry.spacing)));
  }

  /** @param {string} name @param {[number, number] | null} pixel */
  hover(name, pixel) {
    const surface = name === "surfaces" ? null : surfaceOf(this.desk.room, /** @type {"axial"} */ (name));
    const pane = !pixel || this.desk.drawing || this.desk.state.draft ? null : name === "surfaces" ? this.spacePane() : surface && this.paneOf(surface);
    const hit = pane && pixel ? hitMark(pixel, pane, name === "surfaces" ? this.drawnInSpace() : this.drawn()) : null;
    const id = hit?.mark.id ?? null;
    if (id !== this.desk.state.hovered) this.desk.set({ hovered: id });
    const { element } = this.desk.room.frames[/** @type {"axial"} */ (name)];
    const cursor = hit ? (hit.part === "handle" ? "move" : "pointer") : this.tool in KIND_OF_TOOL ? "crosshair" : "";
    if ((element.dataset.cursor ?? "") !== cursor) element.dataset.cursor = cursor;
  }

  // --- in the 3D ------------------------------------------------------------------------------------------------

  /** A click on a surface while measuring. @param {[number, number]} pixel @returns {boolean}  true: it was ours */
  clickSpace(pixel) {
    const kind = KIND_OF_TOOL[this.tool];
    if (!kind || !ON_SURFACES.has(kind)) return false;
    const hit = this.desk.session?.space.pick(pixel);
    if (!hit) return this.desk.drawing !== null;
    const place = hit.point;
    if (!this.desk.ready()) return true;
    if (this.desk.drawing && (this.desk.drawing.viewport !== "surfaces" || this.desk.drawing.kind !== kind)) this.desk.cancel();
    const drawing = this.desk.drawing ?? this.desk.begin(new Drawing(kind, "surfaces", null));
    if (drawing.place(place, pixel)) this.desk.finish();
    else this.desk.show();
    return true;
  }

  /** @param {[number, number]} pixel */
  hoverSpace(pixel) {
    const { drawing } = this.desk;
    if (drawing?.viewport !== "surfaces") {
      this.hover("surfaces", pixel);
      return;
    }
    const place = this.desk.session?.space.pick(pixel)?.point;
    if (!place) return;
    drawing.follow(place);
    this.desk.show();
  }

  /**
   * The way over the surface between the ends of a distance; the straight line where no one surface joins them.
   * @param {Point[]} points @returns {Point[]}
   */
  overSurface([a, ...rest]) {
    const b = rest[rest.length - 1];
    let best = [a, b];
    let found = Infinity;
    for (const mesh of this.desk.session?.surfaces?.meshes.values() ?? []) {
      const index = mesh.visible && mesh.geometry.getIndex()?.array;
      if (!index) continue;
      const triangles = { positions: mesh.geometry.getAttribute("position").array, index, offset: /** @type {Point} */ (mesh.position.toArray()) };
      const path = surfacePath(triangles, a, b);
      // Both ends lie on the surface they were picked from, and on no other.
      const off = path ? Math.max(distance(path[1], a), distance(path[path.length - 2], b)) : Infinity;
      if (path && path.length > 2 && off < Math.min(found, NEAR)) [best, found] = [coarser(path, 400), off];
    }
    return best;
  }

  /** A double click that ended a polygon is not also one on the viewport. */
  twice() {
    return this.desk.drawing !== null || this.desk.ended;
  }
}
