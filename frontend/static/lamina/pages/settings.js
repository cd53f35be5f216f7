/** Settings: own name, language, zone, theme, memory of this machine; password and sessions. Each saves by itself and says so. */

import { del, get, patch, post } from "../api/client.js";
import { fill, find, h, icon, pageData } from "../components/dom.js";
import { ago, bytes, utc } from "../components/format.js";
import { toast, toastError } from "../components/toast.js";
import { CAP_CHOICES, CAP_PLACE, capBytes } from "../geometry/memory.js";
import { gettext, interpolate } from "../i18n.js";
import { setLanguage, setTheme } from "./shell.js";

const { person } = pageData("shell-data");

// --- profile -------------------------------------------------------------------------------------------------------

const form = find("#profile");
form.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  try {
    await patch("/api/me/", { name: form.elements.name.value.trim(), time_zone: form.elements.time_zone.value });
    document.documentElement.dataset.timeZone = form.elements.time_zone.value;
    toast(gettext("Saved."), { kind: "good" });
  } catch (error) {
    toastError(error);
  } finally {
    button.disabled = false;
  }
});

for (const button of document.querySelectorAll("[data-theme-choice]")) {
  const choice = /** @type {any} */ (button).dataset.themeChoice;
  const show = () => {
    for (const other of document.querySelectorAll("[data-theme-choice]")) {
      other.setAttribute("aria-pressed", String(/** @type {any} */ (other).dataset.themeChoice === document.documentElement.dataset.theme));
    }
  };
  show();
  button.addEventListener("click", async () => {
    await setTheme(choice);
    show();
  });
}

const language = find("#language");
if (language) {
  language.value = person.language;
  language.addEventListener("change", () => setLanguage(language.value));
}

// --- this machine --------------------------------------------------------------------------------------------------

const memory = find("#volume-memory");
const kept = localStorage.getItem(CAP_PLACE);
const automatic = capBytes(/** @type {any} */ (navigator).deviceMemory, null);
const own = kept !== null && !CAP_CHOICES.includes(Number(kept)) ? [Number(kept)] : [];
fill(
  memory,
  h("option", { value: "" }, interpolate(gettext("Automatic: {size}, a quarter of this machine"), { size: bytes(automatic) })),
  [...CAP_CHOICES, ...own].sort((a, b) => a - b).map((mib) => h("option", { value: String(mib) }, mib === 0 ? gettext("None: always server-made slices") : bytes(mib * 2 ** 20))),
);
memory.value = kept ?? "";
memory.addEventListener("change", () => {
  if (memory.value === "") localStorage.removeItem(CAP_PLACE);
  else localStorage.setItem(CAP_PLACE, memory.value);
  toast(gettext("Saved."), { kind: "good" });
});

// --- password ------------------------------------------------------------------------------------------------------

const password = find("#password-form");
password.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  const { old, fresh } = password.elements;
  const problem = find("#password-problem");
  problem.hidden = true;
  try {
    await post("/api/me/password/", { old: old.value, new: fresh.value });
    password.reset();
    toast(gettext("The password is changed. Your other sessions have ended."), { kind: "good" });
    void loadSessions();
  } catch (error) {
    fill(problem, icon("circle-alert"), /** @type {Error} */ (error).message);
    problem.hidden = false;
  }
});

// --- sessions ------------------------------------------------------------------------------------------------------

/** "Firefox on Linux" of a user agent line. @param {string} agent */
function device(agent) {
  const browser = /Edg\//.test(agent) ? "Edge" : /Firefox\//.test(agent) ? "Firefox" : /Chrom(e|ium)\//.test(agent) ? "Chrome" : /Safari\//.test(agent) ? "Safari" : gettext("Another browser");
  const system = [/Windows/, /iPhone|iPad/, /Android/, /Mac OS X/, /Linux/].findIndex((pattern) => pattern.test(agent));
  const name = ["Windows", "iOS", "Android", "macOS", "Linux"][system];
  return name ? `${browser} · ${name}` : browser;
}

async function loadSessions() {
  try {
    const { results } = await get("/api/me/sessions/");
    fill(
      find("#sessions"),
      results.map((/** @type {any} */ session) =>
        h(
          "li",
          { class: "session" },
          icon(/Mobile|iPhone|Android/.test(session.device) ? "smartphone" : "monitor"),
          h("div", {}, h("strong", {}, device(session.device)), h("p", { class: "second" }, `${session.address} · `, h("span", { title: utc(session.last_seen) }, ago(session.last_seen)))),
          session.current
            ? h("span", { class: "chip chip--good" }, icon("circle-check"), h("span", {}, gettext("This one")))
            : h(
                "button",
                {
                  class: "button button--small",
                  type: "button",
                  onclick: async () => {
                    try {
                      await del(`/api/me/sessions/${session.id}/`);
                      await loadSessions();
                    } catch (error) {
                      toastError(error);
                    }
                  },
                },
                gettext("End"),
              ),
        ),
      ),
    );
  } catch (error) {
    toastError(error);
  }
}

void loadSessions();
