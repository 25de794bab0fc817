import type { Random } from "../random.ts";

/** Random bytes that can be written down: runs of 01 the first time, of 02 the next. */
export function countedRandom(): Random {
  let asked = 0;
  return (size) => new Uint8Array(size).fill(++asked);
}
