/** What follows from the secret of a link, for everybody who has it. */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { type Ed25519Pair, ed25519PairOf } from "../../wire/mod.ts";

/** Reads the blob that says whose an invitation is. */
export function readPair(secret: Uint8Array): Promise<Ed25519Pair> {
  return ed25519PairOf(derive(secret, "read"));
}

/** Takes a place from the pool of this number, 0 and up. */
export function takePair(
  secret: Uint8Array,
  pool: number,
): Promise<Ed25519Pair> {
  return ed25519PairOf(derive(secret, `take ${pool}`));
}

/** Opens what lies there; 32 bytes, XChaCha20-Poly1305. */
export function sealKey(secret: Uint8Array): Uint8Array {
  return derive(secret, "seal");
}

function derive(secret: Uint8Array, purpose: string): Uint8Array {
  const info = utf8ToBytes(`whisper invitation v1 ${purpose}`);
  return hkdf(sha256, secret, undefined, info, 32);
}
