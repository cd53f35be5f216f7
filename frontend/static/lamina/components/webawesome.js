/**
 * Web Awesome, for what is hard to get right for every keyboard and screen reader: dialog, drawer, menu, tooltip,
 * copy button. Loaded by name, only what a page asks for; its icons come from our sprite before anything is shown,
 * so nothing is fetched from another address.
 */

import { registerIconLibrary } from "webawesome/library.js";

const sprite = document.documentElement.dataset.sprite;
// Names the library's own parts use, and ours for them.
const NAMES = {
  xmark: "x",
  "chevron-down": "chevron-down",
  "chevron-left": "chevron-left",
  "chevron-right": "chevron-right",
  "chevron-up": "chevron-up",
  check: "check",
  copy: "copy",
  minus: "minus",
  indeterminate: "minus",
  eye: "eye",
  "eye-slash": "eye-off",
  circle: "circle",
  "circle-question": "circle-help",
  "circle-xmark": "circle-x",
};

for (const library of ["default", "system"]) {
  registerIconLibrary(library, {
    resolver: (/** @type {string} */ name) => `${sprite}#${/** @type {any} */ (NAMES)[name] ?? name}`,
    spriteSheet: true,
    mutator: (/** @type {SVGElement} */ svg) => {
      for (const [name, value] of Object.entries({
        fill: "none",
        stroke: "currentColor",
        "stroke-width": "1.75",
        "stroke-linecap": "round",
        "stroke-linejoin": "round",
      })) {
        svg.setAttribute(name, value);
      }
    },
  });
}

// collectstatic rewrites every literal in a dynamic import, also a name that the import map resolves: give it none.
const load = (/** @type {string} */ name) => import(name);

const LOADERS = {
  dialog: () => load("webawesome/dialog.js"),
  drawer: () => load("webawesome/drawer.js"),
  dropdown: () => Promise.all([load("webawesome/dropdown.js"), load("webawesome/dropdown-item.js")]),
  tooltip: () => load("webawesome/tooltip.js"),
  "copy-button": () => load("webawesome/copy-button.js"),
  switch: () => load("webawesome/switch.js"),
};

/**
 * Make components ready for use; resolves when they are defined.
 * @param {...keyof typeof LOADERS} names
 */
export async function use(...names) {
  if (document.documentElement.lang.startsWith("zh")) await load("webawesome/zh-cn.js");
  await Promise.all(names.map((name) => LOADERS[name]()));
}
