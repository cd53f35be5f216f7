// Fetching the next case ahead: what is asked for and in which order, when it gives way, when nothing is asked at all.
import assert from "node:assert/strict";
import { test } from "node:test";

import { isFree, use } from "../../frontend/static/lamina/api/line.js";
import { Ahead, piecesOf } from "../../frontend/static/lamina/pages/next-case/ahead.js";

const urls = { preview: "/preview/", voxels: "/voxels/" };
const shape = [9, 512, 1024]; // a slice is a MiB: one chunk each
const series = { id: "s", urls, volume: { shape } };
const answer = { series: [series], segmentations: [{ series_id: "s", urls: { labelmap: "/labelmap/", surfaces: "/surfaces/" } }] };

/** A server that answers as asked, and a drawer in memory. */
function world({ hold = () => false, given = answer } = {}) {
  const asked = [];
  const kept = new Map();
  const fetch = async (url, { headers = {}, signal, priority } = {}) => {
    asked.push(`${url} ${headers.Range ?? ""}`.trim());
    assert.equal(priority, "low");
    if (hold(url, headers)) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(headers.Range ?? "") ?? [0, 0, 3];
    return url.startsWith("/api/") ? new Response(JSON.stringify(given)) : new Response(new Uint8Array(Number(end) - Number(start) + 1));
  };
  const drawer = { names: async () => new Set(kept.keys()), keepOnly: async () => {}, put: async (_, name, bytes) => void kept.set(name, bytes.byteLength), close: () => {} };
  return { asked, kept, means: { secret: "key", cap: 1e9, saving: false, rest: 1, fetch, keep: async () => drawer } };
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const until = async (right) => {
  for (let turn = 0; turn < 400 && !right(); turn++) await wait(5);
  assert.ok(right());
};

test("the preview comes first, then slices from the middle outward, within the limit", () => {
  const pieces = piecesOf(series, 3 << 20);
  assert.deepEqual(pieces.map(({ chunk }) => chunk?.first ?? null), [null, 4, 3, 5]);
  assert.equal(pieces[0].url, "/preview/");
  assert.equal(new Set(pieces.map(({ name }) => name)).size, 4);
  assert.equal(piecesOf({ ...series, volume: { shape: [2, 8, 8] } }).length, 2);
});

test("only images are asked for, never a result, and each piece once", async () => {
  const { asked, kept, means } = world();
  let done = "";
  const ahead = new Ahead({ ...means, done: (study) => { done = study; } });
  ahead.want("next");
  await until(() => done === "next");
  assert.equal(asked[0], "/api/studies/next/");
  assert.ok(asked.slice(1).every((url) => url === "/preview/" || url.startsWith("/voxels/ bytes=")), asked.join("\n"));
  assert.equal(new Set(asked).size, asked.length);
  assert.equal([...kept.values()].reduce((sum, one) => sum + one, 0), 4 + (8 << 20));
  const before = asked.length;
  ahead.want("next");
  use()();
  await wait(30);
  assert.equal(asked.length, before);
  ahead.close();
});

test("it gives way in the turn in which somebody needs the line, and goes on where it was", async () => {
  let held = true;
  const { asked, kept, means } = world({ hold: (url, { Range }) => held && Range?.startsWith("bytes=4194304-") });
  const ahead = new Ahead(means);
  ahead.want("next");
  await until(() => asked.length === 3);
  const { signal } = ahead.abort;
  const over = use();
  assert.equal(signal.aborted, true);
  assert.equal(isFree(), false);
  await wait(40);
  assert.equal(asked.length, 3);
  held = false;
  over();
  await until(() => kept.size === 9);
  assert.equal(asked.filter((url) => url === "/preview/").length, 1);
  ahead.close();
});

test("nothing begins while the line is in use", async () => {
  const { asked, means } = world();
  const over = use();
  const ahead = new Ahead(means);
  ahead.want("next");
  await wait(30);
  assert.deepEqual(asked, []);
  over();
  await until(() => asked.length > 0);
  ahead.close();
});

test("who saves data, allows no volume, or whose browser keeps no secret fetches nothing ahead", async () => {
  for (const wish of [{ saving: true }, { cap: 0 }, { secret: "" }, { keep: async () => null }]) {
    const { asked, means } = world();
    const ahead = new Ahead({ ...means, ...wish });
    ahead.want("next");
    await wait(20);
    assert.deepEqual(asked, []);
    ahead.close();
  }
});

test("of a volume past the person's memory limit no voxel is fetched", async () => {
  const { asked, means } = world();
  const ahead = new Ahead({ ...means, cap: 9 * 512 * 1024 * 5 - 1 });
  ahead.want("next");
  await until(() => asked.length === 1);
  await wait(30);
  assert.deepEqual(asked, ["/api/studies/next/"]);
  ahead.close();
});

test("another case is wanted: the first one is let go", async () => {
  const { asked, means } = world({ hold: (url) => url === "/preview/" });
  const ahead = new Ahead(means);
  ahead.want("one");
  await until(() => asked.includes("/preview/"));
  ahead.want("two");
  await until(() => asked.includes("/api/studies/two/"));
  ahead.want(null);
  const before = asked.length;
  await wait(30);
  assert.equal(asked.length, before);
  ahead.close();
});
