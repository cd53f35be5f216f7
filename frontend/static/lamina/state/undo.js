// The page's one stack of steps that can be taken back. A step is named after what it did, so that button, tooltip and
// status bar say what comes back. Steps wait for the server, therefore one runs after the other, never two at once.

/**
 * @typedef {object} Step
 * @property {string} name  what was done, in words: "Length 2, moved"
 * @property {() => Promise<any> | any} undo  takes it back; throwing leaves the step where it is
 * @property {() => Promise<any> | any} redo  does it again
 */

/** @typedef {{ undo: string | null, redo: string | null, busy: boolean }} UndoLook  names of the next steps each way */

/** A step that can never be taken back any more: it leaves the stack instead of blocking what lies below. */
export class StepGone extends Error {}

export class UndoStack {
  constructor() {
    /** @type {Step[]} */
    this.done = [];
    /** @type {Step[]} */
    this.undone = [];
    /** @type {Set<(look: UndoLook) => void>} */
    this.listeners = new Set();
    this.waiting = 0;
    /** @type {Promise<any>} */
    this.turn = Promise.resolve();
  }

  /** @returns {UndoLook} */
  get look() {
    return { undo: this.done.at(-1)?.name ?? null, redo: this.undone.at(-1)?.name ?? null, busy: this.waiting > 0 };
  }

  /** Something was done. What had been undone before can no longer be done again. @param {Step} step */
  push(step) {
    this.done.push(step);
    this.undone = [];
    this.tell();
  }

  /** Take the last step back. Answers its name, null when there is none. @returns {Promise<string | null>} */
  undo() {
    return this.inTurn(() => this.move(this.done, this.undone, "undo"));
  }

  /** @returns {Promise<string | null>} */
  redo() {
    return this.inTurn(() => this.move(this.undone, this.done, "redo"));
  }

  /** Steps that lost their object leave without being run. @param {(step: Step) => boolean} keep */
  filter(keep) {
    this.done = this.done.filter(keep);
    this.undone = this.undone.filter(keep);
    this.tell();
  }

  /** Hear what the next step each way is, at once and whenever it changes. @param {(look: UndoLook) => void} listener @returns {() => void} */
  watch(listener) {
    this.listeners.add(listener);
    listener(this.look);
    return () => this.listeners.delete(listener);
  }

  // --- within ---------------------------------------------------------------------------------------------------

  /** @template T @param {() => Promise<T>} act @returns {Promise<T>} */
  inTurn(act) {
    this.waiting += 1;
    this.tell();
    const mine = this.turn.then(act).finally(() => {
      this.waiting -= 1;
      this.tell();
    });
    this.turn = mine.catch(() => {});
    return mine;
  }

  /** @param {Step[]} from @param {Step[]} to @param {"undo" | "redo"} act */
  async move(from, to, act) {
    const step = from.at(-1);
    if (!step) return null;
    try {
      await step[act]();
    } catch (error) {
      if (error instanceof StepGone) remove(from, step);
      throw error;
    }
    // A step pushed meanwhile lies above this one; take out exactly what was run.
    if (remove(from, step)) to.push(step);
    return step.name;
  }

  tell() {
    const { look } = this;
    for (const listener of [...this.listeners]) listener(look);
  }
}

/** @param {Step[]} list @param {Step} step */
function remove(list, step) {
  const at = list.lastIndexOf(step);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
