/** Making elements without markup in strings: text stays text, whatever it holds. */

const SVG = "http://www.w3.org/2000/svg";

/** Lists may be nested. @typedef {Node | string | number | null | undefined | false | any[]} Child */

/**
 * h("button", {class: "button", onclick: save, disabled: true, dataset: {id}}, "Save")
 *
 * Properties starting with "on" become listeners, `dataset` is copied, true and false switch an attribute,
 * null leaves it out, a property named with a leading dot is set on the object itself.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith(".")) /** @type {any} */ (element)[name.slice(1)] = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** @param {Element} parent @param {any[]} children nested as deep as one likes */
export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child instanceof Node ? child : String(child));
  }
}

/** Replace everything inside. @param {Element} parent @param {...Child} children */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
  return parent;
}

/** @param {Element} parent */
export const clear = (parent) => parent.replaceChildren();

/**
 * An icon of the page's sprite. Silent for screen readers unless it has a name of its own.
 * @param {string} name lucide's name, listed in icons.txt
 * @param {{class?: string, label?: string}} [options]
 */
export function icon(name, { class: extra = "", label = "" } = {}) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", extra ? `icon ${extra}` : "icon");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.documentElement.dataset.sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** Data a template handed over with json_script. @param {string} id @returns {any} */
export function pageData(id = "page-data") {
  const holder = document.getElementById(id);
  return holder ? JSON.parse(holder.textContent || "null") : null;
}

/** @param {string} selector @param {ParentNode} [within] @returns {any} */
export const find = (selector, within = document) => within.querySelector(selector);

/**
 * Wait until nothing called for `ms`. Returns the delayed function.
 * @template {any[]} A
 * @param {(...values: A) => void} act @param {number} ms
 */
export function settled(act, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return (/** @type {A} */ ...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...values), ms);
  };
}

/** A chip: state with its symbol and its word. @param {string} kind @param {string} symbol @param {string} text */
export const chip = (kind, symbol, text) =>
  h("span", { class: `chip${kind ? ` chip--${kind}` : ""}` }, symbol && icon(symbol), h("span", {}, text));
