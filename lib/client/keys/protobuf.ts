/**
 * Strict reading on top of pbf, which reads past the end of a truncated
 * message and ignores wire types. What came from the network or the disk is
 * parsed here once; a field that is not of the promised shape is an error.
 */
import { PbfReader, PbfWriter } from "pbf";
import { wipe } from "./wipe.ts";

/** Bytes that are not what their format says. The message names the field, never its value. */
export class MalformedError extends Error {
  constructor(what: string) {
    super(`malformed: ${what}`);
    this.name = "MalformedError";
  }
}

const VARINT = 0;
const BYTES = 2;

/** The fields of one protobuf message, by number. Unknown ones are skipped, so that a later version can add some. */
export class Fields {
  readonly #varints = new Map<number, number>();
  readonly #bytes = new Map<number, Uint8Array[]>();

  /** @throws {MalformedError} when `message` is truncated or uses a wire type we never write. */
  constructor(message: Uint8Array) {
    const reader = new PbfReader(message);
    try {
      reader.readFields((tag) => this.#read(tag, reader), undefined);
    } catch {
      // pbf throws plain errors for a varint that does not end.
      throw new MalformedError("field");
    }
    // pbf runs over the end instead of complaining; the position tells.
    if (reader.pos !== message.length) throw new MalformedError("truncated");
  }

  #read(tag: number, reader: PbfReader): void {
    if (reader.type === VARINT) {
      this.#varints.set(tag, reader.readVarint());
    } else if (reader.type === BYTES) {
      const value = reader.readBytes().slice();
      const values = this.#bytes.get(tag);
      if (values) values.push(value);
      else this.#bytes.set(tag, [value]);
    } else {
      throw new MalformedError("wire type");
    }
  }

  has(tag: number): boolean {
    return this.#varints.has(tag) || this.#bytes.has(tag);
  }

  /** An unsigned integer within `min`..`max`. Absent is an error, as is a value beyond them. */
  uint(tag: number, min: number, max: number): number {
    const value = this.#varints.get(tag);
    if (
      value === undefined || !Number.isSafeInteger(value) || value < min ||
      value > max
    ) throw new MalformedError(`field ${tag}`);
    return value;
  }

  /** Exactly one byte string, of exactly `length` bytes when given. */
  bytes(tag: number, length?: number): Uint8Array {
    const values = this.#bytes.get(tag);
    if (
      values?.length !== 1 ||
      (length !== undefined && values[0].length !== length)
    ) throw new MalformedError(`field ${tag}`);
    return values[0];
  }

  /** Every byte string of this number, in order; at most `max`. */
  repeated(tag: number, max: number): Uint8Array[] {
    const values = this.#bytes.get(tag) ?? [];
    if (values.length > max) throw new MalformedError(`field ${tag}`);
    return values;
  }

  /** One UTF-8 string; invalid UTF-8 is an error, not a replacement character. */
  text(tag: number): string {
    const bytes = this.bytes(tag);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(bytes);
    } catch {
      throw new MalformedError(`field ${tag}`);
    }
  }
}

/** Writes one message. The writer's working buffer is wiped: messages here often hold keys. */
export function writeMessage(fill: (writer: PbfWriter) => void): Uint8Array {
  const writer = new PbfWriter();
  fill(writer);
  const working = writer.finish();
  const message = working.slice();
  wipe(working);
  return message;
}
