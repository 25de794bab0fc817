import { ByteWriter } from "./byte_cursor.ts";

/** What both the stretching of a relay's password and its proof begin with. */
export const ACCESS_LABEL = new TextEncoder().encode("whisper access v1");

/** What the pair of a password signs to ACCESS: only good for this relay and this connection. */
export function accessMessage(
  challenge: Uint8Array, /* 32 */
  relayKey: Uint8Array, /* 32 */
): Uint8Array {
  return new ByteWriter(ACCESS_LABEL.length + 64).raw(ACCESS_LABEL).fixed(
    challenge,
    32,
  )
    .fixed(relayKey, 32).bytes;
}
