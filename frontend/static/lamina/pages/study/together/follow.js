// Following somebody: their planes, windows, camera and visible segments become this reader's, until this reader moves.
// What is followed travels as the fragment of an address, so it holds exactly what a link to a view holds.

import { h, icon } from "../../../components/dom.js";
import { toast } from "../../../components/toast.js";
import { gettext, interpolate } from "../../../i18n.js";
import { decode, encode, rowOf } from "../../../state/address.js";
import { colourOf, otherMember } from "../../../state/presence.js";
import { initialView } from "../../../state/view.js";
import { seenOf } from "../link.js";

/** @import { Room } from "../room.js" */
/** @import { Together } from "./together.js" */

/** The server passes on no longer view. */
const LONGEST = 3000;
/** A change within so many ms of a hand's act is the hand's. */
const BY_HAND = 500;

/** @param {Room} room @param {Together} together */
export function makeFollowing(room, { store, say }) {
  const pill = h("span", { class: "follow__pill", role: "status" });
  const element = h("div", { class: "follow", hidden: true }, pill);
  room.grid.append(element);
  let applying = false;
  let handAt = -Infinity;

  /** What this reader looks at, for those who follow. @returns {string} */
  function seen() {
    const now = { ...seenOf(room), beside: null, fusion: null };
    const whole = encode(now);
    return whole.length <= LONGEST ? whole : encode({ ...now, segments: {} });
  }

  /** @param {string | null} member */
  function follow(member) {
    const { following } = store.get();
    if (following === member) return;
    store.dispatch({ type: "presence.follow", member });
    say({ follow: member });
  }

  const leave = () => {
    if (store.get().following === null) return false;
    follow(null);
    return true;
  };

  // --- what is followed -----------------------------------------------------------------------------------------

  /** @param {string} fragment */
  function apply(fragment) {
    const wanted = decode(fragment)?.seen;
    const series = wanted && rowOf(room.store.get().study.series, wanted.series);
    if (!wanted || !series) return;
    applying = true;
    try {
      if (room.session?.series.id !== series.id) room.openSeries(series.id);
      if (room.session) show(room, wanted);
    } finally {
      applying = false;
    }
  }

  store.watch((presence) => (presence.following ? presence.views[presence.following] : undefined), (fragment) => {
    if (fragment) apply(fragment);
  });

  /** Seen last, for words when they have gone. */
  let name = "";
  store.watch((presence) => presence.following, (member, before) => {
    const leader = member ? otherMember(store.get(), member) : null;
    element.hidden = !leader;
    room.grid.toggleAttribute("data-following", Boolean(leader));
    room.store.dispatch({ type: "together.set", values: { following: leader?.member ?? null } });
    if (leader) {
      name = leader.name;
      element.style.setProperty("--person", colourOf(leader));
      pill.replaceChildren(icon("eye"), interpolate(gettext("Following {name} · Esc leaves"), { name }));
      // The first result moves the camera to itself; now another's camera is followed.
      if (room.session && "result" in room.session) /** @type {any} */ (room.session).result.looked = true;
    } else if (before && !otherMember(store.get(), before) && store.get().state === "in") {
      say({ follow: null });
      toast(interpolate(gettext("{name} has left. You look at the study on your own again."), { name }));
    }
  });

  // --- any own move leaves --------------------------------------------------------------------------------------

  const hand = () => {
    handAt = performance.now();
  };
  for (const type of ["pointerdown", "keydown", "input", "change", "wheel"]) document.addEventListener(type, hand, { capture: true, passive: true });
  for (const type of ["pointerdown", "wheel"]) room.grid.addEventListener(type, () => void leave(), { capture: true, passive: true });
  const parts = [
    (/** @type {any} */ { view }) => [view.point, view.viewing, view.windows, view.segments, view.seriesId, view.clip, view.inverted, view.planesIn3d],
    (/** @type {any} */ { planes, space }) => [planes?.turns, planes?.tilts, planes?.slabs, space],
  ];
  /** @type {any[]} */
  let last = [];
  room.store.watch((state) => state, (state) => {
    const now = parts.flatMap((part) => part(state));
    const same = last.length === now.length && now.every((one, at) => Object.is(one, last[at]));
    last = now;
    if (!same && !applying && performance.now() - handAt < BY_HAND) leave();
  });
  room.addActs({ cancel: leave });
  return { follow, leave, seen };
}

/**
 * Bring the open series to what another reader sees. Layout, tool and texts stay the reader's own.
 * @param {Room} room @param {Record<string, any>} wanted  as `decode` reads it
 */
function show(room, wanted) {
  const { store } = room;
  const session = /** @type {any} */ (room.session);
  const start = /** @type {any} */ (initialView());
  const { linked } = store.get().view;
  const values = Object.fromEntries([["inverted", "inverted"], ["planes3d", "planesIn3d"], ["clip", "clip"]].map(([key, part]) => [part, key in wanted ? wanted[key] : start[part]]));
  if (JSON.stringify(values.clip) === JSON.stringify(store.get().view.clip)) delete values.clip;
  const chosen = rowOf(store.get().study.segmentations, wanted.result);
  if (chosen && chosen.id !== store.get().view.segmentationId && chosen.id !== room.wantedSegmentation) {
    room.wantedSegmentation = chosen.id;
    void session.showSegmentation?.(chosen);
  }
  // Unlinked for a moment, so that each plane takes its own.
  store.dispatch({ type: "view.set", values: { ...values, linked: false } });
  for (const [plane, window] of Object.entries(wanted.window ?? {})) store.dispatch({ type: "view.window", plane, window });
  for (const [plane, viewing] of Object.entries(wanted.zoom ?? {})) store.dispatch({ type: "view.viewing", plane, viewing });
  store.dispatch({ type: "view.set", values: { linked } });
  const { turns = {}, tilts = {}, slabs = {} } = wanted;
  const { planes, space } = store.get();
  if (JSON.stringify([turns, tilts, slabs]) !== JSON.stringify([planes.turns, planes.tilts, planes.slabs])) store.dispatch({ type: "planes.restored", planes: { turns, tilts, slabs } });
  const wantedSpace = { volume: null, box: null, ...wanted.space };
  if (JSON.stringify(wantedSpace) !== JSON.stringify(space)) store.dispatch({ type: "space.restored", space: wantedSpace });
  if (wanted.at) session.goTo?.(wanted.at);
  for (const [number, look] of Object.entries(wanted.segments ?? {})) {
    const own = store.get().view.segments[Number(number)];
    if (own && Object.entries(look).some(([part, value]) => /** @type {any} */ (own)[part] !== value)) store.dispatch({ type: "view.segment", number: Number(number), look });
  }
  if (wanted.camera && session.space) session.space.stand(wanted.camera);
}
