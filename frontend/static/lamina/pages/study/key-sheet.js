// The sheet of keys, called by "?".

import { openDialog } from "../../components/dialog.js";
import { h } from "../../components/dom.js";
import { gettext } from "../../i18n.js";

let open = false;

export async function showKeys() {
  if (open) return;
  open = true;
  const groups = [
    [gettext("Slices and viewports"), [
      [["↑", "↓"], gettext("Slice back, on")],
      [["Home", "End"], gettext("First, last slice")],
      [["←", "→"], gettext("Viewport before, next")],
      [["PgUp", "PgDn"], gettext("Series before, next")],
      [["Esc"], gettext("Back from large")],
    ]],
    [gettext("Tools"), [
      [["W"], gettext("Window")],
      [["P"], gettext("Pan")],
      [["Z"], gettext("Zoom")],
      [["X"], gettext("Crosshair")],
      [["1", "…", "5"], gettext("Window presets")],
    ]],
    [gettext("View"), [
      [["+", "−"], gettext("Nearer, farther")],
      [["="], gettext("Fit")],
      [[gettext("Space")], gettext("Reset the view")],
      [["I"], gettext("Invert")],
      [["⇧T"], gettext("Texts on the image")],
      [["\\"], gettext("Panel")],
    ]],
    [gettext("Mouse"), [
      [[gettext("left")], gettext("The chosen tool; with Shift the crosshair")],
      [[gettext("right")], gettext("Zoom")],
      [[gettext("middle")], gettext("Pan")],
      [[gettext("wheel")], gettext("Slices; with Ctrl zoom")],
      [[gettext("double click")], gettext("One viewport large; on a surface: planes go there")],
    ]],
  ];
  const body = h("div", { class: "key-sheet" }, groups.map(([title, rows]) =>
    h("section", {}, h("h3", {}, title), h("dl", {}, rows.map(([keys, text]) =>
      h("div", {}, h("dt", {}, keys.map((/** @type {string} */ key) => h("span", { class: "key" }, key))), h("dd", {}, text)))))));
  await openDialog({ title: gettext("Keys"), body, size: "large" });
  open = false;
}
