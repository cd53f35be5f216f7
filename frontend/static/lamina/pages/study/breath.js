// Long work in pieces: between two of them the browser may draw, and hear what the reader does.

/** ms of work at a stretch; a task is long from 50 ms on. Shorter ones cost pictures of the page between them. */
const STRETCH = 40;

/** Ends this task; what follows goes on in the next. */
function pause() {
  const { scheduler } = /** @type {any} */ (globalThis);
  if (scheduler?.yield) return scheduler.yield();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(0);
  });
}

/**
 * A function to await between pieces of work: it takes a breath when one is due.
 * @param {{ now?: () => number, rest?: () => Promise<void> }} [by]  for tests: the clock, and what a breath is
 * @returns {() => Promise<void>}
 */
export function breathing({ now = () => performance.now(), rest = pause } = {}) {
  let began = now();
  return async () => {
    if (now() - began < STRETCH) return;
    await rest();
    began = now();
  };
}
