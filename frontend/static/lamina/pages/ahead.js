// While a person reads the worklist the browser fetches what the study page is made of, so that a click finds it there.
// Only when this page has come to rest, behind everything it does itself, and not where data is to be saved.

import { pageData } from "../components/dom.js";

/** ms after the page has loaded. */
const REST = 2500;

/** @param {string[]} addresses */
function fetchAhead(addresses) {
  for (const address of addresses) {
    const link = document.createElement("link");
    link.rel = "prefetch";
    link.as = address.endsWith(".css") ? "style" : "script";
    link.href = address;
    document.head.append(link);
  }
}

const saving = /** @type {any} */ (navigator).connection?.saveData;
/** @type {string[]} */
const addresses = pageData("study-parts") ?? [];
if (!saving && addresses.length > 0) {
  const soon = () => setTimeout(() => (window.requestIdleCallback ?? setTimeout)(() => fetchAhead(addresses)), REST);
  if (document.readyState === "complete") soon();
  else window.addEventListener("load", soon, { once: true });
}
