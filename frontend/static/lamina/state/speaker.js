// What this reader says in a room: the newest word of each kind, together, never faster than the server lets through.

/** @typedef {{ send: (words: Record<string, any>) => boolean, later: (act: () => void, ms: number) => any, now: () => number }} Surroundings */

/** A little slower than the 20 times a second that are let through, so that none is dropped. */
export const PACE = 60;

export class Speaker {
  /** @param {Surroundings} around */
  constructor(around) {
    this.around = around;
    /** @type {Record<string, any>} */
    this.waiting = {};
    /** What was said last, as text: the same is not said twice. @type {Record<string, string>} */
    this.said = {};
    this.at = -Infinity;
    this.timed = false;
    this.silent = true;
  }

  /** @param {Record<string, any>} words */
  say(words) {
    Object.assign(this.waiting, words);
    this.run();
  }

  /** Nobody hears anything any more, or a new room knows nothing yet. @param {boolean} silent */
  hush(silent) {
    this.silent = silent;
    this.said = {};
    if (silent) this.waiting = {};
    else this.run();
  }

  /** Somebody new listens: the next word of this kind is said though it is the same. @param {string} name */
  again(name) {
    delete this.said[name];
  }

  run() {
    if (this.silent || this.timed) return;
    const early = this.at + PACE - this.around.now();
    if (early > 0) {
      this.timed = true;
      this.around.later(() => {
        this.timed = false;
        this.run();
      }, early);
      return;
    }
    const fresh = Object.entries(this.waiting).filter(([name, word]) => this.said[name] !== JSON.stringify(word));
    this.waiting = {};
    if (fresh.length === 0) return;
    this.at = this.around.now();
    if (!this.around.send(Object.fromEntries(fresh))) return;
    for (const [name, word] of fresh) this.said[name] = JSON.stringify(word);
  }
}
