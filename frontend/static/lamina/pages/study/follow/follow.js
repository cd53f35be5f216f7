// The panel's section "Change over time": this study against another one of the patient. How the two lie to each other
// and finding it automatically, volumes then and now, the distance painted on the surface, target lesions by date.

import { get } from "../../../api/client.js";
import { fill, find, h, icon, settled } from "../../../components/dom.js";
import { toastError } from "../../../components/toast.js";
import { gettext, interpolate } from "../../../i18n.js";
import { besideSeries } from "../../../state/hanging.js";
import { isBeside } from "../../../state/view.js";
import { studyName } from "../beside-bar.js";
import { choiceName } from "../compare/words.js";
import { AutomaticRegistration } from "../registering/automatic.js";
import { openRegistering } from "../registering/dialog.js";
import { may } from "../room.js";
import { changeTable } from "./change-table.js";
import { responseTable } from "./response-table.js";
import { daysText } from "./words.js";

/** @import { Room } from "../room.js" */

/** After so long without another event the tables are asked for again, ms. */
const QUIET = 400;
const OUTLINED = new Set(["segmentation.ready", "segmentation.edited", "transform.added", "transform.removed", "study.loaded"]);

/** @param {any} segmentation */
const titleOf = ({ algorithm, based_on: base }) => algorithm?.title || base?.title || "";

export class Follow {
  /** @param {Room} room */
  constructor(room) {
    this.room = room;
    this.section = /** @type {HTMLElement} */ (find("#follow"));
    /** The other study, with what is open of it. @type {any} */
    this.other = null;
    /** Chosen by hand: id of one of its segmentations. */
    this.wanted = "";
    /** @type {any} */
    this.change = null;
    this.refused = "";
    /** Segments of the comparison of the same two states. @type {any[] | null} */
    this.distances = null;
    this.busy = false;
    this.asked = 0;
    this.automatic = new AutomaticRegistration(room);

    this.count = h("span", { class: "second" });
    this.study = h("select", { class: "select", "aria-label": gettext("Other study of this patient"), onchange: () => void this.choose(this.study.value) });
    this.result = h("select", { class: "select", "aria-label": gettext("Its segmentation"), onchange: () => {
      this.wanted = this.result.value;
      void this.ask();
    } });
    this.side = h("button", { class: "icon-button", type: "button", title: gettext("Show side by side"), "aria-label": gettext("Show side by side"), onclick: () => void room.beside?.open(this.study.value) }, icon("columns-2"));
    this.relation = h("div", { class: "overtime__relation" });
    this.landmarks = h("button", { class: "button button--small button--quiet", type: "button", onclick: () => void this.byLandmarks().catch(toastError) }, icon("crosshair"), gettext("By landmarks"));
    this.ways = h("div", { class: "overtime__ways" }, this.automatic.element, this.landmarks);
    this.volumes = h("div", { class: "overtime__part", "aria-live": "polite" });
    this.response = h("div", {});
    this.names = h("datalist", { id: "lesion-names" });
    this.pair = h("div", { class: "overtime__part" },
      h("div", { class: "overtime__pick" }, this.study, this.side, this.result), this.relation, this.ways, this.volumes);
    this.details = h("details", { class: "foldable", ontoggle: () => this.details.open && void this.load() },
      h("summary", { class: "section-head" }, h("h2", {}, gettext("Change over time")), this.count, icon("chevron-down", { class: "section-head__arrow" })),
      h("div", { class: "overtime" }, this.pair, h("h3", {}, gettext("Target lesions")), this.response, this.names));
    fill(this.section, this.details);
  }

  get open() {
    return !this.section.hidden && this.details.open;
  }

  get priors() {
    return this.room.store.get().study.priors.filter((one) => one.series.some((/** @type {any} */ series) => series.volume));
  }

  /** What is outlined in the open series and shown. */
  get own() {
    const { session, segmentation } = this.room;
    return session?.kind === "volume" && segmentation?.series_id === session.series.id ? segmentation : null;
  }

  /** Of the other study: the one chosen, else the newest made by the same, else the newest. */
  get theirs() {
    const list = this.other?.segmentations ?? [];
    const named = this.own ? titleOf(this.own) : "";
    return list.find((/** @type {any} */ one) => one.id === this.wanted) ?? list.find((/** @type {any} */ one) => titleOf(one) === named) ?? list[0] ?? null;
  }

  /** The series of the other study that the open one is held against. */
  get theirSeries() {
    const { session } = this.room;
    if (!this.other || session?.kind !== "volume") return null;
    const { series } = this.other;
    const id = this.theirs?.series_id;
    return series.find((/** @type {any} */ one) => one.id === id) ?? besideSeries(session.series, this.other) ?? series.find((/** @type {any} */ one) => one.volume) ?? null;
  }

  // --- asking ---------------------------------------------------------------------------------------------------

  /** Everything the section shows. */
  async load() {
    const { priors } = this;
    fill(this.study, priors.map((one) => h("option", { value: one.id }, studyName(one))));
    const wanted = this.room.beside?.other?.study.id ?? this.other?.id ?? priors[0]?.id;
    if (wanted) this.study.value = wanted;
    await Promise.all([this.loadResponse(), wanted ? this.choose(wanted) : this.draw()]);
  }

  /** Hold against this study. @param {string} id */
  async choose(id) {
    this.study.value = id;
    const mine = (this.asked += 1);
    try {
      const answer = await get(`/api/studies/${id}/`);
      if (mine !== this.asked) return;
      if (this.other?.id !== id) this.wanted = "";
      this.other = answer;
    } catch (error) {
      toastError(error);
      return;
    }
    await this.ask();
  }

  /** What became of the segments. */
  async ask() {
    const { own, theirs } = this;
    const mine = (this.asked += 1);
    this.refused = "";
    let change = null;
    let distances = null;
    if (own && theirs) {
      try {
        change = await get(`/api/segmentations/${own.id}/change/${theirs.id}/`);
        if (change.comparison_id) distances = (await get(`/api/comparisons/${change.comparison_id}/`)).result?.segments ?? null;
      } catch (error) {
        if (mine === this.asked) this.refused = /** @type {Error} */ (error).message;
      }
    }
    if (mine !== this.asked) return;
    this.change = change;
    this.distances = distances;
    this.draw();
  }

  async loadResponse() {
    const { study } = this.room.store.get().study;
    try {
      const table = await get(`/api/studies/${study.id}/response/`);
      fill(this.response, responseTable(table, (id) => this.room.marks?.goTo(id)));
      fill(this.names, table.targets.map((/** @type {any} */ one) => h("option", { value: one.name })));
    } catch (error) {
      fill(this.response, h("p", { class: "section-empty" }, /** @type {Error} */ (error).message));
    }
  }

  /** Paint the distance between the two on the open one's surface. */
  async paint() {
    const { own, theirs } = this;
    if (!own || !theirs || this.busy) return;
    this.busy = true;
    this.draw();
    try {
      await this.room.editing?.desk()?.sender.idle();
      await this.room.comparison?.ask({ left: own.id, right: theirs.id });
      await this.ask();
    } catch (error) {
      toastError(error);
    } finally {
      this.busy = false;
      this.draw();
    }
  }

  // --- showing --------------------------------------------------------------------------------------------------

  draw() {
    const { room, change } = this;
    const { session } = room;
    this.section.hidden = session?.kind !== "volume";
    this.pair.hidden = this.priors.length === 0;
    this.count.textContent = change && change.days !== null ? daysText(change.days) : "";
    if (!this.open) return;
    const list = this.other?.segmentations ?? [];
    this.result.hidden = list.length < 2;
    fill(this.result, list.map((/** @type {any} */ one) => h("option", { value: one.id }, choiceName(one))));
    if (this.theirs) this.result.value = this.theirs.id;
    this.automatic.about(session?.kind === "volume" && !this.isJoined ? session.series : null, this.theirSeries);
    this.drawRelation();
    this.drawVolumes();
  }

  /** Both lie in one frame, or a transform joins them already. */
  get isJoined() {
    return Boolean(this.joint?.allowed);
  }

  /** How the two series lie to each other. @type {any} */
  joint = null;
  joined = "";

  /** Ask the server once per pair and state of the transforms. */
  async relate() {
    const { session, store } = this.room;
    const series = this.theirSeries;
    const key = session && series ? `${session.series.id} ${series.id} ${store.get().study.transforms.map(({ id }) => id).join()}` : "";
    if (key === this.joined) return;
    this.joined = key;
    this.joint = null;
    if (!key) return;
    const answer = await get(`/api/series/${session?.series.id}/fusion/${series.id}/`).catch(() => null);
    if (key !== this.joined) return;
    this.joint = answer;
    this.draw();
  }

  drawRelation() {
    void this.relate();
    const { joint, room } = this;
    this.landmarks.hidden = true;
    if (!joint) {
      fill(this.relation);
      return;
    }
    const { transform } = joint;
    const { study } = room.store.get().study;
    const mayRemove = transform && (may(study.may, "delete") || (may(study.may, "annotate") && transform.author?.id === room.marks?.me?.id));
    this.landmarks.hidden = joint.allowed || joint.reason === "other_patient" || !may(study.may, "annotate") || study.state !== "active";
    fill(this.relation,
      h("p", { class: "overtime__sentence" }, icon(joint.allowed ? "link" : "triangle-alert", { class: joint.allowed ? "" : "is-caution" }), h("span", {}, joint.sentence)),
      mayRemove && h("button", { class: "icon-button", type: "button", title: gettext("Take this transform away"), "aria-label": gettext("Take this transform away"), onclick: () => void this.automatic.remove(transform) }, icon("trash-2")));
  }

  async byLandmarks() {
    const { session, store } = this.room;
    const moving = this.theirSeries;
    const nameOf = (/** @type {any} */ one) => [one.modality, one.description].filter(Boolean).join(" · ");
    if (session && moving?.volume) await openRegistering({ studyId: store.get().study.study.id, fixed: session.series, moving, nameOf });
  }

  drawVolumes() {
    const { change, refused, own, theirs, room } = this;
    if (refused) {
      fill(this.volumes, h("p", { class: "overtime__sentence" }, icon("triangle-alert", { class: "is-caution" }), h("span", {}, refused)));
      return;
    }
    if (!own || !theirs) {
      const sealed = room.case?.case?.sealed;
      const text = sealed ? gettext("Sealed: volumes are compared when you have committed your first read.") : !own ? gettext("Nothing is outlined in this study yet.") : gettext("Nothing that is open to you is outlined in the other study.");
      fill(this.volumes, h("p", { class: `overtime__sentence${sealed ? " is-sealed" : ""}` }, sealed && icon("lock"), h("span", {}, text)));
      return;
    }
    if (!change) {
      fill(this.volumes);
      return;
    }
    const { allowed, sentence } = change.relation;
    fill(this.volumes, changeTable(change, this.distances),
      h("div", { class: "overtime__acts" },
        h("button", { class: "button button--small", type: "button", disabled: this.busy || !allowed, title: allowed ? null : sentence, dataset: { act: "paint-change" }, onclick: () => void this.paint() }, icon("git-compare"), this.busy ? gettext("Comparing") : gettext("Paint the distance on the surface")),
        !allowed && h("span", { class: "second" }, gettext("Needs both studies laid over each other."))));
  }
}

/** @param {Room} room */
export function makeFollow(room) {
  const follow = new Follow(room);
  const { store } = room;
  const again = settled(() => follow.open && follow.other && void follow.choose(follow.other.id), QUIET);
  const marked = settled(() => follow.open && void follow.loadResponse(), QUIET);
  room.onEvent(({ type }) => {
    if (OUTLINED.has(type)) again();
    if (type.startsWith("annotation.")) marked();
  });
  store.watch((state) => state.study.transforms, () => follow.open && follow.draw());
  store.watch((state) => state.view.segmentationId, () => follow.open && void follow.ask());
  store.watch((state) => state.case.case?.sealed, () => follow.draw());
  // Two studies side by side: what changed between them stands open beside them.
  store.watch((state) => state.view.layout, (layout, before) => {
    if (!isBeside(layout) || (before && isBeside(before))) return;
    setTimeout(() => {
      const id = room.beside?.other?.study.id;
      if (!id) return;
      if (follow.details.open) void follow.choose(id);
      else follow.details.open = true;
    });
  });
  room.onSession(() => {
    follow.draw();
    if (follow.open) void follow.load();
    return () => {
      follow.change = null;
      follow.distances = null;
    };
  });
}
