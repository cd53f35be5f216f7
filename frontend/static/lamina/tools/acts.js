// Acts by name, registered by whoever can do them. Several parts may register one act (cancel, delete): the last is
// asked first, and one that answers `false` passes it on.

/** @import { KeyAct, KeyActs } from "./keys.js" */

/** @returns {{ acts: KeyActs, addActs: (added: KeyActs) => () => void }} */
export function makeActs() {
  /** @type {Map<string, KeyAct[]>} */
  const registered = new Map();
  /** @type {KeyActs} */
  const acts = {};
  return {
    acts,
    addActs(added) {
      for (const [name, act] of Object.entries(added)) {
        const list = registered.get(name) ?? [];
        registered.set(name, [act, ...list]);
        acts[name] = (event) => {
          for (const one of registered.get(name) ?? []) {
            const answer = one(event);
            if (answer !== false) return answer;
          }
          return false;
        };
      }
      return () => {
        for (const [name, act] of Object.entries(added)) {
          const left = (registered.get(name) ?? []).filter((one) => one !== act);
          registered.set(name, left);
          if (left.length === 0) delete acts[name];
        }
      };
    },
  };
}
