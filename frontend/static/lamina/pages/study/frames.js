// The four viewports as elements: a place for the picture, a canvas for lines, corner texts, edge letters, scale bar.

import { fill, h, icon } from "../../components/dom.js";
import { gettext } from "../../i18n.js";
import { isBeside, isPair, shownViewports } from "../../state/view.js";
import { word } from "./words.js";

/** @import { ViewState } from "../../state/view.js" */

/** @typedef {"axial" | "coronal" | "sagittal" | "surfaces"} ViewportName */

/**
 * @typedef {object} Frame
 * @property {ViewportName} name
 * @property {HTMLElement} element
 * @property {HTMLCanvasElement} lines
 * @property {Record<"topLeft" | "topRight" | "bottomLeft" | "bottomRight", HTMLElement>} corners
 * @property {Record<"left" | "right" | "top" | "bottom", HTMLElement>} edges
 * @property {{ element: HTMLElement, rule: HTMLElement, text: HTMLElement }} bar
 * @property {HTMLElement} tools  buttons at the top right of the 3D pane
 * @property {HTMLElement} notice  a sentence in the middle: empty, loading, refused
 */

/** @type {ViewportName[]} */
export const VIEWPORTS = ["axial", "coronal", "sagittal", "surfaces"];

/** @type {("axial" | "coronal" | "sagittal")[]} */
export const PLANES = ["axial", "coronal", "sagittal"];

/** @param {ViewportName} name @param {string} prefix  before the name in the page @param {string} whose  said before its name @returns {Frame} */
function frame(name, prefix, whose) {
  const lines = h("canvas", { class: "viewport__lines", "aria-hidden": "true" });
  const corner = (/** @type {string} */ place) => h("div", { class: `corner corner--${place}` });
  const edge = (/** @type {string} */ place) => h("span", { class: `edge edge--${place}`, "aria-hidden": "true" });
  const corners = { topLeft: corner("top-left"), topRight: corner("top-right"), bottomLeft: corner("bottom-left"), bottomRight: corner("bottom-right") };
  const edges = { left: edge("left"), right: edge("right"), top: edge("top"), bottom: edge("bottom") };
  const rule = h("span", { class: "scale__rule" });
  const text = h("span", { class: "scale__text" });
  const bar = { element: h("div", { class: "scale", hidden: true }, rule, text), rule, text };
  const tools = h("div", { class: "pane-tools" });
  const notice = h("div", { class: "viewport__notice", role: "status", hidden: true });
  const element = h(
    "section",
    { class: "viewport", tabindex: "0", "aria-label": prefix ? `${whose}: ${word(name)}` : word(name), dataset: { viewport: `${prefix}${name}`, place: "" } },
    lines,
    Object.values(corners),
    Object.values(edges),
    bar.element,
    name === "surfaces" && tools,
    notice,
  );
  return { name, element, lines, corners, edges, bar, tools, notice };
}

/** @param {HTMLElement} grid @param {string} [prefix]  of a second set @param {string} [whose]  what that one shows @returns {Record<ViewportName, Frame>} */
export function makeFrames(grid, prefix = "", whose = gettext("Prior")) {
  const frames = VIEWPORTS.map((name) => frame(name, prefix, whose));
  grid.append(...frames.map(({ element }) => element));
  return /** @type {any} */ (Object.fromEntries(frames.map((one) => [one.name, one])));
}

/**
 * Lines of a corner; empty ones are left out. The first may be strong.
 * @param {HTMLElement} corner @param {(string | { text: string, strong?: boolean, colour?: string })[]} lines
 */
export function setCorner(corner, lines) {
  const shown = lines.map((line) => (typeof line === "string" ? { text: line } : line)).filter(({ text }) => text);
  const key = JSON.stringify(shown);
  // Texts are written on every pointer move; the page is touched only when they differ.
  if (corner.dataset.key === key) return;
  corner.dataset.key = key;
  fill(corner, shown.map(({ text, strong, colour }) => {
    const mark = colour && h("span", { class: "corner__mark" });
    if (mark) mark.style.setProperty("background-color", colour);
    return h("div", { class: strong ? "corner__strong" : "" }, mark, text);
  }));
}

/** @param {Frame} frame @param {{ left: string, right: string, top: string, bottom: string } | null} letters */
export function setLetters({ edges }, letters) {
  for (const place of /** @type {const} */ (["left", "right", "top", "bottom"])) edges[place].textContent = letters?.[place] ?? "";
}

/** @param {Frame} frame @param {{ pixels: number } | null} length @param {string} text */
export function setScale({ bar }, length, text) {
  bar.element.hidden = !length;
  if (!length) return;
  bar.rule.style.setProperty("width", `${length.pixels.toFixed(1)}px`);
  bar.text.textContent = text;
}

/**
 * A sentence in the middle of a viewport, with a symbol and at most one button; null takes it away.
 * @param {Frame} frame
 * @param {{ text: string, second?: string, symbol?: string, act?: { text: string, run: () => void } } | null} content
 */
export function setNotice({ notice }, content) {
  notice.hidden = !content;
  if (!content) {
    fill(notice);
    return;
  }
  const { text, second, symbol, act } = content;
  fill(
    notice,
    symbol && icon(symbol),
    h("strong", {}, text),
    second && h("span", {}, second),
    act && h("button", { class: "button button--small", type: "button", onclick: act.run }, act.text),
  );
}

/**
 * Which viewport stands where. The stylesheet has the places; here is only who takes which.
 * @param {HTMLElement} grid @param {Record<ViewportName, Frame>} frames
 * @param {Pick<ViewState, "layout" | "large" | "main" | "active">} view @param {boolean} narrow  room for one only
 */
export function placeFrames(grid, frames, view, narrow) {
  const { layout, main, active } = view;
  const beside = isBeside(layout) && !view.large && !narrow;
  const shown = narrow ? [active] : shownViewports(view);
  const single = shown.length === 1 ? shown[0] : null;
  grid.dataset.layout = beside ? (single ? "beside" : layout) : single ? "one" : layout;
  const pair = isPair(layout) && !single;
  const big = single ?? (layout === "3d" ? "surfaces" : layout === "1+3" ? main : null);
  const rest = VIEWPORTS.filter((name) => name !== big);
  const places = ["a", "b", "c", "d"];
  for (const name of VIEWPORTS) {
    const { element } = frames[name];
    element.hidden = !shown.includes(name);
    element.dataset.place = name === big ? "big" : pair ? (name === "surfaces" ? "left-surface" : "left-slice") : places[rest.indexOf(name)];
    element.toggleAttribute("data-active", name === active);
  }
}

/** Tabs of the planes for a small screen. @param {(name: ViewportName) => void} choose */
export function makeTabs(choose) {
  const buttons = VIEWPORTS.map((name) =>
    h("button", { type: "button", dataset: { viewport: name }, "aria-pressed": "false", onclick: () => choose(name) }, name === "surfaces" ? "3D" : word(name)));
  const element = h("div", { class: "plane-tabs segmented", role: "group", "aria-label": gettext("Viewport") }, buttons);
  return {
    element,
    /** @param {ViewportName} active */
    show: (active) => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.viewport === active))),
  };
}
