// What the reader sees as the fragment of an address, and back: pure text, no page, no server. The fragment never
// leaves the browser, and it holds only ids, numbers and names of settings, nothing of a patient. One line of FIELDS
// per setting; unknown keys are ignored (a later version wrote them), a bad value falls back and is named in `bad`.

import { PLANE_NAMES } from "../geometry/planes.js";

/** @import { Point } from "../geometry/vectors.js" */
/** @import { Viewing } from "../geometry/viewing.js" */
/** @import { Window } from "../geometry/windows.js" */
/** @import { Orbit } from "../geometry/orbit.js" */
/** @import { ClipBox, VolumeLook } from "./space.js" */
/** @import { ClipView, Layout, SegmentLook, ViewportName } from "./view.js" */

/**
 * Everything an address holds. Ids are whole when written and the first 8 characters when read.
 * @typedef {object} Seen
 * @property {string | null} series
 * @property {string | null} result  the shown segmentation
 * @property {Layout} layout @property {"axial" | "coronal" | "sagittal"} main @property {ViewportName | null} large @property {ViewportName} active
 * @property {string} tool
 * @property {Point | null} at  LPS mm, where the planes cross
 * @property {Record<string, Viewing>} zoom  by plane
 * @property {Record<string, Window>} window  by plane
 * @property {boolean} linked @property {boolean} smooth @property {boolean} inverted @property {boolean} texts @property {boolean} outlines
 * @property {number} fill  0 to 0.6
 * @property {boolean | null} planes3d
 * @property {ClipView | null} clip
 * @property {Record<number, SegmentLook>} segments
 * @property {Orbit | null} camera
 * @property {Record<string, { turn: number, mirrored: boolean }>} turns  by plane
 * @property {Record<string, [number, number, number, number]>} tilts  by plane, quaternion x y z w
 * @property {Record<string, { mode: string, mm: number }>} slabs  by plane
 * @property {Fused | null} fusion
 * @property {{ volume: VolumeLook | null, box: ClipBox | null } | null} [space]
 * @property {BesideSeen | null} beside
 */
/** @typedef {{ seriesId: string, map: string, mode: string, opacity: number, window: Window | null, place: number, seeThrough: boolean }} Fused  `place` 0 to 1 across the pane */
/** @typedef {{ study: string, series: string, linked: boolean, offset: Point, window: Window | null }} BesideSeen  offset in LPS mm, prior minus current */

const VERSION = "1";
const SHORT = 8;
const LAYOUTS = ["1x1", "2x2", "1x3", "1+3", "3d", "beside", "beside-planes", "beside-3d", "pair"];
const VIEWPORTS = [...PLANE_NAMES, "surfaces"];
const WORD = /^[a-z0-9][a-z0-9-]{0,31}$/i;

/** Thrown while reading; the field's name goes into `bad`. */
class Bad extends Error {}

/** @param {boolean} right */
const must = (right) => {
  if (!right) throw new Bad();
};

/** At most `decimals`, without trailing zeros. @param {number} value @param {number} decimals */
const short = (value, decimals) => String(Number(value.toFixed(decimals)) + 0);

/** @param {string} text @param {number} [low] @param {number} [high] */
function numberOf(text, low = -1e6, high = 1e6) {
  must(/^-?\d+(\.\d+)?$/.test(text));
  const value = Number(text);
  must(value >= low && value <= high);
  return value;
}

/** @param {string} text @param {number} count */
function numbersOf(text, count) {
  const parts = text.split(",");
  must(parts.length === count);
  return parts.map((part) => numberOf(part));
}

/** @template {string} T @param {readonly T[]} known @returns {(text: string) => T} */
const oneOf = (known) => (text) => {
  must(known.includes(/** @type {T} */ (text)));
  return /** @type {T} */ (text);
};
/** @param {string} text */
const wordOf = (text) => {
  must(WORD.test(text));
  return text;
};
/** @param {string} text */
const flagOf = (text) => oneOf(["0", "1"])(text) === "1";
/** @param {string} text */
const idOf = (text) => {
  must(/^[0-9a-f]{8}$/.test(text));
  return text;
};
/** @param {string} id */
const shortId = (id) => id.replaceAll("-", "").slice(0, SHORT).toLowerCase();

/** `axial:1,2_coronal:3,4` @template T @param {Record<string, T>} parts @param {(part: T) => string} write */
const byPlane = (parts, write) => PLANE_NAMES.filter((name) => parts?.[name]).map((name) => `${name}:${write(parts[name])}`).join("_");

/** @template T @param {string} text @param {(part: string) => T} read @returns {Record<string, T>} */
function planesOf(text, read) {
  return Object.fromEntries(text.split("_").map((part) => {
    const [name, value] = part.split(":");
    must(PLANE_NAMES.includes(/** @type {any} */ (name)) && value !== undefined);
    return [name, read(value)];
  }));
}

/** @param {Window} window */
const windowText = ({ width, level }) => `${short(width, 2)},${short(level, 2)}`;
/** @param {string} text @returns {Window} */
function windowOf(text) {
  const [width, level] = numbersOf(text, 2);
  must(width > 0);
  return { width, level };
}

/** @param {Viewing} viewing */
const viewingText = ({ zoom, pan }) => [short(zoom, 3), short(pan[0], 1), short(pan[1], 1)].join(",");
/** @param {string} text @returns {Viewing} */
function viewingOf(text) {
  const [zoom, x, y] = numbersOf(text, 3);
  must(zoom >= 0.1 && zoom <= 100);
  return { zoom, pan: [x, y] };
}

/** @param {Record<number, SegmentLook>} looks @param {Record<number, SegmentLook>} first  how they start */
function looksText(looks, first) {
  return Object.entries(looks).map(([number, look]) => {
    const before = first?.[Number(number)];
    const changed = [
      look.shown === before?.shown ? "" : look.shown ? "s" : "h",
      look.opacity === before?.opacity ? "" : `o${Math.round(look.opacity * 100)}`,
      look.colour === before?.colour ? "" : `c${look.colour.replace("#", "").toUpperCase()}`,
    ].join("");
    return changed && `${number}${changed}`;
  }).filter(Boolean).join("_");
}

/** @param {string} text @returns {Record<number, Partial<SegmentLook>>} */
function looksOf(text) {
  return Object.fromEntries(text.split("_").map((part) => {
    const found = /^(\d{1,5})([sh])?(?:o(\d{1,3}))?(?:c([0-9A-F]{6}))?$/.exec(part);
    must(found !== null);
    const [, number, shown, opacity, colour] = /** @type {RegExpExecArray} */ (found);
    /** @type {Partial<SegmentLook>} */
    const look = {};
    if (shown) look.shown = shown === "s";
    if (opacity) look.opacity = numberOf(opacity, 0, 100) / 100;
    if (colour) look.colour = `#${colour}`;
    return [Number(number), look];
  }));
}

/** `volume:preset,style,1,130~16~7A3F28~...` @param {VolumeLook | null} look */
function volumeText(look) {
  if (!look) return "";
  const points = look.points.map(({ value, opacity, colour }) => [short(value, 2), short(opacity * 1000, 0), colour.replace("#", "").toLowerCase()].join("~"));
  return `volume:${[look.preset, look.style, flag(look.surfaces), ...points].join(",")}`;
}

/** @param {string} text @returns {VolumeLook} */
function volumeOf(text) {
  const [preset, style, surfaces, ...points] = text.split(",");
  must(points.length >= 2 && points.length <= 32);
  return {
    preset: wordOf(preset), style: oneOf(/** @type {const} */ (["shaded", "brightest"]))(style), surfaces: flagOf(surfaces),
    points: points.map((point) => {
      const [value, opacity, colour] = point.split("~");
      must(/^[0-9a-f]{6}$/.test(colour ?? ""));
      return { value: numberOf(value), opacity: numberOf(opacity, 0, 1000) / 1000, colour: `#${colour}` };
    }),
  };
}

/** @param {ClipBox | null} box */
const boxText = (box) => (box ? `box:${PLANE_NAMES.flatMap((name) => box[name]).map((value) => short(value, 3)).join(",")}` : "");

/** @param {string} text @returns {ClipBox} */
function boxOf(text) {
  const faces = numbersOf(text, 6);
  must(faces.every((face) => face >= 0 && face <= 1) && [0, 2, 4].every((at) => faces[at] < faces[at + 1]));
  return { axial: [faces[0], faces[1]], coronal: [faces[2], faces[3]], sagittal: [faces[4], faces[5]] };
}

/** @param {boolean} value */
const flag = (value) => (value ? "1" : "0");

/**
 * @typedef {object} Field
 * @property {string} key  as it stands in the address
 * @property {(seen: Seen, first: Partial<Seen>) => string | null | undefined | false} write  nothing where it is as it starts
 * @property {(text: string) => any} read  throws where the text is no such value
 */

/** A setting of the same name that is written only where it differs from its start. @param {keyof Seen & string} key @param {(value: any) => string} write @param {(text: string) => any} read @returns {Field} */
const plain = (key, write, read) => ({
  key,
  write: (seen, first) => {
    const text = seen[key] === null || seen[key] === undefined ? "" : write(seen[key]);
    const start = first[key] === null || first[key] === undefined ? "" : write(first[key]);
    return text !== start && text;
  },
  read,
});

/** Written always: what it starts as may change from person to person and from day to day. @param {Field} field @returns {Field} */
const always = (field) => ({ ...field, write: (seen) => field.write(seen, {}) });

/** @type {readonly Field[]} */
const FIELDS = Object.freeze([
  always(plain("series", shortId, idOf)),
  always(plain("result", shortId, idOf)),
  always(plain("layout", String, oneOf(LAYOUTS))),
  plain("main", String, oneOf(PLANE_NAMES)),
  plain("large", String, oneOf(VIEWPORTS)),
  plain("active", String, oneOf(VIEWPORTS)),
  plain("tool", String, wordOf),
  plain("at", (/** @type {Point} */ point) => point.map((value) => short(value, 2)).join(","), (text) => numbersOf(text, 3)),
  plain("zoom", (parts) => byPlane(parts, viewingText), (text) => planesOf(text, viewingOf)),
  plain("window", (parts) => byPlane(parts, windowText), (text) => planesOf(text, windowOf)),
  plain("linked", flag, flagOf),
  plain("smooth", flag, flagOf),
  plain("inverted", flag, flagOf),
  plain("texts", flag, flagOf),
  plain("outlines", flag, flagOf),
  plain("fill", (value) => String(Math.round(value * 100)), (text) => numberOf(text, 0, 60) / 100),
  plain("planes3d", flag, flagOf),
  plain("clip", ({ plane, position, flipped }) => [plane, short(position, 3), flag(flipped)].join(","), (text) => {
    const [plane, position, flipped] = text.split(",");
    return { plane: oneOf(PLANE_NAMES)(plane), position: numberOf(position, 0, 1), flipped: flagOf(flipped) };
  }),
  { key: "segments", write: (seen, first) => looksText(seen.segments ?? {}, first.segments ?? {}), read: looksOf },
  plain("camera", (/** @type {Orbit} */ { azimuth, elevation, distance, target }) => [azimuth, elevation, distance, ...target].map((value) => short(value, 1)).join(","), (text) => {
    const [azimuth, elevation, distance, ...target] = numbersOf(text, 6);
    must(distance > 0);
    return { azimuth, elevation, distance, target };
  }),
  plain("turns", (parts) => byPlane(parts, ({ turn, mirrored }) => `${turn}${mirrored ? "m" : ""}`), (text) => planesOf(text, (part) => {
    must(/^[0-3]m?$/.test(part));
    return { turn: Number(part[0]), mirrored: part.length > 1 };
  })),
  plain("tilts", (parts) => byPlane(parts, (tilt) => tilt.map((/** @type {number} */ value) => short(value, 4)).join(",")), (text) => planesOf(text, (part) => {
    const tilt = numbersOf(part, 4);
    const length = Math.hypot(...tilt);
    must(length > 0.5 && length < 2);
    return tilt.map((value) => value / length);
  })),
  plain("slabs", (parts) => byPlane(parts, ({ mode, mm }) => `${mode},${short(mm, 1)}`), (text) => planesOf(text, (part) => {
    const [mode, mm] = part.split(",");
    return { mode: oneOf(["mean", "max", "min"])(mode), mm: numberOf(mm, 0, 1000) };
  })),
  {
    key: "space",
    write: ({ space }) => [volumeText(space?.volume ?? null), boxText(space?.box ?? null)].filter(Boolean).join("_"),
    read: (text) => {
      /** @type {Record<string, any>} */
      const space = {};
      for (const part of text.split("_")) {
        const [name, value] = part.split(":");
        must(value !== undefined);
        if (name === "box") space.box = boxOf(value);
        else if (name === "volume") space.volume = volumeOf(value);
        else must(false);
      }
      return space;
    },
  },
  plain("fusion", (/** @type {Fused} */ { seriesId, map, mode, opacity, window, place, seeThrough }) =>
    [shortId(seriesId), map, mode, Math.round(opacity * 100), short(place ?? 0.5, 2), flag(seeThrough), window ? windowText(window) : ""].join(","), (text) => {
    const [id, map, mode, opacity, place, seeThrough, ...window] = text.split(",");
    return {
      seriesId: idOf(id), map: wordOf(map), mode: oneOf(["blend", "checker", "swipe"])(mode), opacity: numberOf(opacity, 0, 100) / 100,
      place: numberOf(place, 0, 1), seeThrough: flagOf(seeThrough), window: window.join("") ? windowOf(window.join(",")) : null,
    };
  }),
  plain("beside", (/** @type {BesideSeen} */ { study, series, linked, offset, window }) =>
    [shortId(study), shortId(series), flag(linked), ...offset.map((value) => short(value, 1)), window ? windowText(window) : ""].join(","), (text) => {
    const [study, series, linked, x, y, z, ...window] = text.split(",");
    return {
      study: idOf(study), series: idOf(series), linked: flagOf(linked), offset: numbersOf([x, y, z].join(","), 3),
      window: window.join("") ? windowOf(window.join(",")) : null,
    };
  }),
]);

/**
 * @param {Seen} seen @param {Partial<Seen>} [first]  how a study opens by itself: what equals it is left out
 * @returns {string} the fragment without "#"
 */
export function encode(seen, first = {}) {
  const parts = FIELDS.map(({ key, write }) => {
    const text = write(seen, first);
    return text ? `${key}=${text}` : "";
  });
  return [`v=${VERSION}`, ...parts.filter(Boolean)].join("&");
}

/**
 * @param {string} fragment  with or without "#"
 * @returns {{ seen: Record<string, any>, bad: string[] } | null} `bad` names the keys whose value was none; null: not ours
 */
export function decode(fragment) {
  let text = fragment.replace(/^#/, "");
  try {
    text = decodeURIComponent(text);
  } catch {
    return text.startsWith("v=") ? { seen: {}, bad: ["v"] } : null;
  }
  if (!text.startsWith("v=")) return null;
  const given = new Map(text.split("&").map((part) => {
    const at = part.indexOf("=");
    return /** @type {[string, string]} */ (at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)]);
  }));
  if (given.get("v") !== VERSION) return { seen: {}, bad: ["v"] };
  /** @type {Record<string, any>} */
  const seen = {};
  const bad = [];
  for (const { key, read } of FIELDS) {
    const value = given.get(key);
    if (value === undefined) continue;
    try {
      seen[key] = read(value);
    } catch {
      bad.push(key);
    }
  }
  return { seen, bad };
}

/** The one row a short id stands for. @template {{ id: string }} T @param {readonly T[]} rows @param {string | null | undefined} id @returns {T | undefined} */
export const rowOf = (rows, id) => (id ? rows.find((row) => shortId(row.id) === id) : undefined);
