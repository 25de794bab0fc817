import { scryptAsync } from "@noble/hashes/scrypt.js";
import { ACCESS_LABEL } from "./access.ts";
import { ByteWriter } from "./byte_cursor.ts";

const text = new TextEncoder();

/** About half a second of a desktop and 32 MB for each guess at a password. */
const STRETCH = { N: 2 ** 15, r: 8, p: 3, dkLen: 32 } as const;

/**
 * The Ed25519 pair that a relay's password stands for: its seed is
 * scrypt(password, salt "whisper access v1" ‖ relay key). The relay keeps the public key only.
 * Takes about half a second. `password` is compared as Unicode NFKC.
 */
export async function accessSeed(
  password: string,
  relayKey: Uint8Array, /* 32 */
): Promise<Uint8Array> {
  const salt = new ByteWriter(ACCESS_LABEL.length + 32).raw(ACCESS_LABEL).fixed(
    relayKey,
    32,
  );
  return await scryptAsync(
    text.encode(password.normalize("NFKC")),
    salt.bytes,
    STRETCH,
  );
}
