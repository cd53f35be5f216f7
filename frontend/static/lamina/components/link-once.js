/** A link that is shown once: the server keeps only its digest. */

import { gettext } from "../i18n.js";
import { openDialog } from "./dialog.js";
import { h, icon } from "./dom.js";
import { use } from "./webawesome.js";

/** @param {string} title @param {string} link */
export async function linkShownOnce(title, link) {
  await use("copy-button");
  const field = h("input", { class: "input code", value: link, readonly: true, "aria-label": title, onfocus: () => field.select() });
  const copy = h(
    "wa-copy-button",
    { value: link, "copy-label": gettext("Copy"), "success-label": gettext("Copied"), "error-label": gettext("Could not copy") },
    h("span", { slot: "copy-icon", class: "copy-icon" }, icon("copy")),
    h("span", { slot: "success-icon", class: "copy-icon is-good" }, icon("check")),
  );
  await openDialog({
    title,
    note: gettext("This link is shown once and works once. Hand it over yourself, on a way you trust."),
    body: h("div", { class: "link-once" }, field, copy),
  });
}
