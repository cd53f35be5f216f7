// Two outlines of the same images in equal columns, A at the left and B at the right: a slice above, the surface below,
// everything linked. Where there is no room for two (below 1100 px, one viewport made large, a phone) one column stands
// there, its heads choose A or B, and a key shows the other one while it is held.

import { gettext } from "../../../i18n.js";
import { isPair } from "../../../state/view.js";
import { VIEWPORTS, makeFrames } from "../frames.js";
import { makeHeads } from "./heads.js";
import { makeTwin } from "./twin.js";

/** @import { Room } from "../room.js" */
/** @import { VolumeSession } from "../volume-session.js" */
/** @import { Frame, ViewportName } from "../frames.js" */
/** @import { Twin } from "./twin.js" */

/** @typedef {"a" | "b"} Side */

/** Room for two columns (SCREENS, "Regions"), and for one viewport only: as study-columns.css has it. */
const WIDE = window.matchMedia("(min-width: 1100px)");
const NARROW = window.matchMedia("(max-width: 819px)");

export class Columns {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    /** The right column, while there are two. @type {Twin | null} */
    this.twin = null;
    /** @type {Record<ViewportName, Frame> | null} */
    this.frames = null;
    /** The side that was pressed last: alone in sight where there is room for one. @type {Side} */
    this.side = "a";
    this.heads = makeHeads(this);
    room.store.watch((state) => [state.view.layout, state.view.main, state.view.large, state.view.active].join(), () => this.follow());
    room.onSession(() => {
      this.follow();
      return () => this.close();
    });
    // After the page has placed its own viewports for the new width.
    for (const media of [WIDE, NARROW]) media.addEventListener("change", () => requestAnimationFrame(() => this.place()));
    for (const type of ["pointerdown", "focusin"]) room.grid.addEventListener(type, (event) => this.pressed(event.target), { capture: true });
    room.addActs({ "other-column": () => this.peek() });
  }

  get isOpen() {
    return this.twin !== null;
  }

  /** One column at a time. */
  get single() {
    return !WIDE.matches || this.room.store.get().view.large !== null;
  }

  follow() {
    const { session, store } = this.room;
    const wanted = isPair(store.get().view.layout) && session?.kind === "volume";
    if (wanted && !this.twin) this.open(/** @type {any} */ (session));
    else if (!wanted) this.close();
    if (this.twin) this.place();
  }

  /** @param {VolumeSession} session */
  open(session) {
    const { room } = this;
    this.side = "a";
    this.frames = makeFrames(room.grid, "twin-", gettext("Right column"));
    this.twin = makeTwin(room, session, this.frames);
    this.heads.show();
    this.place();
    room.comparison?.rehang();
  }

  close() {
    const { twin, frames } = this;
    if (!twin || !frames) return;
    this.twin = null;
    // What the comparison put into the right column goes before the column does.
    this.room.comparison?.rehang();
    twin.close();
    for (const { element } of Object.values(frames)) element.remove();
    this.frames = null;
    this.heads.hide();
    delete this.room.grid.dataset.side;
    for (const name of VIEWPORTS) delete this.room.frames[name].element.dataset.aside;
    this.room.stage.resize();
  }

  /** Who stands where: the page has placed its own viewports already. */
  place() {
    const { room, frames, twin } = this;
    const { view } = room.store.get();
    if (!twin || !frames || !isPair(view.layout)) return;
    const alone = view.large ?? (NARROW.matches ? view.active : null);
    room.grid.dataset.layout = alone ? "pair-one" : this.single ? "pair-column" : "pair";
    room.grid.dataset.side = this.side;
    for (const name of VIEWPORTS) {
      const own = room.frames[name].element;
      const { element } = frames[name];
      const shown = alone ? name === alone : name === "surfaces" || name === view.main;
      own.hidden = !shown || (this.single && this.side === "b");
      element.hidden = !shown || (this.single && this.side === "a");
      element.dataset.place = alone ? "big" : name === "surfaces" ? "right-surface" : "right-slice";
      element.toggleAttribute("data-active", name === view.active && this.side === "b");
      own.toggleAttribute("data-active", name === view.active && this.side === "a");
    }
    this.heads.draw();
    room.stage.resize();
    twin.session.showTexts();
  }

  /** @param {Side} side */
  choose(side) {
    if (side === this.side) return;
    this.side = side;
    this.place();
  }

  /** @param {EventTarget | null} target */
  pressed(target) {
    if (!this.twin || !(target instanceof Element)) return;
    const name = /** @type {HTMLElement | null} */ (target.closest("[data-viewport]"))?.dataset.viewport;
    if (name) this.choose(name.startsWith("twin-") ? "b" : "a");
  }

  /** The other column while the key is held; nothing to do where both are in sight. */
  peek() {
    if (!this.twin || !this.single) return false;
    const before = this.side;
    this.choose(before === "a" ? "b" : "a");
    return () => this.choose(before);
  }
}

/** @param {Room} room */
export function makeColumns(room) {
  room.columns = new Columns(room);
}
