import { WireError } from "./wire_error.ts";

const TWO_32 = 0x1_0000_0000;
const MAX_U48 = 2 ** 48 - 1;

/** Reads big-endian fields in order; every overrun is a `WireError` "malformed". */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  #advance(count: number): number {
    if (count > this.remaining) {
      throw new WireError("malformed", "a field is cut short");
    }
    const at = this.#at;
    this.#at += count;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u48(): number {
    const at = this.#advance(6);
    return this.#view.getUint16(at) * TWO_32 + this.#view.getUint32(at + 2);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8));
  }

  /** A copy, so that keeping a field does not keep the whole frame in memory. */
  bytes(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.#bytes.slice(at, at + count);
  }

  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  end(): void {
    if (this.remaining !== 0) {
      throw new WireError("malformed", "a body is too long");
    }
  }
}

/** Writes big-endian fields in order into a buffer of known size. */
export class ByteWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  u8(value: number): this {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
    return this;
  }

  u48(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > MAX_U48) {
      throw new RangeError("not a 48-bit number");
    }
    this.#view.setUint16(this.#at, Math.floor(value / TWO_32));
    this.#view.setUint32(this.#at + 2, value % TWO_32);
    this.#at += 6;
    return this;
  }

  u64(value: bigint): this {
    this.#view.setBigUint64(this.#at, value);
    this.#at += 8;
    return this;
  }

  raw(value: Uint8Array): this {
    this.bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** As `raw`, for a field whose size the protocol fixes. */
  fixed(value: Uint8Array, size: number): this {
    if (value.length !== size) {
      throw new RangeError(
        `a field has ${value.length} bytes instead of ${size}`,
      );
    }
    return this.raw(value);
  }
}
