// Half floats, packed slices and the loader behind the worker, against known truth.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { halfBits, toHalves } from "../../frontend/static/lamina/geometry/half.js";
import { capBytes, hindrance, neededBytes } from "../../frontend/static/lamina/geometry/memory.js";
import { packed, unpacked } from "../../frontend/static/lamina/geometry/packing.js";
import { VolumeLoader, checkDigest } from "../../frontend/static/lamina/scene/volume-loader.js";

/** The value of a half float by the definition of IEEE 754 binary16. */
function valueOf(bits) {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return exponent === 0 ? sign * 2 ** -14 * (fraction / 1024) : sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

test("every int16 becomes the nearest half float, ties to the even one", () => {
  for (let value = -32768; value < 32768; value++) {
    const bits = halfBits(value);
    const error = Math.abs(valueOf(bits) - value);
    const [below, above] = [bits & 0x7fff ? Math.abs(valueOf(bits - 1) - value) : Infinity, Math.abs(valueOf(bits + 1) - value)];
    assert.ok(error <= below && error <= above, `${value}`);
    if (error === below || error === above) assert.equal(bits & 1, 0, `${value}`);
    if (Math.abs(value) <= 2048) assert.equal(error, 0);
  }
  assert.deepEqual([...toHalves(new Int16Array([0, 1, -1, 1000, -1024]))], [0, 0x3c00, 0xbc00, 0x63d0, 0xe400]);
});

test("packed slices come back as they were, the largest steps too", () => {
  const stored = new Int16Array([0, 32767, -32768, 32767, -1, 0, 5, 5, -1000, 1000, 999, -32768]);
  assert.deepEqual(unpacked(packed(stored, 4), 4), stored);
  assert.throws(() => unpacked(new Uint8Array(10), 4), RangeError);
});

/** A volume of 12 slices of 4 x 8, and a server for it. `spoil` may change an answer: (bytes, times asked) -> bytes or status. */
const SHAPE = [12, 4, 8];
const VOLUME = Int16Array.from({ length: 12 * 32 }, (_, at) => at * 7 - 900);
function serve(spoil = (bytes) => bytes) {
  const asked = [];
  globalThis.fetch = async (address, { headers = {} } = {}) => {
    asked.push(headers.Range ?? String(address));
    let bytes;
    if (headers.Range) {
      const [start, end] = headers.Range.slice(6).split("-").map(Number);
      bytes = new Uint8Array(VOLUME.buffer.slice(start, end + 1));
    } else {
      const query = new URL(address, "http://here").searchParams;
      const [first, count] = [Number(query.get("first")), Number(query.get("count"))];
      bytes = deflateRawSync(packed(VOLUME.slice(first * 32, (first + count) * 32), 8));
    }
    const sum = createHash("sha256").update(bytes).digest("base64");
    const sent = spoil(bytes, asked.filter((one) => one === asked.at(-1)).length, headers.Range ?? "");
    if (typeof sent === "number") return new Response("", { status: sent });
    return new Response(sent, { headers: { "Content-Digest": `sha-256=:${sum}:` } });
  };
  return asked;
}
const before = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = before;
});

async function loaded(urls, spoil) {
  const asked = serve(spoil);
  const got = new Int16Array(VOLUME.length);
  const failed = [];
  const loader = new VolumeLoader(urls, SHAPE, 6, {
    onSlab: ({ first, stored, halves }) => {
      got.set(stored, first * 32);
      assert.deepEqual(halves, toHalves(stored));
    },
    onFailed: (slices) => failed.push(slices),
  });
  return { loader, asked, got, failed };
}

test("a volume arrives whole, packed where the line is slow", async () => {
  for (const slow of [false, true]) {
    const { loader, asked, got } = await loaded({ voxels: "/voxels", packed: "/packed" });
    if (slow) loader.got = { bytes: 4 << 20, seconds: 1 };
    await loader.drain();
    assert.deepEqual(got, VOLUME);
    assert.equal(asked.every((one) => one.startsWith("/packed")), slow);
  }
});

test("bytes changed on the way are noticed, fetched again, then named", async () => {
  const flip = (bytes) => {
    const other = Uint8Array.from(bytes);
    other[5] ^= 1;
    return other;
  };
  const once = await loaded({ voxels: "/voxels", packed: null }, (bytes, times) => (times === 1 ? flip(bytes) : bytes));
  await once.loader.drain();
  assert.deepEqual(once.got, VOLUME);
  assert.equal(once.asked.length, 2);

  let broken = true;
  const always = await loaded({ voxels: "/voxels", packed: null }, (bytes) => (broken ? flip(bytes) : bytes));
  await always.loader.drain();
  assert.equal(always.asked.length, 3);
  assert.deepEqual(always.failed.at(-1).map(({ first, last }) => [first, last]), [[1, 12]]);
  broken = false;
  await always.loader.retry();
  assert.deepEqual(always.failed.at(-1), []);
  assert.deepEqual(always.got, VOLUME);
});

test("a digest that is not there passes, a wrong one does not", async () => {
  await checkDigest(new ArrayBuffer(3), null);
  await assert.rejects(checkDigest(new ArrayBuffer(3), `sha-256=:${"A".repeat(43)}=:`));
});

test("a volume that does not fit is cut by the server, and why is known", () => {
  const large = [600, 512, 512];
  assert.equal(neededBytes(large), 600 * 512 * 512 * 5);
  assert.equal(capBytes(8, null), 2 * 2 ** 30);
  assert.equal(capBytes(undefined, null), 2 ** 30);
  assert.equal(capBytes(8, "300"), 300 * 2 ** 20);
  assert.equal(capBytes(2, "nonsense"), 2 ** 29);
  assert.equal(hindrance(large, { largest3d: 2048, cap: capBytes(4, null) }), null);
  assert.equal(hindrance(large, { largest3d: 2048, cap: capBytes(2, null) }), "memory");
  assert.equal(hindrance(large, { largest3d: 512, cap: Infinity }), "card");
  assert.equal(hindrance([1, 1, 1], { largest3d: 0, cap: Infinity }), "no-webgl2");
});
