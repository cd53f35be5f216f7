// Sentences of the server that rows keep in English, said in the page's language.
import assert from "node:assert/strict";
import { test } from "node:test";

import { toldBy } from "../../frontend/static/lamina/i18n.js";

const MESSAGES = {
  "The segment is in one piece.": "一整块。",
  "{0} ran out of memory at {1} MiB.": "{0} 在 {1} MiB 时内存用尽。",
  "{0}/{1} is damaged: {2}. Install it again.": "{0}/{1} 已损坏：{2}。",
  "The job took longer than its limit of {0} s.": "",
};

test("a whole sentence, a pattern with its places, and what nobody translated", () => {
  const told = toldBy(MESSAGES);
  assert.equal(told("The segment is in one piece."), "一整块。");
  assert.equal(told("bone-ct ran out of memory at 812 MiB."), "bone-ct 在 812 MiB 时内存用尽。");
  assert.equal(told("a.b/c (1).x is damaged: wrong {size}. Install it again."), "a.b/c (1).x 已损坏：wrong {size}。");
  assert.equal(told("The job took longer than its limit of 9 s."), "The job took longer than its limit of 9 s.");
  assert.equal(told("Something else."), "Something else.");
});
