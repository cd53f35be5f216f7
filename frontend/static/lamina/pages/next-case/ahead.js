// The next case while this one is read: its preview and first slices, fetched one piece at a time while nobody needs
// the line, sealed and kept for the page that opens it (kept.js). Only the images of a series that this person may see
// anyhow; nothing of any result is asked for, sealed or not.

import { Kept } from "../../api/kept.js";
import { isFree, onLine } from "../../api/line.js";
import { neededBytes } from "../../geometry/memory.js";
import { chunksOf, nearest, pieceName, rangeOf } from "../../geometry/streaming.js";
import { checkDigest } from "../../scene/volume-loader.js";
import { openingSeries } from "../../state/study.js";

/** @import { Chunk } from "../../geometry/streaming.js" */

/** The line has to be free for so long before anything is fetched ahead, ms. */
const REST = 700;
/** Of a volume at most so much, bytes: some slices on either side of the one it opens with. */
const MOST = 8 << 20;
/** Two pieces are never nearer than this, ms: the page breathes. */
const PAUSE = 40;

/** The preview and the slices round the middle, in the order of need. @param {any} series @param {number} most  bytes @returns {{ name: string, url: string, chunk: Chunk | null }[]} */
export function piecesOf({ urls, volume }, most = MOST) {
  const [slices, rows, columns] = volume.shape;
  const sliceBytes = rows * columns * 2;
  const waiting = chunksOf(slices, sliceBytes);
  const pieces = urls.preview ? [{ name: urls.preview, url: urls.preview, chunk: /** @type {Chunk | null} */ (null) }] : [];
  for (let left = most; ;) {
    const chunk = nearest(waiting, (slices - 1) / 2);
    if (!chunk || chunk.count * sliceBytes > left) return pieces;
    left -= chunk.count * sliceBytes;
    waiting.splice(waiting.indexOf(chunk), 1);
    pieces.push({ name: pieceName(urls.voxels, chunk), url: urls.voxels, chunk });
  }
}

export class Ahead {
  /**
   * @param {object} means
   * @param {string | null | undefined} means.secret  the key to keep things under, from the page
   * @param {number} means.cap  bytes a volume may take in this browser; a larger one is not loaded whole, so not ahead
   * @param {boolean} means.saving  the person asked their browser to save data
   * @param {typeof fetch} [means.fetch]
   * @param {(secret: string | null | undefined) => Promise<Pick<Kept, "names" | "keepOnly" | "put" | "close"> | null>} [means.keep]
   * @param {(study: string) => void} [means.done]  everything of it is kept
   * @param {number} [means.rest]  ms
   */
  constructor({ secret, cap, saving, fetch: ask = (...words) => fetch(...words), keep = (key) => Kept.open(key), done = () => {}, rest = REST }) {
    this.means = { secret, cap, ask, keep, done, rest };
    this.off = saving || cap <= 0 || !secret;
    /** The study that is wanted. @type {string | null} */
    this.study = null;
    this.abort = new AbortController();
    /** The study nothing more is to be fetched of. */
    this.whole = "";
    // Taken: what is on its way stops within the same turn. Free again: it goes on.
    this.stop = onLine(() => (isFree() ? this.soon() : this.halt()));
    /** @type {any} */
    this.timer = 0;
  }

  /** This one comes next; null: none does. @param {string | null} study */
  want(study) {
    if (this.off || study === this.study) return;
    this.study = study;
    this.halt();
    this.soon();
  }

  halt() {
    clearTimeout(this.timer);
    this.abort.abort();
  }

  soon() {
    clearTimeout(this.timer);
    if (!this.study || this.study === this.whole || !isFree()) return;
    this.timer = setTimeout(() => void this.run(), this.means.rest);
  }

  async run() {
    const { study, means } = this;
    if (!study || !isFree()) return;
    const abort = (this.abort = new AbortController());
    const { signal } = abort;
    /** @type {Awaited<ReturnType<typeof means.keep>>} */
    let kept = null;
    try {
      kept = await means.keep(means.secret);
      if (!kept) {
        this.off = true;
        return;
      }
      await kept.keepOnly(study);
      const answer = await this.fetch(`/api/studies/${study}/`, { headers: { Accept: "application/json" } }, signal);
      const series = openingSeries(JSON.parse(new TextDecoder().decode(await answer.arrayBuffer())));
      const there = await kept.names(study);
      const fits = series?.volume && neededBytes(series.volume.shape) <= means.cap;
      for (const { name, url, chunk } of fits ? piecesOf(series) : []) {
        if (there.has(name)) continue;
        signal.throwIfAborted();
        const bytes = await this.piece(url, chunk, series.volume.shape, signal);
        signal.throwIfAborted();
        await kept.put(study, name, bytes);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
      signal.throwIfAborted();
      this.whole = study;
      if (fits) means.done(study);
    } catch {
      // Given way: it goes on later. Refused: the page that opens it asks by itself and says what is wrong.
      if (!signal.aborted) this.whole = study;
    } finally {
      kept?.close();
    }
  }

  /** @param {string} url @param {Chunk | null} chunk @param {number[]} shape @param {AbortSignal} signal */
  async piece(url, chunk, [, rows, columns], signal) {
    const range = chunk && rangeOf(chunk, rows * columns * 2);
    const answer = await this.fetch(url, { headers: range ? { Range: `bytes=${range.start}-${range.end}` } : {} }, signal);
    const bytes = await answer.arrayBuffer();
    if (range && bytes.byteLength !== range.end - range.start + 1) throw new Error("not the bytes that were asked for");
    await checkDigest(bytes, answer.headers.get("Content-Digest"));
    return bytes;
  }

  /** Behind everything the browser does itself. @param {string} url @param {RequestInit} init @param {AbortSignal} signal */
  async fetch(url, init, signal) {
    const answer = await this.means.ask(url, { ...init, signal, credentials: "same-origin", priority: "low" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer;
  }

  close() {
    this.halt();
    this.stop();
  }
}
