// Questions of a reading form as an admin writes them: choices one per line, keys that stay when words change. Pure.

/** The coding scheme of choices that name none: private to this site, as DICOM has it (PS3.16, 99 and letters). */
export const OWN_SCHEME = "99LAMINA";

/** @typedef {{ code: string, scheme: string, meaning: string }} Choice */

/** "0 = None" line by line; a line without a code gets its place as one. @param {string} text @returns {Choice[]} */
export const choicesOf = (text) =>
  text.split("\n").map((line) => line.trim()).filter(Boolean).map((line, at) => {
    const [, code, scheme, meaning] = /^(?:([^\s=]{1,16})(?:\s*\(([^)]{1,16})\))?\s*=\s*)?(.+)$/.exec(line) ?? [];
    return { code: code ?? String(at + 1), scheme: scheme ?? OWN_SCHEME, meaning: meaning.trim() };
  });

/** The same as text. @param {Choice[]} choices */
export const choicesText = (choices) => choices.map(({ code, scheme, meaning }) => `${code}${scheme === OWN_SCHEME ? "" : ` (${scheme})`} = ${meaning}`).join("\n");

/** A key no other question has. @param {string} wanted @param {{ key: string }[]} others */
export function keyFor(wanted, others) {
  const taken = new Set(others.map(({ key }) => key));
  const stem = wanted || "q";
  for (let at = others.length + 1; ; at++) if (!taken.has(`${stem}${at}`)) return `${stem}${at}`;
}
