// Where the shown result comes from, what it warns of, and how to take it along.

import { fill, h, icon } from "../../components/dom.js";
import { ago, duration } from "../../components/format.js";
import { gettext, interpolate, known } from "../../i18n.js";

/** @import { Room } from "./room.js" */

/** @param {string} name @param {any} value */
const pair = (name, value) => value && h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** What a result is called: its algorithm, or that people drew it. @param {any} segmentation */
function titleOf({ kind, algorithm, based_on: base }) {
  if (kind !== "edited") return [known(algorithm?.title || algorithm?.name || ""), algorithm?.version].filter(Boolean).join(" ");
  return base?.title ? interpolate(gettext("{title}, edited"), { title: known(base.title) }) : gettext("Drawn by hand");
}

/** @param {HTMLElement} section @param {Room} room @param {(id: string) => void} choose */
export function makeResult(section, room, choose) {
  room.store.watch((state) => state.view.segmentationId, draw);
  room.store.watch((state) => state.study.segmentations, draw);

  function draw() {
    const { segmentation } = room;
    section.hidden = !segmentation;
    if (!segmentation) {
      fill(section);
      return;
    }
    const own = room.store.get().study.segmentations.filter((one) => one.series_id === segmentation.series_id);
    // The state's own copy: a file may be found damaged after the result was opened.
    const shown = own.find((one) => one.id === segmentation.id) ?? segmentation;
    const { warnings = [], urls = {}, damaged = [] } = shown;
    const algorithm = shown.algorithm ?? {};
    const broken = damaged.map((/** @type {string} */ artefact) => interpolate(gettext("A stored file failed its check and is not served: {name}. Run the reconstruction again."), { name: artefact }));
    const warningTexts = warnings.map((/** @type {any} */ one) => (typeof one === "string" ? one : one.text ?? one.message ?? one.code)).concat(broken);
    const name = titleOf(shown);
    const seconds = typeof segmentation.seconds === "number" ? segmentation.seconds : null;
    const wasOpen = section.querySelector("details")?.open ?? false;
    fill(
      section,
      h(
        "details",
        { class: "result foldable", open: wasOpen },
        h("summary", { class: "section-head" }, h("h2", {}, gettext("Result")), h("span", { class: "second result__name" }, name), warningTexts.length > 0 && h("span", { class: "chip chip--caution" }, icon("triangle-alert"), String(warningTexts.length)), icon("chevron-down", { class: "section-head__arrow" })),
        h(
          "div",
          { class: "result__body" },
          own.length > 1 && h("label", { class: "field" }, h("span", { class: "field__label" }, gettext("Shown result")), h("select", { class: "select", onchange: (/** @type {any} */ event) => choose(event.target.value) },
            own.map((one) => h("option", { value: one.id, ".selected": one.id === segmentation.id }, `${titleOf(one)} · ${ago(one.created_at)}`)))),
          warningTexts.map((/** @type {string} */ text) => h("p", { class: "result__warning" }, icon("triangle-alert"), text)),
          h("dl", { class: "pairs" },
            pair(gettext("Algorithm"), algorithm.name && `${algorithm.name} ${algorithm.version ?? ""}`),
            pair(gettext("Status"), algorithm.status),
            pair(gettext("Device"), segmentation.device),
            pair(gettext("Began from"), known(shown.based_on?.title ?? "")),
            pair(gettext("Begun by"), shown.author?.name),
            pair(gettext("Time"), seconds ? duration(seconds) : null),
            pair(gettext("Made"), segmentation.created_at && h("time", { datetime: segmentation.created_at, title: segmentation.created_at }, ago(segmentation.created_at))),
            pair(gettext("Licence"), algorithm.licence),
            pair(gettext("Attribution"), algorithm.attribution)),
          h("div", { class: "result__downloads" },
            urls.surfaces_plain && download(urls.surfaces_plain, gettext("Surfaces, GLB")),
            urls.labelmap_nii && download(urls.labelmap_nii, gettext("Labelmap, NIfTI")),
            urls.manifest && download(urls.manifest, gettext("Manifest"))),
          h("p", { class: "not-clinical" }, icon("triangle-alert"), gettext("Not for clinical use")),
        ),
      ),
    );
  }
}

/** @param {string} address @param {string} text */
const download = (address, text) =>
  h("a", { class: "button button--small", href: address, download: true, "aria-label": interpolate(gettext("Download: {what}"), { what: text }) }, icon("download"), text);
