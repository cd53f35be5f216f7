// What the rows of the worklist open: a page that is there, and the read begun where it must be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

globalThis.document = { documentElement: { dataset: {}, lang: "en" }, cookie: "", getElementById: () => null, querySelector: () => null };

const { openReading } = await import("../../frontend/static/lamina/pages/study/case/next.js");

const ID = "00000000-0000-4000-8000-000000000000";
const PAGES = [...readFileSync(new URL("../../server/api/pages_urls.py", import.meta.url), "utf8").matchAll(/path\("([^"]*)"/g)]
  .map(([, route]) => new RegExp(`^/${route.replace(/<uuid:\w+>/g, "[0-9a-f-]{36}").replace(/<\w+:\w+>/g, "[^/]+")}$`));

/** Opens a row; where it led and what was asked of the server on the way. */
async function opened(reading) {
  const asked = [];
  let address = "";
  globalThis.location = { assign: (to) => (address = to) };
  globalThis.fetch = async (to) => {
    asked.push(String(to));
    return { ok: true, status: 200, headers: new Headers({ "content-type": "application/json" }), json: async () => ({}) };
  };
  assert.equal(await openReading({ reading: { id: "r", ...reading }, case: { id: ID }, study: { id: ID } }), true);
  return { address, asked };
}

for (const kind of ["first", "adjudication"]) for (const state of ["assigned", "in_progress", "committed", "submitted"]) {
  test(`a ${state} ${kind} reading opens a page that is there`, async () => {
    const { address, asked } = await opened({ kind, state });
    assert.ok(PAGES.some((page) => page.test(address)), address);
    // An adjudication begins with its first choice, and needs no working copy before.
    assert.deepEqual(asked, kind === "first" && state === "assigned" ? ["/api/readings/r/begin/"] : []);
  });
}
