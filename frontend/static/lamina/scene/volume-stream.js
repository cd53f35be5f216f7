// A volume arriving: the preview, then whole slices by byte ranges from where the reader looks outward. A chunk that
// fails is fetched again, then named. Knows fetch and arrays, not three.js.

import { chunksOf, named, nearest, rangeOf } from "../geometry/streaming.js";

/** @import { Chunk } from "../geometry/streaming.js" */

/**
 * @typedef {object} Receiver
 * @property {(bytes: Uint8Array) => void} onPreview
 * @property {(first: number, stored: Int16Array) => void} onSlices
 * @property {(progress: { loaded: number, total: number }) => void} onProgress
 * @property {(failed: { first: number, last: number }[]) => void} onFailed  slices as people count them, from 1
 * @property {() => number} wantedSlice  where the reader looks, along k
 */

const TRIES = 3;
const PAUSE = 400;
/** Two at a time keep the line full without starving the page's other requests. */
const AT_ONCE = 2;

export class VolumeStream {
  /**
   * @param {{ voxels: string, preview: string | null }} urls
   * @param {{ geometry: { shape: readonly number[] }, voxels: Int16Array, loaded: Uint8Array }} place  where the slices go: C order
   *   (k, j, i), and a mark per slice
   * @param {Receiver} receiver
   * @param {Map<string, Promise<ArrayBuffer>>} [early]  files on their way already
   */
  constructor(urls, { geometry: { shape }, voxels, loaded }, receiver, early = new Map()) {
    this.early = early;
    this.urls = urls;
    this.receiver = receiver;
    this.sliceVoxels = shape[1] * shape[2];
    this.slices = shape[0];
    this.abort = new AbortController();
    this.voxels = voxels;
    this.loaded = loaded;
    /** @type {Chunk[]} */
    this.waiting = chunksOf(this.slices, this.sliceVoxels * 2);
    /** @type {Chunk[]} */
    this.failed = [];
  }

  /** The small picture of the whole. Without it the slices come anyway, so its failure is nobody's trouble. */
  async preview() {
    if (!this.urls.preview) return;
    const bytes = await (this.early.get(this.urls.preview) ?? this.fetch(this.urls.preview, {}));
    if (this.abort.signal.aborted) return;
    this.receiver.onPreview(new Uint8Array(bytes));
  }

  /** Fetch the failed slices once more, when a person asks. */
  async retry() {
    this.waiting.push(...this.failed);
    this.failed = [];
    this.receiver.onFailed([]);
    await this.drain();
  }

  stop() {
    this.abort.abort();
    this.waiting = [];
  }

  /** All waiting slices; resolves when each is there or named as failed. */
  async drain() {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.work()));
  }

  async work() {
    for (;;) {
      const chunk = nearest(this.waiting, this.receiver.wantedSlice());
      if (!chunk || this.abort.signal.aborted) return;
      this.waiting.splice(this.waiting.indexOf(chunk), 1);
      try {
        this.take(chunk, await this.fetchChunk(chunk));
      } catch {
        if (this.abort.signal.aborted) return;
        this.failed.push(chunk);
        this.receiver.onFailed(this.failed.map(named));
      }
    }
  }

  /** @param {Chunk} chunk @returns {Promise<ArrayBuffer>} */
  async fetchChunk(chunk) {
    const { start, end } = rangeOf(chunk, this.sliceVoxels * 2);
    for (let attempt = 1; ; attempt++) {
      try {
        const bytes = await this.fetch(this.urls.voxels, { Range: `bytes=${start}-${end}` });
        if (bytes.byteLength !== end - start + 1) throw new Error(`asked for ${end - start + 1} bytes, got ${bytes.byteLength}`);
        return bytes;
      } catch (error) {
        if (this.abort.signal.aborted || attempt >= TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE * attempt));
      }
    }
  }

  /** @param {string} url @param {Record<string, string>} headers */
  async fetch(url, headers) {
    const answer = await fetch(url, { headers, signal: this.abort.signal, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.arrayBuffer();
  }

  /** @param {Chunk} chunk @param {ArrayBuffer} bytes */
  take(chunk, bytes) {
    const stored = new Int16Array(bytes);
    this.voxels.set(stored, chunk.first * this.sliceVoxels);
    this.loaded.fill(1, chunk.first, chunk.first + chunk.count);
    this.receiver.onSlices(chunk.first, stored);
    this.receiver.onProgress({ loaded: this.loaded.reduce((sum, mark) => sum + mark, 0), total: this.slices });
  }
}
