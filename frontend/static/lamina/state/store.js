// A small store: one frozen-by-habit state, reducers that make a new one, listeners that hear only what they chose.

/**
 * @template S
 * @typedef {object} Store
 * @property {() => S} get
 * @property {(action: { type: string } & Record<string, any>) => void} dispatch
 * @property {<T>(select: (state: S) => T, listener: (chosen: T, before: T | undefined) => void) => () => void} watch
 *   calls the listener at once and whenever the chosen part is another object or value; returns the way to stop
 */

/**
 * @template S
 * @param {S} initial
 * @param {(state: S, action: any) => S} reduce
 * @returns {Store<S>}
 */
export function createStore(initial, reduce) {
  let state = initial;
  /** @type {Set<() => void>} */
  const checks = new Set();
  let running = false;
  /** @type {any[]} */
  const waiting = [];

  return {
    get: () => state,
    dispatch(action) {
      // A listener may dispatch: its action waits its turn, so that all listeners see the states in one order.
      waiting.push(action);
      if (running) return;
      running = true;
      try {
        while (waiting.length > 0) {
          const following = reduce(state, waiting.shift());
          if (following === state) continue;
          state = following;
          for (const check of [...checks]) check();
        }
      } finally {
        running = false;
        waiting.length = 0;
      }
    },
    watch(select, listener) {
      let last = select(state);
      const check = () => {
        const chosen = select(state);
        if (Object.is(chosen, last)) return;
        const before = last;
        last = chosen;
        listener(chosen, before);
      };
      checks.add(check);
      listener(last, undefined);
      return () => checks.delete(check);
    },
  };
}

/**
 * Join reducers that each keep one part of the state.
 * @param {Record<string, (part: any, action: any) => any>} parts
 * @returns {(state: any, action: any) => any}
 */
export function combine(parts) {
  return (state, action) => {
    let changed = state;
    for (const [name, reduce] of Object.entries(parts)) {
      const part = reduce(state[name], action);
      if (part !== state[name]) changed = { ...changed, [name]: part };
    }
    return changed;
  };
}
