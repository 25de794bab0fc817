import { PbfWriter } from "pbf";

/**
 * A buffer that stored states are written in, one after another. A fresh one for every message would be the larger
 * part of storing it. Between two uses it is empty, for what is stored is secret.
 */
export class KeptBuffer {
  readonly #buffer: Uint8Array;

  /** `capacity`: bytes that nearly everything takes less than; what takes more gets its own. */
  constructor(capacity: number) {
    this.#buffer = new Uint8Array(capacity);
  }

  /** What `write` writes, in bytes of its own. It must not write into this buffer again before it returns. */
  write(write: (writer: PbfWriter) => void): Uint8Array {
    const writer = new PbfWriter(this.#buffer);
    write(writer);
    const written = writer.finish();
    const bytes = written.slice();
    written.fill(0);
    // pbf grows by copying.
    if (written.buffer !== this.#buffer.buffer) this.#buffer.fill(0);
    return bytes;
  }
}
