// What stands in the corners of a series' viewports: whose it is, which slice, which window, what lies under the pointer.

import { degrees, mm, modalityName, number, spacing } from "../../components/format.js";
import { barLength, indexPosition, pixelValue, position, windowText } from "../../geometry/format.js";
import { edgeLetters } from "../../geometry/orientation.js";
import { PLANE_NAMES, sliceAt } from "../../geometry/planes.js";
import { mmPerPixel, scaleBar } from "../../geometry/viewing.js";
import { gettext, interpolate, known } from "../../i18n.js";
import { isBeside, isPair, shownViewports } from "../../state/view.js";
import { setCorner, setLetters, setNotice, setScale } from "./frames.js";
import { phaseWords } from "./phases.js";
import { PLANE_COLOURS, word } from "./words.js";

/** @import { PlaneName } from "../../geometry/planes.js" */
/** @import { Phases } from "./phases.js" */
/** @import { VolumeSession } from "./volume-session.js" */

/** @param {{ mode: string, mm: number } | null} slab */
const slabText = (slab) => (slab ? `${word(`slab-${slab.mode}`)} ${mm(slab.mm)}` : "");

/** Which phase stands in the planes, as soon as it is another than the series itself. @param {Phases | null} phases */
const phaseText = (phases) =>
  phases && phases.at !== phases.first
    ? [interpolate(gettext("Phase {at} of {count}"), { at: number(phases.at + 1), count: number(phases.count) }), phaseWords(phases.series)].filter(Boolean).join(" · ") : "";

export class VolumeTexts {
  /** @param {VolumeSession} session */
  constructor(session) {
    this.session = session;
    /** The plane the pointer is over, and where. @type {{ name: PlaneName, pixel: [number, number] } | null} */
    this.pointer = null;
    /** The surface under the pointer. @type {string | undefined} */
    this.hovered = undefined;
    /** Says in its first viewport whose images these are. */
    this.leads = true;
  }

  /** Whose images these are; two studies side by side are told apart by their dates. @returns {{ text: string, strong: boolean }[]} */
  get whose() {
    const { room, view } = this.session;
    const { study } = room.store.get().study;
    return [study.pseudonym ?? "", isBeside(view.layout) ? study.study_date ?? gettext("No date") : ""].map((text) => ({ text, strong: true }));
  }

  /** All corners anew; the page is touched only where a text differs. */
  show() {
    const { room, geometry, series, planes, turning, over, volume, views, unit, progress, remark, view } = this.session;
    if (!view.point) return;
    const known = geometry.spacingKnown;
    const label = [modalityName(series.modality), series.number !== null && series.number !== undefined ? interpolate(gettext("Series {number}"), { number: series.number }) : "", series.description].filter(Boolean).join(" · ");
    const short = [modalityName(series.modality), series.number !== null && series.number !== undefined ? interpolate(gettext("Series {number}"), { number: series.number }) : ""].filter(Boolean).join(" · ");
    // Whose images these are stands in the first viewport that is shown.
    const lead = this.leads ? shownViewports(view).find((name) => name !== "surfaces") ?? "axial" : null;
    for (const name of PLANE_NAMES) {
      const frame = room.frames[name];
      const plane = planes[name];
      const first = name === lead;
      const count = interpolate(gettext("{count} slices"), { count: geometry.shape[0] });
      const streaming = progress.loaded < progress.total ? interpolate(gettext("slices {loaded} of {total}"), progress) : "";
      frame.element.toggleAttribute("data-plain", !view.texts);
      setCorner(frame.corners.topLeft, [
        ...(first ? this.whose : [short]),
        first ? label : "",
        first ? `${known ? spacing(volume.spacing_mm) : gettext("Spacing unknown")} · ${count}` : "",
        first ? (remark ?? streaming) : "",
        phaseText(this.session.phases),
      ]);
      setCorner(frame.corners.topRight, [
        { text: plane.oblique ? interpolate(gettext("{plane}, oblique"), { plane: word(name) }) : word(name), strong: true, colour: PLANE_COLOURS[name] },
        plane.oblique ? interpolate(gettext("tilted {angle}"), { angle: degrees(turning.degrees(name)) }) : "",
        slabText(turning.slabOf(name)),
        `${number(sliceAt(geometry, plane, view.point) + 1)} / ${number(plane.count)}`,
      ]);
      const { width, height } = views[name];
      const size = mmPerPixel(plane, view.viewing[name], width, height);
      setCorner(frame.corners.bottomLeft, [
        ...(over ? [over.text(first)].flat() : []),
        windowText(view.windows[name], unit),
        first ? interpolate(gettext("Zoom {factor}×"), { factor: number(plane.pixel / size, 1) }) : "",
      ]);
      // Without spacing there are no directions either: letters would be a guess.
      setLetters(frame, known ? edgeLetters(plane) : null);
      const bar = known && width > 0 ? scaleBar(size) : null;
      setScale(frame, bar, bar ? barLength(bar.millimetres) : "");
    }
    this.showSpace();
    this.showReadout();
  }

  showSpace() {
    const { room, view, space } = this.session;
    if (!space) return;
    const { frames, segmentation } = room;
    const looks = Object.values(view.segments);
    const shown = looks.filter((look) => look.shown && look.opacity > 0).length;
    // The volume alone: how many surfaces would be shown says nothing about the picture.
    const alone = Boolean(room.store.get().space.volume) && !space.withSurfaces;
    // While a comparison is shown its surfaces stand in the place of the result's: what is said of that one would be wrong.
    const compared = this.session.outlinesCovered && !alone;
    const made = segmentation && !alone && !compared ? [known(segmentation.algorithm?.title ?? segmentation.algorithm?.name ?? ""), segmentation.algorithm?.version].filter(Boolean).join(" ") : "";
    setCorner(frames.surfaces.corners.topLeft, [
      ...(isBeside(view.layout) ? this.whose : []),
      { text: alone ? gettext("Volume rendering") : gettext("Surfaces"), strong: true },
      compared && isPair(view.layout) ? gettext("Both columns turn together") : alone || compared ? "" : segmentation ? interpolate(gettext("{shown} of {all} shown"), { shown, all: looks.length }) : gettext("No surfaces yet"),
      made ? interpolate(gettext("Made by {algorithm}"), { algorithm: made }) : "",
    ]);
    setCorner(frames.surfaces.corners.bottomRight, [
      this.hovered ?? (segmentation && !alone ? gettext("Drag to turn · double-click a surface to jump") : gettext("Drag to turn")),
    ]);
  }

  /** Position, value and label under the pointer; empty when it is away. */
  showReadout() {
    const { room, views, segments, unit, geometry } = this.session;
    for (const name of PLANE_NAMES) {
      const frame = room.frames[name];
      const pixel = this.pointer?.name === name ? this.pointer.pixel : null;
      const point = pixel && views[name].pointAt(pixel);
      const sample = point && this.session.sample(point);
      if (!sample) {
        setCorner(frame.corners.bottomRight, []);
        continue;
      }
      const label = sample.label ? known(segments.get(sample.label)?.label ?? "") : "";
      const shown = this.session.turning.valueIn(name, point, (place) => this.session.sample(place)?.value);
      const value = shown === null || shown === undefined ? gettext("loading") : pixelValue(shown, unit);
      const { over, turning } = this.session;
      const above = over ? over.readout(point, turning.valueIn(name, point, (place) => over.valueAt(place))) : "";
      setCorner(frame.corners.bottomRight, [
        geometry.spacingKnown ? position(point) : indexPosition(sample.index),
        { text: [value, above, label].filter(Boolean).join(" · "), strong: true },
      ]);
    }
  }

  /** Empty corners, no letters, no scale, no notice: the series leaves. */
  clear() {
    const { frames } = this.session.room;
    for (const name of PLANE_NAMES) {
      const frame = frames[name];
      for (const corner of Object.values(frame.corners)) setCorner(corner, []);
      setLetters(frame, null);
      setScale(frame, null, "");
      setNotice(frame, null);
    }
    for (const corner of Object.values(frames.surfaces.corners)) setCorner(corner, []);
  }
}
