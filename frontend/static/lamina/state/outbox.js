// Operations on their way to the server: one after the other, in the order they were done, and kept until they are
// through. They lie in IndexedDB sealed with AES-GCM under a key that no script can read out; where the browser has
// no `crypto.subtle` (a page that is neither encrypted nor on this machine) they live in memory only and `kept` says so.

import { ApiProblem } from "../api/client.js";

const DATABASE = "lamina-unsent";
const WAITS = [1000, 2000, 4000, 8000, 15_000];

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const answered = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Sealed operations of one person and study in this browser. */
class Drawer {
  /** @param {IDBDatabase} database @param {CryptoKey} key @param {string} owner */
  constructor(database, key, owner) {
    this.database = database;
    this.key = key;
    this.owner = owner;
  }

  /** null where the browser cannot keep a secret. @param {string} person @param {string} scope @returns {Promise<Drawer | null>} */
  static async open(person, scope) {
    if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return null;
    try {
      const opening = indexedDB.open(DATABASE, 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore("keys");
        opening.result.createObjectStore("operations");
      };
      const database = await answered(opening);
      let key = await answered(database.transaction("keys").objectStore("keys").get(person));
      if (!key) {
        const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
        // Two parts of a page, or two tabs, may come here at once: the key that is stored first is everybody's. With a
        // key of its own the later one would write what nobody can open again.
        const keys = database.transaction("keys", "readwrite").objectStore("keys");
        key = await answered(keys.get(person));
        if (!key) {
          await answered(keys.put(fresh, person));
          key = fresh;
        }
      }
      return new Drawer(database, key, `${person} ${scope}`);
    } catch {
      return null; // a private window may refuse storage
    }
  }

  /** @param {number} order @param {any} operation */
  async put(order, operation) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, this.key, new TextEncoder().encode(JSON.stringify(operation)));
    await answered(this.store("readwrite").put({ iv, sealed, order }, `${this.owner} ${operation.id}`));
  }

  /** @param {string} id */
  remove(id) {
    return answered(this.store("readwrite").delete(`${this.owner} ${id}`));
  }

  async all() {
    const range = IDBKeyRange.bound(`${this.owner} `, `${this.owner} \uffff`);
    const rows = await answered(this.store("readonly").getAll(range));
    const open = await Promise.all(rows.sort((a, b) => a.order - b.order).map(async ({ iv, sealed }) => {
      try {
        return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, this.key, sealed)));
      } catch {
        return null;
      }
    }));
    return open.filter(Boolean);
  }

  /** @param {IDBTransactionMode} mode */
  store(mode) {
    return this.database.transaction("operations", mode).objectStore("operations");
  }
}

/**
 * @template {{ id: string, state: string }} T
 * @typedef {object} Outgoing
 * @property {(operation: T) => Promise<any>} send
 * @property {(pending: T[]) => void} changed  after every change of what waits
 * @property {(operation: T, answer: any) => void} done
 */

/** @template {{ id: string, state: string, reason?: string, theirs?: any }} T */
export class Outbox {
  /** @param {Outgoing<T>} outgoing */
  constructor(outgoing) {
    this.outgoing = outgoing;
    /** @type {T[]} */
    this.pending = [];
    /** False: what waits is lost when the page closes. */
    this.kept = false;
    /** @type {Drawer | null} */
    this.drawer = null;
    this.sending = false;
    this.tries = 0;
    /** @type {any} */
    this.timer = null;
    this.order = Date.now();
    /** @type {Map<string, (failure: Error | null) => void>} */
    this.waiters = new Map();
  }

  /** What an earlier page left behind is sent first. @param {string} person @param {string} scope */
  async open(person, scope) {
    this.drawer = await Drawer.open(person, scope);
    this.kept = this.drawer !== null;
    if (!this.drawer) return;
    const left = (await this.drawer.all()).filter((one) => !this.pending.some(({ id }) => id === one.id));
    if (left.length > 0) {
      this.pending = [...left, ...this.pending];
      this.tell();
    }
    void this.drain();
  }

  /** @param {T} operation */
  push(operation) {
    this.pending = [...this.pending, operation];
    void this.drawer?.put(this.order++, operation).catch(() => {});
    this.tell();
    void this.drain();
  }

  /** Forget some, for instance after a conflict. @param {(operation: T) => boolean} which */
  drop(which) {
    const gone = this.pending.filter(which);
    this.pending = this.pending.filter((one) => !which(one));
    for (const { id } of gone) void this.drawer?.remove(id).catch(() => {});
    if (gone.length > 0) this.tell();
  }

  /** Try again now: the reader asked, or the network is back. @param {(operation: T) => boolean} [which] of the refused ones */
  retry(which = () => false) {
    this.pending = this.pending.map((one) => (one.state === "refused" && which(one) ? { ...one, state: "waiting", reason: undefined } : one));
    this.tries = 0;
    clearTimeout(this.timer);
    this.tell();
    void this.drain();
  }

  async drain() {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let next = this.next(); next; next = this.next()) {
        const operation = next;
        try {
          const answer = await this.outgoing.send(operation);
          this.tries = 0;
          this.outgoing.done(operation, answer);
          this.drop(({ id }) => id === operation.id);
        } catch (error) {
          if (!this.refused(operation, /** @type {Error} */ (error))) break;
        }
      }
    } finally {
      this.sending = false;
    }
  }

  /** The first that waits, unless one before it on the same object stands still. @returns {T | undefined} */
  next() {
    const stuck = new Set(this.pending.filter(({ state }) => state !== "waiting").map((one) => /** @type {any} */ (one).annotation));
    return this.pending.find((one) => one.state === "waiting" && !stuck.has(/** @type {any} */ (one).annotation));
  }

  /** False: nothing gets through at the moment, wait. @param {T} operation @param {Error} error */
  refused(operation, error) {
    const status = error instanceof ApiProblem ? error.status : 0;
    if (status === 0 || status === 401 || status === 408 || status === 429 || status >= 500) {
      this.timer = setTimeout(() => void this.drain(), WAITS[Math.min(this.tries++, WAITS.length - 1)]);
      this.tell();
      return false;
    }
    const conflict = status === 409 && /** @type {any} */ (error).facts?.theirs;
    const marked = { ...operation, state: conflict ? "conflict" : "refused", reason: error.message, theirs: conflict || undefined };
    this.pending = this.pending.map((one) => (one.id === operation.id ? marked : one));
    this.tell();
    return true;
  }

  tell() {
    this.outgoing.changed(this.pending);
  }

  close() {
    clearTimeout(this.timer);
    this.drawer?.database.close();
  }
}
