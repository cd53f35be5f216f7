/**
 * One stop of the Tab key for many small things: arrows go from one to the next. In a table Up and Down keep the column.
 */

/**
 * @param {HTMLElement} holder @param {string} selector  of the things inside, in the order of the document
 */
export function roving(holder, selector) {
  const all = () => /** @type {(HTMLElement | SVGElement)[]} */ ([...holder.querySelectorAll(selector)]);
  const choose = (/** @type {Element | undefined} */ chosen) => {
    for (const one of all()) one.setAttribute("tabindex", one === chosen ? "0" : "-1");
  };
  choose(all()[0]);
  holder.addEventListener("focusin", (event) => {
    const one = /** @type {Element} */ (event.target).closest(selector);
    if (one) choose(one);
  });
  holder.addEventListener("keydown", (event) => {
    const own = /** @type {Element} */ (event.target).closest(selector);
    if (!own || event.altKey || event.ctrlKey || event.metaKey) return;
    const things = all();
    const next = target(things, things.indexOf(/** @type {any} */ (own)), event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

/** @param {(HTMLElement | SVGElement)[]} things @param {number} at @param {string} key */
function target(things, at, key) {
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -1e6, End: 1e6 }[key];
  if (step) return things[Math.max(0, Math.min(things.length - 1, at + step))];
  const down = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (!down) return undefined;
  const cell = /** @type {HTMLTableCellElement | null} */ (things[at].closest("td, th"));
  if (!cell) return things[Math.max(0, Math.min(things.length - 1, at + down))];
  const same = (/** @type {Element} */ one) => /** @type {HTMLTableCellElement | null} */ (one.closest("td, th"))?.dataset.column === cell.dataset.column;
  for (let next = at + down; next >= 0 && next < things.length; next += down) if (same(things[next])) return things[next];
  return undefined;
}
