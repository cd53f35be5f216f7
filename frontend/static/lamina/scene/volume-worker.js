// The worker's side of a volume's stream: it fetches, checks and converts; the page only puts slabs onto the card. A
// slab goes over without being copied, and the next one waits until the page has taken it, so that nothing piles up.

import { VolumeLoader } from "./volume-loader.js";

/** Slabs on their way to the page at once. */
const AHEAD = 2;

/** @type {any} */
const scope = globalThis;

class Line {
  /** @param {{ id: number, urls: { voxels: string, packed: string | null }, shape: number[], wanted: number, here: number[] }} order */
  constructor({ id, urls, shape, wanted, here }) {
    this.sent = 0;
    /** @type {(() => void)[]} */
    this.waiting = [];
    this.loader = new VolumeLoader(urls, shape, wanted, {
      onSlab: ({ first, stored, halves }) => {
        scope.postMessage({ type: "slab", id, first, stored, halves }, [stored.buffer, halves.buffer]);
        this.sent += 1;
        return this.sent < AHEAD ? undefined : new Promise((resolve) => this.waiting.push(() => resolve(undefined)));
      },
      onFailed: (failed) => scope.postMessage({ type: "failed", id, failed }),
    }, here);
  }

  taken() {
    this.sent -= 1;
    this.waiting.shift()?.();
  }
}

/** @type {Map<number, Line>} */
const lines = new Map();

/** @type {Record<string, (message: any) => void>} */
const ORDERS = {
  open(order) {
    const line = new Line(order);
    lines.set(order.id, line);
    void line.loader.drain();
  },
  taken: ({ id }) => lines.get(id)?.taken(),
  wanted({ id, slice }) {
    const line = lines.get(id);
    if (line) line.loader.wanted = slice;
  },
  retry: ({ id }) => void lines.get(id)?.loader.retry(),
  close({ id }) {
    lines.get(id)?.loader.stop();
    lines.delete(id);
  },
};

scope.addEventListener("message", (/** @type {MessageEvent} */ { data }) => ORDERS[data.type]?.(data));
