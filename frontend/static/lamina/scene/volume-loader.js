// Slices of one volume, fetched by byte ranges from where the reader looks outward, checked, fetched again, made ready
// for the card. It runs in the worker (volume-worker.js); knows fetch and arrays, no page.

import { toHalves } from "../geometry/half.js";
import { unpacked } from "../geometry/packing.js";
import { chunksOf, named, nearest, rangeOf } from "../geometry/streaming.js";

/** @import { Chunk } from "../geometry/streaming.js" */

/**
 * @typedef {object} Slab  slices as they leave the loader
 * @property {number} first @property {number} count  along k
 * @property {Int16Array} stored  values as stored
 * @property {Uint16Array} halves  the same as half floats
 */

/**
 * @typedef {object} LoaderReceiver
 * @property {(slab: Slab) => void | Promise<void>} onSlab  the next one of this line waits for the answer
 * @property {(failed: { first: number, last: number, reason: string }[]) => void} onFailed  slices as people count them
 */

const TRIES = 3;
const PAUSE = 400;
/** Two at a time keep the line full without starving the page's other requests. */
const AT_ONCE = 2;
/** Below this many bytes a second packing saves more time on the line than it costs to pack and unpack. */
const SLOW_LINE = 30e6;
/** What must have come before the line is judged. */
const ENOUGH = 3 << 20;

export class VolumeLoader {
  /**
   * @param {{ voxels: string, packed: string | null }} urls  raw slices by ranges; packed ones by first and count
   * @param {readonly number[]} shape  (k, j, i) @param {number} wanted  the slice to begin with
   * @param {LoaderReceiver} receiver
   * @param {readonly number[]} [here]  first slices of the chunks that came another way
   */
  constructor(urls, [slices, rows, columns], wanted, receiver, here = []) {
    this.urls = urls;
    this.width = columns;
    this.sliceVoxels = rows * columns;
    this.wanted = wanted;
    this.receiver = receiver;
    this.abort = new AbortController();
    /** @type {Chunk[]} */
    this.waiting = chunksOf(slices, this.sliceVoxels * 2).filter(({ first }) => !here.includes(first));
    /** @type {{ chunk: Chunk, reason: string }[]} */
    this.failed = [];
    this.got = { bytes: 0, seconds: 0 };
  }

  stop() {
    this.abort.abort();
    this.waiting = [];
  }

  /** All waiting slices; resolves when each is there or named as failed. */
  async drain() {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.work()));
  }

  /** Fetch the failed slices once more, when a person asks. */
  async retry() {
    this.waiting.push(...this.failed.map(({ chunk }) => chunk));
    this.failed = [];
    this.receiver.onFailed([]);
    await this.drain();
  }

  async work() {
    for (;;) {
      const chunk = nearest(this.waiting, this.wanted);
      if (!chunk || this.abort.signal.aborted) return;
      this.waiting.splice(this.waiting.indexOf(chunk), 1);
      try {
        const stored = await this.fetchChunk(chunk);
        if (this.abort.signal.aborted) return;
        await this.receiver.onSlab({ ...chunk, stored, halves: toHalves(stored) });
      } catch (error) {
        if (this.abort.signal.aborted) return;
        this.failed.push({ chunk, reason: /** @type {Error} */ (error).message });
        this.receiver.onFailed(this.failed.map((one) => ({ ...named(one.chunk), reason: one.reason })));
      }
    }
  }

  get slow() {
    return this.urls.packed !== null && this.got.bytes >= ENOUGH && this.got.bytes / this.got.seconds < SLOW_LINE;
  }

  /** @param {Chunk} chunk @returns {Promise<Int16Array>} */
  async fetchChunk(chunk) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await (this.slow ? this.fetchPacked(chunk) : this.fetchRaw(chunk));
      } catch (error) {
        if (this.abort.signal.aborted || attempt >= TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE * attempt));
      }
    }
  }

  /** @param {Chunk} chunk */
  async fetchRaw(chunk) {
    const { start, end } = rangeOf(chunk, this.sliceVoxels * 2);
    const asked = performance.now();
    const bytes = await this.fetch(this.urls.voxels, { Range: `bytes=${start}-${end}` });
    if (bytes.byteLength !== end - start + 1) throw new Error(`asked for ${end - start + 1} bytes, got ${bytes.byteLength}`);
    this.got.bytes += bytes.byteLength;
    this.got.seconds += (performance.now() - asked) / 1000 / AT_ONCE;
    return new Int16Array(bytes);
  }

  /** @param {Chunk} chunk */
  async fetchPacked({ first, count }) {
    const bytes = await this.fetch(`${this.urls.packed}?first=${first}&count=${count}`, {});
    const inflated = new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")));
    const stored = unpacked(new Uint8Array(await inflated.arrayBuffer()), this.width);
    if (stored.length !== count * this.sliceVoxels) throw new Error(`asked for ${count * this.sliceVoxels} voxels, got ${stored.length}`);
    return stored;
  }

  /** The bytes of an answer, as the server says they are. @param {string} url @param {Record<string, string>} headers */
  async fetch(url, headers) {
    const answer = await fetch(url, { headers, signal: this.abort.signal, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const bytes = await answer.arrayBuffer();
    await checkDigest(bytes, answer.headers.get("Content-Digest"));
    return bytes;
  }
}

/**
 * RFC 9530. Pages that came over plain HTTP from another machine have no `crypto.subtle`; there the length has to do.
 * @param {ArrayBuffer} bytes @param {string | null} header
 */
export async function checkDigest(bytes, header) {
  const told = /sha-256=:([A-Za-z0-9+/=]+):/.exec(header ?? "")?.[1];
  if (!told || !globalThis.crypto?.subtle) return;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  if (btoa(String.fromCharCode(...digest)) !== told) throw new Error("the bytes are not those that were sent");
}
