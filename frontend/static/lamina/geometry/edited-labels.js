// The labelmap while people edit it: what the server has confirmed, and over it the own strokes it has not answered yet.
// One array is shown; under each waiting stroke lie the labels it covered. When the server says what an operation
// changed, the waiting strokes are lifted, the change is written, and they are laid down again: so every browser shows
// confirmed + own, whatever came first.

import { boxAround, boxOf } from "./spans.js";

/** @import { Box, Spans } from "./spans.js" */
/** @import { Vec3 } from "./vectors.js" */

/** @typedef {{ id: string, label: number, over: Uint8Array | null, dabs: { spans: Spans, under: Uint8Array }[] }} Waiting  `over[label] = 1`: may be replaced; null: any */

/** @param {number[] | null} labels  what may be replaced; null: anything @returns {Uint8Array | null} */
export function overTable(labels) {
  if (!labels) return null;
  const table = new Uint8Array(256);
  for (const label of labels) table[label] = 1;
  return table;
}

export class EditedLabels {
  /** @param {Uint8Array} labels  changed in place @param {Vec3} shape @param {(box: Box, labels: Set<number>) => void} [onChange] */
  constructor(labels, shape, onChange = () => {}) {
    this.labels = labels;
    this.shape = shape;
    this.onChange = onChange;
    /** Voxels per label, kept true with every change. */
    this.counts = new Float64Array(256);
    for (let at = 0; at < labels.length; at++) this.counts[labels[at]]++;
    /** @type {Waiting[]} */
    this.waiting = [];
    /** Boxes and labels touched within one change, told once at its end. @type {Box | null} */
    this.box = null;
    /** @type {Set<number>} */
    this.touched = new Set();
  }

  /** An own operation begins: what it draws shows at once. @param {string} id @param {number} label  0 erases @param {number[] | null} over @returns {Waiting} */
  begin(id, label, over) {
    const one = { id, label, over: overTable(over), dabs: [] };
    this.waiting.push(one);
    return one;
  }

  /** More of it. Answers how many voxels changed. @param {Waiting} one @param {Spans} spans */
  draw(one, spans) {
    if (spans.length === 0) return 0;
    const changed = this.lay(one, spans);
    this.tell();
    return changed;
  }

  /** It did not happen, or the server has answered otherwise: what it covered comes back. @param {string} id */
  withdraw(id) {
    this.settle(id, null);
  }

  /**
   * The server's word: these runs have these labels now. A waiting operation of this id is done with it.
   * @param {string | null} id @param {{ spans: Spans, labels: Uint8Array } | null} effect
   */
  settle(id, effect) {
    for (let at = this.waiting.length - 1; at >= 0; at--) this.lift(this.waiting[at]);
    this.waiting = this.waiting.filter((one) => one.id !== id);
    if (effect) this.write(effect);
    for (const one of this.waiting) {
      const drawn = one.dabs;
      one.dabs = [];
      for (const { spans } of drawn) this.lay(one, spans);
    }
    this.tell();
  }

  // --- within ---------------------------------------------------------------------------------------------------

  /** @param {Waiting} one @param {Spans} spans */
  lay(one, spans) {
    const { labels, counts } = this;
    const { label, over } = one;
    let size = 0;
    for (let at = 1; at < spans.length; at += 2) size += spans[at];
    const under = new Uint8Array(size);
    let [changed, to] = [0, 0];
    for (let at = 0; at < spans.length; at += 2) {
      const end = spans[at] + spans[at + 1];
      for (let offset = spans[at]; offset < end; offset++, to++) {
        const before = labels[offset];
        under[to] = before;
        if (before === label || (over && !over[before])) continue;
        labels[offset] = label;
        counts[before]--;
        counts[label]++;
        this.touched.add(before);
        changed++;
      }
    }
    one.dabs.push({ spans, under });
    if (changed > 0) this.see(spans, label);
    return changed;
  }

  /** @param {Waiting} one */
  lift({ dabs }) {
    for (let dab = dabs.length - 1; dab >= 0; dab--) {
      const { spans, under } = dabs[dab];
      let from = 0;
      for (let at = 0; at < spans.length; at += 2) {
        const end = spans[at] + spans[at + 1];
        for (let offset = spans[at]; offset < end; offset++, from++) this.put(offset, under[from]);
      }
      this.see(spans, 0);
    }
  }

  /** @param {{ spans: Spans, labels: Uint8Array }} effect */
  write({ spans, labels }) {
    for (let at = 0; at < spans.length; at += 2) {
      const end = spans[at] + spans[at + 1];
      for (let offset = spans[at]; offset < end; offset++) this.put(offset, labels[at / 2]);
    }
    this.see(spans, 0);
  }

  /** @param {number} offset @param {number} label */
  put(offset, label) {
    const before = this.labels[offset];
    if (before === label) return;
    this.labels[offset] = label;
    this.counts[before]--;
    this.counts[label]++;
    this.touched.add(before);
    this.touched.add(label);
  }

  /** @param {Spans} spans @param {number} label */
  see(spans, label) {
    this.box = boxAround(this.box, boxOf(spans, this.shape));
    this.touched.add(label);
  }

  tell() {
    const { box, touched } = this;
    this.box = null;
    this.touched = new Set();
    touched.delete(0);
    if (box) this.onChange(box, touched);
  }
}

/**
 * Voxels of a segment and of what it encloses, as the server counts them: a skin includes the bones it runs round, as
 * long as it has a voxel of its own.
 * @param {ArrayLike<number>} counts  voxels per label @param {number} number @param {Record<string, number[]>} encloses
 */
export const voxelsOf = (counts, number, encloses) =>
  counts[number] > 0 ? (encloses[number] ?? []).reduce((sum, inner) => sum + counts[inner], counts[number]) : 0;
