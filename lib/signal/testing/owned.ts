/** libsignal's types ask for bytes of their own, not a view of possibly shared memory. */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
