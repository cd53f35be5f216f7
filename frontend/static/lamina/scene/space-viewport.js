// The 3D pane: surfaces, the planes inside, what cuts them, the volume itself, picking. Units are LPS millimetres.

import { Plane as ClippingPlane, Raycaster, Scene, Vector2, Vector3 } from "three";

import { firstKept } from "../geometry/picking.js";
import { corners, radius } from "../geometry/volume.js";
import { drawAxesCube, faceOfCubeAt } from "./axes-cube.js";
import { Caps } from "./caps.js";
import { OrbitViewport } from "./orbit-viewport.js";
import { SpacePicture } from "./space-picture.js";
import { CLEAR_LAYER } from "./surface-material.js";
import { cornersOf } from "./surfaces.js";

/** @import { WebGLRenderer } from "three" */
/** @import { STANDARD_VIEWS } from "../geometry/orbit.js" */
/** @import { Clip } from "../geometry/picking.js" */
/** @import { Point } from "../geometry/vectors.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { SpacePane } from "./orbit-viewport.js" */
/** @import { SpacePlanes } from "./space-planes.js" */
/** @import { Stage } from "./stage.js" */
/** @import { Surfaces } from "./surfaces.js" */
/** @import { Drag } from "../tools/pointer.js" */
/** @import { VolumeRendering } from "./volume-rendering.js" */
/** @import { SegmentLook } from "../state/view.js" */

/** Something more that is drawn over the 3D. @typedef {(context: CanvasRenderingContext2D, pane: SpacePane) => void} SpaceOverlay */

/** @typedef {(pixel: [number, number]) => Drag | null} Grip */

/** Triangles that may move at once: more get a cheaper level that stands in. A card draws millions, a processor does not. */
const MOVING_TRIANGLES = Object.freeze({ software: 40_000, card: 3_000_000 });

export class SpaceViewport extends OrbitViewport {
  /** @param {Stage} stage @param {HTMLElement} element @param {HTMLCanvasElement} lines */
  constructor(stage, element, lines) {
    super(stage, element, lines);
    this.scene = new Scene();
    this.raycaster = new Raycaster();
    this.raycaster.layers.enable(CLEAR_LAYER);
    /** @type {VolumeGeometry | null} */
    this.volume = null;
    /** @type {Surfaces | null} */
    this.surfaces = null;
    /** @type {SpacePlanes | null} */
    this.planes = null;
    /** @type {Record<number, SegmentLook> | undefined} */
    this.looks = undefined;
    /** @type {number | null} */
    this.lit = null;
    /** @type {Clip | null} */
    this.clip = null;
    /** Faces of the clipping box. @type {Clip[]} */
    this.box = [];
    /** All that cuts now. @type {Clip[]} */
    this.cuts = [];
    this.caps = new Caps();
    this.scene.add(this.caps.group);
    /** The volume itself, when it is shown. @type {VolumeRendering | null} */
    this.volumeRendering = null;
    /** Surfaces can be put away while the volume is shown. */
    this.withSurfaces = true;
    this.picture = new SpacePicture(stage);
    /** What the last picture is short of. @type {{ light: boolean, coarse: boolean, strips: number }} */
    this.quality = { light: false, coarse: false, strips: 1 };
    /** Called when `quality` changes. */
    this.onQuality = () => {};
    this.later = 0;
    this.letters = true;
    /** What is drawn over the 3D, and whether it is a handle. @type {Map<SpaceOverlay, boolean>} */
    this.overlays = new Map();
    this.plain = false;
    /** @type {Set<Grip>} */
    this.grips = new Set();
    this.remove = stage.add(this);
  }

  // --- what is in it --------------------------------------------------------------------------------------------

  /** Look at a volume from the front, a little from the side and above: straight on, its planes are lines. @param {VolumeGeometry} geometry */
  lookAtVolume(geometry) {
    this.volume = geometry;
    this.reach = radius(geometry);
    this.orbit = this.around({ ...this.orbit, target: geometry.centre, azimuth: 32, elevation: 22 });
    this.invalidate();
  }

  /** @param {Surfaces} surfaces @returns {() => void} */
  addSurfaces(surfaces) {
    const remove = surfaces.addTo(this.scene);
    this.surfaces = surfaces;
    this.looks = undefined;
    const lighten = () => void surfaces.lighten(this.stage.software ? MOVING_TRIANGLES.software : MOVING_TRIANGLES.card);
    surfaces.onChange = () => {
      this.applyClip();
      this.invalidate();
      lighten();
    };
    this.applyClip();
    this.invalidate();
    lighten();
    return () => {
      remove();
      if (this.surfaces === surfaces) this.surfaces = null;
      this.applyClip();
      this.invalidate();
    };
  }

  /** @param {Record<number, SegmentLook>} looks @param {number | null} lit */
  setLooks(looks, lit) {
    if (!this.surfaces) return;
    const before = this.looks ? this.shownMeshes() : [];
    this.surfaces.setLooks(looks, lit);
    this.looks = looks;
    this.lit = lit;
    const now = this.shownMeshes();
    // A surface that came or went needs its cut faces; a colour does not.
    if (now.length !== before.length || now.some((mesh, at) => mesh !== before[at])) this.makeCaps();
    else this.caps.setLooks(looks, lit);
    this.invalidate();
  }

  shownMeshes() {
    return [...(this.surfaces?.meshes.values() ?? [])].filter((mesh) => mesh.visible);
  }

  /** Show the volume itself; null: no longer. The rendering stays its maker's to dispose. @param {VolumeRendering | null} rendering @param {boolean} withSurfaces */
  setVolume(rendering, withSurfaces) {
    const first = rendering !== null && this.volumeRendering === null;
    this.volumeRendering = rendering;
    this.withSurfaces = withSurfaces || !rendering;
    rendering?.setClipping(this.clippingPlanes());
    this.invalidate();
    // Looking at one small surface one stands within the volume: step back, or there is nothing but fog.
    if (first && !this.withSurfaces && this.orbit.distance < this.reach * 1.5) this.fit();
  }

  /** @param {SpacePlanes} planes @returns {() => void} */
  addPlanes(planes) {
    const remove = planes.addTo(this.scene);
    this.planes = planes;
    this.applyClip();
    this.invalidate();
    return () => {
      remove();
      if (this.planes === planes) this.planes = null;
      this.invalidate();
    };
  }

  /** Keep only one side. @param {Clip | null} clip */
  setClip(clip) {
    if (!clip && !this.clip) return;
    this.clip = clip;
    this.applyClip();
    this.touch();
  }

  /** Keep only what lies on the kept side of all these. @param {Clip[]} faces  none: no box */
  setBox(faces) {
    if (faces.length === 0 && this.box.length === 0) return;
    this.box = faces;
    this.applyClip();
    this.touch();
  }

  applyClip() {
    this.cuts = this.clip ? [this.clip, ...this.box] : this.box;
    const planes = this.clippingPlanes();
    this.surfaces?.setClipping(planes);
    this.planes?.setClipping(planes);
    this.volumeRendering?.setClipping(planes);
    this.makeCaps(planes);
  }

  clippingPlanes() {
    return this.cuts.map(({ normal, constant }) => new ClippingPlane(new Vector3().fromArray(normal), constant));
  }

  makeCaps(planes = this.clippingPlanes()) {
    this.caps.make(this.surfaces, this.cuts, planes, this.looks ?? {}, this.lit);
  }

  // --- camera ---------------------------------------------------------------------------------------------------

  /** What everything means for the camera: the surfaces, else the volume. @returns {{ centre: Point, corners: Point[] } | null} */
  everything() {
    const box = this.withSurfaces ? this.surfaces?.box() : null;
    if (box) return { centre: /** @type {Point} */ (box.getCenter(new Vector3()).toArray()), corners: cornersOf(box) };
    return this.volume ? { centre: this.volume.centre, corners: corners(this.volume) } : null;
  }

  /** One segment in the middle, with room round it. @param {number} number */
  centreOn(number) {
    const mesh = this.surfaces?.meshes.get(number);
    if (!mesh?.geometry.boundingBox) return;
    const box = mesh.geometry.boundingBox.clone().translate(mesh.position);
    const fitted = this.fitted({ ...this.orbit, target: /** @type {Point} */ (box.getCenter(new Vector3()).toArray()) }, cornersOf(box));
    this.flyTo({ ...fitted, distance: fitted.distance * 1.5 });
  }

  // --- drawing --------------------------------------------------------------------------------------------------

  invalidate() {
    this.picture.stale();
    this.stage.invalidate(this);
  }

  /** The planes moved, not the camera: on a slow machine the slices go first and the 3D follows when they rest. */
  invalidateBehind() {
    if (!this.stage.software) {
      this.invalidate();
      return;
    }
    clearTimeout(this.later);
    this.later = window.setTimeout(() => this.invalidate(), 120);
  }

  /** What lies over the picture changed, the picture did not. */
  redrawLines() {
    this.drawLines(this.width, this.height);
  }

  /** @param {WebGLRenderer} renderer @param {number} width @param {number} height @param {boolean} [fresh] */
  draw(renderer, width, height, fresh = false) {
    this.keepWhole();
    this.placeCamera(width, height);
    const more = this.drawPicture(renderer, width, height, fresh);
    this.drawLines(width, height);
    if (more) this.stage.invalidate(this);
  }

  /** Axes cube, marks and handles, on the canvas over the picture. @param {number} width @param {number} height */
  drawLines(width, height) {
    this.clearLines(width, height);
    if (this.letters) drawAxesCube(this.context, this.orbit, width, height);
    this.drawOverlays(width, height);
  }

  /** @param {WebGLRenderer} renderer @param {number} width @param {number} height @param {boolean} fresh @returns {boolean} more is to come */
  drawPicture(renderer, width, height, fresh) {
    const { surfaces, volumeRendering: volume, moving } = this;
    for (const group of [surfaces?.group, this.caps.group]) if (group) group.visible = this.withSurfaces;
    const clear = this.withSurfaces
      ? [...this.shownMeshes(), ...this.caps.caps.map(({ face }) => face)].filter((mesh) => mesh.layers.mask === 1 << CLEAR_LAYER)
      : [];
    if (!this.stage.ready(this, this.picture.parts(this.scene, this.camera, { clear, volume }))) {
      if (fresh) renderer.clear();
      return false;
    }
    let more = false;
    const draw = () => {
      more = this.picture.draw(renderer, this.scene, this.camera, width, height, { clear, volume, moving });
    };
    const light = Boolean(moving && this.withSurfaces && surfaces?.whileLight(draw));
    if (!light && !(moving && this.withSurfaces && surfaces)) draw();
    const quality = { light, coarse: Boolean(volume && (moving || !volume.whole)), strips: volume && !moving ? this.picture.strips / this.picture.stripCount : 1 };
    if (JSON.stringify(quality) !== JSON.stringify(this.quality)) {
      this.quality = quality;
      this.onQuality();
    }
    return more;
  }

  /** Draw something more over the 3D: marks, handles, another reader's cursor. Call `invalidate` when it changes. @param {SpaceOverlay} overlay @param {{ handles?: boolean }} [kind]  handles: for the hand, not for a saved picture @returns {() => void} */
  addOverlay(overlay, { handles = false } = {}) {
    this.overlays.set(overlay, handles);
    this.redrawLines();
    return () => {
      this.overlays.delete(overlay);
      this.redrawLines();
    };
  }

  /** Run with the handles left out of the lines. @param {() => void} act */
  withoutHandles(act) {
    this.plain = true;
    this.drawLines(this.width, this.height);
    act();
    this.plain = false;
    this.drawLines(this.width, this.height);
  }

  /** Handles in the 3D: asked at each press what a drag from this pixel does, before the camera turns. @param {Grip} grip @returns {() => void} */
  addGrips(grip) {
    this.grips.add(grip);
    return () => this.grips.delete(grip);
  }

  /** @param {[number, number]} pixel @returns {Drag | null} */
  gripAt(pixel) {
    this.placeCamera(this.width, this.height);
    for (const grip of this.grips) {
      const drag = grip(pixel);
      if (drag) return drag;
    }
    return null;
  }

  /** @param {number} width @param {number} height */
  drawOverlays(width, height) {
    const pane = this.pane(width, height);
    for (const [overlay, handles] of this.overlays) {
      if (handles && this.plain) continue;
      this.context.save();
      overlay(this.context, pane);
      this.context.restore();
    }
  }

  // --- picking --------------------------------------------------------------------------------------------------

  /**
   * The shown surface under a pixel, on the kept side of the clipping plane.
   * @param {[number, number]} pixel @returns {{ segment: number, point: Point } | null}
   */
  pick([x, y]) {
    if (!this.surfaces) return null;
    this.placeCamera(this.width, this.height);
    this.raycaster.setFromCamera(new Vector2((x / this.width) * 2 - 1, 1 - (y / this.height) * 2), this.camera);
    if (!this.withSurfaces) return null;
    const shown = [...this.shownMeshes(), ...this.caps.caps.map(({ face }) => face)];
    const hits = this.raycaster.intersectObjects(shown, false).map((hit) => ({ segment: hit.object.userData.segment, cut: hit.object.userData.cut, point: /** @type {Point} */ (hit.point.toArray()) }));
    return firstKept(hits, this.cuts);
  }

  /** @param {[number, number]} pixel @returns {keyof typeof STANDARD_VIEWS | null} */
  cubeFaceAt(pixel) {
    return this.letters ? faceOfCubeAt(this.orbit, pixel, this.width, this.height) : null;
  }

  dispose() {
    this.stopMoving();
    clearTimeout(this.later);
    this.caps.clear();
    this.picture.dispose();
    this.remove();
    this.scene.clear();
  }
}
