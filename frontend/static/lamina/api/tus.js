/**
 * Resumable upload, tus 1.0: pieces of 8 MiB, each with its SHA-256 where the browser can make one. A broken
 * connection asks the server how far it came and goes on from there.
 */

import { gettext } from "../i18n.js";
import { ApiProblem, csrfToken } from "./client.js";

export const PIECE = 8 * 1024 * 1024;
const WAITS = [500, 1500, 4000, 8000, 15000];
const AT_ONCE = 3;

/** @param {string} text */
const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** @param {Record<string, string>} metadata */
export const metadataHeader = (metadata) =>
  Object.entries(metadata)
    .map(([name, value]) => `${name} ${base64(value)}`)
    .join(",");

/** "sha256 <base64>", or "" where the page has no crypto.subtle (plain HTTP beyond loopback). @param {Blob} piece */
export async function checksumOf(piece) {
  if (!globalThis.crypto?.subtle) return "";
  const digest = await crypto.subtle.digest("SHA-256", await piece.arrayBuffer());
  return `sha256 ${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}

/**
 * One request with its progress; XMLHttpRequest, because fetch does not tell how much was sent.
 * @param {string} method @param {string} address @param {Record<string, string>} headers @param {Blob | null} body
 * @param {(sent: number) => void} onSent @param {AbortSignal} signal
 * @returns {Promise<{status: number, header: (name: string) => string | null, text: string}>}
 */
function send(method, address, headers, body, onSent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const done = () => signal.removeEventListener("abort", stop);
    request.open(method, address);
    for (const [name, value] of Object.entries({ "Tus-Resumable": "1.0.0", "X-CSRFToken": csrfToken(), ...headers })) {
      if (value) request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => onSent(event.loaded);
    request.onload = () => {
      done();
      resolve({ status: request.status, header: (name) => request.getResponseHeader(name), text: request.responseText });
    };
    request.onerror = () => {
      done();
      reject(new ApiProblem(0, "offline", gettext("The connection was lost while sending.")));
    };
    request.onabort = () => {
      done();
      reject(new DOMException("stopped", "AbortError"));
    };
    if (signal.aborted) return request.onabort(/** @type {any} */ (null));
    signal.addEventListener("abort", stop);
    request.send(body);
  });
}

/** @param {{status: number, text: string}} answer */
function refusal(answer) {
  let facts = /** @type {any} */ ({});
  try {
    facts = JSON.parse(answer.text);
  } catch {
    // A plain body: the status is all there is.
  }
  const message = facts.detail || facts.title || gettext("The server refused this file.");
  return new ApiProblem(answer.status, facts.code || "upload_refused", message, facts);
}

/** Whether another try may help: lost connection, busy or broken server, a piece damaged on the way (460). */
const passing = (/** @type {any} */ error) =>
  error instanceof ApiProblem && (error.status === 0 || error.status >= 500 || [409, 423, 429, 460].includes(error.status));

const pause = (/** @type {number} */ ms, /** @type {AbortSignal} */ signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    });
  });

/** One file on its way. */
export class Upload {
  /**
   * @param {File} file @param {Record<string, string>} metadata
   * @param {{address: string, signal: AbortSignal, onProgress: (received: number) => void, onWait?: (seconds: number) => void, pieceSize?: number}} options
   */
  constructor(file, metadata, { address, signal, onProgress, onWait = () => {}, pieceSize = PIECE }) {
    this.file = file;
    this.metadata = metadata;
    this.address = address;
    this.signal = signal;
    this.onProgress = onProgress;
    this.onWait = onWait;
    this.pieceSize = pieceSize;
    this.location = "";
    this.offset = 0;
  }

  /** Until every byte is there. Rejects with ApiProblem when the server says no for good, AbortError when stopped. */
  async run() {
    let failures = 0;
    for (;;) {
      try {
        if (!this.location) await this.#create();
        else if (failures > 0) await this.#ask();
        while (this.offset < this.file.size) {
          await this.#piece();
          failures = 0;
        }
        return this.location;
      } catch (error) {
        if (!passing(error) || failures >= WAITS.length) throw error;
        this.onWait(WAITS[failures] / 1000);
        await pause(WAITS[failures], this.signal);
        failures += 1;
      }
    }
  }

  /** Announce the file; its first piece travels along. */
  async #create() {
    const piece = this.file.slice(0, this.pieceSize);
    const answer = await send(
      "POST",
      this.address,
      {
        "Upload-Length": String(this.file.size),
        "Upload-Metadata": metadataHeader(this.metadata),
        "Content-Type": "application/offset+octet-stream",
        "Upload-Checksum": await checksumOf(piece),
      },
      piece,
      (sent) => this.onProgress(Math.min(sent, piece.size)),
      this.signal,
    );
    if (answer.status !== 201) throw refusal(answer);
    this.location = answer.header("Location") ?? "";
    this.offset = Number(answer.header("Upload-Offset") ?? 0);
    this.onProgress(this.offset);
  }

  /** How far did it come? */
  async #ask() {
    const answer = await send("HEAD", this.location, {}, null, () => {}, this.signal);
    if (answer.status !== 200 && answer.status !== 204) throw refusal(answer);
    this.offset = Number(answer.header("Upload-Offset") ?? 0);
    this.onProgress(this.offset);
  }

  async #piece() {
    const start = this.offset;
    const piece = this.file.slice(start, start + this.pieceSize);
    const answer = await send(
      "PATCH",
      this.location,
      {
        "Upload-Offset": String(start),
        "Content-Type": "application/offset+octet-stream",
        "Upload-Checksum": await checksumOf(piece),
      },
      piece,
      (sent) => this.onProgress(start + Math.min(sent, piece.size)),
      this.signal,
    );
    if (answer.status !== 204 && answer.status !== 200) throw refusal(answer);
    this.offset = Number(answer.header("Upload-Offset"));
    this.onProgress(this.offset);
  }
}

/**
 * Send many files, a few at once. Refused files do not stop the others.
 * @param {{file: File, path: string}[]} entries
 * @param {{address: string, intake: string, signal: AbortSignal, onProgress: (received: number, total: number, files: number) => void, onWait?: (seconds: number) => void}} options
 * @returns {Promise<{path: string, error: ApiProblem}[]>} what did not get through
 */
export async function uploadAll(entries, { address, intake, signal, onProgress, onWait }) {
  const total = entries.reduce((sum, entry) => sum + entry.file.size, 0);
  const received = new Array(entries.length).fill(0);
  let finished = 0;
  let at = 0;
  /** @type {{path: string, error: ApiProblem}[]} */
  const refused = [];
  const tell = () => onProgress(received.reduce((a, b) => a + b, 0), total, finished);
  const line = async () => {
    while (at < entries.length) {
      const index = at;
      at += 1;
      const { file, path } = entries[index];
      const upload = new Upload(
        file,
        { intake, filename: file.name, relativepath: path },
        {
          address,
          signal,
          onWait,
          onProgress: (bytes) => {
            received[index] = bytes;
            tell();
          },
        },
      );
      try {
        await upload.run();
      } catch (error) {
        if (!(error instanceof ApiProblem) || error.status === 0 || error.status === 401) throw error;
        refused.push({ path, error });
        received[index] = file.size;
      }
      finished += 1;
      tell();
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, entries.length) }, line));
  return refused;
}
