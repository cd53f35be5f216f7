// Operations on their way to the server: in order, one at a time, each with an id of its own, so that sending one again
// after a broken connection does nothing twice. What could not be sent waits and is tried again; what was refused goes
// back to who asked. Knows neither the page nor HTTP: node tests it.

/**
 * @typedef {object} Sending  what the sender needs of its surroundings
 * @property {(operation: any) => Promise<any>} send  rejects with `status` 0 or 500 and more when it may be tried again
 * @property {(operation: any, answer: any) => Promise<void> | void} onAnswer
 * @property {(operation: any, error: any) => void} onRefused
 * @property {(state: { waiting: number, away: boolean, saved: boolean }) => void} onState
 * @property {(act: () => void, ms: number) => any} [later]
 */

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 15_000;

/** Whatever has no status is a fault of ours: trying again would not mend it. @param {any} error */
const mayTryAgain = (error) => error?.status === 0 || error?.status >= 500 || error?.status === 429;

export class EditSender {
  /** @param {Sending} around */
  constructor(around) {
    this.around = around;
    this.later = around.later ?? ((act, ms) => setTimeout(act, ms));
    /** @type {{ operation: any, done: (answer: any) => void, failed: (error: any) => void }[]} */
    this.queue = [];
    /** Being sent now. @type {string | null} */
    this.flying = null;
    this.wait = FIRST_WAIT;
    /** @type {any} */
    this.timer = null;
    this.away = false;
    this.stopped = false;
    /** @type {(() => void)[]} */
    this.idlers = [];
  }

  get waiting() {
    return this.queue.length;
  }

  /** Put it in line. Resolves with the server's answer, rejects when it is refused. @param {any} operation @returns {Promise<any>} */
  add(operation) {
    return new Promise((done, failed) => {
      this.queue.push({ operation, done, failed });
      this.tell(false);
      void this.run();
    });
  }

  /** Take one out that has not left yet. @param {string} id @returns {boolean} false: too late */
  drop(id) {
    const at = this.queue.findIndex(({ operation }) => operation.id === id);
    if (at < 0 || this.flying === id) return false;
    const [one] = this.queue.splice(at, 1);
    one.done(null);
    this.tell(false);
    this.rest();
    return true;
  }

  /** When everything has been answered or refused. @returns {Promise<void>} */
  idle() {
    return this.queue.length === 0 ? Promise.resolve() : new Promise((done) => this.idlers.push(done));
  }

  /** The connection may be back: do not wait. */
  hurry() {
    clearTimeout(this.timer);
    this.timer = null;
    void this.run();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  async run() {
    if (this.flying || this.timer || this.stopped) return;
    const first = this.queue[0];
    if (!first) return;
    this.flying = first.operation.id;
    try {
      const answer = await this.around.send(first.operation);
      this.queue.shift();
      this.wait = FIRST_WAIT;
      this.away = false;
      await this.around.onAnswer(first.operation, answer);
      first.done(answer);
      this.tell(true);
    } catch (error) {
      if (mayTryAgain(error) && this.queue[0] === first) {
        this.away = true;
        this.timer = this.later(() => this.hurry(), this.wait);
        this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
      } else {
        if (this.queue[0] === first) this.queue.shift();
        this.around.onRefused(first.operation, error);
        first.failed(error);
      }
      this.tell(false);
    } finally {
      this.flying = null;
    }
    this.rest();
    if (!this.timer) void this.run();
  }

  rest() {
    if (this.queue.length === 0) this.idlers.splice(0).forEach((done) => done());
  }

  /** @param {boolean} saved */
  tell(saved) {
    this.around.onState({ waiting: this.queue.length, away: this.away, saved });
  }
}
