/**
 * Import in four steps: choose files, check, look at what changes and agree, import. The intake's id stands in the
 * address, so a reloaded page goes on where it was; files dropped again continue from the last byte received.
 */

import { call, del, get, newKey, post } from "../api/client.js";
import { fromDrop } from "../components/collect.js";
import { fill, find, h } from "../components/dom.js";
import "../components/job-card.js";
import { toast } from "../components/toast.js";
import { gettext } from "../i18n.js";
import { socket } from "../state/socket.js";
import { agree } from "./import/agree.js";
import { drawChoice, drawUnfinished } from "./import/choose.js";
import { drawFailure, drawImported } from "./import/done.js";
import { flow, head, place, rememberInAddress, shell, showStep, side } from "./import/flow.js";
import { send } from "./import/send.js";

/** @import { Entry } from "./import/choose.js" */

const POLL_MS = 2500;
let shown = "";

/** From the start, with nothing chosen. */
function chooseFiles() {
  clearTimeout(flow.poll);
  flow.intake = null;
  flow.refusedFiles = [];
  shown = "";
  rememberInAddress("");
  drawChoice(start);
}

/** @param {Entry[]} entries */
async function start(entries) {
  if (entries.length === 0) {
    toast(gettext("There was no file in what you chose."), { kind: "bad" });
    return;
  }
  try {
    if (!flow.intake) {
      flow.intake = await call("POST", "/api/intakes/", { body: { project: flow.project }, key: newKey() });
      rememberInAddress(flow.intake.id);
    }
    await send(entries, giveUp);
    await post(`/api/intakes/${flow.intake.id}/inspect/`, {}, { key: newKey() });
    await show(flow.intake.id);
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "AbortError") failed(error, () => start(entries));
  }
}

/** Everything sent so far is destroyed. */
async function giveUp() {
  flow.upload?.abort();
  flow.upload = null;
  if (flow.intake) await del(`/api/intakes/${flow.intake.id}/`).catch(() => undefined);
  chooseFiles();
}

const agreeHere = () => agree({ giveUp, imported: () => show(flow.intake.id) });
const failed = (/** @type {unknown} */ error, /** @type {(() => any) | null} */ again) => drawFailure(error, again, giveUp);

/** @param {string} title @param {string} text @param {any} job */
function working(title, text, job) {
  side.hidden = true;
  head(title, text, []);
  const known = find("#import-place lam-job");
  if (known && known.job?.id === job?.id) {
    known.job = job;
    return;
  }
  const card = document.createElement("lam-job");
  /** @type {any} */ (card).job = job;
  fill(place, h("section", { class: "card card--work" }, h("div", { class: "card__body" }, card)));
}

/** @param {string} id */
async function show(id) {
  clearTimeout(flow.poll);
  try {
    flow.intake = await get(`/api/intakes/${id}/`);
  } catch (error) {
    if (/** @type {any} */ (error).status === 404) {
      toast(gettext("This upload is over. Start again."), { kind: "bad" });
      chooseFiles();
      return;
    }
    failed(error, () => show(id));
    return;
  }
  const again = () => (flow.poll = setTimeout(() => show(id), POLL_MS));
  // The same news may come twice (an event and the answer of our own request): choices a person made stay.
  const news = `${id} ${flow.intake.state}`;
  if (news === shown && !["receiving", "inspecting", "importing"].includes(flow.intake.state)) return;
  shown = news;
  if (flow.intake.state === "receiving") {
    if (flow.intake.files?.length && !flow.upload) drawUnfinished(start, giveUp);
    else if (!flow.upload) chooseFiles();
  } else if (flow.intake.state === "inspecting") {
    showStep("check");
    working(gettext("Checking your files"), gettext("Which series are there, and is each one a sound volume?"), flow.intake.job);
    again();
  } else if (flow.intake.state === "inspected") agreeHere();
  else if (flow.intake.state === "importing") {
    showStep("import");
    working(gettext("Importing"), gettext("Replacing identifiers, storing the images, making the first picture."), flow.intake.job);
    again();
  } else if (flow.intake.state === "imported") await drawImported(chooseFiles);
  else if (flow.intake.state === "failed") {
    const error = new Error(flow.intake.job?.error?.message || flow.intake.error?.message || gettext("The import failed."));
    failed(error, flow.intake.findings?.length ? agreeHere : null);
  } else {
    toast(gettext("This upload is over. Start again."), { kind: "bad" });
    chooseFiles();
  }
}

const mine = `user:${shell.person.id}`;
socket.subscribe(mine, shell.streams?.[mine] ?? 0, {
  onEvent: (event) => {
    const { type, payload } = event;
    if (flow.intake && (payload.intake_id === flow.intake.id || type.startsWith("job.")) && !flow.upload) void show(flow.intake.id);
  },
  onProgress: (job) => {
    const card = find("lam-job");
    if (card && card.job?.id === job.id) card.job = job;
  },
  onReload: () => (flow.intake && !flow.upload ? show(flow.intake.id) : undefined),
});

document.addEventListener("lam-job-changed", () => flow.intake && show(flow.intake.id));
document.addEventListener("dragover", (event) => {
  if (!find("#drop")) return;
  event.preventDefault();
  find("#drop").classList.add("drop--over");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) find("#drop")?.classList.remove("drop--over");
});
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  const drop = find("#drop");
  if (!drop || !event.dataTransfer) return;
  drop.classList.remove("drop--over");
  try {
    await start(await fromDrop(event.dataTransfer));
  } catch {
    toast(gettext("The browser could not read what you dropped. Use the button instead."), { kind: "bad" });
  }
});
addEventListener("beforeunload", (event) => {
  if (flow.upload) event.preventDefault();
});

const known = new URLSearchParams(location.search).get("intake");
if (known) void show(known);
else chooseFiles();
