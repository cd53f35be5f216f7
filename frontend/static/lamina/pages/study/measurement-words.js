// Marks in words: what they are called, what they measure, what their label on the image says.

import { degrees, mm, number, NARROW, DASH } from "../../components/format.js";
import { pixelValue } from "../../geometry/format.js";
import { REGIONS } from "../../geometry/measure.js";
import { gettext, interpolate } from "../../i18n.js";

/** @import { Mark } from "../../state/marks.js" */

/** @type {Record<string, () => string>} */
const KINDS = {
  point: () => gettext("Point"),
  probe: () => gettext("Probe"),
  arrow: () => gettext("Arrow"),
  text: () => gettext("Text"),
  length: () => gettext("Length"),
  angle: () => gettext("Angle"),
  cobb: () => gettext("Cobb angle"),
  ellipse: () => gettext("Ellipse"),
  rectangle: () => gettext("Rectangle"),
  polygon: () => gettext("Polygon"),
  freehand: () => gettext("Freehand"),
  surface_distance: () => gettext("Surface distance"),
};

/** Symbols of the kinds, as in the rail. @type {Readonly<Record<string, string>>} */
export const SYMBOLS = Object.freeze({
  point: "map-pin", probe: "pipette", arrow: "arrow-up-left", text: "type", length: "ruler", angle: "triangle-right", cobb: "tangent",
  ellipse: "circle-dashed", rectangle: "square-dashed", polygon: "pentagon", freehand: "pentagon", surface_distance: "spline",
});

/** @param {string} kind */
export const kindWord = (kind) => KINDS[kind]?.() ?? kind;

/** What a mark can say of a lesion that is followed over dates, by its kind. @type {Record<string, () => string>} */
const ROLES = {
  target: () => gettext("Target lesion"),
  node: () => gettext("Target lymph node, short axis"),
  new: () => gettext("New lesion"),
  gone: () => gettext("No longer there (0\u202fmm)"),
  small: () => gettext("Too small to measure (5\u202fmm)"),
};

/** @param {string} role */
export const roleWord = (role) => ROLES[role]?.() ?? "";

/** Which of them a kind of mark can be. @param {string} kind */
export const rolesFor = (kind) => (kind === "length" ? ["target", "node", "new"] : ["point", "probe", "arrow", "text"].includes(kind) ? ["new", "gone", "small"] : ["new"]);

/** What somebody called it, else "Length 3". @param {Pick<Mark, "name" | "kind" | "number">} mark */
export const markName = ({ name, kind, number: no }) => name || interpolate(gettext("{kind} {number}"), { kind: kindWord(kind), number: no });

/** mm² below a square centimetre, cm² above. @param {number} value  mm² */
export const area = (value) => (value < 100 ? number(value, 1) + NARROW + "mm²" : number(value / 100, 1) + NARROW + "cm²");

/** "58 ± 14 HU", "SUV 5.8 ± 0.3". @param {NonNullable<Mark["statistics"]>} statistics */
function meanText({ mean, sd, unit }) {
  if (unit === "SUV") return `SUV${NARROW}${number(mean, 1)} ± ${number(sd, 1)}`;
  const decimals = unit === "HU" || Math.abs(mean) >= 100 ? 0 : 1;
  return `${number(mean, decimals)} ± ${number(sd, decimals)}${unit ? NARROW + unit : ""}`;
}

/** The size alone: mm, degrees or area; "" for what has none. @param {Mark} mark */
export function sizeText({ kind, value, unit }) {
  if (value === null || value === undefined) return REGIONS.has(kind) || kind === "length" || kind === "angle" || kind === "cobb" || kind === "surface_distance" ? DASH : "";
  return unit === "mm2" ? area(value) : unit === "deg" ? degrees(value) : mm(value);
}

/** The number at the right of a row. @param {Mark} mark */
export function valueText(mark) {
  if (REGIONS.has(mark.kind)) return mark.statistics ? meanText(mark.statistics) : sizeText(mark);
  if (mark.kind === "probe" || mark.kind === "point") return mark.statistics ? pixelValue(mark.statistics.mean, mark.statistics.unit) : "";
  return sizeText(mark);
}

/** Lines of the label on the image: the value first; more of them while the mark is held or chosen. @param {Mark} mark @param {boolean} whole */
export function labelTexts(mark, whole) {
  const lines = [];
  if (mark.kind === "text" || mark.kind === "arrow") return mark.name || whole ? [markName(mark)] : [];
  lines.push(valueText(mark));
  if (REGIONS.has(mark.kind) && mark.statistics) {
    lines.push(sizeText(mark));
    if (whole) {
      const { min, max, unit, count } = mark.statistics;
      lines.push(interpolate(gettext("Min {min} · Max {max}"), { min: pixelValue(min, unit), max: pixelValue(max, unit) }));
      lines.push(interpolate(gettext("{count} voxels"), { count: number(count) }));
    }
  }
  if (mark.name) lines.push(mark.name);
  return lines.filter(Boolean);
}
