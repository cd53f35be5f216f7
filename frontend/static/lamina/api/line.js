// Who needs the line to the server now. What a person waits for says so while it is on its way; what is fetched ahead
// of need runs only while nobody does, and gives way at once. Pure: no page, no network.

/** @type {Set<symbol>} */
const users = new Set();
/** @type {Set<() => void>} */
const listeners = new Set();

/** Something a person waits for is on its way. @returns {() => void} it is over, however it ended */
export function use() {
  const user = Symbol("user");
  users.add(user);
  if (users.size === 1) for (const listener of [...listeners]) listener();
  return () => {
    if (users.delete(user) && users.size === 0) for (const listener of [...listeners]) listener();
  };
}

/** @template T @param {() => Promise<T>} act @returns {Promise<T>} */
export async function using(act) {
  const over = use();
  try {
    return await act();
  } finally {
    over();
  }
}

export const isFree = () => users.size === 0;

/** Called whenever the line is taken or is free again. @param {() => void} listener @returns {() => void} */
export function onLine(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
