/**
 * The access key: what a person keeps to own an account. 30 random symbols of
 * Crockford base32 (150 bits) and two check symbols of the extended
 * Reed-Solomon code [32, 30] over GF(32), so that one mistyped symbol is
 * located.
 *
 * The code has distance 3. Whatever one or two symbols are wrong, the key is
 * never accepted; one wrong symbol is located exactly. Two wrong ones look
 * either like no single mistake, or like one that is somewhere else: no code
 * with two check symbols can tell those cases apart. So the place is a hint
 * to look at, and nothing is ever corrected on a person's behalf.
 */
import { randomSymbols, readSymbols, writeSymbols } from "./crockford.ts";

declare const accessKey: unique symbol;
/** The 150 random bits, packed big-endian into 19 bytes; the last two bits are zero. Secret: wipe it after use. */
export type AccessKey = Uint8Array & { readonly [accessKey]: true };

/** What reading a typed access key gives. `group` is 1..8, of four characters each. */
export type AccessKeyReading =
  | { ok: true; key: AccessKey }
  | { ok: false; reason: "mistyped"; group: number }
  | { ok: false; reason: "malformed" };

const LENGTH = 32;
const DATA_LENGTH = 30;
const GROUP = 4;
const KEY_BYTES = 19;

/** GF(32) = GF(2)[x] / (x^5 + x^2 + 1); a symbol's bits are its coefficients. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let factor = a, rest = b; rest !== 0; rest >>= 1) {
    if (rest & 1) product ^= factor;
    factor = factor & 16 ? (factor << 1) ^ 0b100101 : factor << 1;
  }
  return product;
}

/** a / b for b ≠ 0: b^30 is the inverse, because b^31 = 1. */
function divide(a: number, b: number): number {
  let inverse = 1;
  for (let i = 0; i < 30; i++) inverse = multiply(inverse, b);
  return multiply(a, inverse);
}

/**
 * The two sums that are zero for a code word: Σ c and Σ i·c over the positions
 * i = 0..31, taken as elements of GF(32). All 32 elements are positions, 0 and
 * the extension included, so every pair of columns is independent.
 */
function syndrome(symbols: readonly number[]): [number, number] {
  let plain = 0;
  let weighted = 0;
  for (const [position, symbol] of symbols.entries()) {
    plain ^= symbol;
    weighted ^= multiply(position, symbol);
  }
  return [plain, weighted];
}

/** The two symbols that complete 30; 30 and 31 differ by 1, which solves for them. */
function checkSymbols(data: readonly number[]): [number, number] {
  const [plain, weighted] = syndrome(data);
  const first = weighted ^ multiply(31, plain);
  return [first, first ^ plain];
}

function pack(data: readonly number[]): AccessKey {
  const bytes = new Uint8Array(KEY_BYTES);
  for (const [index, symbol] of data.entries()) {
    for (let bit = 0; bit < 5; bit++) {
      if (symbol & (16 >> bit)) {
        const at = index * 5 + bit;
        bytes[at >> 3] |= 0x80 >> (at & 7);
      }
    }
  }
  // The brand only marks where the bytes came from: here.
  return bytes as AccessKey;
}

function unpack(key: AccessKey): number[] {
  return Array.from({ length: DATA_LENGTH }, (_, index) => {
    let symbol = 0;
    for (let bit = 0; bit < 5; bit++) {
      const at = index * 5 + bit;
      symbol = symbol << 1 | (key[at >> 3] >> (7 - (at & 7)) & 1);
    }
    return symbol;
  });
}

/** A new random access key. */
export function newAccessKey(): AccessKey {
  return pack(randomSymbols(DATA_LENGTH));
}

/** The key as it is shown: eight groups of four characters, joined by hyphens. */
export function formatAccessKey(key: AccessKey): string {
  const data = unpack(key);
  const text = writeSymbols([...data, ...checkSymbols(data)]);
  return Array.from(
    { length: LENGTH / GROUP },
    (_, group) => text.slice(group * GROUP, (group + 1) * GROUP),
  ).join("-");
}

/**
 * Reads a typed key: any case, spaces and hyphens anywhere, O as 0, I and L as
 * 1. One wrong character is located, never corrected.
 */
export function parseAccessKey(text: string): AccessKeyReading {
  const typed = readSymbols(text);
  if (typed.length !== LENGTH) return { ok: false, reason: "malformed" };
  const foreign = typed.flatMap((symbol, position) =>
    symbol === undefined ? [position] : []
  );
  if (foreign.length > 1) return { ok: false, reason: "malformed" };
  if (foreign.length === 1) return mistypedAt(foreign[0]);

  const symbols = typed.map((symbol) => symbol ?? 0);
  const [plain, weighted] = syndrome(symbols);
  if (plain === 0 && weighted === 0) {
    return { ok: true, key: pack(symbols.slice(0, DATA_LENGTH)) };
  }
  // One error e at position i leaves (e, i·e). A zero first sum with a second
  // that is not needs at least two: swapped neighbours are always of this kind.
  if (plain === 0) return { ok: false, reason: "malformed" };
  return mistypedAt(divide(weighted, plain));
}

function mistypedAt(position: number): AccessKeyReading {
  return {
    ok: false,
    reason: "mistyped",
    group: Math.floor(position / GROUP) + 1,
  };
}
