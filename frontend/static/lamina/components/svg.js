/** Making SVG elements, as dom.js makes those of HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * svg("circle", { class: "dot", r: 4 }); `dataset` is copied, null and false leave an attribute out.
 * @param {string} tag @param {Record<string, any>} [properties] @param {...(Node | string | false | null | any[])} children
 * @returns {any}
 */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, String(value));
  }
  for (const child of children.flat(Infinity)) if (child) element.append(child);
  return element;
}
