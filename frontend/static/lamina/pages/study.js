// The study page's first module, kept small: it asks for the study and its preview at once and starts the graphics,
// while the viewer itself (three.js above all) is still being read.

import { get } from "../api/client.js";
import { Kept, isKept } from "../api/kept.js";
import { pageData } from "../components/dom.js";
import { decode, rowOf } from "../state/address.js";
import { pieceName } from "../geometry/streaming.js";
import { openCard } from "../scene/card.js";
import { openingSeries } from "../state/study.js";

/** Longer than this nobody waits for the browser's storage, ms. */
const PATIENCE = 6000;

/** Pieces of this study's images that an earlier page fetched ahead, by name. @param {string} study @returns {Promise<Map<string, Promise<ArrayBuffer>>>} */
async function keptAhead(study) {
  if (!isKept(study)) return new Map();
  const taken = Kept.open(pageData("shell-data")?.ahead_key).then(async (kept) => {
    const pieces = await kept?.take(study);
    kept?.close();
    return pieces ?? new Map();
  }).catch(() => new Map());
  return Promise.race([taken, new Promise((resolve) => setTimeout(() => resolve(new Map()), PATIENCE))]);
}

const page = pageData();
if (page?.study_id) {
  const asked = get(`/api/studies/${page.study_id}/`);
  /** @type {Map<string, Promise<ArrayBuffer>>} */
  const early = new Map();
  const ahead = keptAhead(page.study_id);
  // The viewer gets the answer when `early` is filled: it would ask once more for what is on its way.
  const ready = asked.then(async (answer) => {
    const first = rowOf(answer.series, decode(location.hash)?.seen.series) ?? openingSeries(answer);
    const preview = first?.urls?.preview;
    if (!preview) return answer;
    const kept = await ahead;
    for (const [name, piece] of kept) if (name === preview || name.startsWith(pieceName(first.urls.voxels))) early.set(name, piece);
    if (early.has(preview)) return answer;
    const bytes = fetch(preview, { credentials: "same-origin" }).then((got) => (got.ok ? got.arrayBuffer() : Promise.reject(new Error(`${got.status}`))));
    // Whoever takes it hears of a failure; until then it is nobody's.
    bytes.catch(() => {});
    early.set(preview, bytes);
    return answer;
  });
  ready.catch(() => {});
  const viewer = import("./study/page.js");
  openCard();
  const { open } = await viewer;
  await open(page.study_id, ready, early);
}
