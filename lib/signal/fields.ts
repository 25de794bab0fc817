import { PbfReader } from "pbf";
import { SignalError } from "./errors.ts";

const VARINT = 0;
const BYTES = 2;

/** The fields of a protobuf message by number. Of a repeated scalar the last one counts; look-ups check the type. */
export class Fields {
  // Few and small: looking through them is faster than a map.
  readonly #tags: number[] = [];
  readonly #values: (number | Uint8Array)[] = [];

  add(tag: number, value: number | Uint8Array): void {
    this.#tags.push(tag);
    this.#values.push(value);
  }

  /** An unsigned integer of 32 bits, or of `limit`. */
  optionalNumber(tag: number, limit = 0xffffffff): number | undefined {
    const value = this.#last(tag);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || value > limit) throw malformed(tag);
    return value;
  }

  /** Bytes, of exactly `length` if given; they share memory with the message. */
  optionalBytes(tag: number, length?: number): Uint8Array | undefined {
    const value = this.#last(tag);
    if (value === undefined) return undefined;
    if (
      typeof value === "number" ||
      (length !== undefined && value.length !== length)
    ) {
      throw malformed(tag);
    }
    return value;
  }

  number(tag: number, limit?: number): number {
    const value = this.optionalNumber(tag, limit);
    if (value === undefined) throw malformed(tag);
    return value;
  }

  bytes(tag: number, length?: number): Uint8Array {
    const value = this.optionalBytes(tag, length);
    if (value === undefined) throw malformed(tag);
    return value;
  }

  /** Every occurrence of a repeated bytes field. */
  all(tag: number): Uint8Array[] {
    const found: Uint8Array[] = [];
    for (let at = 0; at < this.#tags.length; at++) {
      const value = this.#values[at];
      if (this.#tags[at] !== tag) continue;
      if (typeof value === "number") throw malformed(tag);
      found.push(value);
    }
    return found;
  }

  #last(tag: number): number | Uint8Array | undefined {
    const at = this.#tags.lastIndexOf(tag);
    return at < 0 ? undefined : this.#values[at];
  }
}

/** Splits a protobuf message into its fields. Unknown ones are kept unread. @throws SignalError `malformed` */
export function readFields(bytes: Uint8Array): Fields {
  const reader = new PbfReader(bytes);
  const fields = new Fields();
  try {
    while (reader.pos < reader.length) {
      const key = reader.readVarint();
      const tag = Math.floor(key / 8);
      if (tag === 0) throw malformed(tag);
      if (key % 8 === VARINT) fields.add(tag, reader.readVarint());
      else if (key % 8 === BYTES) fields.add(tag, reader.readBytes());
      else reader.skip(key);
    }
  } catch {
    // pbf throws a plain Error for a varint without end and for the group types.
    throw new SignalError("malformed", "protobuf");
  }
  // Only the last field can reach beyond the end, and pbf does not notice.
  if (reader.pos !== reader.length) {
    throw new SignalError("malformed", "cut off");
  }
  return fields;
}

function malformed(tag: number): SignalError {
  return new SignalError("malformed", `field ${tag}`);
}
