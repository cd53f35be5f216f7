// The line over the two studies: which is which, the plane, the link between them and where it comes from.

import { fill, h, icon } from "../../components/dom.js";
import { modalityName, number } from "../../components/format.js";
import { gettext, interpolate } from "../../i18n.js";
import { PLANES } from "./frames.js";
import { word } from "./words.js";

/** @import { Beside } from "./beside.js" */

/** Words for a study: its date and what it is. @param {any} study */
export const studyName = (study) =>
  [study.study_date ?? gettext("No date"), study.description || (study.modalities ?? []).join(", ")].filter(Boolean).join(" · ");

/** @param {any} series */
const seriesName = (series) =>
  [modalityName(series.modality), series.number === null ? "" : interpolate(gettext("Series {number}"), { number: series.number }), series.description].filter(Boolean).join(" · ");

/** LPS mm in words: "R 3.0 A 0.0 S 12.0". @param {readonly number[]} offset */
const offsetText = (offset) =>
  [["L", "R"], ["P", "A"], ["S", "I"]].map(([plus, minus], axis) => (Math.abs(offset[axis]) < 0.05 ? "" : `${offset[axis] > 0 ? plus : minus}\u202f${number(Math.abs(offset[axis]), 1)}`)).filter(Boolean).join(" ");

export class BesideBar {
  /** @param {Beside} beside */
  constructor(beside) {
    this.beside = beside;
    this.own = h("span", { class: "beside-bar__name" });
    /** @param {"axial" | "coronal" | "sagittal" | "planes" | "surfaces"} name @param {string} text */
    const choice = (name, text) => h("button", { type: "button", dataset: { besidePlane: name }, "aria-pressed": "false", onclick: () => beside.choose(name) }, text);
    this.choices = [...PLANES.map((name) => choice(name, word(name))), choice("planes", gettext("All planes")), choice("surfaces", "3D")];
    this.study = h("select", { class: "tool-select beside-bar__select", "aria-label": gettext("Other study of this patient"), onchange: () => void beside.open(this.study.value) });
    this.series = h("select", { class: "tool-select beside-bar__select", "aria-label": gettext("Series of the other study"), onchange: () => beside.other && void beside.open(beside.other.study.id, { series: this.series.value }) });
    this.link = h("button", { class: "tool-toggle", type: "button", id: "beside-link", "aria-pressed": "true", onclick: () => beside.setLinked(!beside.relation.linked) }, icon("link"), gettext("Move together"));
    this.from = h("span", { class: "beside-bar__from second" });
    const close = h("button", { class: "icon-button", type: "button", "aria-label": gettext("Close the other study"), title: gettext("Close the other study"), onclick: () => beside.room.store.dispatch({ type: "view.set", values: { layout: "2x2", protocol: null } }) }, icon("x"));
    this.element = h("div", { class: "beside-bar", id: "beside-bar", role: "group", "aria-label": gettext("Two studies side by side"), hidden: true },
      h("div", { class: "beside-bar__half" }, this.own, h("div", { class: "segmented segmented--small", role: "group", "aria-label": gettext("What both show") }, this.choices)),
      h("div", { class: "beside-bar__half" }, this.study, this.series, this.link, this.from, h("span", { class: "tool-bar__gap" }), close));
  }

  show() {
    const { other, room, relation } = this.beside;
    this.element.hidden = !other;
    if (!other) return;
    const { study, view } = room.store.get();
    this.own.textContent = interpolate(gettext("This study: {name}"), { name: studyName(study.study) });
    const chosen = view.layout === "beside-planes" ? "planes" : view.layout === "beside-3d" ? "surfaces" : view.main;
    for (const button of this.choices) button.setAttribute("aria-pressed", String(button.dataset.besidePlane === chosen));
    fill(this.study, study.priors.filter((one) => one.series.some((/** @type {any} */ series) => series.volume)).map((one) => h("option", { value: one.id }, studyName(one))));
    this.study.value = other.study.id;
    const volumes = other.study.series.filter((/** @type {any} */ one) => one.volume);
    this.series.hidden = volumes.length < 2;
    fill(this.series, volumes.map((/** @type {any} */ one) => h("option", { value: one.id }, seriesName(one))));
    this.series.value = other.session.series.id;
    this.link.setAttribute("aria-pressed", String(relation.linked));
    const offset = offsetText(relation.offset);
    const unlinked = gettext("Each scrolls by itself. Link again where both show the same place.");
    const sentence = relation.linked ? relation.sentence : unlinked;
    const short = !relation.linked ? gettext("not linked") : relation.exact && !offset ? relation.sentence : offset ? interpolate(gettext("offset {offset} mm"), { offset }) : gettext("by the middle of both");
    this.link.title = sentence;
    this.from.title = sentence;
    this.from.textContent = short;
  }
}
