// The study page's first module, kept small: it asks for the study and its preview at once and starts the graphics,
// while the viewer itself (three.js above all) is still being read.

import { get } from "../api/client.js";
import { pageData } from "../components/dom.js";
import { decode, rowOf } from "../state/address.js";
import { openCard } from "../scene/card.js";
import { openingSeries } from "../state/study.js";

const page = pageData();
if (page?.study_id) {
  const asked = get(`/api/studies/${page.study_id}/`);
  /** @type {Map<string, Promise<ArrayBuffer>>} */
  const early = new Map();
  asked.then((answer) => {
    const first = rowOf(answer.series, decode(location.hash)?.seen.series) ?? openingSeries(answer);
    const preview = first?.urls?.preview;
    if (!preview) return;
    const bytes = fetch(preview, { credentials: "same-origin" }).then((got) => (got.ok ? got.arrayBuffer() : Promise.reject(new Error(`${got.status}`))));
    // Whoever takes it hears of a failure; until then it is nobody's.
    bytes.catch(() => {});
    early.set(preview, bytes);
  }).catch(() => {});
  const viewer = import("./study/page.js");
  openCard();
  const { open } = await viewer;
  await open(page.study_id, asked, early);
}
