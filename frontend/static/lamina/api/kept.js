// What was fetched ahead for the next case, kept from one page to the next. Images leave the server as `no-store`, so
// nothing readable may lie in the browser's storage: each piece is sealed with AES-GCM under a key the server derives
// from the session and writes into its pages, which are not stored either. The key is in no storage; when the session
// ends nobody can derive it again, and what may be left behind is noise. Pieces are for one opening: taken, they are
// deleted. A browser without `crypto.subtle` or IndexedDB keeps nothing, and nothing is fetched ahead.

const DATABASE = "lamina-ahead";
/** Where this tab notes of which study something is kept: only then does a page wait for the storage. */
const NOTE = "lamina.ahead";
/** Older pieces are thrown away, ms. */
const KEPT_FOR = 30 * 60_000;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const answered = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** @param {string} text  base64 */
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** All keys of one study. @param {string} owner @param {string} study */
const rangeOf = (owner, study) => IDBKeyRange.bound(`${owner} ${study} `, `${owner} ${study} \uffff`);

/** @param {string | null} study */
function note(study) {
  try {
    if (study) sessionStorage.setItem(NOTE, study);
    else sessionStorage.removeItem(NOTE);
  } catch { /* a browser may refuse storage: then nothing is kept either */ }
}

/** Did this tab keep something of the study? @param {string} study */
export function isKept(study) {
  try {
    return sessionStorage.getItem(NOTE) === study;
  } catch {
    return false;
  }
}

export class Kept {
  /** @param {IDBDatabase} database @param {CryptoKey} key @param {string} owner  names the key, says nothing of it */
  constructor(database, key, owner) {
    this.database = database;
    this.key = key;
    this.owner = owner;
  }

  /** null where the browser cannot keep a secret. @param {string | null | undefined} secret  32 bytes in base64 @returns {Promise<Kept | null>} */
  static async open(secret) {
    if (!secret || !globalThis.crypto?.subtle || !globalThis.indexedDB) return null;
    try {
      const raw = bytesOf(secret);
      const key = await crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
      const name = new Uint8Array(await crypto.subtle.digest("SHA-256", raw)).slice(0, 8);
      const opening = indexedDB.open(DATABASE, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore("pieces");
      const database = await answered(opening);
      // Somebody signs out in another tab: the whole of it is deleted, and this page does not stand in the way.
      database.onversionchange = () => database.close();
      return new Kept(database, key, Array.from(name, (one) => one.toString(16).padStart(2, "0")).join(""));
    } catch {
      return null; // a private window may refuse storage
    }
  }

  /** @param {IDBTransactionMode} mode */
  store(mode) {
    return this.database.transaction("pieces", mode).objectStore("pieces");
  }

  /** Only this study's pieces of this session stay, and only fresh ones. @param {string} study */
  async keepOnly(study) {
    const store = this.store("readwrite");
    const late = Date.now() - KEPT_FOR;
    const own = `${this.owner} ${study} `;
    await new Promise((resolve, reject) => {
      const cursor = store.openCursor();
      cursor.onerror = () => reject(cursor.error);
      cursor.onsuccess = () => {
        const { result } = cursor;
        if (!result) return void resolve(undefined);
        if (!String(result.key).startsWith(own) || result.value.at < late) result.delete();
        result.continue();
      };
    });
  }

  /** @param {string} study @returns {Promise<Set<string>>} names of what is kept of it */
  async names(study) {
    const keys = await answered(this.store("readonly").getAllKeys(rangeOf(this.owner, study)));
    // Another tab may have kept it: this one may open it, too.
    if (keys.length > 0) note(study);
    return new Set(keys.map((key) => String(key).slice(this.owner.length + study.length + 2)));
  }

  /** @param {string} study @param {string} name @param {ArrayBuffer} bytes */
  async put(study, name, bytes) {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const key = `${this.owner} ${study} ${name}`;
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(key) }, this.key, bytes);
    await answered(this.store("readwrite").put({ iv, sealed, at: Date.now() }, key));
    note(study);
  }

  /** What is kept of a study, by name; it is gone from the storage then. @param {string} study @returns {Promise<Map<string, Promise<ArrayBuffer>>>} */
  async take(study) {
    const range = rangeOf(this.owner, study);
    const store = this.store("readwrite");
    const [keys, rows] = await Promise.all([answered(store.getAllKeys(range)), answered(store.getAll(range))]);
    store.delete(range);
    note(null);
    const late = Date.now() - KEPT_FOR;
    const pieces = new Map();
    rows.forEach(({ iv, sealed, at }, n) => {
      if (at < late) return;
      const key = String(keys[n]);
      const open = crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(key) }, this.key, sealed);
      // Whoever asks for it hears of a failure; until then it is nobody's.
      open.catch(() => {});
      pieces.set(key.slice(this.owner.length + study.length + 2), open);
    });
    return pieces;
  }

  close() {
    this.database.close();
  }
}

/** Everything kept ahead goes: the person signs out. */
export function forgetKept() {
  note(null);
  if (globalThis.indexedDB) indexedDB.deleteDatabase(DATABASE);
}
