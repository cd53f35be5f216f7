// A volume arriving: the preview, then slabs of slices out of the worker, one or two per picture so that the page stays
// quick while hundreds of MB go by. Knows the worker and arrays, not three.js.

import { toHalves } from "../geometry/half.js";
import { chunksOf, pieceName } from "../geometry/streaming.js";
import { VolumeLoader } from "./volume-loader.js";

/** @import { Slab } from "./volume-loader.js" */

/**
 * @typedef {object} Receiver
 * @property {(bytes: Uint8Array) => void} onPreview
 * @property {(first: number, stored: Int16Array, halves: Uint16Array) => void} onSlices  halves: the same as half floats
 * @property {(progress: { loaded: number, total: number }) => void} onProgress
 * @property {(failed: { first: number, last: number, reason: string }[]) => void} onFailed  slices as people count them
 * @property {() => number} wantedSlice  where the reader looks, along k
 */

/** ms of one picture that may go into taking slabs. */
const SHARE = 8;

/** One worker serves every stream of the page. @type {Worker | null} */
let worker = null;
/** @type {Map<number, VolumeStream>} */
const streams = new Map();
let count = 0;

/** The page says where the worker's module is; without one, or where it does not start, the page fetches by itself. */
function volumeWorker() {
  const address = document.querySelector("[data-volume-worker]")?.getAttribute("data-volume-worker");
  if (worker || !address) return worker;
  worker = new Worker(address, { type: "module" });
  worker.addEventListener("message", ({ data }) => streams.get(data.id)?.hear(data));
  worker.addEventListener("error", () => {
    document.querySelector("[data-volume-worker]")?.removeAttribute("data-volume-worker");
    worker?.terminate();
    worker = null;
    for (const stream of streams.values()) stream.fetchHere();
  });
  return worker;
}

/** Begin to start the worker, before there is anything for it to do. */
export const warmUp = () => void volumeWorker();

/** The next picture, or soon where none is drawn because the page is in the background. */
const nextPicture = () => new Promise((resolve) => {
  const late = setTimeout(resolve, 100);
  requestAnimationFrame(() => {
    clearTimeout(late);
    resolve(undefined);
  });
});

export class VolumeStream {
  /**
   * @param {{ voxels: string, preview: string | null, packed?: string | null }} urls
   * @param {{ geometry: { shape: readonly number[] }, voxels: Int16Array, loaded: Uint8Array }} place  where the slices
   *   go: C order (k, j, i), and a mark per slice
   * @param {Receiver} receiver
   * @param {Map<string, Promise<ArrayBuffer>>} [early]  files on their way already
   */
  constructor(urls, { geometry: { shape }, voxels, loaded }, receiver, early = new Map()) {
    this.early = early;
    /** First slices of the chunks that need not be fetched. @type {number[]} */
    this.here = [];
    this.urls = urls;
    this.shape = shape;
    this.receiver = receiver;
    this.sliceVoxels = shape[1] * shape[2];
    this.abort = new AbortController();
    this.voxels = voxels;
    this.loaded = loaded;
    this.id = count += 1;
    /** Slabs that came and are not on the card yet. @type {Pick<Slab, "first" | "stored" | "halves">[]} */
    this.queue = [];
    this.emptying = false;
    this.told = -1;
    /** Where there is no worker. @type {VolumeLoader | null} */
    this.loader = null;
  }

  /** The small picture of the whole. Without it the slices come anyway, so its failure is nobody's trouble. */
  async preview() {
    if (!this.urls.preview) return;
    const bytes = await (this.early.get(this.urls.preview) ?? this.fetchPreview(this.urls.preview));
    // Kept by nobody else: it is asked for once.
    this.early.delete(this.urls.preview);
    if (this.abort.signal.aborted) return;
    this.receiver.onPreview(new Uint8Array(bytes));
  }

  /** @param {string} url */
  async fetchPreview(url) {
    const answer = await fetch(url, { signal: this.abort.signal, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.arrayBuffer();
  }

  /** Begin with the slices: those that were fetched ahead first. */
  async start() {
    if (this.abort.signal.aborted) return;
    streams.set(this.id, this);
    const line = volumeWorker();
    this.here = await this.takeEarly();
    if (this.abort.signal.aborted) return;
    if (!line) {
      this.fetchHere();
      return;
    }
    this.told = this.receiver.wantedSlice();
    line.postMessage({ type: "open", id: this.id, urls: this.addresses, shape: [...this.shape], wanted: this.told, here: this.here });
  }

  /** Slices that were fetched before this page was opened. @returns {Promise<number[]>} first slices of the chunks that are here now */
  async takeEarly() {
    const here = [];
    for (const chunk of chunksOf(this.shape[0], this.sliceVoxels * 2)) {
      const name = pieceName(this.urls.voxels, chunk);
      const coming = this.early.get(name);
      this.early.delete(name);
      const bytes = await coming?.catch(() => null);
      if (!bytes || bytes.byteLength !== chunk.count * this.sliceVoxels * 2 || this.abort.signal.aborted) continue;
      const stored = new Int16Array(bytes);
      this.take({ first: chunk.first, stored, halves: toHalves(stored) });
      here.push(chunk.first);
    }
    return here;
  }

  get addresses() {
    const whole = (/** @type {string} */ path) => new URL(path, location.href).href;
    return { voxels: whole(this.urls.voxels), packed: this.urls.packed ? whole(this.urls.packed) : null };
  }

  fetchHere() {
    this.loader = new VolumeLoader(this.addresses, this.shape, this.receiver.wantedSlice(), {
      onSlab: (slab) => this.take(slab),
      onFailed: (failed) => this.receiver.onFailed(failed),
    }, this.here);
    void this.loader.drain();
  }

  /** @param {any} message  from the worker */
  hear(message) {
    if (message.type === "failed") this.receiver.onFailed(message.failed);
    else {
      this.queue.push(message);
      void this.empty();
    }
  }

  /** Put what came onto the card, a share of each picture. */
  async empty() {
    if (this.emptying) return;
    this.emptying = true;
    while (this.queue.length > 0) {
      await nextPicture();
      const end = performance.now() + SHARE;
      do {
        const slab = this.queue.shift();
        if (!slab || this.abort.signal.aborted) break;
        this.take(slab);
        worker?.postMessage({ type: "taken", id: this.id });
      } while (performance.now() < end);
      this.tell();
    }
    this.emptying = false;
  }

  /** Where the reader looks now. */
  tell() {
    const slice = this.receiver.wantedSlice();
    if (this.loader) this.loader.wanted = slice;
    else if (slice !== this.told) worker?.postMessage({ type: "wanted", id: this.id, slice });
    this.told = slice;
  }

  /** Fetch the failed slices once more, when a person asks. */
  retry() {
    if (this.loader) void this.loader.retry();
    else worker?.postMessage({ type: "retry", id: this.id });
  }

  /** @param {Pick<Slab, "first" | "stored" | "halves">} slab */
  take({ first, stored, halves }) {
    if (this.abort.signal.aborted) return;
    const slices = stored.length / this.sliceVoxels;
    this.voxels.set(stored, first * this.sliceVoxels);
    this.loaded.fill(1, first, first + slices);
    this.receiver.onSlices(first, stored, halves);
    this.receiver.onProgress({ loaded: this.loaded.reduce((sum, mark) => sum + mark, 0), total: this.shape[0] });
  }

  stop() {
    this.abort.abort();
    this.loader?.stop();
    this.queue = [];
    if (streams.delete(this.id)) worker?.postMessage({ type: "close", id: this.id });
  }
}
