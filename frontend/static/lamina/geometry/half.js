// Half floats (IEEE 754 binary16) of 16-bit whole numbers, as the graphics card keeps a volume. Pure.

/** Bits of the half float nearest to each int16, by the int16's unsigned bits. @type {Uint16Array | null} */
let table = null;

/**
 * Bits of the half float nearest to a whole number, ties to the even one.
 * @param {number} value  -32768 to 32767
 */
export function halfBits(value) {
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === 0) return 0;
  const exponent = 31 - Math.clz32(size);
  // Ten bits behind the leading one; what lies below them is rounded. Rounding up may carry into the exponent, as it should.
  const below = exponent - 10;
  if (below <= 0) return sign | ((exponent + 15) << 10) | ((size << -below) & 0x3ff);
  const kept = size >> below;
  const rest = size & ((1 << below) - 1);
  const middle = 1 << (below - 1);
  const up = rest > middle || (rest === middle && (kept & 1) === 1) ? 1 : 0;
  return sign | (((exponent + 15) << 10) + (kept & 0x3ff) + up);
}

/** @param {Int16Array} stored @returns {Uint16Array} half floats, the same count */
export function toHalves(stored) {
  if (!table) {
    table = new Uint16Array(65536);
    for (let bits = 0; bits < 65536; bits++) table[bits] = halfBits(bits < 32768 ? bits : bits - 65536);
  }
  const bits = new Uint16Array(stored.buffer, stored.byteOffset, stored.length);
  const halves = new Uint16Array(bits.length);
  for (let at = 0; at < bits.length; at++) halves[at] = table[bits[at]];
  return halves;
}
