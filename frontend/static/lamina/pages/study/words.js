// The study page's words that are chosen by an id. Functions, because the catalogue is there before they are called.

import { gettext } from "../../i18n.js";

/** @type {Record<string, () => string>} */
const WORDS = {
  axial: () => gettext("Axial"),
  coronal: () => gettext("Coronal"),
  sagittal: () => gettext("Sagittal"),
  surfaces: () => gettext("Surfaces"),
  picture: () => gettext("Picture"),
  soft: () => gettext("Soft tissue"),
  lung: () => gettext("Lung"),
  liver: () => gettext("Liver"),
  bone: () => gettext("Bone"),
  brain: () => gettext("Brain"),
  abdomen: () => gettext("Abdomen"),
  angio: () => gettext("Angio"),
  "head-wide": () => gettext("Head, wide"),
  "bone-narrow": () => gettext("Bone, narrow"),
  stroke: () => gettext("Stroke"),
  file: () => gettext("From the file"),
  automatic: () => gettext("Automatic"),
  full: () => gettext("Full range"),
  "suv-3": () => "SUV 0–3",
  "suv-5": () => "SUV 0–5",
  "suv-7": () => "SUV 0–7",
  "suv-10": () => "SUV 0–10",
  "suv-15": () => "SUV 0–15",
  "fusion-blend": () => gettext("Blend"),
  "fusion-checker": () => gettext("Checkerboard"),
  "fusion-swipe": () => gettext("Swipe"),
  "map-pet": () => gettext("Black to white through red"),
  "map-hot": () => gettext("Hot metal"),
  "map-viridis": () => gettext("Viridis"),
  "map-grey": () => gettext("Grey"),
  "map-grey-inverted": () => gettext("Grey inverted"),
  "slab-max": () => gettext("MIP"),
  "slab-min": () => gettext("MinIP"),
  "slab-mean": () => gettext("Mean"),
  window: () => gettext("Window"),
  pan: () => gettext("Pan"),
  zoom: () => gettext("Zoom"),
  crosshair: () => gettext("Crosshair"),
  scroll: () => gettext("Scroll"),
  length: () => gettext("Length"),
  angle: () => gettext("Angle"),
  cobb: () => gettext("Cobb angle"),
  ellipse: () => gettext("Ellipse"),
  rectangle: () => gettext("Rectangle"),
  polygon: () => gettext("Polygon or freehand"),
  probe: () => gettext("Probe"),
  arrow: () => gettext("Arrow"),
  text: () => gettext("Text pin"),
  "surface-distance": () => gettext("Distance on a surface"),
  brush: () => gettext("Brush"),
  eraser: () => gettext("Eraser"),
  scissors: () => gettext("Scissors"),
  grow: () => gettext("Grow from a click"),
  "1x1": () => gettext("One viewport"),
  "2x2": () => "2 × 2",
  "1x3": () => gettext("Three planes"),
  beside: () => gettext("Prior beside"),
  "1+3": () => "1 + 3",
  "3d": () => "3D",
  A: () => gettext("From the front"),
  P: () => gettext("From behind"),
  L: () => gettext("From the left"),
  R: () => gettext("From the right"),
  S: () => gettext("From above"),
  I: () => gettext("From below"),
};

/** @param {string} id */
export const word = (id) => WORDS[id]?.() ?? id;

/** Planes and their colours (SCREENS, "Colours on images"); the name always stands with them. */
export const PLANE_COLOURS = Object.freeze({ axial: "#FF7A7A", sagittal: "#FFD84D", coronal: "#5BE08B" });

/** The twelve segment colours, in their order. */
export const SEGMENT_COLOURS = Object.freeze([
  "#FB9202", "#90A6FF", "#78FFE2", "#FEEE3E", "#E14B09", "#D8D1FF", "#766AFC", "#4E9688", "#B4E29D", "#CB9BBC", "#9A7859", "#8677A4", "#E9E4D6",
]);
