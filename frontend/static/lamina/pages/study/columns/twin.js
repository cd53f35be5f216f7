// The open series a second time on the page: everything of its session, only drawn elsewhere. Both share images, state
// and planes, so slice, window, zoom and crosshair are one and cannot come apart; the two cameras are kept together.

import { PLANE_NAMES } from "../../../geometry/planes.js";
import { PlaneViewport } from "../../../scene/plane-viewport.js";
import { SpacePlanes } from "../../../scene/space-planes.js";
import { SpaceViewport } from "../../../scene/space-viewport.js";
import { listenToPlane, listenToSpace } from "../controls.js";
import { PLANES } from "../frames.js";
import { VolumeTexts } from "../volume-texts.js";
import { PLANE_COLOURS } from "../words.js";

/** @import { Overlay } from "../../../scene/plane-viewport.js" */
/** @import { Frame, ViewportName } from "../frames.js" */
/** @import { Room } from "../room.js" */
/** @import { VolumeSession } from "../volume-session.js" */

/** @typedef {{ room: Room, session: VolumeSession, close: () => void }} Twin */

/** Two cameras, one stand. @param {VolumeSession} own @param {VolumeSession} other @returns {() => void} */
function linkCameras(own, other) {
  let moving = false;
  const follow = (/** @type {VolumeSession} */ from, /** @type {VolumeSession} */ to) => () => {
    if (moving) return;
    moving = true;
    to.space.stand({ ...from.space.orbit });
    moving = false;
  };
  own.space.onMove = follow(own, other);
  other.space.onMove = follow(other, own);
  own.space.onMove();
  return () => {
    own.space.onMove = other.space.onMove = () => {};
  };
}

/** @param {Room} room @param {VolumeSession} session  the open one @param {Record<ViewportName, Frame>} frames  where the second look goes @returns {Twin} */
export function makeTwin(room, session, frames) {
  const { stage, store } = room;
  /** @type {(() => void)[]} */
  const undo = [];
  /** @type {Set<Overlay>} */
  const own = new Set();
  const twin = /** @type {VolumeSession} */ (Object.create(session));
  const twinRoom = /** @type {Room} */ (Object.create(room, { frames: { value: frames }, session: { value: twin } }));
  twin.room = twinRoom;
  twin.views = /** @type {any} */ ({});
  twin.texts = new VolumeTexts(twin);
  twin.texts.leads = false;
  // What others draw over the images is seen in both; what places page elements stays where those are.
  Object.defineProperty(twin, "overlays", { get: () => [...[...session.overlays].filter((one) => !session.onlyHere.has(one)), ...own] });
  twin.addOverlay = (overlay) => {
    own.add(overlay);
    twin.invalidatePlanes();
    return () => {
      own.delete(overlay);
      twin.invalidatePlanes();
    };
  };

  for (const name of PLANE_NAMES) {
    const view = new PlaneViewport(stage, frames[name].element, frames[name].lines, () => twin.sceneOf(name));
    twin.views[name] = view;
    session.views[name].alongside.add(view);
    undo.push(() => {
      session.views[name].alongside.delete(view);
      view.dispose();
    });
  }
  twin.space = new SpaceViewport(stage, frames.surfaces.element, frames.surfaces.lines);
  twin.space.lookAtVolume(session.geometry);
  undo.push(() => twin.space.dispose());
  twin.spacePlanes = new SpacePlanes(session.image, session.geometry, PLANE_COLOURS);
  undo.push(twin.space.addPlanes(twin.spacePlanes));
  undo.push(linkCameras(session, twin));
  undo.push(store.watch((state) => state.view, (view, before) => twin.showView(view, before)));
  undo.push(store.watch((state) => state.planes, () => twin.showPlanes()));
  undo.push(...PLANES.map((name) => listenToPlane(twinRoom, name)), listenToSpace(twinRoom));
  return {
    room: twinRoom,
    session: twin,
    close() {
      undo.splice(0).reverse().forEach((act) => act());
      twin.texts.clear();
    },
  };
}
