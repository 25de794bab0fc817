import { concatBytes } from "@noble/ciphers/utils.js";
import { PbfReader, PbfWriter } from "pbf";
import type { SeededRandom } from "./seeded_random.ts";

interface Field {
  readonly tag: number;
  readonly value: number | Uint8Array;
}

/** Around the limits of what is counted: epochs, counters, lengths, ids. */
const NUMBERS = [
  0,
  1,
  2,
  11,
  255,
  2_000,
  25_001,
  65_535,
  65_536,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
  2 ** 63,
];

/**
 * A protobuf message with one field, here or in a message inside, removed, doubled, renamed or given another value,
 * its frame whole: what gets past a reader that only checks the frame. Other bytes come back as they are.
 * @param depth how far in it may go
 */
export function reframed(
  bytes: Uint8Array,
  random: SeededRandom,
  depth = 3,
): Uint8Array {
  // Ours and Signal's messages have a version byte before them, inner ones and SPQR's states do not.
  for (const head of [0, 1]) {
    const fields = split(bytes.subarray(head));
    if (fields === undefined || fields.length === 0) continue;
    const at = random.below(fields.length);
    fields.splice(at, 1, ...changed(fields[at], random, depth));
    return concatBytes(bytes.subarray(0, head), join(fields));
  }
  return bytes;
}

function changed(
  field: Field,
  random: SeededRandom,
  depth: number,
): Field[] {
  const { tag, value } = field;
  if (random.chance(0.1)) return [];
  if (random.chance(0.1)) return [field, field];
  if (random.chance(0.1)) return [{ tag: 1 + random.below(16), value }];
  if (typeof value === "number") {
    const other = random.chance(0.5)
      ? Math.max(0, value + random.below(5) - 2)
      : NUMBERS[random.below(NUMBERS.length)];
    return [{ tag, value: other }];
  }
  if (depth > 0 && random.chance(0.6)) {
    return [{ tag, value: reframed(value, random, depth - 1) }];
  }
  if (random.chance(0.5)) {
    return [{ tag, value: value.subarray(random.below(4)) }];
  }
  const other = Uint8Array.from(value);
  if (other.length > 0) {
    other[random.below(other.length)] = random.below(256);
  }
  return [{ tag, value: other }];
}

function split(bytes: Uint8Array): Field[] | undefined {
  const reader = new PbfReader(bytes);
  const fields: Field[] = [];
  try {
    while (reader.pos < reader.length) {
      const key = reader.readVarint();
      const tag = Math.floor(key / 8);
      if (tag === 0 || tag > 64) return undefined;
      if (key % 8 === 0) fields.push({ tag, value: reader.readVarint() });
      else if (key % 8 === 2) fields.push({ tag, value: reader.readBytes() });
      else return undefined;
    }
  } catch {
    return undefined; // no protobuf
  }
  return reader.pos === reader.length ? fields : undefined;
}

/** The largest number of ours that a varint of ten bytes holds; a reader rounds larger ones up. */
const LARGEST = 2 ** 64 - 2 ** 11;

function join(fields: readonly Field[]): Uint8Array {
  const writer = new PbfWriter();
  for (const { tag, value } of fields) {
    if (typeof value === "number") {
      writer.writeVarintField(tag, Math.min(value, LARGEST));
    } else writer.writeBytesField(tag, value);
  }
  return writer.finish();
}
