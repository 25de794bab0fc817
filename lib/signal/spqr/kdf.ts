import { expand } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

/** Keyed with the usual salt, 32 zero bytes, once for all: two of eleven compressions less per message. */
const unsalted = hmac.create(sha256, new Uint8Array(32));

/** HKDF-SHA256; the salt is 32 zero bytes unless given. */
export function derive(
  secret: Uint8Array,
  info: Uint8Array,
  length: number,
  salt?: Uint8Array,
): Uint8Array {
  const extract = salt ? hmac.create(sha256, salt) : unsalted.clone();
  const pseudorandomKey = extract.update(secret).digest();
  const material = expand(sha256, pseudorandomKey, info, length);
  pseudorandomKey.fill(0);
  return material;
}

/** HMAC-SHA256 over the parts, one after another. */
export function authenticate(
  key: Uint8Array,
  ...parts: Uint8Array[]
): Uint8Array {
  const mac = hmac.create(sha256, key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** The bytes of a protocol label. */
export function label(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** `prefix ‖ epoch as 8 bytes, big-endian`. */
export function withEpoch(prefix: Uint8Array, epoch: number): Uint8Array {
  const bytes = new Uint8Array(prefix.length + 8);
  bytes.set(prefix);
  new DataView(bytes.buffer).setBigUint64(prefix.length, BigInt(epoch));
  return bytes;
}

/** Cuts secret material into 32-byte pieces of their own and erases the whole. */
export function cut(material: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < material.length; at += 32) {
    pieces.push(material.slice(at, at + 32));
  }
  material.fill(0);
  return pieces;
}
