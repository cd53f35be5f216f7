/**
 * Put the browser libraries where Django serves them: frontend/vendor/<name>-<version>/.
 *
 * Run after `npm ci`. The folders are served as they are, never under hashed names (module rewriting fails on
 * some of their files), so the version stands in the folder's name. Whole import closures are copied, because one
 * missing file stops collectstatic and then every page answers 500. package.json, key `lamina.vendor`, says what is
 * wanted: `modules` are entry points whose imports are followed, `files` are copied alone, `sprite` names a list of
 * icons from which one SVG sprite is made.
 */

import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const IMPORT = /\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;
const SHAPES = /<svg[^>]*>([\s\S]*)<\/svg>/;

/** @param {string} file */
const text = (file) => readFile(file, "utf8");

/**
 * Every file reached from `entries` by relative imports, as paths below `root`.
 * @param {string} root @param {string[]} entries
 */
async function closure(root, entries) {
  const seen = new Set();
  const open = [...entries];
  while (open.length > 0) {
    const file = /** @type {string} */ (open.pop());
    if (seen.has(file)) continue;
    seen.add(file);
    const source = await text(path.join(root, file));
    for (const [, target] of source.matchAll(IMPORT)) {
      open.push(path.posix.normalize(path.posix.join(path.posix.dirname(file), target)));
    }
  }
  return [...seen].sort();
}

/**
 * One SVG holding every listed icon as a symbol; stroke and size come from the page's style.
 * @param {string} root @param {string} list
 */
async function sprite(root, list) {
  const names = (await text(path.join(HERE, list)))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const symbols = [];
  for (const name of [...new Set(names)].sort()) {
    let icon;
    try {
      icon = await text(path.join(root, "icons", `${name}.svg`));
    } catch {
      throw new Error(`${list} names the icon "${name}", which lucide-static does not have. Correct the name.`);
    }
    const shapes = SHAPES.exec(icon)?.[1].replace(/\s+/g, " ").trim();
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
}

const { lamina } = JSON.parse(await text(path.join(HERE, "package.json")));
const target = path.join(HERE, "vendor");
const building = path.join(HERE, `.vendor-${process.pid}`);
await rm(building, { recursive: true, force: true });
let count = 0;
for (const [name, wanted] of Object.entries(lamina.vendor)) {
  const root = path.join(HERE, "node_modules", name);
  const { version } = JSON.parse(await text(path.join(root, "package.json")));
  const folder = path.join(building, `${name.split("/").pop()}-${version}`);
  const files = [...(wanted.files ?? []), ...(await closure(root, wanted.modules ?? []))];
  for (const file of files) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await cp(path.join(root, file), path.join(folder, file));
    count += 1;
  }
  if (wanted.sprite) await writeFile(path.join(folder, "sprite.svg"), await sprite(root, wanted.sprite));
}
await rm(target, { recursive: true, force: true });
await rename(building, target);
console.log(`${count} files of ${Object.keys(lamina.vendor).length} libraries are in ${path.relative(process.cwd(), target) || "."}`);
