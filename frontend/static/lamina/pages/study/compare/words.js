// What the two sides of a comparison are called and how their lines look, and where a place lies, in words.

import { ago, day } from "../../../components/format.js";
import { gettext, interpolate, known } from "../../../i18n.js";

/** @import { Direction, Region } from "../../../geometry/hotspots.js" */
/** @import { RoleLook } from "../../../scene/painted-outlines.js" */
/** @import { Room } from "../room.js" */

/** `masked`: a reader without a name. @typedef {{ name: string, look: RoleLook, dashed: boolean, masked: boolean }} Role */

/** Colours and lines of roles (SCREENS, "Roles, fixed"). @type {Record<"you" | "algorithm" | "a" | "b", RoleLook>} */
const LOOKS = {
  you: { colour: "#90A6FF", dash: [] },
  algorithm: { colour: "#FB9202", dash: [7, 6] },
  a: { colour: "#78FFE2", dash: [] },
  b: { colour: "#FB9202", dash: [7, 6] },
};

/** In a column an outline stands alone: solid and filled. @param {RoleLook} look @returns {RoleLook} */
export const aloneLook = (look) => ({ ...look, dash: [], fill: 0.16 });
/** The other one's beside it. @type {RoleLook} */
export const OTHER = { colour: "#FFFFFF", dash: [2, 5], fill: 0 };
/** What is settled so far, over both. @type {RoleLook} */
export const OWN = { ...LOOKS.you, fill: 0 };

/** @param {any} side  left or right of a comparison @param {Room} room @returns {"you" | "algorithm" | "other"} */
function kindOf({ kind, segmentation_id: id, author }, room) {
  if (kind === "algorithm") return "algorithm";
  const mine = room.case?.case?.mine?.segmentation;
  if (mine ? mine === id : author?.id && author.id === room.case?.me?.id) return "you";
  return "other";
}

/** Which state of a working copy. @param {any} side */
const stateOf = ({ seq, newest_seq: newest }) => (seq === newest ? gettext("Now") : seq === 0 ? gettext("The beginning") : interpolate(gettext("Step {n}"), { n: seq }));

/** Name and look of both sides. @param {any} comparison @param {Room} room @returns {{ a: Role, b: Role }} */
export function rolesOf({ left, right }, room) {
  const kinds = [kindOf(left, room), kindOf(right, room)];
  const same = left.segmentation_id === right.segmentation_id;
  // Of two studies of a patient one asks which date it is, not who drew it.
  const dated = left.study_id !== right.study_id;
  const other = (/** @type {any} */ side, /** @type {string} */ letter) => side.author?.name ? side.author.name : interpolate(gettext("Side {letter}"), { letter });
  /** @param {any} side @param {string} kind @param {"a" | "b"} place @returns {Role} */
  const role = (side, kind, place) => {
    // Two states of one thing: what they are called is when.
    const name = dated ? (side.study_date ? day(side.study_date) : gettext("No date")) : same ? stateOf(side) : kind === "you" ? gettext("You") : kind === "algorithm" ? algorithmName(side, left, right) : other(side, place.toUpperCase());
    const clash = dated || kinds[0] === kinds[1] || (kinds.includes("other") && kinds.includes("algorithm") && place === "a" && kind === "algorithm");
    const look = same || clash || kind === "other" ? LOOKS[place] : LOOKS[/** @type {"you" | "algorithm"} */ (kind)];
    return { name, look, dashed: look.dash.length > 0, masked: kind === "other" && side.author?.id === null };
  };
  return { a: role(left, kinds[0], "a"), b: role(right, kinds[1], "b") };
}

/** @param {any} side @param {any} left @param {any} right */
const algorithmName = (side, left, right) => (left.kind === right.kind && side.title ? known(side.title) : gettext("Algorithm"));

/** What can be chosen is called so: a result by its title and time, a working copy by its base. @param {any} segmentation */
export function choiceName({ kind, algorithm, based_on: base, author, created_at: at }) {
  if (kind !== "edited") return [known(algorithm?.title || algorithm?.name || ""), algorithm?.version, "·", ago(at)].filter(Boolean).join(" ");
  const name = base?.title ? interpolate(gettext("{title}, edited"), { title: known(base.title) }) : gettext("Drawn by hand");
  return author?.name ? `${name} · ${author.name}` : name;
}

/** @type {Record<Direction, () => string>} */
const DIRECTIONS = {
  upper: () => gettext("upper"), lower: () => gettext("lower"), front: () => gettext("front"), back: () => gettext("back"),
  left: () => gettext("left"), right: () => gettext("right"), middle: () => gettext("middle"),
};

/** "Upper, front". @param {Direction[]} directions */
export function directionText(directions) {
  const text = directions.map((one) => DIRECTIONS[one]()).join(gettext(", "));
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Which side goes further. @param {Region} region @param {{ a: Role, b: Role }} roles */
export function furtherText({ side, max_mm: size }, roles) {
  const name = (side === "a_only" ? roles.a : roles.b).name;
  if (size !== null && name === gettext("You")) return gettext("You go further");
  return interpolate(size === null ? gettext("Only here: {name}") : gettext("{name} goes further"), { name });
}

/** What the measures mean, as the engine counts them (recon_engine.metrics). */
export const measureDefinitions = () => ({
  dice: gettext("Dice: twice the shared voxels by the sum of both; 1 where both are empty"),
  hd95: gettext("HD95: the larger of the two 95th percentiles of the distance from each surface voxel of one to the nearest surface voxel of the other"),
  assd: gettext("ASSD: mean over all surface voxels of both of the distance to the nearest surface voxel of the other"),
  max: gettext("Largest distance from a point of one surface to the nearest point of the other"),
});
