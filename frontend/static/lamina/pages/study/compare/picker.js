// Choosing what is compared: two of the open series' segmentations, each as it is now or as it was in one of its
// versions, or one of another study of the patient.

import { get } from "../../../api/client.js";
import { fill, h, icon } from "../../../components/dom.js";
import { day } from "../../../components/format.js";
import { toastError } from "../../../components/toast.js";
import { gettext, interpolate } from "../../../i18n.js";
import { choiceName } from "./words.js";

/** @import { Room } from "../room.js" */
/** @import { CompareDesk } from "./desk.js" */

/** @typedef {{ id: string, seq: number | null, name: string, group: string }} Choice  seq null: the newest state */

/** @param {Choice} choice */
const valueOf = ({ id, seq }) => `${id} ${seq ?? ""}`;

/** @param {Room} room @param {CompareDesk} desk */
export function makePicker(room, desk) {
  /** Versions by working copy. @type {Map<string, any[]>} */
  const versions = new Map();
  /** Segmentations of other studies, once asked for. @type {{ study: any, list: any[] }[] | null} */
  let priors = null;
  let drawn = "";
  const select = (/** @type {string} */ name) => h("select", { class: "select", "aria-label": name, dataset: { side: name }, onfocus: () => void more() });
  const left = select("A");
  const right = select("B");
  const swap = h("button", { class: "icon-button", type: "button", title: gettext("Swap A and B"), "aria-label": gettext("Swap A and B"), onclick: () => {
    [left.value, right.value] = [right.value, left.value];
  } }, icon("arrow-down-up"));
  const go = h("button", { class: "button button--small", type: "submit" }, gettext("Compare"));
  const form = h("form", { class: "compare__pick", onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    const [a, b] = [left, right].map((one) => one.value.split(" "));
    const seq = (/** @type {string} */ text) => (text ? Number(text) : null);
    void settled(() => desk.ask({ left: a[0], left_seq: seq(a[1]), right: b[0], right_seq: seq(b[1]) }));
  } },
  h("label", { class: "compare__side" }, h("span", {}, "A"), left), h("label", { class: "compare__side" }, h("span", {}, "B"), right), h("div", { class: "compare__acts" }, swap, go));

  /** Strokes on their way go first: what is compared is what stands on the page. @param {() => Promise<any>} act */
  async function settled(act) {
    go.disabled = true;
    try {
      await room.editing?.desk()?.sender.idle();
      await act();
    } catch (error) {
      toastError(error);
    } finally {
      go.disabled = false;
    }
  }

  /** @returns {Choice[]} */
  function choices() {
    const { session } = room;
    if (session?.kind !== "volume") return [];
    const own = room.store.get().study.segmentations.filter((/** @type {any} */ one) => one.series_id === session.series.id);
    const here = own.flatMap((/** @type {any} */ one) => {
      const now = { id: one.id, seq: null, name: choiceName(one), group: gettext("This study") };
      const old = (versions.get(one.id) ?? []).filter(({ seq }) => seq !== one.seq).map(({ seq, name, kind }) => ({ id: one.id, seq, group: now.group, name: `${name || (kind === "begin" ? gettext("The beginning") : interpolate(gettext("Step {n}"), { n: seq }))} · ${now.name}` }));
      return [now, ...old];
    });
    const before = (priors ?? []).flatMap(({ study, list }) => list.map((one) => ({ id: one.id, seq: null, name: choiceName(one), group: interpolate(gettext("Prior, {date}"), { date: study.study_date ? day(study.study_date) : study.description || gettext("undated") }) })));
    return [...here, ...before];
  }

  /** Versions and other studies, when somebody looks for them. */
  async function more() {
    const edited = room.store.get().study.segmentations.filter((/** @type {any} */ one) => one.kind === "edited" && !versions.has(one.id));
    const first = priors === null;
    if (edited.length === 0 && !first) return;
    priors ??= [];
    await Promise.all([
      ...edited.map(async (/** @type {any} */ one) => {
        versions.set(one.id, []);
        versions.set(one.id, (await get(`/api/segmentations/${one.id}/versions/`)).versions);
      }),
      ...(first ? room.store.get().study.priors : []).map(async (/** @type {any} */ study) => {
        const answer = await get(`/api/studies/${study.id}/`);
        priors?.push({ study, list: answer.segmentations ?? [] });
      }),
    ]).catch(toastError);
    draw();
  }

  function draw() {
    const list = choices();
    const key = JSON.stringify(list);
    if (key === drawn) return;
    drawn = key;
    const groups = [...new Set(list.map(({ group }) => group))];
    for (const [at, one] of [left, right].entries()) {
      const before = one.value;
      fill(one, groups.map((group) => {
        const options = list.filter((choice) => choice.group === group).map((choice) => h("option", { value: valueOf(choice) }, choice.name));
        return groups.length > 1 ? h("optgroup", { label: group }, options) : options;
      }));
      // At first what is shown against the next one: a working copy against what it began from.
      const shown = list.find(({ id }) => id === room.segmentation?.id);
      const base = list.find(({ id }) => id === room.segmentation?.based_on?.id) ?? list.find((choice) => choice !== shown);
      const start = at === 0 ? shown ?? list[0] : base ?? list[1];
      one.value = list.some((choice) => valueOf(choice) === before) ? before : start ? valueOf(start) : "";
    }
  }

  /** How many states there are to choose from, versions not yet asked for included. */
  function count() {
    const { segmentations, priors: others } = room.store.get().study;
    const own = segmentations.filter((/** @type {any} */ one) => one.series_id === room.session?.series.id);
    return own.length && own.length + others.length + own.filter((/** @type {any} */ one) => one.kind === "edited" && one.seq > 0).length;
  }

  return { form, draw, more, count };
}
