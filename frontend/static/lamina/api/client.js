/**
 * The one place where pages talk HTTP. Same address only, session cookie, CSRF header on writes; refusals
 * (RFC 9457 problem details) become ApiProblem with a sentence people can read.
 */

import { gettext } from "../i18n.js";
import { using } from "./line.js";

export class ApiProblem extends Error {
  /** @param {number} status @param {string} code @param {string} message @param {Record<string, any>} [facts] */
  constructor(status, code, message, facts = {}) {
    super(message);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.facts = facts;
  }
}

const CSRF_COOKIE = /(?:^|;\s*)(?:__Host-)?lamina_csrf=([^;]+)/;

/** The token of the CSRF cookie, "" where there is none yet. */
export const csrfToken = () => CSRF_COOKIE.exec(document.cookie)?.[1] ?? "";

/** What the server's refusal says, as an error. @param {Response} response */
export async function problemOf(response) {
  let facts = /** @type {Record<string, any>} */ ({});
  try {
    if ((response.headers.get("content-type") || "").includes("json")) facts = await response.json();
  } catch {
    // A cut body leaves the status to speak for itself.
  }
  const code = facts.code || (response.status === 404 ? "not_found" : "http_error");
  const plain =
    response.status === 401
      ? gettext("You are signed out. Sign in again; nothing you saved is lost.")
      : response.status === 413
        ? gettext("The server takes less in one piece.")
        : response.status >= 500
          ? gettext("The server could not answer. Try again in a moment.")
          : gettext("The server refused this.");
  return new ApiProblem(response.status, code, facts.detail || facts.title || plain, facts);
}

/**
 * @param {string} method @param {string} address
 * @param {{body?: any, key?: string, signal?: AbortSignal, headers?: Record<string, string>}} [options]
 */
export async function call(method, address, { body, key, signal, headers = {} } = {}) {
  /** @type {Record<string, string>} */
  const sent = { Accept: "application/json", ...headers };
  if (method !== "GET" && method !== "HEAD") sent["X-CSRFToken"] = csrfToken();
  if (key) sent["Idempotency-Key"] = key;
  const init = /** @type {RequestInit} */ ({ method, headers: sent, credentials: "same-origin", signal });
  if (body !== undefined) {
    sent["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await using(() => fetch(address, init));
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    throw new ApiProblem(0, "offline", gettext("The server cannot be reached. Check the connection and try again."));
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return null;
  return (response.headers.get("content-type") || "").includes("json") ? response.json() : null;
}

/** @param {string} address @param {Record<string, string | number | null | undefined>} [query] @param {AbortSignal} [signal] */
export function get(address, query = {}, signal = undefined) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return call("GET", search ? `${address}?${search}` : address, { signal });
}

/** @param {string} address @param {any} [body] @param {{key?: string}} [options] */
export const post = (address, body = {}, options = {}) => call("POST", address, { body, ...options });
/** @param {string} address @param {any} body */
export const patch = (address, body) => call("PATCH", address, { body });
/** @param {string} address */
export const del = (address) => call("DELETE", address);

/** A key that makes repeating a creating request harmless. */
export const newKey = () =>
  globalThis.crypto?.randomUUID?.() ??
  Array.from(globalThis.crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

/**
 * Pages behind a cursor, one after the other. `next()` answers the next rows, `done` says there are no more.
 * @param {string} address @param {Record<string, any>} query
 */
export function pages(address, query) {
  let cursor = /** @type {string | null} */ ("");
  return {
    get done() {
      return cursor === null;
    },
    /** @param {AbortSignal} [signal] */
    async next(signal) {
      const answer = await get(address, { ...query, after: cursor || "" }, signal);
      cursor = answer.next ?? null;
      return answer;
    },
  };
}
