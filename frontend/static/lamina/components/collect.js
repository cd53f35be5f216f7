/** Files out of a drop or a choice: folders are walked, what no image tool reads is left out. */

/** @typedef {{file: File, path: string}} Entry */

const NOISE = /(^|\/)(\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/i;

/** @param {any} directory @returns {Promise<any[]>} readEntries answers at most 100 at a time */
async function children(directory) {
  const reader = directory.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** @param {any} entry @param {string} folder @param {Entry[]} found */
async function walk(entry, folder, found) {
  const path = folder ? `${folder}/${entry.name}` : entry.name;
  if (entry.isDirectory) {
    for (const child of await children(entry)) await walk(child, path, found);
  } else {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ file, path });
  }
}

/** @param {Entry[]} entries */
export const withoutNoise = (entries) => entries.filter(({ path }) => !NOISE.test(path));

/**
 * What was dropped. The entries must be asked for before the first await: the browser forgets them afterwards.
 * @param {DataTransfer} transfer @returns {Promise<Entry[]>}
 */
export async function fromDrop(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  /** @type {Entry[]} */
  const found = [];
  for (const entry of entries) {
    if (!entry) continue;
    if (entry instanceof File) found.push({ file: entry, path: entry.name });
    else await walk(entry, "", found);
  }
  return withoutNoise(found);
}

/** What a file field holds. @param {FileList} files @returns {Entry[]} */
export const fromChoice = (files) =>
  withoutNoise([...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
