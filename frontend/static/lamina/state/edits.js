// What a reader edits with, and how far the changes have got. The voxels themselves lie with the desk
// (pages/study/edit-desk.js); here is only what the page shows of them.

/** @typedef {"empty" | "all"} Overwrite  what a brush may paint over: nothing but empty voxels, or everything unlocked */

/**
 * @typedef {object} EditState
 * @property {number | null} active  number of the segment that is drawn in
 * @property {number} size  brush diameter, mm (voxels where the spacing is unknown)
 * @property {"disc" | "ball"} shape
 * @property {boolean} limited  paint only between low and high
 * @property {number} low @property {number} high  in the unit of the volume
 * @property {Overwrite} overwrite
 * @property {"one" | "all"} erases  the active segment only, or every unlocked one
 * @property {"free" | "rectangle"} cut
 * @property {"slice" | "all"} reach  how far scissors go
 * @property {"erase" | "fill" | "outside"} cutAct
 * @property {number} growReach  mm @property {number} strictness  0 to 1
 * @property {number[]} locked  numbers that no tool changes, in this browser
 * @property {Record<number, number>} voxels  counts of segments that changed here, by number
 * @property {number} waiting  changes the server has not answered
 * @property {number | null} savedAt  when the last one was answered, ms
 * @property {boolean} away  the server could not be reached at the last try
 * @property {string | null} busy  the name of what the server is working out, as shown
 * @property {{ number: number, voxels: number } | null} preview  grown, not yet accepted
 */

/** @returns {EditState} */
export const initialEdits = () => ({
  active: null,
  size: 10,
  shape: "disc",
  limited: false,
  low: 100,
  high: 300,
  overwrite: "all",
  erases: "one",
  cut: "free",
  reach: "slice",
  cutAct: "erase",
  growReach: 40,
  strictness: 0.5,
  locked: [],
  voxels: {},
  waiting: 0,
  savedAt: null,
  away: false,
  busy: null,
  preview: null,
});

/** @param {EditState} edits @param {{ type: string } & Record<string, any>} action @returns {EditState} */
export function reduceEdits(edits, action) {
  switch (action.type) {
    case "edits.set": {
      const unknown = Object.keys(action.values).find((key) => !(key in edits));
      if (unknown) throw new TypeError(`edits.set does not know ${unknown}`);
      const changed = Object.entries(action.values).some(([key, value]) => !Object.is(/** @type {any} */ (edits)[key], value));
      return changed ? { ...edits, ...action.values } : edits;
    }
    case "edits.voxels":
      return { ...edits, voxels: { ...edits.voxels, ...action.voxels } };
    case "edits.lock": {
      const others = edits.locked.filter((number) => number !== action.number);
      return { ...edits, locked: action.locked ? [...others, action.number] : others };
    }
    // Another series: its segments are others, and nothing of it has changed here yet.
    case "view.series":
      return { ...edits, active: null, locked: [], voxels: {}, preview: null, busy: null };
    default:
      return edits;
  }
}

/**
 * Which labels a stroke may replace: null is any. The locked ones never.
 * @param {EditState} edits @param {number[]} numbers  all segments @param {number} label  what is painted; 0 erases
 * @returns {number[] | null}
 */
export function mayReplace({ overwrite, erases, locked, active }, numbers, label) {
  if (label === 0 && erases === "one") return active === null ? [] : [active];
  if (label !== 0 && overwrite === "empty") return [0];
  if (locked.length === 0) return null;
  return [0, ...numbers].filter((number) => !locked.includes(number));
}
