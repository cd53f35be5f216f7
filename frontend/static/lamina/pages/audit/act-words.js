/** Acts of the audit chain in words: what was acted on, and what was done. The chain itself holds codes. */

import { gettext, interpolate } from "../../i18n.js";

/** @returns {Record<string, string>} */
const things = () => ({
  adjudication: gettext("Adjudication"),
  agreement: gettext("Agreement"),
  annotation: gettext("Measurement"),
  case: gettext("Case"),
  comment: gettext("Comment"),
  consensus: gettext("Consensus"),
  intake: gettext("Import"),
  invitation: gettext("Invitation"),
  job: gettext("Job"),
  key_image: gettext("Key image"),
  member: gettext("Member"),
  project: gettext("Project"),
  protocol: gettext("Reading protocol"),
  reading: gettext("Reading"),
  report: gettext("Report"),
  segmentation: gettext("Segmentation"),
  series: gettext("Series"),
  study: gettext("Study"),
  thread: gettext("Thread"),
  transform: gettext("Transform"),
  verdict: gettext("Verdict"),
  version: gettext("Version"),
});

/** @returns {Record<string, string>} */
const deeds = () => ({
  abandoned: gettext("abandoned"),
  added: gettext("added"),
  asked: gettext("asked for"),
  assigned: gettext("assigned"),
  begun: gettext("begun"),
  binned: gettext("moved to the bin"),
  cancelled: gettext("cancelled"),
  changed: gettext("changed"),
  committed: gettext("committed"),
  created: gettext("created"),
  damaged: gettext("found damaged"),
  deleted: gettext("deleted"),
  edited: gettext("edited"),
  erased: gettext("erased"),
  final_chosen: gettext("final outlines chosen"),
  given: gettext("given"),
  import_requested: gettext("requested"),
  imported: gettext("imported"),
  inspection_requested: gettext("inspection requested"),
  invited: gettext("invited"),
  kept: gettext("kept"),
  made: gettext("made"),
  moved: gettext("moved on"),
  opened: gettext("opened"),
  picked: gettext("place decided"),
  removed: gettext("removed"),
  reopened: gettext("opened again"),
  requested: gettext("requested"),
  resolved: gettext("resolved"),
  restored: gettext("restored"),
  saved: gettext("saved"),
  settled: gettext("settled"),
  signed: gettext("signed"),
  submitted: gettext("submitted"),
  taken: gettext("taken"),
  withdrawn: gettext("withdrawn"),
});

/** "Case: signed"; a code nobody has words for stays a code. @param {string} act  such as case.signed */
export function actWord(act) {
  const [thing, deed] = act.split(".");
  const [named, done] = [things()[thing], deeds()[deed]];
  return named && done ? interpolate(gettext("{thing}: {deed}"), { thing: named, deed: done }) : act;
}
