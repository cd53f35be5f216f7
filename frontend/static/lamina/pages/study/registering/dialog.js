// How one series comes to lie over another: pairs of landmarks clicked in both, or a matrix pasted from elsewhere. The
// landmark error is said before anything is stored.

import { post } from "../../../api/client.js";
import { openDialog } from "../../../components/dialog.js";
import { fill, h, icon } from "../../../components/dom.js";
import { mm } from "../../../components/format.js";
import { toast } from "../../../components/toast.js";
import { isEnough, pastedMatrix, rigidFit } from "../../../geometry/landmarks.js";
import { gettext, interpolate, ngettext } from "../../../i18n.js";
import { LandmarkPane } from "./pane.js";

/** @import { Pair } from "../../../geometry/landmarks.js" */
/** @import { Point } from "../../../geometry/vectors.js" */

const FEWEST = 3;
/** Of the larger of the two voxels' diagonals, above which an error is worth a look. */
const CAREFUL = 1.5;

/**
 * Ask for it and store it; the study's stream tells everybody. Answers whether something was stored.
 * @param {{ studyId: string, fixed: any, moving: any, nameOf: (series: any) => string }} options  the two series as the API gives them
 */
export async function openRegistering({ studyId, fixed, moving, nameOf }) {
  /** @type {Pair[]} */
  const pairs = [];
  /** Clicked in one of the two, waiting for the other. @type {{ moving?: Point, fixed?: Point }} */
  let half = {};

  const rows = h("tbody", {});
  const sum = h("p", { class: "landmarks__sum", role: "status" });
  const matrixField = h("textarea", { class: "input landmarks__matrix", rows: "4", spellcheck: "false", "aria-label": gettext("4 by 4 matrix"), placeholder: "1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1", oninput: () => draw() });
  const note = h("input", { class: "input", type: "text", maxlength: "200", "aria-label": gettext("Note"), placeholder: gettext("Note: where it came from, what was matched") });
  const place = (/** @type {"fixed" | "moving"} */ side) => (/** @type {Point} */ point) => {
    half[side] = point;
    if (half.fixed && half.moving) {
      pairs.push({ fixed: half.fixed, moving: half.moving });
      half = {};
    }
    draw();
  };
  const panes = {
    fixed: new LandmarkPane(fixed, interpolate(gettext("Below: {name}"), { name: nameOf(fixed) }), place("fixed")),
    moving: new LandmarkPane(moving, interpolate(gettext("On top: {name}"), { name: nameOf(moving) }), place("moving")),
  };
  const table = h("table", { class: "compared landmarks__pairs" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, gettext("Pair")), h("th", { scope: "col", title: gettext("Between the two places after the motion") }, gettext("Error")), h("th", { scope: "col" }))), rows);
  // What to do next, and the error, stand first: a low screen shows them without scrolling.
  const body = h("div", { class: "landmarks" },
    sum,
    h("div", { class: "landmarks__panes" }, panes.fixed.element, panes.moving.element),
    h("div", { class: "landmarks__below" }, h("div", {}, table),
      h("details", { class: "landmarks__paste" }, h("summary", {}, gettext("Paste a matrix instead")), h("p", { class: "hint" }, gettext("Takes LPS mm of the series on top to LPS mm of the one below, row by row.")), matrixField)),
    note);

  function draw() {
    for (const side of /** @type {const} */ (["fixed", "moving"])) {
      const places = pairs.map((pair, at) => ({ point: pair[side], text: String(at + 1) }));
      if (half[side]) places.push({ point: /** @type {Point} */ (half[side]), text: String(pairs.length + 1) });
      panes[side].show(places);
    }
    const fit = rigidFit(pairs);
    table.hidden = pairs.length === 0;
    fill(rows, pairs.map((pair, at) => h("tr", {},
      h("th", { scope: "row" }, h("button", { class: "button button--link", type: "button", onclick: () => {
        panes.fixed.goTo(pair.fixed);
        panes.moving.goTo(pair.moving);
      } }, String(at + 1))),
      h("td", {}, fit ? mm(fit.errors[at]) : ""),
      h("td", {}, h("button", { class: "icon-button", type: "button", "aria-label": interpolate(gettext("Remove pair {number}"), { number: at + 1 }), onclick: () => {
        pairs.splice(at, 1);
        draw();
      } }, icon("trash-2"))))));
    const pasted = pastedMatrix(matrixField.value);
    const left = FEWEST - pairs.length;
    const voxel = Math.max(...[fixed, moving].map(({ volume }) => Math.hypot(...(volume.spacing_mm ?? [1, 1, 1]))));
    sum.classList.toggle("is-caution", Boolean(fit && !pasted && fit.rms > CAREFUL * voxel));
    if (matrixField.value.trim()) sum.textContent = pasted ? gettext("The pasted matrix is taken; the landmarks are not.") : gettext("A matrix is 16 numbers: 4 rows of 4.");
    else if (half.fixed || half.moving) sum.textContent = half.fixed ? gettext("Now click the same place in the series on top.") : gettext("Now click the same place in the series below.");
    else if (left > 0) sum.textContent = interpolate(ngettext("Click one place in both series. {count} more pair is needed.", "Click one place in both series. {count} more pairs are needed.", left), { count: left });
    else if (!fit) sum.textContent = isEnough(pairs) ? "" : gettext("The places lie in one line. Add one beside it.");
    else sum.textContent = interpolate(gettext("Landmark error {error} (root mean square)."), { error: mm(fit.rms) });
  }
  draw();

  const stored = await openDialog({
    title: gettext("Lay one series over the other"),
    body,
    size: "large",
    keep: () => pairs.length > 0,
    acts: [{ text: gettext("Store the transform"), kind: "filled", run: async (close) => {
      const pasted = pastedMatrix(matrixField.value);
      if (matrixField.value.trim() && !pasted) throw new Error(gettext("A matrix is 16 numbers: 4 rows of 4."));
      const fit = pasted ? null : rigidFit(pairs);
      if (!pasted && !fit) throw new Error(gettext("Three pairs or more are needed, not in one line."));
      await post(`/api/studies/${studyId}/transforms/`, {
        moving_series: moving.id, fixed_series: fixed.id, matrix: pasted ?? fit?.matrix, method: pasted ? "manual" : "landmarks",
        landmark_error_mm: fit ? Number(fit.rms.toFixed(3)) : null, note: note.value.trim(),
      });
      close(true);
    } }],
  });
  if (stored) toast(gettext("The transform is stored. Fused views name it."), { kind: "good" });
  return Boolean(stored);
}
