// The series of the study and of the patient's other studies: thumbnail, modality, what it is, and what intake said of
// it. A click opens; a thumbnail can be dragged into the viewports, too.

import { fill, h, icon } from "../../components/dom.js";
import { modalityName } from "../../components/format.js";
import { gettext, interpolate } from "../../i18n.js";
import { studyName } from "./beside-bar.js";

/** @import { Room } from "./room.js" */

/** What a dragged thumbnail carries: ids only. */
const DRAGGED = "application/x-lamina-series";

/** @param {any} series */
const sizeText = (series) => {
  const count = series.slices ?? series.shape?.[0] ?? series.urls?.pictures?.length ?? 0;
  return series.is_volume ? interpolate(gettext("{count} slices"), { count }) : interpolate(gettext("{count} pictures"), { count });
};

/** One series as a button. @param {any} series @param {() => void} open @param {{ series: string, study?: string }} carried @param {Record<string, string>} dataset */
function row(series, open, carried, dataset) {
  const warned = series.finding?.verdict && series.finding.verdict !== "accept";
  return h("li", {}, h(
    "button",
    {
      class: "series__row", type: "button", draggable: "true", dataset, title: series.finding?.message || null, onclick: open,
      ondragstart: (/** @type {DragEvent} */ event) => {
        event.dataTransfer?.setData(DRAGGED, JSON.stringify(carried));
        if (event.dataTransfer) event.dataTransfer.effectAllowed = "copy";
      },
    },
    series.urls?.thumbnail ? h("img", { src: series.urls.thumbnail, alt: "", width: "56", height: "41", loading: "lazy", draggable: "false" }) : h("span", { class: "series__blank" }, icon("image-off")),
    h("span", { class: "series__text" },
      h("strong", {}, [modalityName(series.modality), series.description].filter(Boolean).join(" · ") || gettext("Series")),
      h("span", { class: "second" }, sizeText(series))),
    warned && icon("triangle-alert", { class: "is-caution", label: gettext("Imported with a warning") }),
  ));
}

/** Thumbnails may be let go over the viewports. @param {Room} room */
function acceptDrops(room) {
  const { grid } = room;
  const ours = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes(DRAGGED) ?? false;
  const mark = (/** @type {Element | null} */ pane) => {
    for (const one of grid.querySelectorAll(".viewport")) one.toggleAttribute("data-drop", one === pane);
  };
  grid.addEventListener("dragover", (event) => {
    if (!ours(event)) return;
    event.preventDefault();
    mark(/** @type {Element} */ (event.target).closest(".viewport"));
  });
  grid.addEventListener("dragleave", (event) => {
    if (!grid.contains(/** @type {Node | null} */ (event.relatedTarget))) mark(null);
  });
  grid.addEventListener("drop", (event) => {
    mark(null);
    if (!ours(event)) return;
    event.preventDefault();
    const { series, study } = JSON.parse(event.dataTransfer?.getData(DRAGGED) || "{}");
    if (study) void room.beside?.open(study, { series });
    else if (series) room.openSeries(series);
  });
}

/** @param {HTMLElement} section @param {Room} room */
export function makeSeriesList(section, room) {
  const { store } = room;
  const list = h("ul", { class: "series", role: "list" });
  const finding = h("p", { class: "series-finding", hidden: true });
  const others = h("div", { class: "series-others", hidden: true });
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Series"))), list, finding, others);
  acceptDrops(room);

  store.watch((state) => state.study.series, (all) => {
    fill(list, all.map((series) => row(series, () => room.openSeries(series.id), { series: series.id }, { series: series.id })));
    mark(store.get().view.seriesId);
  });
  store.watch((state) => state.study.priors, (priors) => {
    fill(others, h("h3", { class: "series-others__head" }, gettext("Other studies of this patient")), priors.map((study) => h(
      "section", { class: "series-others__study" },
      h("a", { class: "series-others__name", href: `/studies/${study.id}/`, title: gettext("Open this study by itself") }, studyName(study)),
      h("ul", { class: "series", role: "list" }, study.series.filter((/** @type {any} */ one) => one.volume).map((/** @type {any} */ series) =>
        row(series, () => void room.beside?.open(study.id, { series: series.id }), { series: series.id, study: study.id }, { besideSeries: series.id }))),
    )));
    mark(store.get().view.seriesId);
  });
  store.watch((state) => state.view.seriesId, mark);
  store.watch((state) => state.view.layout, () => mark(store.get().view.seriesId));

  /** @param {string | null} id */
  function mark(id) {
    const { series, priors } = store.get().study;
    for (const button of list.querySelectorAll("button")) button.setAttribute("aria-current", String(button.dataset.series === id));
    // One series alone needs no list, but among those of other studies one looks for it.
    list.hidden = series.length < 2 && priors.length === 0;
    others.hidden = priors.length === 0;
    // What intake had to correct or could not use belongs beside the images, not only on the import page.
    const { verdict, message } = series.find((one) => one.id === id)?.finding ?? {};
    finding.hidden = !message || !verdict || verdict === "accept";
    fill(finding, icon("triangle-alert", { class: "is-caution" }), h("span", {}, message ?? ""));
    section.hidden = list.hidden && finding.hidden && others.hidden;
  }
}
