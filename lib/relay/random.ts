/** Gives so many random bytes. */
export type Random = (size: number) => Uint8Array<ArrayBuffer>;

/** The system's. */
export const systemRandom: Random = (size) =>
  crypto.getRandomValues(new Uint8Array(size));
