import { concatBytes } from "@noble/ciphers/utils.js";
import { reframed } from "./reframe.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** Values at which parsers go wrong: ends of ranges, varints that go on, protobuf tags and lengths. */
const BYTES = [0, 1, 2, 5, 8, 0x0a, 0x12, 0x22, 0x44, 0x7f, 0x80, 0xfe, 0xff];
const VARINTS = [
  [0xff, 0xff, 0xff, 0xff, 0x0f], // 2^32 − 1
  [0x80, 0x80, 0x80, 0x80, 0x10], // 2^32
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], // 2^64 − 1
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], // 2^53 − 1
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x00],
];

/** Bytes that a parser did not expect: noise, or one of `corpus` with a change or several. */
export function mutated(
  corpus: readonly Uint8Array[],
  random: SeededRandom,
): Uint8Array {
  if (random.chance(0.1)) return noise(random, random.below(400));
  let bytes = pick(corpus, random);
  do {
    const before = bytes;
    if (random.chance(0.5)) bytes = reframed(bytes, random);
    if (bytes === before) bytes = change(bytes, corpus, random);
  } while (random.chance(0.3));
  return bytes;
}

function change(
  bytes: Uint8Array,
  corpus: readonly Uint8Array[],
  random: SeededRandom,
): Uint8Array {
  // Half of the changes go to the head, where the structure is dense.
  const span = random.chance(0.5) ? Math.min(bytes.length, 80) : bytes.length;
  const at = random.below(span + 1);
  const end = Math.min(bytes.length, at + random.below(40));
  const replace = (by: ArrayLike<number>, until: number) =>
    concatBytes(
      bytes.subarray(0, at),
      Uint8Array.from(by),
      bytes.subarray(until),
    );
  switch (random.below(8)) {
    case 0:
      return replace([(bytes[at] ?? 0) ^ 1 << random.below(8)], at + 1);
    case 1:
      return replace([pick(BYTES, random)], at + 1);
    case 2:
      return replace(pick(VARINTS, random), at + random.below(6));
    case 3:
      return replace([], end);
    case 4:
      return replace(bytes.subarray(at, end), at);
    case 5:
      return replace(noise(random, random.below(40)), end);
    case 6:
      return bytes.subarray(0, at);
    default: {
      const other = pick(corpus, random);
      return replace(other.subarray(random.below(other.length + 1)), end);
    }
  }
}

function noise(random: SeededRandom, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

function pick<T>(from: readonly T[], random: SeededRandom): T {
  return from[random.below(from.length)];
}
