// The head of the panel while a case is read, and the violet: what is sealed, how far the job is, when it opens.

import { fill, h, icon } from "../../../components/dom.js";
import { clock, percent, timeLeft } from "../../../components/format.js";
import { phaseOf as jobPhase } from "../../../components/job-words.js";
import { gettext, interpolate } from "../../../i18n.js";

/** @import { Room } from "../room.js" */
/** @import { CaseDesk } from "./desk.js" */

/** The reconstruction that runs or waits, of which only its progress may be known. @param {any} state */
const runningJob = (state) => state.study.jobs.find((/** @type {any} */ { kind, state: at }) => kind === "reconstruction" && (at === "running" || at === "queued")) ?? null;

/** @param {any} job @param {string} className */
function progress(job, className) {
  const bar = h("span", { class: "progress__bar" });
  bar.style.setProperty("transform", `scaleX(${job?.fraction ?? 0})`);
  const line = job.state === "queued" ? (job.place ? interpolate(gettext("In line, place {place}"), { place: job.place }) : gettext("Waiting for a place")) : jobPhase(job) || gettext("Starting");
  const left = timeLeft(job.seconds_left);
  return h("div", { class: className },
    h("span", { class: "progress", role: "progressbar", "aria-valuenow": String(Math.round((job.fraction ?? 0) * 100)), "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": gettext("Progress of the job") }, bar),
    h("div", {}, h("span", {}, line), h("b", {}, percent(job.fraction ?? 0))),
    left && h("span", {}, left));
}

/** @param {HTMLElement} section @param {Room} room @param {CaseDesk} desk */
export function makeHead(section, room, desk) {
  const time = h("span", { class: "case-head__clock" });
  const strip = h("div", { class: "sealed-strip", role: "status" });
  const head = h("div", { class: "case-head" });
  fill(section, head, strip);

  function draw() {
    const given = desk.case;
    const { phase } = desk;
    section.hidden = !given || (!given.mine && !given.sealed);
    if (section.hidden) return;
    const own = given.mine?.kind === "first" && phase !== "none";
    head.hidden = !own || phase === "comparing" || phase === "submitted";
    if (!head.hidden) {
      fill(head,
        h("div", { class: "case-head__line" }, h("h2", {}, phase === "assigned" ? gettext("A case for you") : gettext("Your first read")),
          given.protocol?.is_sealed ? h("span", { class: "chip chip--sealed" }, icon("lock"), h("span", {}, gettext("blind"))) : h("span", { class: "chip" }, gettext("open")),
          phase === "reading" && time),
        h("p", { class: "second" }, given.protocol?.is_sealed ? gettext("No names, no result, no other read.") : gettext("The project reads openly: results are in sight.")));
      showTime();
    }
    drawStrip();
  }

  function drawStrip() {
    const given = desk.case;
    strip.hidden = !given?.sealed;
    if (strip.hidden) return;
    const job = runningJob(room.store.get());
    const title = job ? gettext("The result is being made, and stays sealed")
      : given.result_waiting ? gettext("Result ready, sealed until your first read") : gettext("Results and other reads are sealed");
    const second = given.mine ? gettext("It opens when you commit your first read.") : gettext("It opens to you when its readers have finished.");
    fill(strip, icon("lock"), h("div", {}, h("strong", {}, given.mine || job ? title : gettext("This case is being read, sealed")), h("span", {}, second)), job && progress(job, "sealed-pane__job"));
  }

  /** Honest: it counts hands on the page, and says when it stands still. */
  function showTime() {
    if (head.hidden || desk.phase !== "reading") return;
    const seconds = (desk.case?.mine?.seconds ?? 0) + desk.clock.seconds;
    time.textContent = clock(seconds);
    time.title = desk.clock.isRunning ? gettext("Time you have read. It stops after a minute without a hand on the page.") : gettext("Time you have read. It stands still now.");
  }
  setInterval(showTime, 1000);

  room.store.watch((state) => state.case.case, draw);
  room.store.watch(runningJob, drawStrip);
  makePane(room, desk);
}

/** In the 3D viewport: the lock, until there is an own surface to look at. @param {Room} room @param {CaseDesk} desk */
function makePane(room, desk) {
  const pane = h("div", { class: "sealed-pane", hidden: true });
  room.frames.surfaces.element.append(pane);
  const draw = () => {
    const state = room.store.get();
    const given = desk.case;
    const drawn = (desk.segmentation?.segments ?? []).some((/** @type {any} */ one) => (state.edits.voxels[one.number] ?? one.voxels) > 0);
    pane.hidden = !given?.sealed || drawn;
    if (pane.hidden) return;
    const job = runningJob(state);
    fill(pane,
      h("span", { class: "sealed-pane__lock" }, icon("lock")),
      h("strong", {}, job ? gettext("The result is being made, and stays sealed") : given.result_waiting ? gettext("The result is ready, and stays sealed") : gettext("Results and other reads are sealed")),
      h("span", {}, given.mine ? gettext("It opens when you commit your first read.") : gettext("It opens to you when its readers have finished.")),
      job && progress(job, "sealed-pane__job"));
  };
  room.store.watch((state) => state.case.case, draw);
  room.store.watch(runningJob, draw);
  room.store.watch((state) => state.edits.voxels, draw);
  room.store.watch((state) => state.study.segmentations, draw);
}
