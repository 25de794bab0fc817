/**
 * How much memory code asks for: bytes of typed arrays made by length, and eight for each element of an array made
 * with Array.from. Watches the constructors themselves, because memory that is not touched shows nowhere else.
 */
export class Allocations {
  #bytes = 0;

  /** From now on, everywhere in this isolate. */
  watch(): void {
    for (const name of ["Uint8Array", "Uint16Array", "Uint32Array"] as const) {
      const original = globalThis[name];
      const watched = new Proxy(original, {
        construct: (target, args, newTarget) => {
          if (typeof args[0] === "number") {
            this.#bytes += args[0] * target.BYTES_PER_ELEMENT;
          }
          return Reflect.construct(target, args, newTarget);
        },
      });
      Object.defineProperty(globalThis, name, { value: watched });
    }
    const from = Array.from;
    Array.from = (...args: unknown[]) => {
      const made = Reflect.apply(from, Array, args);
      this.#bytes += 8 * made.length;
      return made;
    };
  }

  /** Bytes since the last time this was asked. */
  taken(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }
}
