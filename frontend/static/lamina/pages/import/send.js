// Step 1, second half: the files go to the server, and the page says how far they are.

import { uploadAll } from "../../api/tus.js";
import { fill, h, icon } from "../../components/dom.js";
import { bytes, duration, number } from "../../components/format.js";
import { progressBar } from "../../components/job-card.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";
import { flow, head, place, showStep } from "./flow.js";

/** @import { Entry } from "./choose.js" */

/**
 * Send the files and say how far it is. Those the server refused are in `flow.refusedFiles`.
 * @param {Entry[]} entries @param {() => void} giveUp @throws the first refusal, when not one file was taken
 */
export async function send(entries, giveUp) {
  const upload = (flow.upload = new AbortController());
  const { intake } = flow;
  const total = entries.reduce((sum, entry) => sum + entry.file.size, 0);
  const began = Date.now();
  const bar = h("div", {});
  const line = h("p", { class: "job__line" });
  showStep("choose");
  head(
    gettext("Sending"),
    interpolate(ngettext("{count} file, {size}", "{count} files, {size}", entries.length), { count: number(entries.length), size: bytes(total) }),
    [h("button", { class: "button", type: "button", onclick: giveUp }, icon("x"), gettext("Stop and discard"))],
  );
  const card = h("section", { class: "card card--work", "aria-live": "off" }, h("div", { class: "card__body" }, h("h2", {}, gettext("Sending your files, encrypted on arrival")), bar, line));
  fill(place, card);
  let note = "";
  const tell = (/** @type {number} */ received, /** @type {number} */ files) => {
    const fraction = total ? received / total : 1;
    const seconds = (Date.now() - began) / 1000;
    const left = fraction > 0.02 && seconds > 1 ? interpolate(gettext("{time} left"), { time: duration((seconds / fraction) * (1 - fraction)) }) : "";
    fill(bar, progressBar(fraction, gettext("Sending")));
    const progress = interpolate(gettext("{sent} of {size}, {files} of {count} files"), { sent: bytes(received), size: bytes(total), files: number(files), count: number(entries.length) });
    fill(line, h("span", {}, [progress, note || left].filter(Boolean).join(" · ")), h("span", {}, `${Math.floor(fraction * 100)}\u202f%`));
  };
  tell(0, 0);
  flow.refusedFiles = await uploadAll(entries, {
    address: intake.upload_url,
    intake: intake.id,
    signal: upload.signal,
    onProgress: (received, _total, files) => {
      note = "";
      tell(received, files);
    },
    onWait: (seconds) => {
      note = interpolate(gettext("connection lost, trying again in {seconds} s"), { seconds: Math.ceil(seconds) });
      fill(line, h("span", {}, note), h("span", {}));
    },
  });
  flow.upload = null;
  if (flow.refusedFiles.length === entries.length) throw flow.refusedFiles[0].error;
}
