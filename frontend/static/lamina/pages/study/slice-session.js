// A series whose volume this browser does not hold: no WebGL2, a card or a memory too small. The server makes each slice
// as a picture; windows, zoom, pan, scroll and the crosshair work as ever, values under the pointer are asked for.

import { banner } from "../../components/banner.js";
import { bytes as sizeText } from "../../components/format.js";
import { CAP_PLACE, capBytes, neededBytes } from "../../geometry/memory.js";
import { UNTURNED, turnedPlane } from "../../geometry/oblique.js";
import { PLANE_NAMES, sliceAt } from "../../geometry/planes.js";
import { voxelAt } from "../../geometry/volume.js";
import { gettext, interpolate } from "../../i18n.js";
import { FetchedOutlines } from "../../scene/fetched-outlines.js";
import { SliceViewport } from "../../scene/slice-viewport.js";
import { startingLooks } from "../../state/view.js";
import { setNotice } from "./frames.js";
import { PlaneSession } from "./plane-session.js";
import { PlaneTurning } from "./plane-turning.js";
import { VolumeTexts } from "./volume-texts.js";

/** @import { Hindrance } from "../../geometry/memory.js" */
/** @import { PlaneName } from "../../geometry/planes.js" */
/** @import { Point } from "../../geometry/vectors.js" */
/** @import { Room } from "./room.js" */

/** ms the pointer rests before the slice's values are asked for. */
const REST = 150;

/** Bytes a volume may take on this machine. */
export const memoryCap = () => capBytes(/** @type {any} */ (navigator).deviceMemory, localStorage.getItem(CAP_PLACE));

/** Turned by quarters like any plane; the server cuts along the volume's axes only, one slice thick. */
class SliceTurning extends PlaneTurning {
  /** @param {PlaneName} name */
  planeFor(name) {
    return turnedPlane(this.upright[name], this.state?.turns[name] ?? UNTURNED);
  }

  slabOf() {
    return null;
  }

  degrees() {
    return 0;
  }
}

export class SliceSession extends PlaneSession {
  kind = "slices";

  /**
   * @param {Room} room @param {any} series  as the API gives it @param {Hindrance} reason
   * @param {() => void} loadAnyway  take the whole volume against the limit
   */
  constructor(room, series, reason, loadAnyway) {
    super(room, series);
    this.space = null;
    this.progress = { loaded: 1, total: 1 };
    /** Said in the first corner instead of how many slices came. */
    this.remark = gettext("Server-made slices");
    /** Values of the last slice asked for, by plane. @type {Partial<Record<PlaneName, { slice: number, values: Int16Array | null }>>} */
    this.values = {};
    /** @type {any} */
    this.resting = 0;
    /** @type {FetchedOutlines | null} */
    this.outlines = null;
    this.texts = new VolumeTexts(/** @type {any} */ (this));
    const { stage, frames, store } = room;
    /** @type {Record<PlaneName, SliceViewport>} */
    this.views = /** @type {any} */ ({});
    for (const name of PLANE_NAMES) {
      this.views[name] = new SliceViewport(stage, frames[name].element, frames[name].lines, () => this.sceneOf(name), series.urls.slices, {
        onShown: () => this.arrived(),
        onFailed: (slice, error) => this.showFailed(name, slice, error),
      });
    }
    this.announceSeries();
    this.stopWatching = [
      store.watch((state) => state.view, () => this.showAll()),
      store.watch((state) => state.planes, () => this.showAll()),
      store.watch((state) => this.chosen(state), (segmentation) => this.showSegmentation(segmentation)),
    ];
    this.announce(reason, loadAnyway);
    this.showAll();
  }

  makeTurning() {
    return new SliceTurning(this, this.upright);
  }

  /** @param {Hindrance} reason @param {() => void} loadAnyway */
  announce(reason, loadAnyway) {
    const why = reason === "no-webgl2"
      ? gettext("Showing server-made slices: this browser has no WebGL2.")
      : reason === "card"
        ? gettext("Showing server-made slices: the volume is larger than this graphics card takes.")
        : interpolate(gettext("Showing server-made slices: the volume needs {needed} of memory, this page may take {cap}."), { needed: sizeText(neededBytes(this.geometry.shape)), cap: sizeText(memoryCap()) });
    banner("slices", { text: why, kind: "plain", symbol: "info", act: reason === "memory" ? { text: gettext("Load the volume anyway"), run: loadAnyway } : undefined });
    setNotice(this.room.frames.surfaces, { symbol: "box", text: gettext("No 3D here"), second: gettext("Surfaces, measuring and editing need the whole volume in this browser.") });
  }

  /** Names, sizes and places as ever; its outlines come slice by slice, its surfaces not at all. @param {any} segmentation */
  showSegmentation(segmentation) {
    const segments = segmentation?.segments ?? [];
    const again = segmentation && this.room.segmentation?.id === segmentation.id && this.outlines;
    this.room.segmentation = segmentation;
    this.segments = new Map(segments.map((/** @type {any} */ segment) => [segment.number, segment]));
    if (again) {
      this.outlines?.renew();
      return;
    }
    this.outlines = segmentation && new FetchedOutlines(segmentation.urls.slices, this.geometry, this.leaving.signal, () => this.showOutlines());
    this.room.store.dispatch({ type: "view.segmentation", segmentationId: segmentation?.id ?? null, segments: startingLooks(segments) });
  }

  /** The planes go to the middle of a segment. @param {number} number */
  centreOn(number) {
    const segment = this.segments.get(number);
    if (segment?.centroid_mm) this.goTo(segment.centroid_mm);
  }

  get inverted() {
    return this.view.inverted !== (this.series.modality === "PT");
  }

  /** @param {PlaneName} name @returns {any} */
  sceneOf(name) {
    const { view } = this;
    if (!view.point || view.seriesId !== this.series.id) return null;
    return {
      geometry: this.geometry,
      plane: this.planes[name],
      viewing: view.viewing[name],
      window: view.windows[name],
      inverted: this.inverted,
      point: view.point,
      ...this.turning.sceneParts(name),
      handles: false,
      outlines: this.outlines,
      look: { segments: view.segments, fill: view.fill, outlines: view.outlines, lit: view.lit },
      overlays: this.overlays,
    };
  }

  showAll() {
    for (const name of PLANE_NAMES) this.views[name].invalidate();
    this.texts.show();
  }

  showOutlines() {
    this.invalidatePlanes();
    this.texts.showReadout();
    if (!document.documentElement.dataset.outlined) this.room.mark("outlined");
  }

  arrived() {
    if (!document.documentElement.dataset.drawn) this.room.mark("drawn");
    if (PLANE_NAMES.every((name) => this.views[name].shown || this.views[name].element.hidden)) this.room.mark("slices");
  }

  /** @param {PlaneName} name @param {number} slice @param {Error | null} error */
  showFailed(name, slice, error) {
    setNotice(this.room.frames[name], error && {
      symbol: "triangle-alert",
      text: interpolate(gettext("Slice {number} did not arrive"), { number: slice + 1 }),
      second: error.message,
      act: { text: gettext("Retry"), run: () => this.views[name].retry() },
    });
  }

  showTexts() {
    this.texts.show();
  }

  /** Value under a point, where the values of its slice are here. @param {Point} point */
  sample(point) {
    const index = voxelAt(this.geometry, point);
    if (!index) return null;
    const label = this.outlines?.labelAt(index) ?? 0;
    for (const name of PLANE_NAMES) {
      const { axis } = this.planes[name];
      const kept = this.values[name];
      if (!kept?.values || kept.slice !== index[axis]) continue;
      const [row, column] = [0, 1, 2].filter((one) => one !== axis);
      const stored = kept.values[index[row] * this.geometry.shape[column] + index[column]];
      return { index, value: stored * this.volume.slope + this.volume.intercept, label };
    }
    return { index, value: null, label };
  }

  /** @param {{ name: PlaneName, pixel: [number, number] } | null} pointer */
  hover(pointer) {
    this.texts.pointer = pointer;
    this.texts.showReadout();
    clearTimeout(this.resting);
    if (pointer) this.resting = setTimeout(() => void this.askValues(pointer.name), REST);
  }

  /** @param {PlaneName} name */
  async askValues(name) {
    const { point } = this.view;
    const plane = this.planes[name];
    if (!point) return;
    const slice = sliceAt(this.geometry, plane, point);
    if (this.values[name]?.slice === slice) return;
    this.values[name] = { slice, values: null };
    try {
      const answer = await fetch(`${this.series.urls.slices}${"kji"[plane.axis]}/${slice}/?as=values`, { signal: this.leaving.signal, credentials: "same-origin" });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const values = new Int16Array(await answer.arrayBuffer());
      if (this.values[name]?.slice === slice) this.values[name] = { slice, values };
      this.texts.showReadout();
    } catch {
      // The pointer's next rest asks again.
      if (this.values[name]?.slice === slice) delete this.values[name];
    }
  }

  close() {
    this.leaving.abort();
    clearTimeout(this.resting);
    this.stopWatching.forEach((stop) => stop());
    for (const name of PLANE_NAMES) this.views[name].dispose();
    this.texts.clear();
    setNotice(this.room.frames.surfaces, null);
    banner("slices", null);
  }
}
