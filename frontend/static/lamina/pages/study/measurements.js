// The desk where marks are made: it keeps what is being drawn, measures it, sends it, draws all marks over the planes
// and the 3D, and lets a reader take hold of them. The panel's list stands in measurement-list.js.

import { get, post } from "../../api/client.js";
import { pageData } from "../../components/dom.js";
import { toast } from "../../components/toast.js";
import { MANY, REGIONS, UNITS, measured, middleOf, probeStatistics, regionStatistics, rounded, samplesOf } from "../../geometry/measure.js";
import { dot, subtract } from "../../geometry/vectors.js";
import { clampPoint } from "../../geometry/volume.js";
import { gettext, interpolate } from "../../i18n.js";
import { drawMarks, inSpace, onPlane } from "../../scene/marks.js";
import { baseVersion, markNamed, nextNumber, setMe } from "../../state/marks.js";
import { Outbox } from "../../state/outbox.js";
import { StepGone } from "../../state/undo.js";
import { KIND_OF_TOOL, newId } from "../../tools/measuring.js";
import { MarkHands } from "./mark-hands.js";
import { makeMeasurementList } from "./measurement-list.js";
import { markName } from "./measurement-words.js";
import { may } from "./room.js";
import { makeMoreMeasuring } from "./more-measuring.js";
import { openTextField } from "./text-field.js";

/** @import { Point } from "../../geometry/vectors.js" */
/** @import { Mark, MarksState, Operation } from "../../state/marks.js" */
/** @import { Drawing } from "../../tools/measuring.js" */
/** @import { Surface2d } from "../../tools/tools.js" */
/** @import { Room } from "./room.js" */

/** Lines and regions start in these; both read on bone and on lung. */
const COLOURS = Object.freeze({ line: "#FEEE3E", region: "#90A6FF" });
const SNAP = 8;

export class MarkDesk {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    /** @type {Drawing | null} */
    this.drawing = null;
    this.snapping = false;
    this.hands = new MarkHands(this);
    /** The last press ended a drawing: the double click that may follow is not one on the viewport. */
    this.ended = false;
    const person = pageData("shell-data")?.person;
    this.me = person ? { id: person.id, name: person.name, colour: personColour(person.colour_index) } : null;
    setMe(this.me);
    const { study } = room.store.get().study;
    this.address = `/api/studies/${study.id}/annotations/`;
    room.store.dispatch({ type: "marks.loaded", annotations: study.annotations ?? [] });
    /** @type {Outbox<Operation>} */
    this.outbox = new Outbox({
      send: ({ id, annotation, act, base_version, series, kind, number, name, values }) => post(this.address, { id, annotation, act, base_version, series, kind, number, name, values }),
      changed: (pending) => room.store.dispatch({ type: "marks.pending", pending }),
      done: (_, answer) => room.store.dispatch({ type: "mark.known", annotation: answer }),
    });
    if (this.me) void this.outbox.open(this.me.id, study.id);
    window.addEventListener("online", () => this.outbox.retry());
    window.addEventListener("pagehide", (event) => event.persisted || this.outbox.close());
    room.store.watch((state) => state.marks.list, (list) => this.askForNames(list));
  }

  /** @returns {MarksState} */
  get state() {
    return this.room.store.get().marks;
  }

  get session() {
    const { session } = this.room;
    return session?.kind === "volume" ? /** @type {any} */ (session) : null;
  }

  /** @param {Partial<MarksState>} values */
  set(values) {
    this.room.store.dispatch({ type: "marks.set", values });
  }

  /** May this person draw here? */
  get allowed() {
    const { study } = this.room.store.get().study;
    return may(study.may, "annotate") && study.state === "active";
  }

  /** The same, and says why not. */
  ready() {
    if (!this.allowed) {
      const { study } = this.room.store.get().study;
      toast(study.state === "active" ? gettext("Measuring needs the reader role in this project.") : gettext("This study is in the bin. Restore it to measure in it."));
    }
    return this.allowed && this.session !== null;
  }

  /** Who made it, or who runs the project, may delete it. @param {Mark} mark */
  mayDelete(mark) {
    return this.allowed && (mark.author?.id === this.me?.id || may(this.room.store.get().study.study.may, "delete"));
  }

  // --- drawing --------------------------------------------------------------------------------------------------

  /** The place under a pixel, inside the volume, on an outline where snapping is on. @param {Surface2d} surface @param {[number, number]} pixel @returns {Point | null} */
  pointIn(surface, pixel) {
    const { session } = this;
    const place = this.snapping ? this.snapped(surface, pixel) : surface.pointAt(pixel);
    return place && session ? clampPoint(session.geometry, place) : null;
  }

  /** The nearest place where the label changes, within a few pixels; else the place itself. @param {Surface2d} surface @param {[number, number]} pixel */
  snapped(surface, [x, y]) {
    const { session } = this;
    const here = surface.pointAt([x, y]);
    const label = here && session?.sample(here)?.label;
    if (!here || label === undefined || !session.outlines) return here;
    for (let reach = 1; reach <= SNAP; reach += 0.5) {
      for (let turn = 0; turn < 24; turn++) {
        const at = /** @type {[number, number]} */ ([x + reach * Math.cos((turn * Math.PI) / 12), y + reach * Math.sin((turn * Math.PI) / 12)]);
        const there = surface.pointAt(at);
        if (there && (session.sample(there)?.label ?? label) !== label) return there;
      }
    }
    return here;
  }

  /** @param {Drawing} drawing */
  begin(drawing) {
    this.drawing = drawing;
    this.set({ selected: null, hovered: null });
    return drawing;
  }

  /** Put what is being drawn on the screens, with its number as it stands. */
  show() {
    const { drawing, session } = this;
    if (!drawing || !session) return;
    const { points, kind } = drawing;
    this.set({ draft: this.measure({
      id: drawing.id, series_id: session.series.id, kind, number: nextNumber(this.state, kind), version: 0, points: rounded(points),
      plane_normal: drawing.frame?.normal ?? null, value: null, unit: "", statistics: null, colour: REGIONS.has(kind) || kind === "probe" ? COLOURS.region : COLOURS.line,
      name: "", name_version: 0, finding: null, finding_site: null, laterality: null, author: this.me, changed_by: this.me, created_at: new Date().toISOString(),
    }, true) });
  }

  cancel() {
    if (!this.drawing) return false;
    this.drawing = null;
    this.set({ draft: null });
    return true;
  }

  finish() {
    const { drawing } = this;
    if (!drawing) return;
    if (drawing.kind === "polygon") drawing.floating = null;
    if (drawing.empty || (REGIONS.has(drawing.kind) && drawing.points.length < 3)) {
      this.cancel();
      return;
    }
    this.show();
    const draft = /** @type {Mark} */ (this.state.draft);
    this.drawing = null;
    this.ended = true;
    const normal = draft.plane_normal;
    // Ends on two slices lie in no plane; a flat kind keeps the one it was drawn in.
    const flat = normal && draft.points.every((point) => Math.abs(dot(subtract(point, draft.points[0]), normal)) < 0.05);
    const points = draft.kind === "surface_distance" ? rounded(this.hands.overSurface(draft.points)) : draft.points;
    const mark = this.measure({ ...draft, points, plane_normal: flat ? normal : null });
    const pixel = drawing.pixels[drawing.pixels.length - 1] ?? [0, 0];
    if (mark.kind === "text" || mark.kind === "arrow") {
      const frame = this.room.frames[/** @type {"axial"} */ (drawing.viewport)];
      openTextField(frame.element, pixel, {
        label: mark.kind === "text" ? gettext("Text at this place") : gettext("Words for this arrow"),
        done: (text) => {
          this.set({ draft: null });
          if (text !== null && (text || mark.kind === "arrow")) this.add({ ...mark, name: text });
        },
      });
      return;
    }
    this.add(mark);
  }

  /** Value, unit and statistics from points and voxels. @param {Mark} mark @param {boolean} [soon]  while dragging: large regions wait @returns {Mark} */
  measure(mark, soon = false) {
    const { session } = this;
    const { kind, points, plane_normal: normal } = mark;
    if (!session) return mark;
    const { geometry, voxels, loaded, volume, unit } = session;
    // Slices that the server makes bring no voxels: then there are sizes and no statistics.
    const hasVoxels = Boolean(voxels && loaded);
    const complete = kind !== "cobb" || points.length === 4;
    const enough = points.length >= (REGIONS.has(kind) || kind === "angle" ? 3 : kind === "cobb" ? 4 : UNITS[kind] ? 2 : 1);
    const value = geometry.spacingKnown && complete && enough ? measured(kind, points) : null;
    const stored = { geometry, voxels, loaded, slope: volume.slope, intercept: volume.intercept, unit };
    let statistics = null;
    if (kind === "probe" && hasVoxels) statistics = probeStatistics(stored, points[0]);
    else if (hasVoxels && REGIONS.has(kind) && normal && enough && !(soon && samplesOf(geometry, kind, points, normal) > MANY)) statistics = regionStatistics(stored, kind, points, normal);
    return { ...mark, value, unit: value === null ? "" : UNITS[kind] ?? "", statistics };
  }

  tellAboutSurfaces() {
    toast(gettext("Pick two places on a surface in the 3D."));
  }

  // --- acts, each with its way back -----------------------------------------------------------------------------

  /** @param {Mark} mark */
  add(mark) {
    const { id, series_id, kind, number, name } = mark;
    this.send({ annotation: id, act: "add", series: series_id, kind, number, ...(name ? { name } : {}), values: valuesOf(mark) });
    this.set({ draft: null, selected: id });
    this.remember(mark, gettext("{mark}, drawn"), () => this.bring(id, "delete"), () => this.bring(id, "restore"));
  }

  /**
   * Change fields of a mark; `what` names the step with {mark} in it.
   * @param {string} id @param {Partial<Mark>} values @param {string} what @param {string} [name]
   */
  change(id, values, what, name) {
    const before = markNamed(this.state, id);
    if (!before || !this.allowed) return;
    const old = Object.fromEntries(Object.keys(values).map((key) => [key, /** @type {any} */ (before)[key]]));
    const act = (/** @type {Partial<Mark>} */ wanted, /** @type {string | undefined} */ called) =>
      this.send({ annotation: id, act: "change", values: wanted, ...(called === undefined ? {} : { name: called }) });
    act(values, name);
    /** @param {Partial<Mark>} wanted @param {string | undefined} called */
    const back = (wanted, called) => {
      this.checkOwn(id);
      act(wanted, called);
    };
    this.remember(before, what, () => back(old, name === undefined ? undefined : before.name), () => back(values, name));
  }

  /** @param {string} id */
  remove(id) {
    const mark = markNamed(this.state, id);
    if (!mark || !this.mayDelete(mark)) return;
    this.bring(id, "delete");
    this.remember(mark, gettext("{mark}, deleted"), () => this.bring(id, "restore"), () => this.bring(id, "delete"));
  }

  /** @param {string} id @param {"delete" | "restore"} act */
  bring(id, act) {
    const known = this.state.known[id];
    const there = markNamed(this.state, id);
    if (act === "delete" ? !there : there) throw new StepGone(gettext("This mark was changed by somebody else since. The step is left out."));
    if (known && known.changed_by && known.changed_by.id !== this.me?.id && act === "restore") throw new StepGone(gettext("Somebody else deleted this mark since. The step is left out."));
    this.send({ annotation: id, act, values: {} });
  }

  /** Undo takes back one's own last step only. @param {string} id */
  checkOwn(id) {
    const mark = markNamed(this.state, id);
    if (!mark) throw new StepGone(gettext("This mark is not there any more. The step is left out."));
    if (mark.changed_by && mark.changed_by.id !== this.me?.id) {
      throw new StepGone(interpolate(gettext("{person} changed {mark} since. The step is left out."), { person: mark.changed_by.name, mark: markName(mark) }));
    }
  }

  /** @param {Mark} mark @param {string} what @param {() => void} undo @param {() => void} redo */
  remember(mark, what, undo, redo) {
    this.room.undo.push({ name: interpolate(what, { mark: markName(mark) }), undo, redo });
  }

  /** @param {Pick<Operation, "annotation" | "act" | "values"> & Partial<Operation>} operation */
  send(operation) {
    this.outbox.push({ ...operation, id: newId(), base_version: baseVersion(this.state, operation.annotation), at: new Date().toISOString(), state: "waiting" });
  }

  // --- when it does not get through -----------------------------------------------------------------------------

  /** @param {string} id */
  retry(id) {
    this.outbox.retry((one) => one.annotation === id);
  }

  /** Leave what stands on the server. @param {string} id */
  keepTheirs(id) {
    const theirs = this.state.pending.find((one) => one.annotation === id && one.theirs)?.theirs;
    this.outbox.drop((one) => one.annotation === id);
    if (theirs) this.room.store.dispatch({ type: "mark.known", annotation: theirs });
  }

  /** What I did, once more over what stands now; a deleted mark comes back as a new one. @param {string} id */
  keepMine(id) {
    const waiting = this.state.pending.filter((one) => one.annotation === id);
    const theirs = waiting.find((one) => one.theirs)?.theirs;
    if (!theirs) return;
    this.keepTheirs(id);
    for (const { act, values, name } of waiting) {
      if (theirs.is_deleted && act === "change") {
        const mark = { ...theirs, ...values, name: name ?? theirs.name, id: newId(), is_deleted: false };
        this.send({ annotation: mark.id, act: "add", series: mark.series_id, kind: mark.kind, number: mark.number, ...(mark.name ? { name: mark.name } : {}), values: valuesOf(mark) });
        return;
      }
      if (!theirs.is_deleted && act !== "add") this.send({ annotation: id, act, values, ...(name === undefined ? {} : { name }) });
    }
  }

  /** Events leave names out; whoever sees a newer one asks. @param {(Mark & { stale?: boolean })[]} list */
  askForNames(list) {
    for (const { id, stale } of list) {
      if (!stale || this.asked.has(id)) continue;
      this.asked.add(id);
      void get(`/api/annotations/${id}/`).then((annotation) => this.room.store.dispatch({ type: "mark.known", annotation }), () => {}).finally(() => this.asked.delete(id));
    }
  }

  /** @type {Set<string>} */
  asked = new Set();

  // --- from the list --------------------------------------------------------------------------------------------

  /** Planes and 3D go to a mark; its series opens first. @param {string} id */
  goTo(id) {
    const mark = markNamed(this.state, id);
    if (!mark) return;
    if (this.session?.series.id !== mark.series_id) this.room.openSeries(mark.series_id);
    this.session?.goTo(REGIONS.has(mark.kind) || mark.kind === "length" ? middleOf(mark.points) : mark.points[mark.kind === "angle" ? 1 : 0]);
    this.set({ selected: id });
  }
}

/** SCREENS, "People": the order of server/accounts/models.py. */
const PEOPLE = ["#7AD7FF", "#FF9EBB", "#C6F26D", "#BAA37E", "#F9E3D8", "#C58BFF"];
/** @param {number} index */
const personColour = (index) => PEOPLE[index] ?? PEOPLE[0];

/** @param {Mark} mark @returns {Partial<Mark>} */
const valuesOf = ({ points, plane_normal, value, unit, statistics, colour, finding, finding_site, laterality, lesion_role: role }) =>
  ({ points, plane_normal, value, unit, statistics, colour, ...(finding ? { finding } : {}), ...(finding_site ? { finding_site } : {}), ...(laterality ? { laterality } : {}), ...(role ? { lesion_role: role } : {}) });

/** @param {Room} room */
export function makeMeasurements(room) {
  const desk = new MarkDesk(room);
  room.marks = desk;
  makeMeasurementList(room, desk);
  makeMoreMeasuring(room);

  room.addActs({
    cancel: () => {
      if (desk.state.draft && desk.cancel()) return true;
      if (!desk.state.selected) return false;
      desk.set({ selected: null });
      return true;
    },
    accept: () => (desk.drawing?.kind === "polygon" ? (desk.finish(), true) : false),
    delete: () => {
      if (desk.drawing) return desk.drawing.kind === "polygon" && desk.drawing.back() ? (desk.show(), true) : desk.cancel();
      const { selected } = desk.state;
      if (!selected) return false;
      desk.remove(selected);
      return true;
    },
    undo: () => (desk.drawing ? (desk.drawing.kind === "polygon" && desk.drawing.back() ? (desk.show(), true) : desk.cancel()) : false),
  });
  // Another tool leaves a half-drawn mark behind; it goes.
  room.store.watch((state) => state.view.tool, (tool) => {
    if (desk.drawing && KIND_OF_TOOL[tool] !== desk.drawing.kind && !(tool === "polygon" && desk.drawing.kind === "freehand")) desk.cancel();
    room.grid.toggleAttribute("data-measuring", tool in KIND_OF_TOOL);
  });

  let pending = 0;
  for (const [name, { element }] of Object.entries(room.frames)) {
    const pixelOf = (/** @type {PointerEvent} */ event) => {
      const box = element.getBoundingClientRect();
      return /** @type {[number, number]} */ ([event.clientX - box.left, event.clientY - box.top]);
    };
    element.addEventListener("pointermove", (event) => {
      if (event.buttons || !desk.session) return;
      const pixel = pixelOf(event);
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(() => (name === "surfaces" ? desk.hands.hoverSpace(pixel) : desk.hands.hover(name, pixel)));
    });
    element.addEventListener("pointerleave", () => desk.hands.hover(name, null));
  }

  room.onSession((session) => {
    if (session.kind !== "volume") return;
    const removes = [
      session.addOverlay((/** @type {CanvasRenderingContext2D} */ context, /** @type {any} */ pane) =>
        drawMarks(context, onPlane(pane), desk.hands.drawn())),
      session.space.addOverlay((/** @type {CanvasRenderingContext2D} */ context, /** @type {any} */ pane) =>
        drawMarks(context, inSpace(pane), desk.hands.drawnInSpace())),
      session.space.addGrips((/** @type {[number, number]} */ pixel) => desk.hands.grabInSpace(pixel)),
      room.store.watch((state) => state.marks, (marks, before) => {
        if (before && marks.list === before.list && marks.draft === before.draft && marks.selected === before.selected && marks.hovered === before.hovered && marks.hidden === before.hidden && marks.allHidden === before.allHidden) return;
        session.invalidatePlanes();
        session.space.redrawLines();
      }),
    ];
    return () => {
      desk.cancel();
      removes.reverse().forEach((remove) => remove());
    };
  });
}

