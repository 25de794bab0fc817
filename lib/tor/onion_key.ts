/** The key of an onion service, which is its address. We make it, so that the address is known before Tor runs. */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { sha3_256 } from "@noble/hashes/sha3.js";
import { toBase32 } from "./base32.ts";

/** Of an onion service of version 3. */
export interface OnionKey {
  /** Ed25519 in Tor's expanded form (64): the scalar, and the prefix for signing. */
  readonly secret: Uint8Array;
  /** 56 characters and `.onion`. */
  readonly address: string;
}

const encode = (text: string) => new TextEncoder().encode(text);
const VERSION = 3;
const ORDER = ed25519.Point.Fn.ORDER;

export function newOnionKey(): OnionKey {
  const secret = sha512(ed25519.utils.randomSecretKey());
  secret[0] &= 0b1111_1000;
  secret[31] &= 0b0111_1111;
  secret[31] |= 0b0100_0000;
  return { secret, address: addressOf(secret) };
}

/** Base64 of the secret, as the control port takes it. */
export function onionKeyText({ secret }: OnionKey): string {
  return `ED25519-V3:${secret.toBase64()}`;
}

/** The key of such a text; undefined when it is none. */
export function parseOnionKey(text: string): OnionKey | undefined {
  const [, base64] = /^ED25519-V3:([A-Za-z0-9+/]{86}==)$/.exec(text) ?? [];
  if (base64 === undefined) return undefined;
  const secret = Uint8Array.fromBase64(base64);
  // Clamped: anything else is no scalar that Tor would take.
  if (secret[0] & 7 || secret[31] >> 6 !== 1) return undefined;
  return { secret, address: addressOf(secret) };
}

/** rend-spec-v3, section 6. */
function addressOf(secret: Uint8Array): string {
  const scalar = BigInt(`0x${secret.slice(0, 32).reverse().toHex()}`) % ORDER;
  const publicKey = ed25519.Point.BASE.multiply(scalar).toBytes();
  const checksum = sha3_256.create().update(encode(".onion checksum"))
    .update(publicKey).update(Uint8Array.of(VERSION)).digest();
  const whole = new Uint8Array(35);
  whole.set(publicKey);
  whole.set(checksum.subarray(0, 2), 32);
  whole[34] = VERSION;
  return `${toBase32(whole)}.onion`;
}
