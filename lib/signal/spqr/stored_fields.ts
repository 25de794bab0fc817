/** Strict reading of the protobuf messages that our stored state consists of. */
import { PbfReader } from "pbf";
import { SpqrError } from "./error.ts";

const VARINT = 0;
const BYTES = 2;

type Value = number | Uint8Array;

/** A protobuf message's fields by number; every look-up checks what it finds. */
export class Fields {
  // Few and small: looking through them is faster than a map.
  readonly #tags: number[] = [];
  readonly #values: Value[] = [];

  add(tag: number, value: Value): void {
    this.#tags.push(tag);
    this.#values.push(value);
  }

  has(tag: number): boolean {
    return this.#tags.includes(tag);
  }

  number(tag: number, limit: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#first(tag);
    if (typeof value === "number" && value >= 0 && value <= limit) return value;
    throw malformed();
  }

  bytes(tag: number, length?: number): Uint8Array {
    const value = this.#first(tag);
    if (
      value instanceof Uint8Array && value.length === (length ?? value.length)
    ) return value;
    throw malformed();
  }

  all(tag: number): Uint8Array[] {
    return this.#values.filter((value, at): value is Uint8Array => {
      if (this.#tags[at] !== tag) return false;
      if (value instanceof Uint8Array) return true;
      throw malformed();
    });
  }

  #first(tag: number): Value | undefined {
    const at = this.#tags.indexOf(tag);
    return at < 0 ? undefined : this.#values[at];
  }
}

/**
 * Splits a message into its fields; byte fields share memory with `bytes`.
 * @throws SpqrError "malformed"
 */
export function readFields(bytes: Uint8Array): Fields {
  const reader = new PbfReader(bytes);
  const fields = new Fields();
  try {
    while (reader.pos < reader.length) {
      const tag = reader.readVarint();
      if (tag % 8 === VARINT) fields.add(tag >>> 3, reader.readVarint());
      else if (tag % 8 === BYTES) fields.add(tag >>> 3, reader.readBytes());
      else throw malformed();
    }
  } catch {
    // pbf throws a plain Error for a varint of more than ten bytes.
    throw malformed();
  }
  // Only the last field can reach beyond the end: pbf does not notice.
  if (reader.pos !== reader.length) throw malformed();
  return fields;
}

/** What every reader of stored state throws. */
export function malformed(): SpqrError {
  return new SpqrError("malformed", "not a stored state of the ratchet");
}
