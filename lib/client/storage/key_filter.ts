const BITS = 22;

/**
 * Which keys a disk may have, in half a megabyte whatever their number: one bit for the first 22 bits
 * of a key. Blinded keys are uniformly random, so with 100,000 on disk one of 40 that are not there is
 * taken for one that may be, and none that is there for one that is not.
 */
export class KeyFilter {
  readonly #bits = new Uint8Array(1 << BITS - 3);

  add(key: Uint8Array): void {
    const place = placeOf(key);
    this.#bits[place >> 3] |= 1 << (place & 7);
  }

  /** False only for a key that was never added. */
  mayHave(key: Uint8Array): boolean {
    const place = placeOf(key);
    return (this.#bits[place >> 3] & 1 << (place & 7)) !== 0;
  }
}

function placeOf([first = 0, second = 0, third = 0]: Uint8Array): number {
  return (first << 16 | second << 8 | third) >> 24 - BITS;
}
