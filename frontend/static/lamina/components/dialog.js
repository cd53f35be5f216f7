/**
 * A dialog with head, body, and a foot that says "Not for clinical use". Esc closes it unless work would be lost.
 * The person's focus goes to the first field and comes back afterwards.
 */

import { gettext } from "../i18n.js";
import { fill, h, icon } from "./dom.js";
import { use } from "./webawesome.js";

/**
 * @typedef {object} DialogAct
 * @property {string} text
 * @property {"filled" | "bad" | "plain"} [kind]
 * @property {(close: (value?: any) => void) => any} run may throw: the message then stands in the dialog
 */

/**
 * @param {{title: string, note?: string | false, body?: any, acts?: DialogAct[], size?: "small" | "large", keep?: () => boolean}} options
 *   `keep` answers true while closing by Esc or the cross would lose work.
 * @returns {Promise<any>} what `close(value)` was given; undefined when dismissed
 */
export async function openDialog({ title, note, body, acts = [], size = "small", keep }) {
  await use("dialog");
  return new Promise((resolve) => {
    /** @type {any} */
    let answer;
    let finished = false;
    const problem = h("p", { class: "field__error", role: "alert", hidden: true });
    const dialog = h("wa-dialog", { label: title, class: `dialog dialog--${size}` });
    const close = (/** @type {any} */ value = undefined) => {
      answer = value;
      finished = true;
      dialog.open = false;
    };
    const buttons = acts.map(({ text, kind = "plain", run }) => {
      const button = h(
        "button",
        {
          type: "button",
          class: `button button--tall${kind === "plain" ? "" : ` button--${kind}`}`,
          onclick: async () => {
            problem.hidden = true;
            button.disabled = true;
            try {
              await run(close);
            } catch (error) {
              fill(problem, icon("circle-alert"), /** @type {Error} */ (error).message);
              problem.hidden = false;
            } finally {
              button.disabled = false;
            }
          },
        },
        text,
      );
      return button;
    });
    const cancel = h(
      "button",
      { type: "button", class: "button button--tall", onclick: () => close() },
      acts.length ? gettext("Cancel") : gettext("Close"),
      h("span", { class: "key", "aria-hidden": "true" }, "Esc"),
    );
    dialog.append(
      h("div", { class: "dialog__body" }, note && h("p", { class: "second" }, note), body, problem),
      h(
        "div",
        { slot: "footer", class: "dialog__foot" },
        h("span", { class: "not-clinical" }, icon("triangle-alert"), gettext("Not for clinical use")),
        cancel,
        buttons,
      ),
    );
    dialog.addEventListener("wa-hide", (/** @type {Event} */ event) => {
      if (event.target === dialog && !finished && keep?.()) event.preventDefault();
    });
    dialog.addEventListener("wa-after-hide", (/** @type {Event} */ event) => {
      if (event.target !== dialog) return;
      dialog.remove();
      resolve(answer);
    });
    dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const field = /** @type {HTMLElement} */ (event.target);
      if (event.key === "Enter" && field.tagName === "INPUT" && buttons.length) {
        event.preventDefault();
        buttons[buttons.length - 1].click();
      }
    });
    if (body instanceof Element && !body.querySelector("[autofocus]")) body.querySelector("input, select, textarea")?.setAttribute("autofocus", "");
    document.body.append(dialog);
    dialog.open = true;
  });
}

/**
 * A question with one act. Answers true when the act went through.
 * @param {{title: string, note: string, act: string, kind?: "filled" | "bad", run: () => any}} options
 */
export const confirmDialog = ({ title, note, act, kind = "filled", run }) =>
  openDialog({
    title,
    body: h("p", {}, note),
    acts: [
      {
        text: act,
        kind,
        run: async (close) => {
          await run();
          close(true);
        },
      },
    ],
  });
