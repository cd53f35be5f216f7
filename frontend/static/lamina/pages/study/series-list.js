// The series of the study, when there are several: thumbnail, modality, what it is, and what intake said of it.

import { fill, h, icon } from "../../components/dom.js";
import { gettext, interpolate } from "../../i18n.js";

/** @import { Room } from "./room.js" */

/** @param {any} series */
const sizeText = (series) => {
  const count = series.slices ?? series.shape?.[0] ?? series.urls?.pictures?.length ?? 0;
  return series.is_volume ? interpolate(gettext("{count} slices"), { count }) : interpolate(gettext("{count} pictures"), { count });
};

/** @param {HTMLElement} section @param {Room} room */
export function makeSeriesList(section, room) {
  const list = h("ul", { class: "series", role: "list" });
  const finding = h("p", { class: "series-finding", hidden: true });
  fill(section, h("header", { class: "section-head" }, h("h2", {}, gettext("Series"))), list, finding);
  room.store.watch((state) => state.study.series, (all) => {
    list.hidden = all.length < 2;
    fill(list, all.map((series) => {
      const warned = series.finding?.verdict && series.finding.verdict !== "accept";
      return h("li", {}, h(
        "button",
        { class: "series__row", type: "button", dataset: { series: series.id }, title: series.finding?.message || null, onclick: () => room.openSeries(series.id) },
        series.urls?.thumbnail ? h("img", { src: series.urls.thumbnail, alt: "", width: "56", height: "41", loading: "lazy" }) : h("span", { class: "series__blank" }, icon("image-off")),
        h("span", { class: "series__text" },
          h("strong", {}, [series.modality, series.description].filter(Boolean).join(" · ") || gettext("Series")),
          h("span", { class: "second" }, sizeText(series))),
        warned && icon("triangle-alert", { class: "is-caution", label: gettext("Imported with a warning") }),
      ));
    }));
    mark(room.store.get().view.seriesId);
  });
  room.store.watch((state) => state.view.seriesId, mark);

  /** @param {string | null} id */
  function mark(id) {
    for (const button of list.querySelectorAll("button")) button.setAttribute("aria-current", String(button.dataset.series === id));
    // What intake had to correct or could not use belongs beside the images, not only on the import page.
    const { series } = room.store.get().study;
    const { verdict, message } = series.find((one) => one.id === id)?.finding ?? {};
    finding.hidden = !message || !verdict || verdict === "accept";
    fill(finding, icon("triangle-alert", { class: "is-caution" }), h("span", {}, message ?? ""));
    section.hidden = series.length < 2 && finding.hidden;
  }
}
