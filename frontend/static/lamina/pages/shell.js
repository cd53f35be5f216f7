/** What every page does: the menus of language and person, the theme, and the live state at the foot. */

import { csrfToken, patch } from "../api/client.js";
import { banner } from "../components/banner.js";
import { fill, find, h, icon, pageData } from "../components/dom.js";
import { toastError } from "../components/toast.js";
import { use } from "../components/webawesome.js";
import { gettext } from "../i18n.js";
import { forgetKept } from "../api/kept.js";
import { socket } from "../state/socket.js";
import { makeBell } from "./notices.js";

const shell = pageData("shell-data") ?? {};
const root = document.documentElement;

/** @param {string} name @param {string} value */
function remember(name, value) {
  const secure = location.protocol === "https:" ? ";Secure" : "";
  document.cookie = `${name}=${value};path=/;max-age=31536000;SameSite=Lax${secure}`;
}

/** @param {"dark" | "light"} theme */
export async function setTheme(theme) {
  root.dataset.theme = theme;
  remember("lamina_theme", theme);
  if (shell.person) await patch("/api/me/", { theme }).catch(toastError);
}

/** @param {string} language */
export async function setLanguage(language) {
  remember("django_language", language);
  try {
    if (shell.person) await patch("/api/me/", { language });
    location.reload();
  } catch (error) {
    toastError(error);
  }
}

function signOut() {
  forgetKept();
  const form = h(
    "form",
    { method: "post", action: shell.logout, hidden: true },
    h("input", { type: "hidden", name: "csrfmiddlewaretoken", value: csrfToken() }),
  );
  document.body.append(form);
  form.submit();
}

/** @param {string} value @param {string} symbol @param {string} text */
function item(value, symbol, text) {
  const picture = symbol ? icon(symbol) : null;
  picture?.setAttribute("slot", "icon");
  return h("wa-dropdown-item", { value }, picture, text);
}

/** Put a menu behind a button that stands in the page already, so nothing moves. @param {HTMLButtonElement} button */
async function menu(button, /** @type {any[]} */ items, /** @type {(value: string) => void} */ choose) {
  let early = false;
  const remember = () => (early = true);
  button.addEventListener("click", remember);
  await use("dropdown");
  button.removeEventListener("click", remember);
  const dropdown = h("wa-dropdown", { placement: "bottom-end", distance: "6" });
  button.slot = "trigger";
  button.replaceWith(dropdown);
  dropdown.append(button, ...items);
  if (early) dropdown.open = true; // who was faster than the menu gets it all the same
  dropdown.addEventListener("wa-select", (/** @type {CustomEvent} */ event) => choose(event.detail.item.value));
}

function languageMenu() {
  const button = find('[data-menu="language"]');
  if (!button) return;
  const items = shell.languages.map((/** @type {{code: string, name: string}} */ { code, name }) => {
    const entry = item(code, "", name);
    entry.setAttribute("type", "checkbox");
    if (root.dataset.language === code) entry.setAttribute("checked", "");
    entry.setAttribute("lang", code === "en" ? "en" : "zh-Hans");
    return entry;
  });
  void menu(button, items, setLanguage);
}

function personMenu() {
  const button = find('[data-menu="person"]');
  if (!button) return;
  const dark = root.dataset.theme !== "light";
  const theme = item("theme", dark ? "sun" : "moon", dark ? gettext("Light theme") : gettext("Dark theme"));
  const items = [
    h("div", { class: "menu-head" }, h("strong", {}, shell.person.name), h("div", { class: "second" }, shell.person.email)),
    theme,
    item("settings", "settings", gettext("Settings")),
    shell.person.is_site_admin && item("components", "layout-grid", gettext("Components")),
    item("out", "log-out", gettext("Sign out")),
  ].filter(Boolean);
  void menu(button, items, (value) => {
    if (value === "theme") {
      const next = root.dataset.theme === "light" ? "dark" : "light";
      void setTheme(next);
      const light = next === "light";
      fill(theme, ...item("theme", light ? "moon" : "sun", light ? gettext("Dark theme") : gettext("Light theme")).childNodes);
    } else if (value === "settings") location.assign("/settings/");
    else if (value === "components") location.assign("/components/");
    else signOut();
  });
}

/** The live state in words, at the foot of every page and, when it is lost, above it. */
function liveState() {
  const place = find("#live");
  if (!place || !shell.person) return;
  const words = {
    live: gettext("Live"),
    connecting: gettext("Connecting"),
    delayed: gettext("Live updates delayed"),
    signed_out: gettext("Signed out"),
  };
  socket.onState((state) => {
    place.dataset.state = state;
    place.textContent = words[state];
    if (state === "delayed") {
      banner("connection", { text: gettext("Live updates are delayed. What you see may be some seconds old."), symbol: "wifi-off" });
    } else if (state === "signed_out") {
      banner("connection", {
        text: gettext("You are signed out. What you saved is kept."),
        symbol: "lock",
        act: { text: gettext("Sign in"), run: () => location.assign(`/accounts/login/?next=${encodeURIComponent(location.pathname)}`) },
      });
    } else banner("connection", null);
  });
  const stream = `user:${shell.person.id}`;
  // Hearing the own stream keeps the connection open on every page, and every page may add to it.
  socket.subscribe(stream, shell.streams?.[stream] ?? 0, {
    onEvent: (event) => document.dispatchEvent(new CustomEvent("lamina:mine", { detail: event })),
    onReload: () => undefined,
  });
}

if (shell.person) makeBell();
// Nobody is signed in: what was fetched ahead belongs to nobody.
else forgetKept();
languageMenu();
personMenu();
liveState();
for (const form of document.querySelectorAll(".entrance__card form")) {
  // Plain forms of the sign-in pages: our look for fields the server's library draws.
  for (const field of form.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio]), textarea")) {
    field.classList.add(field.tagName === "TEXTAREA" ? "textarea" : "input");
  }
}
