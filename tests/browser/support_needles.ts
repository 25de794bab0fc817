/** Looking for secrets where they must not be, in every spelling one would think of. */
import { Buffer } from "node:buffer";
import { ok } from "node:assert/strict";

/** A shorter one would be found by chance. */
const SHORTEST = 6;

const utf8 = (text: string) => new TextEncoder().encode(text);

interface Needle {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** Things to look for, all of them in one pass. */
export class Needles {
  readonly #byStart = new Map<number, Needle[]>();
  /** Which first three bytes occur at all: most places are passed by with one look. */
  readonly #starts = new Uint8Array(1 << 24);
  readonly #whats = new Set<string>();

  get size(): number {
    return this.#whats.size;
  }

  /** These bytes as they are, in hex of either case, and in base64 at any offset. */
  bytes(what: string, bytes: Uint8Array): void {
    ok(bytes.length >= SHORTEST, `${what} could be found by chance`);
    this.#whats.add(what);
    this.#add(what, bytes);
    const hex = Buffer.from(bytes).toString("hex");
    this.#add(`${what}, in hex`, utf8(hex));
    this.#add(`${what}, in hex`, utf8(hex.toUpperCase()));
    for (let skip = 0; skip < 3; skip++) {
      const whole = bytes.length - skip - (bytes.length - skip) % 3;
      if (whole < SHORTEST) continue;
      const part = Buffer.from(bytes.subarray(skip, skip + whole));
      this.#add(`${what}, in base64`, utf8(part.toString("base64")));
      this.#add(`${what}, in base64`, utf8(part.toString("base64url")));
    }
  }

  /** A text: as `bytes` of UTF-8, and in UTF-16, as Chromium stores strings. */
  text(what: string, text: string): void {
    this.bytes(what, utf8(text));
    this.#add(`${what}, in UTF-16`, Buffer.from(text, "utf16le"));
  }

  /** Every piece of `size` bytes of something random; what says too little is left out. */
  pieces(what: string, bytes: Uint8Array, size: number): void {
    for (let at = 0; at + size <= bytes.length; at += size) {
      const piece = bytes.subarray(at, at + size);
      // Runs of zeros and small numbers are everywhere.
      if (new Set(piece).size > size / 2 + 2) {
        this.bytes(`${what} at ${at}`, piece);
      }
    }
  }

  /** What of all this is in `haystack`. */
  foundIn(haystack: Uint8Array): string[] {
    const found = new Set<string>();
    for (let at = 0; at + SHORTEST <= haystack.length; at++) {
      const start = startAt(haystack, at);
      if (this.#starts[start] === 0) continue;
      for (const { what, bytes } of this.#byStart.get(start) ?? []) {
        if (bytes.every((byte, i) => haystack[at + i] === byte)) {
          found.add(what);
        }
      }
    }
    return [...found];
  }

  #add(what: string, bytes: Uint8Array): void {
    const start = startAt(bytes, 0);
    this.#starts[start] = 1;
    const others = this.#byStart.get(start);
    if (others) others.push({ what, bytes });
    else this.#byStart.set(start, [{ what, bytes }]);
  }
}

function startAt(bytes: Uint8Array, at: number): number {
  return bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2];
}

/** All files below a directory, one after the other; `left` names those not to look at. */
export async function everyFile(
  directory: string,
  left: (path: string) => boolean = () => false,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name, isDirectory, isFile } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (left(path)) continue;
    if (isDirectory) {
      for (const [inner, bytes] of await everyFile(path, left)) {
        files.set(inner, bytes);
      }
    }
    if (isFile) files.set(path, await Deno.readFile(path));
  }
  return files;
}

/**
 * How far from evenly the byte values are spread: chi squared with 255 degrees of freedom. Random
 * bytes give 255, and more than 400 once in some hundred million times; any text gives thousands.
 */
export function unevenness(bytes: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte]++;
  const expected = bytes.length / 256;
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}
