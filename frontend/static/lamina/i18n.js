/**
 * Words for people. English stands in the modules; another language comes from a catalogue built from the .po files
 * at set-up (frontend/catalogue.py). The document names it: <html data-catalogue="...">.
 */

const page = typeof document === "undefined" ? null : document.documentElement;
const address = page?.dataset.catalogue;

/** @type {{messages: Record<string, string | string[]>, plural: (n: number) => number}} */
let catalogue = { messages: {}, plural: (n) => (n === 1 ? 0 : 1) };
if (address) {
  try {
    catalogue = (await import(address)).default;
  } catch {
    // A catalogue that cannot be fetched leaves the page in English, which is better than no page.
  }
}

/** The page's language as the platform names it, "en" or "zh-Hans". */
export const language = page?.lang || "en";

/** @param {string} text */
export function gettext(text) {
  const found = catalogue.messages[text];
  return typeof found === "string" && found ? found : text;
}

/** Words that are data of the server (names of algorithms and their segments), where the catalogue knows them. @param {string} text */
export const known = (text) => gettext(text);

/**
 * Why a job of the server failed: its row keeps the English sentence, with names and numbers filled in. Found again by
 * its pattern, it is said in the page's language; otherwise it stays as it is.
 * @param {Record<string, string | string[]>} messages  of a catalogue; numbered places make a pattern
 * @returns {(text: string) => string}
 */
export function toldBy(messages) {
  /** @type {[RegExp, string][] | null} */
  let patterns = null;
  return (text) => {
    const whole = messages[text];
    if (typeof whole === "string" && whole) return whole;
    patterns ??= Object.entries(messages)
      .filter(([key, found]) => key.includes("{0}") && typeof found === "string" && found)
      .map(([key, found]) => [new RegExp(`^${key.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\d+\}/g, "(.+?)")}$`, "s"), /** @type {string} */ (found)]);
    for (const [pattern, found] of patterns) {
      const places = pattern.exec(text);
      if (places) return found.replace(/\{(\d+)\}/g, (_, at) => places[Number(at) + 1]);
    }
    return text;
  };
}

/** The same in the page's language. */
export const told = toldBy(catalogue.messages);

/** @param {string} one @param {string} many @param {number} count */
export function ngettext(one, many, count) {
  const found = catalogue.messages[one];
  if (Array.isArray(found)) return found[catalogue.plural(count)] || many;
  return count === 1 ? one : many;
}

/**
 * Fill `{name}` places: interpolate(gettext("{count} of {all}"), {count: 3, all: 7}).
 * @param {string} text @param {Record<string, string | number>} values
 */
export const interpolate = (text, values) =>
  text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? String(values[name]) : place));
