// A series with pictures but no volume (an X-ray, scouts): one viewport with zoom, pan and window, no millimetres.

import { NARROW, modalityName, number } from "../../components/format.js";
import { windowText } from "../../geometry/format.js";
import { clamp } from "../../geometry/vectors.js";
import { mmPerPixel } from "../../geometry/viewing.js";
import { gettext, interpolate } from "../../i18n.js";
import { PictureViewport } from "../../scene/picture-viewport.js";
import { setCorner, setLetters, setNotice, setScale } from "./frames.js";

/** @import { ViewState } from "../../state/view.js" */
/** @import { Room } from "./room.js" */

const WINDOW = Object.freeze({ width: 256, level: 128 });

export class PictureSession {
  kind = "picture";

  /** @param {Room} room @param {any} series */
  constructor(room, series) {
    this.room = room;
    this.series = series;
    this.unit = "";
    this.presets = [{ id: "full", width: WINDOW.width, level: WINDOW.level, key: 1 }];
    this.openingWindow = WINDOW;
    this.pictures = series.urls.pictures ?? [];
    this.place = 0;
    this.leaving = new AbortController();
    /** @type {[number, number] | null} */
    this.pointer = null;
    const { stage, frames, store } = room;
    this.frame = frames.axial;
    this.view2d = new PictureViewport(stage, this.frame.element, () => {
      const { view } = store.get();
      if (view.seriesId !== series.id) return null;
      return { viewing: view.viewing.axial, window: view.windows.axial ?? WINDOW, inverted: view.inverted, interpolated: view.interpolated };
    });
    store.dispatch({ type: "view.series", seriesId: series.id, point: null, presets: this.presets, window: WINDOW });
    store.dispatch({ type: "view.set", values: { active: "axial" } });
    this.stopWatching = store.watch((state) => state.view, () => {
      this.view2d.invalidate();
      this.showTexts();
    });
    if (this.pictures.length === 0) {
      setNotice(this.frame, { symbol: "image-off", text: gettext("This series has no picture"), second: series.finding?.message ?? "" });
    } else void this.show(0);
  }

  /** @param {number} place from 0 */
  async show(place) {
    this.place = clamp(place, 0, this.pictures.length - 1);
    const wanted = this.place;
    try {
      await this.view2d.load(this.pictures[wanted], this.leaving.signal);
      setNotice(this.frame, null);
      this.room.mark("whole");
    } catch (error) {
      if (this.leaving.signal.aborted) return;
      setNotice(this.frame, {
        symbol: "triangle-alert",
        text: interpolate(gettext("Picture {number} did not load"), { number: wanted + 1 }),
        second: /** @type {Error} */ (error).message,
        act: { text: gettext("Retry"), run: () => void this.show(wanted) },
      });
    }
    this.showTexts();
  }

  /** @param {string} _name @param {number} steps */
  scroll(_name, steps) {
    if (this.pictures.length > 1) void this.show(this.place + steps);
  }

  /** @param {string} _name @param {number} slice */
  toSlice(_name, slice) {
    void this.show(Math.min(slice, this.pictures.length - 1));
  }

  reset() {
    this.room.store.dispatch({ type: "view.reset", window: WINDOW });
  }

  /** @param {{ pixel: [number, number] } | null} pointer */
  hover(pointer) {
    this.pointer = pointer?.pixel ?? null;
    this.showTexts();
  }

  showTexts() {
    const { view, study } = this.room.store.get();
    const { corners, element } = this.frame;
    const { series } = this;
    element.toggleAttribute("data-plain", !view.texts);
    setCorner(corners.topLeft, [
      { text: study.study.pseudonym ?? "", strong: true },
      [modalityName(series.modality ?? ""), series.description].filter(Boolean).join(" · "),
      gettext("Spacing unknown"),
    ]);
    setCorner(corners.topRight, this.pictures.length > 1 ? [`${number(this.place + 1)} / ${number(this.pictures.length)}`] : []);
    const size = mmPerPixel(this.view2d.size, view.viewing.axial, this.view2d.width, this.view2d.height);
    setCorner(corners.bottomLeft, [
      windowText(view.windows.axial ?? WINDOW, ""),
      this.view2d.values ? interpolate(gettext("Zoom {factor}×"), { factor: number(1 / size, 2) }) : "",
    ]);
    const sample = this.pointer && this.view2d.valueAt(this.pointer);
    setCorner(corners.bottomRight, sample ? [`x${NARROW}${sample.column + 1} y${NARROW}${sample.row + 1}`, { text: number(sample.value), strong: true }] : []);
  }

  close() {
    this.leaving.abort();
    this.stopWatching();
    this.view2d.dispose();
    for (const corner of Object.values(this.frame.corners)) setCorner(corner, []);
    setLetters(this.frame, null);
    setScale(this.frame, null, "");
    setNotice(this.frame, null);
  }
}
