// Spans and effects as the server takes and gives them: whole numbers of 7 bits a byte, lowest first, the high bit says
// "more follows" (LEB128), the whole in base64. A gap is counted from the end of the run before it.

/** @import { Spans } from "./spans.js" */

/** @param {Iterable<number>} numbers  whole, from 0 to 2^31 - 1 @returns {Uint8Array} */
export function toVarints(numbers) {
  const bytes = [];
  for (let value of numbers) {
    while (value > 127) {
      bytes.push((value & 127) | 128);
      value >>>= 7;
    }
    bytes.push(value);
  }
  return Uint8Array.from(bytes);
}

/** @param {Uint8Array} bytes @returns {number[]} @throws {RangeError} when the last number is cut */
export function fromVarints(bytes) {
  const numbers = [];
  let [value, place] = [0, 1];
  for (const byte of bytes) {
    value += (byte & 127) * place;
    if (byte & 128) place *= 128;
    else {
      numbers.push(value);
      [value, place] = [0, 1];
    }
  }
  if (place !== 1) throw new RangeError("The last number is cut off.");
  return numbers;
}

/** @param {Uint8Array} bytes */
export function toBase64(bytes) {
  let text = "";
  // In pieces: a function takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/** @param {string} text @returns {Uint8Array} */
export const fromBase64 = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

/** @param {Spans} spans @returns {string} */
export function encodeSpans(spans) {
  const numbers = [];
  let end = 0;
  for (let at = 0; at < spans.length; at += 2) {
    numbers.push(spans[at] - end, spans[at + 1]);
    end = spans[at] + spans[at + 1];
  }
  return toBase64(toVarints(numbers));
}

/** @param {string} text @returns {Spans} */
export function decodeSpans(text) {
  const numbers = fromVarints(fromBase64(text));
  const spans = new Int32Array(numbers.length - (numbers.length % 2));
  let end = 0;
  for (let at = 0; at < spans.length; at += 2) {
    spans[at] = end + numbers[at];
    spans[at + 1] = numbers[at + 1];
    end = spans[at] + spans[at + 1];
  }
  return spans;
}

/** What became of voxels: runs with their new label. @param {string} text @returns {{ spans: Spans, labels: Uint8Array }}  one label per run */
export function decodeEffect(text) {
  const numbers = fromVarints(fromBase64(text));
  const count = Math.floor(numbers.length / 3);
  const spans = new Int32Array(count * 2);
  const labels = new Uint8Array(count);
  for (let run = 0, end = 0; run < count; run++) {
    const [gap, length, label] = numbers.slice(run * 3, run * 3 + 3);
    spans[2 * run] = end + gap;
    spans[2 * run + 1] = length;
    labels[run] = label;
    end += gap + length;
  }
  return { spans, labels };
}
