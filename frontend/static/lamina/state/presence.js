// Who is in the room of the study now, what they said last, whom this reader follows. Pure: times come with the actions.

import { moved } from "../geometry/cursors.js";

/** @import { Track } from "../geometry/cursors.js" */

/**
 * One socket in the room.
 * @typedef {{ member: string, id: string, name: string, colour: number, watches: boolean, since: number, follows: string | null }} Member
 */
/** @typedef {{ segmentation: string, number: number, mm: number, erases: boolean }} Stroke */
/** @typedef {{ segmentation: string, number: number, until: number }} Drawing  a pencil that stays for a moment after the stroke */
/**
 * @typedef {object} Presence
 * @property {"out" | "in" | "away" | "shut"} state  away: the connection is lost; shut: may not be inside
 * @property {string | null} me
 * @property {Member[]} people  who is here, the own sockets included, first come first
 * @property {Record<string, Track>} tracks  cursors by member
 * @property {Record<string, Stroke>} strokes  strokes under way by member
 * @property {Record<string, Drawing>} drawings  by member
 * @property {Record<string, string>} views  what those one follows look at, as the fragment of an address
 * @property {string | null} following  a member
 * @property {number | null} seenAt  when the others were last known to be here, ms
 */
/** A person with all their sockets. @typedef {{ id: string, name: string, colour: number, watches: boolean, member: string, members: string[], followsMe: boolean }} Person */

/** @returns {Presence} */
export const initialPresence = () => ({ state: "out", me: null, people: [], tracks: {}, strokes: {}, drawings: {}, views: {}, following: null, seenAt: null });

/** How long a row says who drew in it after the stroke has ended, ms. */
const PENCIL = 8_000;
/** A stroke whose end was lost is over after this, ms. */
const LOST = 30_000;
/** As in SCREENS "People", in the order of the server's palette. */
const PEOPLE = Object.freeze(["#7AD7FF", "#FF9EBB", "#C6F26D", "#BAA37E", "#F9E3D8", "#C58BFF"]);
/** Faces in the stack; the rest is a number. */
export const FACES = 4;

/** @template T @param {Record<string, T>} parts @param {(member: string) => boolean} keep @returns {Record<string, T>} */
function only(parts, keep) {
  const kept = Object.entries(parts).filter(([member]) => keep(member));
  return kept.length === Object.keys(parts).length ? parts : Object.fromEntries(kept);
}

/** @param {Presence} presence @param {{ type: string } & Record<string, any>} action @returns {Presence} */
export function reducePresence(presence, action) {
  switch (action.type) {
    case "presence.room": {
      const { me, people, now } = action;
      const here = new Set(people.map((/** @type {Member} */ one) => one.member));
      const keep = (/** @type {string} */ member) => here.has(member);
      return {
        ...presence, state: "in", me, people, seenAt: now,
        tracks: only(presence.tracks, keep), strokes: only(presence.strokes, keep), drawings: only(presence.drawings, keep), views: only(presence.views, keep),
        following: presence.following && here.has(presence.following) ? presence.following : null,
      };
    }
    case "presence.said":
      return Object.entries(action.said).reduce((all, [member, words]) => heard(all, member, words, action.now), { ...presence, seenAt: action.now });
    case "presence.follow":
      return presence.following === action.member ? presence : { ...presence, following: action.member, views: {} };
    case "presence.away":
      // Who was here stays in sight as last seen; nobody moves any more.
      return presence.state === "in" ? { ...presence, state: "away", tracks: {}, strokes: {}, drawings: {}, views: {}, following: null } : presence;
    case "presence.shut":
      return { ...initialPresence(), state: "shut" };
    case "presence.tick": {
      const drawings = only(presence.drawings, (member) => presence.drawings[member].until > action.now);
      return drawings === presence.drawings ? presence : { ...presence, drawings, strokes: only(presence.strokes, (member) => member in drawings) };
    }
    default:
      return presence;
  }
}

/** @param {Presence} presence @param {string} member @param {Record<string, any>} words @param {number} now @returns {Presence} */
function heard(presence, member, words, now) {
  let { tracks, strokes, drawings, views } = presence;
  if ("cursor" in words) {
    const track = moved(tracks[member], words.cursor, now);
    if (track) tracks = { ...tracks, [member]: track };
  }
  if (words.stroke) {
    strokes = { ...strokes, [member]: words.stroke };
    const { segmentation, number } = words.stroke;
    drawings = { ...drawings, [member]: { segmentation, number, until: now + LOST } };
  } else if (words.stroke === null) {
    strokes = only(strokes, (one) => one !== member);
    if (drawings[member]) drawings = { ...drawings, [member]: { ...drawings[member], until: now + PENCIL } };
  }
  if (words.view) views = { ...views, [member]: words.view };
  return { ...presence, tracks, strokes, drawings, views };
}

/** The others as people, first come first: several tabs of one person are one. @param {Presence} presence @returns {Person[]} */
export function others({ people, me }) {
  const mine = people.find((one) => one.member === me)?.id;
  /** @type {Map<string, Person>} */
  const found = new Map();
  for (const { member, id, name, colour, watches, follows } of people) {
    if (id === mine) continue;
    const person = found.get(id) ?? { id, name, colour, watches, member, members: [], followsMe: false };
    // Who opened another tab works in that one.
    found.set(id, { ...person, member, members: [...person.members, member], followsMe: person.followsMe || (follows !== null && follows === me) });
  }
  return [...found.values()];
}

/** @param {{ colour: number }} one */
export const colourOf = ({ colour }) => PEOPLE[colour % PEOPLE.length];

/** Faces to show and how many more there are. @param {Person[]} people @returns {{ faces: Person[], rest: Person[] }} */
export const stackOf = (people) => ({ faces: people.slice(0, FACES), rest: people.slice(FACES) });

/** Who follows this reader, as text: another text, other followers. @param {Presence} presence */
export const followers = ({ people, me }) => (me === null ? "" : people.filter((one) => one.follows === me).map((one) => one.member).join(" "));

/** Of another person, not of an own other tab. @param {Presence} presence @param {string} member @returns {Member | null} */
export function otherMember({ people, me }, member) {
  const mine = people.find((one) => one.member === me)?.id;
  const found = people.find((one) => one.member === member);
  return found && found.id !== mine ? found : null;
}

/** Who draws in which segment of these segmentations, by segment number. @param {Presence} presence @param {(string | null | undefined)[]} segmentations @returns {Record<number, Member[]>} */
export function drawers(presence, segmentations) {
  /** @type {Record<number, Member[]>} */
  const found = {};
  for (const [member, { segmentation, number }] of Object.entries(presence.drawings)) {
    const one = otherMember(presence, member);
    if (one && segmentations.includes(segmentation)) (found[number] ??= []).push(one);
  }
  return found;
}
