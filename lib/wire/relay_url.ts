/** The longest public URL, in UTF-8 bytes: HELLO stays within the smallest frame. */
export const MAX_URL = 256;

/** A relay's URL as bytes. Throws `RangeError` when it is too long. */
export function encodeUrl(url: string): Uint8Array {
  const bytes = new TextEncoder().encode(url);
  if (bytes.length > MAX_URL) {
    throw new RangeError("the public URL is longer than 256 bytes");
  }
  return bytes;
}
