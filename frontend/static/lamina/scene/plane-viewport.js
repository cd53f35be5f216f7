// A plane on the page: the picture from the shared canvas, and on a 2D canvas of its own the labels and the crosshair.

import { lineOf } from "../geometry/oblique.js";
import { fromPlane, inPlane, sliceAt, sliceCentre } from "../geometry/planes.js";
import { dot, scale, subtract } from "../geometry/vectors.js";
import { mmPerPixel, toPlane, toScreen } from "../geometry/viewing.js";
import { Viewport } from "./viewport.js";

/** @import { WebGLRenderer } from "three" */
/** @import { Plane } from "../geometry/planes.js" */
/** @import { Point } from "../geometry/vectors.js" */
/** @import { Viewing } from "../geometry/viewing.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { LabelOutlines } from "./outlines.js" */
/** @import { FusionImage } from "./fusion-image.js" */
/** @import { PlanePicture, SlabLook } from "./plane-picture.js" */
/** @import { Stage } from "./stage.js" */

/**
 * @typedef {object} PlaneScene  everything a plane needs to be drawn
 * @property {VolumeGeometry} geometry
 * @property {Plane} plane
 * @property {PlanePicture} picture
 * @property {Viewing} viewing
 * @property {Window} window
 * @property {boolean} inverted
 * @property {SlabLook | null} [slab]
 * @property {FusionImage | null} [fusion]
 * @property {Point} point
 * @property {CrossLine[] | null} crosshair  the other planes, as lines in this one
 * @property {boolean} [handles]  grips on the lines, to turn the other planes
 * @property {LabelOutlines | null} outlines
 * @property {Parameters<LabelOutlines["paint"]>[4]} look
 * @property {Iterable<Overlay>} overlays  drawn in their order, over labels and under nothing
 */

/** @typedef {{ name: string, plane: Plane, colour: string }} CrossLine */

/**
 * Something more that is drawn over a plane: marks, a brush, another reader's cursor. Called with the canvas in CSS px.
 * @typedef {(context: CanvasRenderingContext2D, pane: Pane) => void} Overlay
 */

/**
 * A plane as an overlay sees it.
 * @typedef {object} Pane
 * @property {string} name
 * @property {Plane} plane
 * @property {Point} point  where the planes cross
 * @property {number} width @property {number} height  px
 * @property {number} pixel  mm per screen pixel
 * @property {(point: Point) => [number, number]} toPixel  of the point's foot on this plane
 * @property {(point: Point) => number} depth  mm from the shown slice, along the plane's normal
 */

/** Half of the 14 px that stay free round the crossing. */
const GAP = 7;
/** Longer than any screen. */
const FAR = 10_000;
const GRIP = 5;
/** A hand may miss a grip by this much, px. */
const GRIP_REACH = 12;

export class PlaneViewport extends Viewport {
  /** @param {Stage} stage @param {HTMLElement} element @param {HTMLCanvasElement} lines @param {() => PlaneScene | null} read */
  constructor(stage, element, lines, read) {
    super(stage, element, lines);
    this.read = read;
    /** What stands on the canvas now. */
    this.drawn = "";
    this.remove = stage.add(this);
  }

  /** @param {WebGLRenderer} renderer @param {number} width @param {number} height @param {boolean} fresh */
  draw(renderer, width, height, fresh) {
    const scene = this.read();
    this.clearLines(width, height);
    if (!scene) {
      this.drawn = "";
      renderer.clear();
      return;
    }
    const rectangle = this.rectangle(scene, width, height);
    // Moving the crosshair changes the lines of all planes, but the picture of one only.
    const { window: shades, inverted, picture, slab = null, fusion = null } = scene;
    const wanted = [
      ...rectangle.corner, ...rectangle.across, ...rectangle.along, shades.width, shades.level, inverted, picture.version, width, height,
      slab && [slab.step, slab.each, slab.mode].join(), fusion?.version,
    ].join(" ");
    if (fresh || wanted !== this.drawn) {
      const ready = this.stage.ready(this, [picture.part(slab, fusion)]);
      this.drawn = ready ? wanted : "";
      if (ready) picture.draw(renderer, rectangle, { window: shades, inverted, slab, fusion }, width, height);
      else if (fresh) renderer.clear();
    }
    this.drawLines(scene, width, height);
  }

  /** The viewport in space. @param {PlaneScene} scene @param {number} width @param {number} height */
  rectangle({ geometry, plane, viewing, point }, width, height) {
    const size = mmPerPixel(plane, viewing, width, height);
    const corner = fromPlane(geometry, plane, point, toPlane(plane, viewing, width, height, [0, 0]));
    return { corner, across: scale(plane.right, width * size), along: scale(plane.down, height * size) };
  }

  /** @param {PlaneScene} scene @param {number} width @param {number} height */
  drawLines(scene, width, height) {
    const { geometry, plane, viewing, point } = scene;
    const toPixel = (/** @type {[number, number]} */ position) => toScreen(plane, viewing, width, height, position);
    if (scene.outlines) scene.outlines.paint(this.context, plane, sliceAt(geometry, plane, point), toPixel, scene.look, point);
    this.drawCrosshair(scene);
    const pane = this.pane(scene);
    for (const overlay of scene.overlays) {
      this.context.save();
      overlay(this.context, pane);
      this.context.restore();
    }
  }

  /** @param {PlaneScene} scene @returns {Pane} */
  pane({ geometry, plane, viewing, point }) {
    const { width, height } = this;
    const shown = sliceCentre(geometry, plane, point);
    return {
      name: plane.name, plane, point, width, height,
      pixel: mmPerPixel(plane, viewing, width, height),
      toPixel: (place) => toScreen(plane, viewing, width, height, inPlane(geometry, plane, place)),
      depth: (place) => dot(subtract(place, shown), plane.normal),
    };
  }

  /**
   * Where the other planes cut this one, px: the crossing, and the unit direction of each line.
   * @param {PlaneScene} scene @returns {{ at: [number, number], lines: { name: string, colour: string, way: [number, number] }[] }}
   */
  crossing({ geometry, plane, viewing, point, crosshair }) {
    const at = toScreen(plane, viewing, this.width, this.height, inPlane(geometry, plane, point));
    const lines = (crosshair ?? []).flatMap(({ name, plane: other, colour }) => {
      const way = lineOf(plane, other);
      return way ? [{ name, colour, way }] : [];
    });
    return { at, lines };
  }

  /** Grips of the lines, two on each, as far out as the viewport allows. @returns {{ name: string, pixel: [number, number] }[]} */
  grips() {
    const scene = this.read();
    if (!scene?.handles) return [];
    const reach = Math.min(this.width, this.height) * 0.36;
    const { at, lines } = this.crossing(scene);
    return lines.flatMap(({ name, way }) => [-1, 1].map((side) => ({
      name, pixel: /** @type {[number, number]} */ ([at[0] + side * reach * way[0], at[1] + side * reach * way[1]]),
    })));
  }

  /** The grip under a pixel: which plane's line it turns, and the crossing it turns about. @param {[number, number]} pixel */
  gripAt([x, y]) {
    const scene = this.read();
    const grip = this.grips().find(({ pixel }) => Math.hypot(pixel[0] - x, pixel[1] - y) <= GRIP_REACH);
    return scene && grip ? { name: grip.name, plane: scene.plane, at: this.crossing(scene).at } : null;
  }

  /** @param {PlaneScene} scene */
  drawCrosshair(scene) {
    if (!scene.crosshair) return;
    const { context } = this;
    const { at, lines } = this.crossing(scene);
    // On white, as inverted PET is, a thin light line would be lost: each has a faint dark edge.
    for (const { width, alpha, dark } of [{ width: 3, alpha: 0.35, dark: true }, { width: 1, alpha: 0.8, dark: false }]) {
      context.lineWidth = width;
      context.globalAlpha = alpha;
      for (const { colour, way: [dx, dy] } of lines) {
        // Upright and lying lines stand on whole pixels, so that they stay one pixel wide.
        const straight = Math.abs(dx) < 1e-6 || Math.abs(dy) < 1e-6;
        const [x, y] = straight ? at.map((value) => Math.round(value) + 0.5) : at;
        context.strokeStyle = dark ? "#000000" : colour;
        context.beginPath();
        for (const side of [-1, 1]) {
          context.moveTo(x + side * GAP * dx, y + side * GAP * dy);
          context.lineTo(x + side * FAR * dx, y + side * FAR * dy);
        }
        context.stroke();
      }
    }
    context.globalAlpha = 1;
    for (const { name, pixel: [x, y] } of this.grips()) {
      context.beginPath();
      context.arc(x, y, GRIP, 0, 2 * Math.PI);
      context.fillStyle = "rgb(0 0 0 / 60%)";
      context.fill();
      context.strokeStyle = lines.find((line) => line.name === name)?.colour ?? "#FFF";
      context.lineWidth = 2;
      context.stroke();
    }
  }

  /** The place under a pixel of this viewport, LPS mm. @param {[number, number]} pixel @returns {Point | null} */
  pointAt(pixel) {
    const scene = this.read();
    if (!scene) return null;
    const { geometry, plane, viewing, point } = scene;
    return fromPlane(geometry, plane, point, toPlane(plane, viewing, this.width, this.height, pixel));
  }

  /** The pixel of a point, if it lay on this slice. @param {Point} point @returns {[number, number] | null} */
  pixelOf(point) {
    const scene = this.read();
    if (!scene) return null;
    return toScreen(scene.plane, scene.viewing, this.width, this.height, inPlane(scene.geometry, scene.plane, point));
  }

  dispose() {
    this.remove();
    this.context.clearRect(0, 0, this.lines.width, this.lines.height);
  }
}

