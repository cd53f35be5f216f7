// Which hanging protocol a series opens in, and what this person chose before, kept in this browser by modality.

import { pageData } from "../../components/dom.js";
import { gettext } from "../../i18n.js";
import { PROTOCOLS, hungOf, protocolFor } from "../../state/hanging.js";

/** @import { Hung, Protocol } from "../../state/hanging.js" */
/** @import { Room } from "./room.js" */

/** @type {Record<string, () => string>} */
const NAMES = {
  one: () => gettext("One viewport"),
  fused: () => gettext("PET fused"),
  acquired: () => gettext("As acquired"),
  four: () => gettext("Planes and 3D"),
  planes: () => gettext("Three planes"),
  space: () => gettext("3D large"),
  prior: () => gettext("Prior beside"),
};
/** @param {string} id */
export const protocolName = (id) => NAMES[id]?.() ?? id;

/** Choices by modality; a browser that keeps nothing has none. */
function memory() {
  const key = `lamina.hanging.${pageData("shell-data")?.person?.id ?? ""}`;
  /** @returns {Record<string, string>} */
  const read = () => {
    try {
      const kept = JSON.parse(window.localStorage.getItem(key) ?? "{}");
      return kept && typeof kept === "object" ? kept : {};
    } catch {
      return {};
    }
  };
  return {
    read,
    /** @param {string} modality @param {string} id */
    keep(modality, id) {
      try {
        window.localStorage.setItem(key, JSON.stringify({ ...read(), [modality]: id }));
      } catch { /* not kept, but used */ }
    },
  };
}

export class Hanging {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    this.memory = memory();
    /** The modality that was hung last: another series of it keeps the reader's layout. */
    this.modality = "";
  }

  /** What the open series has to hang with. @returns {Hung | null} */
  get hung() {
    const { session, store } = this.room;
    const { series, priors, study } = store.get().study;
    return session ? hungOf(session.series, series, priors, study.study_date ?? null) : null;
  }

  /** Protocols that fit the open series. @returns {Protocol[]} */
  get choices() {
    const { hung } = this;
    return hung ? PROTOCOLS.filter(({ fits }) => fits(hung)) : [];
  }

  /** A series opened: hang it, unless one of its kind hangs already. */
  opened() {
    const { hung } = this;
    if (!hung || hung.modality === this.modality) return;
    this.modality = hung.modality;
    this.hang(protocolFor(hung, this.memory.read()));
  }

  /** The reader chose: hang it so, now and next time. @param {string} id */
  choose(id) {
    const protocol = this.choices.find((one) => one.id === id);
    if (!protocol || !this.hung) return;
    this.memory.keep(this.hung.modality, id);
    this.hang(protocol);
  }

  /** @param {Protocol} protocol */
  hang({ id, layout }) {
    const { room } = this;
    const { hung } = this;
    if (!hung) return;
    const values = { layout, large: null, protocol: id, ...(id === "acquired" ? { main: hung.acquired, active: hung.acquired } : {}) };
    room.store.dispatch({ type: "view.set", values });
    // The fusion asks its guard: where PET may not lie over this series it says why instead.
    if (id === "fused" && hung.overlay) room.store.dispatch({ type: "fusion.chosen", seriesId: hung.overlay, modality: "PT" });
    if (id === "prior" && hung.prior) void room.beside?.open(hung.prior);
  }
}

/** @param {Room} room */
export function makeHanging(room) {
  room.hanging = new Hanging(room);
  room.onSession(() => room.hanging?.opened());
}
