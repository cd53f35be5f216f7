// How a plane lies on the screen: fit, zoom and pan, and the way back from a pixel to millimetres.

import { clamp } from "./vectors.js";

/**
 * @typedef {object} Viewing
 * @property {number} zoom  1 = the whole slice fits
 * @property {[number, number]} pan  mm that stand in the middle of the viewport, from the slice's middle
 */

/** @type {Readonly<Viewing>} */
export const FITTED = Object.freeze({ zoom: 1, pan: /** @type {[number, number]} */ ([0, 0]) });

export const ZOOM_LIMITS = Object.freeze([0.25, 40]);

/** mm per screen pixel at zoom 1. @param {{width: number, height: number}} plane  mm @param {number} width  px @param {number} height  px */
export const fitScale = (plane, width, height) => Math.max(plane.width / Math.max(width, 1), plane.height / Math.max(height, 1));

/** mm per screen pixel. @param {{width: number, height: number}} plane @param {Viewing} viewing @param {number} width @param {number} height */
export const mmPerPixel = (plane, viewing, width, height) => fitScale(plane, width, height) / viewing.zoom;

/** Pixel in the viewport -> in-plane mm. @param {{width: number, height: number}} plane @param {Viewing} viewing @param {number} width @param {number} height @param {[number, number]} pixel @returns {[number, number]} */
export function toPlane(plane, viewing, width, height, pixel) {
  const size = mmPerPixel(plane, viewing, width, height);
  return [viewing.pan[0] + (pixel[0] - width / 2) * size, viewing.pan[1] + (pixel[1] - height / 2) * size];
}

/** In-plane mm -> pixel in the viewport. @param {{width: number, height: number}} plane @param {Viewing} viewing @param {number} width @param {number} height @param {[number, number]} position @returns {[number, number]} */
export function toScreen(plane, viewing, width, height, position) {
  const size = mmPerPixel(plane, viewing, width, height);
  return [(position[0] - viewing.pan[0]) / size + width / 2, (position[1] - viewing.pan[1]) / size + height / 2];
}

/**
 * Zoom by a factor while the place under the pointer stays where it is.
 * @param {{width: number, height: number}} plane @param {Viewing} viewing @param {number} width @param {number} height
 * @param {[number, number]} pixel @param {number} factor @returns {Viewing}
 */
export function zoomedAt(plane, viewing, width, height, pixel, factor) {
  const zoom = clamp(viewing.zoom * factor, ZOOM_LIMITS[0], ZOOM_LIMITS[1]);
  const held = toPlane(plane, viewing, width, height, pixel);
  const size = fitScale(plane, width, height) / zoom;
  return { zoom, pan: [held[0] - (pixel[0] - width / 2) * size, held[1] - (pixel[1] - height / 2) * size] };
}

/**
 * Move the image with the pointer; at least its middle stays reachable.
 * @param {{width: number, height: number}} plane @param {Viewing} viewing @param {number} width @param {number} height
 * @param {[number, number]} pixels @returns {Viewing}
 */
export function pannedBy(plane, viewing, width, height, pixels) {
  const size = mmPerPixel(plane, viewing, width, height);
  return {
    zoom: viewing.zoom,
    pan: [
      clamp(viewing.pan[0] - pixels[0] * size, -plane.width / 2, plane.width / 2),
      clamp(viewing.pan[1] - pixels[1] * size, -plane.height / 2, plane.height / 2),
    ],
  };
}

/**
 * A round length (1, 2 or 5 x 10^n mm) between 50 and 140 px. The longest that fits, so that it reads well.
 * @param {number} millimetresPerPixel
 * @returns {{ millimetres: number, pixels: number } | null}
 */
export function scaleBar(millimetresPerPixel) {
  if (!(millimetresPerPixel > 0) || !Number.isFinite(millimetresPerPixel)) return null;
  const longest = 140 * millimetresPerPixel;
  const power = 10 ** Math.floor(Math.log10(longest));
  const millimetres = [5, 2, 1].map((step) => step * power).find((size) => size <= longest * (1 + 1e-9)) ?? power;
  return { millimetres, pixels: millimetres / millimetresPerPixel };
}
