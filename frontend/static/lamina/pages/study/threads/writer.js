// The field a comment is written in: grows with its text, offers names after an @, sends with Ctrl+Enter.

import { fill, h, icon } from "../../../components/dom.js";
import { gettext } from "../../../i18n.js";
import { mentionAt } from "../../../state/threads.js";

/** @import { Person } from "../../../state/threads.js" */

const MOST_ROWS = 8;
let made = 0;

/**
 * @param {object} options
 * @param {string} options.label @param {string} [options.hint] @param {string} [options.text] @param {string} options.act  on the button
 * @param {() => Person[]} options.people @param {(text: string) => void | Promise<void>} options.send  throws: the text stays
 * @param {() => void} [options.cancel] @param {string} [options.key]  shown in the field
 * @param {boolean} [options.stays]  always in the page: its buttons come when it is used
 */
export function makeWriter({ label, hint = label, text = "", act, people, send, cancel, key = "", stays = false }) {
  const id = `writer-${++made}`;
  const list = h("ul", { class: "writer__people", id: `${id}-people`, role: "listbox", "aria-label": gettext("People"), hidden: true });
  const field = h("textarea", {
    class: "textarea writer__field", rows: "1", maxlength: "4000", "aria-label": label, placeholder: hint, ".value": text,
    "aria-autocomplete": "list", "aria-controls": list.id, oninput: () => changed(), onkeydown: (/** @type {KeyboardEvent} */ event) => press(event),
    onblur: () => setTimeout(left, 150), onfocus: () => (foot.hidden = false), onclick: () => offer(),
  });
  const button = h("button", { class: "button button--small", type: "button", onclick: () => void go() }, act);
  const trouble = h("p", { class: "writer__trouble", role: "alert", hidden: true });
  const foot = h("div", { class: "writer__foot", hidden: stays },
    h("span", { class: "second writer__hint" }, gettext("Ctrl+Enter sends")),
    cancel && h("button", { class: "button button--small button--quiet", type: "button", onclick: cancel }, gettext("Cancel")), button);
  const element = h("div", { class: "writer" }, h("div", { class: "writer__box" }, field, key && h("kbd", { class: "key writer__key" }, key)), list, trouble, foot);

  /** @type {Person[]} */
  let offered = [];
  let chosen = 0;

  function changed() {
    field.rows = Math.min(MOST_ROWS, field.value.split("\n").length + Math.floor(field.value.length / 60));
    trouble.hidden = true;
    offer();
  }

  function offer() {
    const typed = mentionAt(field.value, field.selectionStart);
    const looked = typed?.typed.toLocaleLowerCase() ?? "";
    offered = typed ? people().filter(({ id: one, name }) => one && name.toLocaleLowerCase().includes(looked)).slice(0, 6) : [];
    // A whole name needs no list any more.
    if (offered.length === 1 && offered[0].name.toLocaleLowerCase() === looked.trimEnd()) offered = [];
    chosen = 0;
    draw();
  }

  function draw() {
    list.hidden = offered.length === 0;
    if (offered.length) field.setAttribute("aria-activedescendant", `${id}-${chosen}`);
    else field.removeAttribute("aria-activedescendant");
    fill(list, offered.map((person, at) => h("li", {
      id: `${id}-${at}`, role: "option", "aria-selected": String(at === chosen), class: "writer__person",
      onpointerdown: (/** @type {PointerEvent} */ event) => {
        event.preventDefault();
        put(person);
      },
    }, icon("user"), person.name)));
  }

  function left() {
    hide();
    // A press on one of the buttons takes the focus there.
    if (stays && !field.value.trim() && !element.contains(document.activeElement)) foot.hidden = true;
  }

  function hide() {
    offered = [];
    draw();
  }

  /** @param {Person} person */
  function put(person) {
    const typed = mentionAt(field.value, field.selectionStart);
    if (!typed) return;
    field.setRangeText(`@${person.name} `, typed.from, field.selectionStart, "end");
    hide();
    changed();
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (offered.length && step) {
      chosen = (chosen + step + offered.length) % offered.length;
      draw();
    } else if (offered.length && (event.key === "Enter" || event.key === "Tab")) put(offered[chosen]);
    else if (offered.length && event.key === "Escape") hide();
    else if (event.key === "Escape") {
      if (cancel) cancel();
      else field.blur();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void go();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async function go() {
    const words = field.value.trim();
    if (!words) return;
    button.disabled = true;
    try {
      await send(words);
      field.value = "";
      changed();
    } catch (error) {
      trouble.textContent = /** @type {Error} */ (error).message;
      trouble.hidden = false;
    } finally {
      button.disabled = false;
    }
  }

  return { element, field, focus: () => field.focus({ preventScroll: false }), get text() { return field.value; } };
}
