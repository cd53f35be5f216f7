// A plane on the page: the picture from the shared canvas, and on a 2D canvas of its own the labels and the crosshair.

import { fromPlane, inPlane, sliceAt } from "../geometry/planes.js";
import { dot, scale, subtract } from "../geometry/vectors.js";
import { mmPerPixel, toPlane, toScreen } from "../geometry/viewing.js";

/** @import { WebGLRenderer } from "three" */
/** @import { Plane } from "../geometry/planes.js" */
/** @import { Point } from "../geometry/vectors.js" */
/** @import { Viewing } from "../geometry/viewing.js" */
/** @import { VolumeGeometry } from "../geometry/volume.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { LabelOutlines } from "./outlines.js" */
/** @import { PlanePicture } from "./plane-picture.js" */
/** @import { Stage } from "./stage.js" */

/**
 * @typedef {object} PlaneScene  everything a plane needs to be drawn
 * @property {VolumeGeometry} geometry
 * @property {Plane} plane
 * @property {PlanePicture} picture
 * @property {Viewing} viewing
 * @property {Window} window
 * @property {boolean} inverted
 * @property {Point} point
 * @property {{ vertical: string, horizontal: string } | null} crosshair  colours of the planes the lines stand for
 * @property {LabelOutlines | null} outlines
 * @property {Parameters<LabelOutlines["paint"]>[4]} look
 * @property {Iterable<Overlay>} overlays  drawn in their order, over labels and under nothing
 */

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

export class PlaneViewport {
  /** @param {Stage} stage @param {HTMLElement} element @param {HTMLCanvasElement} lines @param {() => PlaneScene | null} read */
  constructor(stage, element, lines, read) {
    this.element = element;
    this.lines = lines;
    this.context = stage.linesOn(lines);
    this.read = read;
    this.stage = stage;
    /** What stands on the canvas now. */
    this.drawn = "";
    this.remove = stage.add(this);
  }

  get width() {
    return this.stage.sizeOf(this.element).width;
  }

  get height() {
    return this.stage.sizeOf(this.element).height;
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
    const wanted = [...rectangle.corner, ...rectangle.across, ...rectangle.along, scene.window.width, scene.window.level, scene.inverted, scene.picture.version, width, height].join(" ");
    if (fresh || wanted !== this.drawn) {
      this.drawn = wanted;
      scene.picture.draw(renderer, rectangle, scene.window, scene.inverted);
    }
    this.drawLines(scene, width, height);
  }

  /** The viewport in space. @param {PlaneScene} scene @param {number} width @param {number} height */
  rectangle({ geometry, plane, viewing, point }, width, height) {
    const size = mmPerPixel(plane, viewing, width, height);
    const corner = fromPlane(geometry, plane, point, toPlane(plane, viewing, width, height, [0, 0]));
    return { corner, across: scale(plane.right, width * size), along: scale(plane.down, height * size) };
  }

  /** @param {number} width @param {number} height */
  clearLines(width, height) {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.lines.width !== wide || this.lines.height !== high) {
      this.lines.width = wide;
      this.lines.height = high;
    }
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }

  /** @param {PlaneScene} scene @param {number} width @param {number} height */
  drawLines(scene, width, height) {
    const { geometry, plane, viewing, point } = scene;
    const toPixel = (/** @type {[number, number]} */ position) => toScreen(plane, viewing, width, height, position);
    if (scene.outlines) scene.outlines.paint(this.context, plane, sliceAt(geometry, plane, point), toPixel, scene.look);
    this.drawCrosshair(scene, toPixel);
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
    return {
      name: plane.name, plane, point, width, height,
      pixel: mmPerPixel(plane, viewing, width, height),
      toPixel: (place) => toScreen(plane, viewing, width, height, inPlane(geometry, plane, place)),
      depth: (place) => dot(subtract(place, point), plane.normal),
    };
  }

  /** @param {PlaneScene} scene @param {(position: [number, number]) => [number, number]} toPixel */
  drawCrosshair({ geometry, plane, point, crosshair }, toPixel) {
    if (!crosshair) return;
    const { width, height } = this;
    const [x, y] = toPixel(inPlane(geometry, plane, point)).map((value) => Math.round(value) + 0.5);
    const line = (/** @type {string} */ colour, /** @type {number[][]} */ parts) => {
      this.context.strokeStyle = colour;
      this.context.beginPath();
      for (const [x0, y0, x1, y1] of parts) {
        this.context.moveTo(x0, y0);
        this.context.lineTo(x1, y1);
      }
      this.context.stroke();
    };
    this.context.lineWidth = 1;
    this.context.globalAlpha = 0.8;
    line(crosshair.vertical, [[x, 0, x, y - GAP], [x, y + GAP, x, height]]);
    line(crosshair.horizontal, [[0, y, x - GAP, y], [x + GAP, y, width, y]]);
    this.context.globalAlpha = 1;
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

  invalidate() {
    this.stage.invalidate(this);
  }

  dispose() {
    this.remove();
    this.context.clearRect(0, 0, this.lines.width, this.lines.height);
  }
}

