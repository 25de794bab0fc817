/**
 * Crockford's base32: what access keys and invite codes are written in.
 * Thirty-two symbols, none of which is easily taken for another.
 */
import { randomBytes } from "@noble/hashes/utils.js";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Symbol values 0..31 by character, with the three look-alikes people type. */
const VALUES = new Map<string, number>([
  ...[...ALPHABET].map((character, value): [string, number] => [
    character,
    value,
  ]),
  ["O", 0],
  ["I", 1],
  ["L", 1],
]);

/** White space, and every dash that a word processor makes of a hyphen. */
const SEPARATORS = /[\s\u00ad\u200b\u2010-\u2015\u2212-]+/gu;

/**
 * Reads typed symbols: any case, O as 0, I and L as 1, spaces and hyphens
 * skipped. A character that is no symbol reads as `undefined` in its place.
 */
export function readSymbols(text: string): (number | undefined)[] {
  return [...text.replaceAll(SEPARATORS, "")].map((character) =>
    VALUES.get(character.toUpperCase())
  );
}

/** Writes symbols (each 0..31) in upper case. */
export function writeSymbols(symbols: readonly number[]): string {
  return symbols.map((symbol) => {
    const character = ALPHABET[symbol];
    if (character === undefined) throw new RangeError("not a base32 symbol");
    return character;
  }).join("");
}

/** Uniformly random symbols; 256 is a multiple of 32, so no value is favoured. */
export function randomSymbols(count: number): number[] {
  return Array.from(randomBytes(count), (byte) => byte & 31);
}
