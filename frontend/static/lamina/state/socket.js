// Live updates: one connection per page, numbered events in order without gap or repeat, polling while it is away.
//
// The page's first state carries the last number of each stream. After any break the browser says its last numbers
// and the server sends the rest, so a closed laptop, a restarted server and a slow network all end in the same state.

/** @import { StreamEvent } from "./study.js" */

/** @typedef {"connecting" | "live" | "delayed" | "signed_out"} LinkState */
/**
 * @typedef {object} Handlers
 * @property {(event: StreamEvent) => void} [onEvent]
 * @property {(job: any) => void} [onProgress]
 * @property {() => Promise<number | void> | number | void} [onReload]  load everything again; answer the new last number
 * @property {() => void} [onRefused]
 */
/**
 * @typedef {object} RoomHandlers  who is together now; nothing of it is numbered or kept
 * @property {(room: { me: string, people: any[] }) => void} [onRoom]
 * @property {(said: Record<string, any>) => void} [onSaid]  the newest words, by member
 * @property {() => void} [onShut]  may not be inside, or not any more
 * @property {() => void} [onAway]  the connection is lost
 */
/**
 * @typedef {object} Surroundings  what the client needs of the browser, so that a test can stand in for it
 * @property {() => any} open  a WebSocket
 * @property {(stream: string, after: number) => Promise<any>} poll  GET /api/events/
 * @property {(callback: () => void, milliseconds: number) => any} later
 * @property {(timer: any) => void} forget
 * @property {() => number} random
 */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const DELAYED_AFTER = 3_000;
const POLL_EVERY = 4_000;
const PING_EVERY = 20_000;
const PONG_WITHIN = 10_000;

/** Close codes of the server after which there is no point in coming back. */
const SIGNED_OUT = new Set([4401, 4408]);

export class StreamClient {
  /** @param {Surroundings} surroundings */
  constructor(surroundings) {
    this.around = surroundings;
    /** @type {Map<string, { last: number | null, handlers: Set<Handlers>, reloading: boolean }>} */
    this.streams = new Map();
    /** @type {Map<string, RoomHandlers>} */
    this.rooms = new Map();
    /** @type {Set<(state: LinkState) => void>} */
    this.listeners = new Set();
    /** @type {LinkState} */
    this.state = "connecting";
    this.wait = FIRST_WAIT;
    this.pings = 0;
    /** @type {any} */
    this.link = null;
    /** @type {Record<string, any>} */
    this.timers = {};
    this.stopped = false;
  }

  /**
   * Hear a stream from the number after `after` on.
   * @param {string} stream @param {number | null} after @param {Handlers} handlers @returns {() => void} stop hearing it
   */
  subscribe(stream, after, handlers) {
    const entry = this.streams.get(stream) ?? { last: after ?? null, handlers: new Set(), reloading: false };
    entry.handlers.add(handlers);
    this.streams.set(stream, entry);
    if (this.isOpen()) this.ask(stream);
    else if (!this.link && !this.timers.reconnect) this.connect();
    return () => {
      entry.handlers.delete(handlers);
      if (entry.handlers.size > 0) return;
      this.streams.delete(stream);
      if (this.isOpen()) this.send({ unsubscribe: [stream] });
    };
  }

  /**
   * Be in a room as long as the page is open; after a break the client joins again by itself.
   * @param {string} room @param {RoomHandlers} handlers
   * @returns {{ say: (words: Record<string, any>) => boolean, join: () => void, leave: () => void }} `say` answers false where nobody can hear
   */
  join(room, handlers) {
    this.rooms.set(room, handlers);
    const join = () => {
      if (this.isOpen()) this.send({ join: room });
    };
    join();
    return {
      join,
      say: (words) => {
        if (!this.isOpen()) return false;
        this.send({ here: { room, ...words } });
        return true;
      },
      leave: () => {
        this.rooms.delete(room);
        if (this.isOpen()) this.send({ leave: room });
      },
    };
  }

  /** @param {(state: LinkState) => void} listener @returns {() => void} */
  onState(listener) {
    this.listeners.add(listener);
    listener(this.state);
    return () => this.listeners.delete(listener);
  }

  /** The network or the page is back: try now. */
  hurry() {
    if (this.link || this.stopped || this.streams.size === 0) return;
    this.wait = FIRST_WAIT;
    this.connect();
  }

  /** The page is leaving. */
  stop() {
    this.stopped = true;
    for (const timer of Object.values(this.timers)) this.around.forget(timer);
    this.timers = {};
    this.link?.close(1000);
    this.link = null;
  }

  // --- the connection -------------------------------------------------------------------------------------------

  isOpen() {
    return this.link?.readyState === 1;
  }

  connect() {
    if (this.stopped || this.state === "signed_out") return;
    this.clear("reconnect");
    const link = this.around.open();
    this.link = link;
    this.timers.delayed ??= this.around.later(() => this.becomeDelayed(), DELAYED_AFTER);
    link.onopen = () => {
      this.wait = FIRST_WAIT;
      this.clear("delayed");
      this.clear("poll");
      this.setState("live");
      for (const stream of this.streams.keys()) this.ask(stream);
      for (const room of this.rooms.keys()) this.send({ join: room });
      this.pingLater();
    };
    link.onmessage = (/** @type {{ data: string }} */ message) => this.take(JSON.parse(message.data));
    link.onclose = (/** @type {{ code: number }} */ closing) => {
      if (this.link !== link) return;
      this.link = null;
      this.clear("ping");
      this.clear("pong");
      for (const handlers of this.rooms.values()) handlers.onAway?.();
      if (this.stopped) return;
      if (SIGNED_OUT.has(closing.code)) {
        this.clear("delayed");
        this.clear("poll");
        this.setState("signed_out");
        return;
      }
      if (this.state === "live") this.setState("connecting");
      this.timers.delayed ??= this.around.later(() => this.becomeDelayed(), DELAYED_AFTER);
      // A little chance in the wait, so that a restarted server is not met by every browser in the same instant.
      this.timers.reconnect = this.around.later(() => this.connect(), this.wait * (0.5 + this.around.random()));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    };
  }

  becomeDelayed() {
    this.setState("delayed");
    this.poll();
  }

  async poll() {
    this.clear("poll");
    for (const [stream, entry] of this.streams) {
      if (entry.last === null) continue;
      try {
        const answer = await this.around.poll(stream, entry.last);
        if (answer.reload) this.reload(stream);
        else for (const event of answer.events) this.takeEvent(event);
      } catch {
        // The server is away as well; the banner already says so and the next round asks again.
      }
    }
    if (this.state === "delayed" && !this.stopped) this.timers.poll = this.around.later(() => this.poll(), POLL_EVERY);
  }

  pingLater() {
    this.timers.ping = this.around.later(() => {
      if (!this.isOpen()) return;
      this.send({ ping: ++this.pings });
      const link = this.link;
      // A dead network closes nothing by itself; a missing answer is the only sign.
      this.timers.pong = this.around.later(() => this.link === link && link?.close(4000), PONG_WITHIN);
      this.pingLater();
    }, PING_EVERY);
  }

  // --- messages -------------------------------------------------------------------------------------------------

  /** @param {any} message */
  take(message) {
    if (message.event) this.takeEvent(message.event);
    else if (message.progress) this.tell(message.progress.stream, "onProgress", message.progress.job);
    else if (message.reload) this.reload(message.reload);
    else if (message.refused) this.tell(message.refused, "onRefused");
    else if (message.room) this.rooms.get(message.room.name)?.onRoom?.(message.room);
    else if (message.here) this.rooms.get(message.here.room)?.onSaid?.(message.here.said);
    else if (message.shut) this.rooms.get(message.shut)?.onShut?.();
    else if ("pong" in message) this.clear("pong");
  }

  /** @param {StreamEvent} event */
  takeEvent(event) {
    const entry = this.streams.get(event.stream);
    if (!entry || entry.reloading) return;
    if (entry.last !== null && event.seq <= entry.last) return;
    if (entry.last !== null && event.seq > entry.last + 1) {
      // A gap: never go on over it. The server sends everything after our last number again.
      if (this.isOpen()) this.ask(event.stream);
      return;
    }
    entry.last = event.seq;
    this.tell(event.stream, "onEvent", event);
  }

  /** @param {string} stream */
  async reload(stream) {
    const entry = this.streams.get(stream);
    if (!entry || entry.reloading) return;
    entry.reloading = true;
    try {
      for (const handlers of [...entry.handlers]) {
        const last = await handlers.onReload?.();
        if (typeof last === "number") entry.last = last;
      }
    } finally {
      entry.reloading = false;
    }
    if (this.isOpen()) this.ask(stream);
  }

  /** @param {string} stream @param {keyof Handlers} what @param {any} [value] */
  tell(stream, what, value) {
    for (const handlers of [...(this.streams.get(stream)?.handlers ?? [])]) /** @type {any} */ (handlers)[what]?.(value);
  }

  /** @param {string} stream */
  ask(stream) {
    this.send({ subscribe: { [stream]: this.streams.get(stream)?.last ?? 0 } });
  }

  /** @param {any} message */
  send(message) {
    this.link.send(JSON.stringify(message));
  }

  /** @param {LinkState} state */
  setState(state) {
    if (state === this.state) return;
    this.state = state;
    for (const listener of [...this.listeners]) listener(state);
  }

  /** @param {string} name */
  clear(name) {
    if (this.timers[name] === undefined) return;
    this.around.forget(this.timers[name]);
    delete this.timers[name];
  }
}

/** The browser's own surroundings. @returns {Surroundings} */
function browser() {
  return {
    open: () => new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws/`),
    poll: async (stream, after) => {
      const answer = await fetch(`/api/events/?${new URLSearchParams({ stream, after: String(after) })}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`events: ${answer.status}`);
      return answer.json();
    },
    later: (callback, milliseconds) => setTimeout(callback, milliseconds),
    forget: (timer) => clearTimeout(timer),
    random: Math.random,
  };
}

/** The page's one connection; it opens with the first subscription. */
export const socket = new StreamClient(browser());

if (typeof window !== "undefined") {
  window.addEventListener("online", () => socket.hurry());
  window.addEventListener("pagehide", () => socket.stop());
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    socket.stopped = false;
    socket.hurry();
  });
}
