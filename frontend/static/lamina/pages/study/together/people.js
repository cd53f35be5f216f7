// The faces of who else is here, in the top bar: at most four, then a number. A click follows one of them.

import { fill, find, h, icon } from "../../../components/dom.js";
import { initials, timeOfDay } from "../../../components/format.js";
import { use } from "../../../components/webawesome.js";
import { gettext, interpolate, ngettext } from "../../../i18n.js";
import { others, stackOf } from "../../../state/presence.js";

/** @import { Person, Presence } from "../../../state/presence.js" */
/** @import { Room } from "../room.js" */
/** @import { Together } from "./together.js" */

/**
 * One face: a button that follows, or no longer.
 * @param {Person} person @param {{ followed?: boolean, off?: boolean }} how @param {() => void} act
 */
export function face(person, { followed = false, off = false }, act) {
  const { id, name, colour, watches, followsMe } = person;
  const title = followed
    ? interpolate(gettext("Stop following {name}"), { name })
    : followsMe ? interpolate(gettext("{name} follows you. Follow them instead"), { name })
    : watches ? interpolate(gettext("Follow {name}, who may look only"), { name }) : interpolate(gettext("Follow {name}"), { name });
  return h("button", {
    class: "people__face", type: "button", "aria-pressed": String(followed), "aria-label": title, title, disabled: off, dataset: { person: id }, onclick: act,
  }, h("span", { class: "person", dataset: { colour: String(colour), initials: initials(name) } }), (followsMe || watches) && h("span", { class: "people__mark" }, icon(followsMe ? "user-plus" : "eye")));
}

/** @param {Room} room @param {Together} together */
export function makePeople(room, together) {
  const { store } = together;
  const stack = h("div", { class: "people", role: "group", "aria-label": gettext("People on this study"), hidden: true });
  const count = h("span", { class: "people-count", role: "status" });
  find("#study-acts")?.before(stack);
  document.querySelector(".status #live")?.after(count);
  let shown = "";
  let seen = "";

  const act = (/** @type {Person} */ { member, members }) => {
    const { following } = store.get();
    together.follow(following && members.includes(following) ? null : member);
  };

  /** Who has no face in the stack, in a menu behind a number. @param {Person[]} rest */
  function more(rest) {
    const button = h("button", { class: "people__more", type: "button", slot: "trigger", "aria-label": interpolate(ngettext("{count} more person", "{count} more people", rest.length), { count: rest.length }) }, `+${rest.length}`);
    const items = rest.map((person) => h("wa-dropdown-item", { value: person.id }, h("span", { class: "person person--small", slot: "icon", dataset: { colour: String(person.colour) } }, initials(person.name)), person.name));
    void use("dropdown");
    return h("wa-dropdown", { placement: "bottom-end", distance: "6", "onwa-select": (/** @type {CustomEvent} */ event) => {
      const person = rest.find(({ id }) => id === event.detail.item.value);
      if (person) act(person);
    } }, button, items);
  }

  function draw(/** @type {Presence} */ presence) {
    const people = others(presence);
    if (presence.state === "in") seen = timeOfDay();
    const key = JSON.stringify([presence.state, presence.following, people]);
    if (key === shown) return;
    shown = key;
    const { faces, rest } = stackOf(people);
    stack.hidden = people.length === 0;
    stack.toggleAttribute("data-away", presence.state === "away");
    // A face that had the focus has it again: the stack is written anew.
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.closest(".people [data-person]")?.getAttribute("data-person");
    const followed = (/** @type {Person} */ { members }) => presence.following !== null && members.includes(presence.following);
    fill(stack, faces.map((person) => face(person, { followed: followed(person), off: presence.state !== "in" }, () => act(person))), rest.length > 0 && more(rest));
    if (focused) /** @type {HTMLElement | null} */ (stack.querySelector(`[data-person="${focused}"]`))?.focus();
    count.textContent = people.length === 0 ? ""
      : presence.state === "away" ? interpolate(ngettext("{count} last seen {time}", "{count} last seen {time}", people.length), { count: people.length, time: seen })
      : interpolate(ngettext("{count} person here", "{count} people here", people.length + 1), { count: people.length + 1 });
  }
  store.watch((presence) => presence.people, () => draw(store.get()));
  store.watch((presence) => `${presence.state} ${presence.following}`, () => draw(store.get()));
}
