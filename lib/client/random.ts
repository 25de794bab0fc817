/** Chance as the messenger sees it: passed in, so that a test can repeat it. */
export interface Random {
  /** `length` bytes from a cryptographic source. */
  bytes(length: number): Uint8Array;
  /** A number in [0, 1), for jitter only: never for keys. */
  fraction(): number;
}

export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => Math.random(),
};
