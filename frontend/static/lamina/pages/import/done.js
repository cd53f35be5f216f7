// The end of an import: the studies that came of it, or why nothing did.

import { get } from "../../api/client.js";
import { fill, h, icon } from "../../components/dom.js";
import { modalityName, number } from "../../components/format.js";
import { gettext, interpolate, ngettext } from "../../i18n.js";
import { flow, head, place, showStep, side } from "./flow.js";

/** Step 4: what there is to open now. @param {() => void} more  import something else */
export async function drawImported(more) {
  const { intake } = flow;
  showStep("import");
  side.hidden = true;
  const ids = intake.studies ?? [];
  head(
    interpolate(ngettext("{count} study imported", "{count} studies imported", ids.length), { count: number(ids.length) }),
    [
      gettext("The uploaded files and the identifiers in them are destroyed."),
      intake.duplicates > 0 && interpolate(ngettext("{count} series was there already.", "{count} series were there already.", intake.duplicates), { count: intake.duplicates }),
    ]
      .filter(Boolean)
      .join(" "),
    [h("button", { class: "button", type: "button", onclick: more }, icon("upload"), gettext("Import more"))],
  );
  fill(place, h("div", { class: "message message--good" }, icon("circle-check"), h("p", {}, gettext("Ready to open."))));
  const studies = (await Promise.all(ids.map((/** @type {string} */ id) => get(`/api/studies/${id}/`).catch(() => null)))).filter(Boolean);
  fill(
    place,
    h(
      "ul",
      { class: "imported", role: "list" },
      studies.map((study, index) =>
        h(
          "li",
          { class: "card imported__study" },
          h("span", { class: "thumbnail" }, study.thumbnail && h("img", { src: study.thumbnail, alt: "", width: "66", height: "48" })),
          h("div", {}, h("strong", {}, study.pseudonym), h("p", { class: "second" }, [study.description, study.modalities.map(modalityName).join(" · ")].filter(Boolean).join(" · "))),
          h("a", { class: `button${index === 0 ? " button--filled" : ""}`, href: `/studies/${study.id}/` }, gettext("Open study")),
        ),
      ),
    ),
  );
}

/** What happened and what can be done. @param {unknown} error @param {(() => any) | null} again @param {() => void} giveUp */
export function drawFailure(error, again, giveUp) {
  side.hidden = true;
  head(gettext("Nothing was imported"), gettext("Your files are as they were."), []);
  fill(
    place,
    h(
      "div",
      { class: "message message--bad", role: "alert" },
      icon("circle-alert"),
      h("p", {}, error instanceof Error ? error.message : gettext("Something went wrong.")),
      h(
        "p",
        { class: "form__acts" },
        again && h("button", { class: "button button--small", type: "button", onclick: again }, icon("refresh-cw"), gettext("Try again")),
        h("button", { class: "button button--small", type: "button", onclick: giveUp }, icon("folder-open"), gettext("Other files")),
      ),
    ),
  );
}
