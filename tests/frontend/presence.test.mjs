// Who is here, where they point, what is said: reducer, speaker and the fading of cursors, with a hand-driven clock.
import assert from "node:assert/strict";
import { test } from "node:test";

import { freshness, isMoving, moved, nearness, nextChange, placeAt } from "../../frontend/static/lamina/geometry/cursors.js";
import { drawers, followers, initialPresence, others, otherMember, reducePresence, stackOf } from "../../frontend/static/lamina/state/presence.js";
import { PACE, Speaker } from "../../frontend/static/lamina/state/speaker.js";
import { StreamClient } from "../../frontend/static/lamina/state/socket.js";

const member = (name, id = name, over = {}) => ({ member: name, id, name: `Dr ${id}`, colour: 0, watches: false, since: 0, follows: null, ...over });
const room = (...people) => reducePresence(initialPresence(), { type: "presence.room", me: "a", people, now: 0 });
const said = (presence, said, now) => reducePresence(presence, { type: "presence.said", said, now });
const cursor = (...at) => ({ at, series: "s", pane: "axial", free: false });

test("several tabs of one person are one face, own tabs are none", () => {
  const presence = room(member("a", "me"), member("b", "me"), member("c", "x"), member("d", "x"), member("e", "y"));
  assert.deepEqual(others(presence).map(({ id, member: at, members }) => [id, at, members]), [["x", "d", ["c", "d"]], ["y", "e", ["e"]]]);
  assert.equal(otherMember(presence, "b"), null);
  assert.equal(otherMember(presence, "c").id, "x");
});

test("at most four faces, then a number", () => {
  const people = Array.from({ length: 7 }, (_, at) => ({ id: String(at) }));
  const { faces, rest } = stackOf(people);
  assert.deepEqual([faces.length, rest.length], [4, 3]);
});

test("who leaves takes cursor, stroke and the following along", () => {
  let presence = room(member("a"), member("b"));
  presence = said(presence, { b: { cursor: cursor(1, 2, 3), stroke: { segmentation: "g", number: 4, mm: 8, erases: false } } }, 10);
  presence = reducePresence(presence, { type: "presence.follow", member: "b" });
  assert.equal(presence.following, "b");
  presence = reducePresence(presence, { type: "presence.room", me: "a", people: [member("a")], now: 20 });
  assert.deepEqual([presence.tracks, presence.strokes, presence.drawings, presence.following], [{}, {}, {}, null]);
});

test("a lost connection keeps the faces as last seen and nothing that moves", () => {
  let presence = said(room(member("a"), member("b")), { b: { cursor: cursor(1, 2, 3) } }, 10);
  presence = reducePresence(presence, { type: "presence.away", now: 11 });
  assert.equal(presence.state, "away");
  assert.equal(others(presence).length, 1);
  assert.deepEqual(presence.tracks, {});
});

test("a shut room shows nobody", () => {
  const presence = reducePresence(room(member("a"), member("b")), { type: "presence.shut" });
  assert.deepEqual([presence.state, others(presence)], ["shut", []]);
});

test("a pencil stays eight seconds after the stroke, in the segmentation it was made in", () => {
  const stroke = { segmentation: "g", number: 4, mm: 8, erases: false };
  let presence = said(room(member("a"), member("b", "x")), { b: { stroke } }, 1000);
  assert.deepEqual(drawers(presence, ["g"])[4].map((one) => one.name), ["Dr x"]);
  assert.deepEqual(drawers(presence, ["other"]), {});
  presence = said(presence, { b: { stroke: null } }, 2000);
  assert.deepEqual(presence.strokes, {});
  presence = reducePresence(presence, { type: "presence.tick", now: 9999 });
  assert.ok(drawers(presence, ["g"])[4]);
  presence = reducePresence(presence, { type: "presence.tick", now: 10_001 });
  assert.deepEqual(drawers(presence, ["g"]), {});
});

test("who is followed knows it", () => {
  assert.equal(followers(room(member("a"), member("b", "x", { follows: "a" }), member("c", "y", { follows: "a" }))), "b c");
  assert.equal(followers(room(member("a"), member("b", "x", { follows: "c" }))), "");
  assert.equal(others(room(member("a"), member("b", "x", { follows: "a" })))[0].followsMe, true);
});

test("a cursor glides to its new place within 100 ms", () => {
  let track = moved(undefined, cursor(0, 0, 0), 1000);
  track = moved(track, cursor(10, 0, -20), 2000);
  assert.deepEqual(placeAt(track, 2000), [0, 0, 0]);
  assert.deepEqual(placeAt(track, 2050), [5, 0, -10]);
  assert.deepEqual(placeAt(track, 2100), [10, 0, -20]);
  assert.deepEqual(placeAt(track, 9000), [10, 0, -20]);
  // Halfway there the next word comes: it goes on from where it is.
  const next = moved(track, cursor(0, 0, 0), 2050);
  assert.deepEqual(placeAt(next, 2050), [5, 0, -10]);
});

test("a cursor appears and does not fly in from another series", () => {
  const track = moved(moved(undefined, cursor(0, 0, 0), 0), { ...cursor(50, 0, 0), series: "t" }, 10);
  assert.deepEqual(placeAt(track, 10), [50, 0, 0]);
});

test("it fades after 3 s at rest and is gone 10 s after the pointer has left", () => {
  let track = moved(undefined, cursor(0, 0, 0), 0);
  assert.equal(freshness(track, 2999), 1);
  assert.ok(freshness(track, 3300) < 1 && freshness(track, 3300) > 0.4);
  assert.ok(Math.abs(freshness(track, 60_000) - 0.4) < 1e-9);
  // A word that repeats the place is no move.
  assert.ok(freshness(moved(track, cursor(0, 0, 0), 3900), 4000) < 0.5);
  assert.equal(freshness(moved(track, cursor(1, 0, 0), 3900), 4000), 1);
  track = moved(track, null, 5000);
  assert.ok(freshness(track, 14_999) > 0);
  assert.equal(freshness(track, 15_000), 0);
  assert.equal(nextChange(track, 8000), 15_000);
  assert.equal(nextChange(track, 15_000), Infinity);
  assert.equal(isMoving(track, 8000), false);
});

test("whole on its slice, half within 5 mm, else nothing", () => {
  assert.deepEqual([0, 1.5, -1.5, 1.6, -5, 5.01, 40].map((depth) => nearness(depth, 3)), [1, 1, 1, 0.5, 0.5, 0, 0]);
});

/** A speaker with a clock. */
function speaking() {
  const around = { at: 0, timers: [], sent: [], open: true };
  const speaker = new Speaker({
    now: () => around.at,
    later: (act, ms) => around.timers.push({ act, at: around.at + ms }),
    send: (words) => around.open && (around.sent.push([around.at, words]), true),
  });
  const run = (until) => {
    for (;;) {
      around.timers.sort((a, b) => a.at - b.at);
      if (!around.timers.length || around.timers[0].at > until) break;
      const { act, at } = around.timers.shift();
      around.at = at;
      act();
    }
    around.at = until;
  };
  return { speaker, around, run };
}

test("a second of moving is at most twenty frames, and the last place is said", () => {
  const { speaker, around, run } = speaking();
  speaker.hush(false);
  for (let ms = 0; ms < 1000; ms += 4) {
    run(ms);
    speaker.say({ cursor: cursor(ms, 0, 0) });
  }
  run(2000);
  assert.ok(around.sent.length <= 20, String(around.sent.length));
  assert.ok(around.sent.slice(1).every(([at], n) => at - around.sent[n][0] >= PACE));
  assert.equal(around.sent.at(-1)[1].cursor.at[0], 996);
});

test("the same is not said twice, and nothing at all in a shut room", () => {
  const { speaker, around, run } = speaking();
  speaker.say({ cursor: cursor(1, 1, 1) });
  run(500);
  assert.equal(around.sent.length, 0);
  speaker.hush(false);
  assert.equal(around.sent.length, 1, "what waited is said on entering");
  for (const end of [1000, 2000]) {
    speaker.say({ cursor: cursor(1, 1, 1) });
    run(end);
  }
  assert.equal(around.sent.length, 1);
  speaker.again("cursor");
  speaker.say({ cursor: cursor(1, 1, 1) });
  run(2500);
  assert.equal(around.sent.length, 2, "somebody new listens");
  around.sent.pop();
  speaker.hush(true);
  speaker.say({ cursor: cursor(2, 2, 2) });
  run(3000);
  assert.equal(around.sent.length, 1);
  speaker.hush(false);
  assert.equal(around.sent.length, 2);
});

test("after a break the client joins again by itself", () => {
  const links = [];
  const timers = [];
  const client = new StreamClient({
    open: () => (links.push({ sent: [], readyState: 0, send(text) { this.sent.push(JSON.parse(text)); }, close() {} }), links.at(-1)),
    poll: async () => ({ events: [] }), later: (act) => timers.push(act), forget: () => {}, random: () => 0.5,
  });
  const heard = [];
  client.subscribe("study:1", 0, {});
  const seat = client.join("study:1", { onRoom: () => heard.push("room"), onSaid: (words) => heard.push(words), onShut: () => heard.push("shut"), onAway: () => heard.push("away") });
  assert.equal(seat.say({ cursor: null }), false);
  const open = (link) => { link.readyState = 1; link.onopen(); };
  open(links[0]);
  assert.deepEqual(links[0].sent.at(-1), { join: "study:1" });
  links[0].onmessage({ data: JSON.stringify({ room: { name: "study:1", me: "a", people: [] } }) });
  links[0].onmessage({ data: JSON.stringify({ here: { room: "study:1", said: { b: {} } } }) });
  links[0].onmessage({ data: JSON.stringify({ here: { room: "study:2", said: { b: {} } } }) });
  links[0].readyState = 3;
  links[0].onclose({ code: 1006 });
  client.connect();
  open(links.at(-1));
  assert.deepEqual(links.at(-1).sent.at(-1), { join: "study:1" });
  links.at(-1).onmessage({ data: JSON.stringify({ shut: "study:1" }) });
  assert.deepEqual(heard, ["room", { b: {} }, "away", "shut"]);
  seat.leave();
  assert.deepEqual(links.at(-1).sent.at(-1), { leave: "study:1" });
});
