// What the steps of an import share: the intake, and the frame of the page around the step that is shown.

import { fill, find, pageData } from "../../components/dom.js";

export const shell = pageData("shell-data");
export const place = find("#import-place");
export const side = find("#import-side");
const heading = find("#import-title");
const second = find("#import-second");
const acts = find("#import-acts");
const STEPS = ["choose", "check", "agree", "import"];

/**
 * @typedef {object} Flow
 * @property {any} intake  as the server tells it; null before the first file
 * @property {string} project  id
 * @property {AbortController | null} upload  while files are on their way
 * @property {{ path: string, error: Error }[]} refusedFiles  files the server did not take
 * @property {ReturnType<typeof setTimeout> | undefined} poll
 */

/** @type {Flow} */
export const flow = {
  intake: null,
  project: new URLSearchParams(location.search).get("project") || shell.project,
  upload: null,
  refusedFiles: [],
  poll: undefined,
};

/** @param {string} step */
export function showStep(step) {
  const at = STEPS.indexOf(step);
  for (const [index, line] of [...document.querySelectorAll(".stages li")].entries()) {
    const done = index < at;
    line.toggleAttribute("data-done", done);
    if (index === at) line.setAttribute("aria-current", "step");
    else line.removeAttribute("aria-current");
  }
  document.body.dataset.step = step;
}

/** @param {string} title @param {string} text @param {any[]} [buttons] */
export function head(title, text, buttons = []) {
  fill(heading, title);
  fill(second, text);
  fill(acts, ...buttons);
}

/** @param {string} id */
export function rememberInAddress(id) {
  history.replaceState(null, "", id ? `?intake=${id}` : `?project=${flow.project}`);
}
