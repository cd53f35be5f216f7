// Which frame of a cine comes next.

/**
 * @param {number} at  the frame that is shown, from 0 @param {number} count  of frames @param {number} way  1 on, -1 back
 * @param {boolean} bounce  turn at the ends instead of starting anew
 * @returns {{ at: number, way: number }}
 */
export function cineNext(at, count, way, bounce) {
  if (count < 2) return { at: 0, way: 1 };
  if (!bounce) return { at: (at + 1) % count, way: 1 };
  const turned = at + way < 0 || at + way >= count ? -way : way;
  return { at: at + turned, way: turned };
}
