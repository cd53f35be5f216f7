// Slices made smaller for a slow line: differences along each row, folded to small numbers, low bytes before high
// bytes. What is left deflates to about the size of HTJ2K, and every browser inflates it by itself. The server's half
// is server/studies/packing.py.

/**
 * Stored values back from their packed bytes (already inflated).
 * @param {Uint8Array} bytes  low bytes of all values, then their high bytes @param {number} width  values in a row
 * @returns {Int16Array}
 */
export function unpacked(bytes, width) {
  const count = bytes.length / 2;
  if (!Number.isInteger(count) || count % width !== 0) throw new RangeError(`${bytes.length} bytes are no rows of ${width} values`);
  const stored = new Int16Array(count);
  for (let row = 0; row < count; row += width) {
    let value = 0;
    for (let at = row; at < row + width; at++) {
      const folded = bytes[at] | (bytes[at + count] << 8);
      value += (folded >>> 1) ^ -(folded & 1);
      stored[at] = value;
    }
  }
  return stored;
}

/** The same the other way, for tests. @param {Int16Array} stored @param {number} width @returns {Uint8Array} */
export function packed(stored, width) {
  const bytes = new Uint8Array(stored.length * 2);
  for (let at = 0; at < stored.length; at++) {
    // Differences wrap round at 16 bits, so any two values have one.
    const step = ((stored[at] - (at % width ? stored[at - 1] : 0)) << 16) >> 16;
    const folded = ((step << 1) ^ (step >> 15)) & 0xffff;
    bytes[at] = folded & 255;
    bytes[at + stored.length] = folded >>> 8;
  }
  return bytes;
}
