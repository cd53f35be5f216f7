// How long somebody really read: the clock runs while the page is in sight and hands move, and stops one minute after the
// last of it. It never guesses: a page left open over lunch counts one minute.

/** Seconds without a hand on the page until the clock stops. */
export const IDLE_AFTER = 60;

export class ReadingClock {
  /** @param {number} [seconds] read before @param {() => number} [now] ms */
  constructor(seconds = 0, now = Date.now) {
    this.now = now;
    this.before = seconds * 1000;
    /** When the stretch under way began, and the last sign of life in it, ms. @type {{ from: number, seen: number } | null} */
    this.stretch = null;
  }

  /** A hand moved. */
  touch() {
    const now = this.now();
    if (this.stretch && now - this.stretch.seen > IDLE_AFTER * 1000) this.pause();
    if (this.stretch) this.stretch.seen = now;
    else this.stretch = { from: now, seen: now };
  }

  /** The page went out of sight, or the reading ended. */
  pause() {
    this.before += this.running;
    this.stretch = null;
  }

  /** ms of the stretch under way, at most one minute past its last sign of life. */
  get running() {
    if (!this.stretch) return 0;
    return Math.min(this.now(), this.stretch.seen + IDLE_AFTER * 1000) - this.stretch.from;
  }

  get isRunning() {
    return this.stretch !== null && this.now() <= this.stretch.seen + IDLE_AFTER * 1000;
  }

  /** Whole seconds read. */
  get seconds() {
    return Math.floor((this.before + this.running) / 1000);
  }

  /** Whole seconds since they were last taken; what is taken is not counted twice. @returns {number} */
  take() {
    const all = this.seconds;
    this.before = 0;
    if (this.stretch) this.stretch = { from: this.now(), seen: this.stretch.seen };
    return all;
  }
}
