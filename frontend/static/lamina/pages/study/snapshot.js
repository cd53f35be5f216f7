// A viewport as a picture of its own: what is seen, with whose images they are, the scale and the letters burnt in, and
// "Not for clinical use". The pseudonym is all it says of the patient.

import { barLength } from "../../geometry/format.js";
import { FIELD_OF_VIEW } from "../../geometry/orbit.js";
import { scaleBar } from "../../geometry/viewing.js";
import { gettext, interpolate } from "../../i18n.js";

/** @import { Frame } from "./frames.js" */
/** @import { Room } from "./room.js" */

const FONT = "'Inter Variable', Inter, system-ui, sans-serif";
const EDGE = 11;
const LINE = 16;

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} x @param {number} y @param {{ align?: CanvasTextAlign, bold?: boolean, size?: number, colour?: string }} [look] */
function write(context, text, x, y, { align = "left", bold = false, size = 12, colour = "#FFFFFF" } = {}) {
  context.font = `${bold ? 600 : 400} ${size}px ${FONT}`;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.strokeStyle = "rgb(0 0 0 / 85%)";
  context.lineWidth = 3;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

/** Lines of a corner as they stand on the page. @param {HTMLElement} corner */
const linesOf = (corner) => [...corner.children].map((line) => line.textContent?.trim() ?? "").filter(Boolean);

/** The scale bar of a viewport: as it stands in a plane; in the 3D, where nearer things are larger, at the middle. @param {Room} room @param {Frame} frame */
function scaleOf({ session }, { name, bar }) {
  if (name !== "surfaces") return bar.element.hidden ? null : { pixels: Number.parseFloat(bar.rule.style.getPropertyValue("width")), text: bar.text.textContent ?? "" };
  if (session?.kind !== "volume" || !session.geometry.spacingKnown) return null;
  const { space } = session;
  const found = scaleBar((2 * space.orbit.distance * Math.tan((FIELD_OF_VIEW / 2) * (Math.PI / 180))) / Math.max(space.height, 1));
  return found && { pixels: found.pixels, text: interpolate(gettext("{length} at the middle"), { length: barLength(found.millimetres) }) };
}

/**
 * Draw a viewport as it is now onto a canvas of its own. @param {Room} room @param {Frame} frame @param {HTMLCanvasElement} canvas
 */
export function paintViewport(room, frame, canvas) {
  const { stage, store, session } = room;
  const box = frame.element.getBoundingClientRect();
  const base = stage.host.getBoundingClientRect();
  const ratio = stage.renderer.getPixelRatio();
  const [width, height] = [Math.round(box.width), Math.round(box.height)];
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.drawImage(stage.canvas, Math.round((box.left - base.left) * ratio), Math.round((box.top - base.top) * ratio), wide, high, 0, 0, wide, high);
  context.drawImage(frame.lines, 0, 0, wide, high);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);

  const pseudonym = store.get().study.study.pseudonym ?? "";
  const left = linesOf(frame.corners.topLeft).filter((text) => text !== pseudonym);
  [pseudonym, ...left].forEach((text, at) => write(context, text, EDGE, EDGE + 8 + at * LINE, { bold: at === 0 }));
  linesOf(frame.corners.topRight).forEach((text, at) => write(context, text, width - EDGE, EDGE + 8 + at * LINE, { align: "right", bold: at === 0 }));
  // In the 3D the axes cube stands in this corner.
  if (frame.name !== "surfaces") linesOf(frame.corners.bottomLeft).reverse().forEach((text, at) => write(context, text, EDGE, height - EDGE - 8 - at * LINE));
  const { edges } = frame;
  const letter = { bold: true, size: 13 };
  write(context, edges.left.textContent ?? "", EDGE, height / 2, letter);
  write(context, edges.right.textContent ?? "", width - EDGE, height / 2, { ...letter, align: "right" });
  write(context, edges.top.textContent ?? "", width / 2, EDGE + 8, { ...letter, align: "center" });
  write(context, edges.bottom.textContent ?? "", width / 2, height - EDGE - 8, { ...letter, align: "center" });
  write(context, gettext("Not for clinical use"), width - EDGE, height - EDGE - 8, { align: "right", bold: true, colour: "#FFB84D" });
  const note = frame.name === "surfaces" && session ? frame.element.querySelector(".space-note")?.textContent : "";
  if (note) write(context, note, width - EDGE, height - EDGE - 8 - LINE, { align: "right" });
  const scale = scaleOf(room, frame);
  if (!scale) return;
  const [right, y] = [width - EDGE, height - EDGE - 8 - LINE * 3];
  context.beginPath();
  context.moveTo(right - scale.pixels, y - 5);
  context.lineTo(right - scale.pixels, y);
  context.lineTo(right, y);
  context.lineTo(right, y - 5);
  for (const [style, size] of /** @type {const} */ ([["#000", 3], ["#FFF", 1]])) {
    context.strokeStyle = style;
    context.lineWidth = size;
    context.stroke();
  }
  write(context, scale.text, right, y + 10, { align: "right", size: 11.5 });
}

/** @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** "LAM-0412 axial 2026-11-22 19.05.12.png". @param {Room} room @param {string} what @param {string} ending */
export const fileName = ({ store }, what, ending) =>
  [store.get().study.study.pseudonym ?? "study", what, new Date().toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".")].join(" ") + ending;

/** Save a viewport as a PNG. @param {Room} room @param {Frame} frame @returns {Promise<void>} */
export async function saveViewport(room, frame) {
  const canvas = document.createElement("canvas");
  const paint = () => paintViewport(room, frame, canvas);
  if (frame.name === "surfaces" && room.session?.kind === "volume") room.session.space.withoutHandles(paint);
  else paint();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob) save(/** @type {Blob} */ (blob), fileName(room, frame.name === "surfaces" ? "3D" : frame.name, ".png"));
  else room.report(gettext("The picture could not be made."));
}
