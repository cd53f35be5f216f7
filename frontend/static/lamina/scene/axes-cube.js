// The axes cube, bottom left in 3D: which side of the patient looks at us. A click on a face looks from there.

import { cubeFaces } from "../geometry/orbit.js";

/** @import { Orbit, STANDARD_VIEWS } from "../geometry/orbit.js" */

const HALF = 15;
const FROM_LEFT = 46;
const FROM_BOTTOM = 46;

/** Colour of the axis a face belongs to: the plane it is parallel to. */
const COLOURS = { L: "#FFD84D", R: "#FFD84D", A: "#5BE08B", P: "#5BE08B", S: "#FF7A7A", I: "#FF7A7A" };

/** @param {CanvasRenderingContext2D} context @param {Orbit} orbit @param {number} _width @param {number} height */
export function drawAxesCube(context, orbit, _width, height) {
  const faces = cubeFaces(orbit).sort((a, b) => a.facing - b.facing);
  context.save();
  context.translate(FROM_LEFT, height - FROM_BOTTOM);
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  for (const { letter, facing, middle, corners } of faces) {
    context.beginPath();
    for (const [x, y] of corners) context.lineTo(x * HALF, y * HALF);
    context.closePath();
    const light = Math.round(30 + 34 * facing);
    context.fillStyle = `rgb(${light} ${light + 5} ${light + 12} / 92%)`;
    context.fill();
    context.strokeStyle = "#8793A1";
    context.lineWidth = 1;
    context.stroke();
    if (facing < 0.25) continue;
    context.globalAlpha = Math.min(1, (facing - 0.25) * 3);
    context.fillStyle = COLOURS[letter];
    context.font = "600 13px 'Inter Variable', Inter, system-ui, sans-serif";
    context.fillText(letter, middle[0] * HALF, middle[1] * HALF + 0.5);
    context.globalAlpha = 1;
  }
  context.restore();
}

/** @param {Orbit} orbit @param {[number, number]} pixel @param {number} _width @param {number} height @returns {keyof typeof STANDARD_VIEWS | null} */
export function faceOfCubeAt(orbit, [x, y], _width, height) {
  const place = [(x - FROM_LEFT) / HALF, (y - (height - FROM_BOTTOM)) / HALF];
  for (const { letter, corners } of cubeFaces(orbit)) {
    let inside = true;
    let sign = 0;
    corners.forEach(([ax, ay], at) => {
      const [bx, by] = corners[(at + 1) % 4];
      const side = (bx - ax) * (place[1] - ay) - (by - ay) * (place[0] - ax);
      if (sign === 0) sign = Math.sign(side);
      else if (side !== 0 && Math.sign(side) !== sign) inside = false;
    });
    if (inside) return letter;
  }
  return null;
}
