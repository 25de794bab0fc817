/** The way to a prekey pool, as a contact is told it: what is taken there, and what it opens with. */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { type Ed25519Pair, ed25519PairOf } from "../../wire/mod.ts";
import { POOL_WAY_BYTES } from "../content/limits.ts";
import { MalformedError } from "../keys/mod.ts";

const ID = 16;

/** The pool is at the relay where its device receives from the contact. */
export interface PoolWay {
  /** As the relay names it, 16 bytes. */
  readonly id: Uint8Array;
  /** 32 random bytes. */
  readonly secret: Uint8Array;
}

/** Of id 16 ‖ secret 32. @throws {MalformedError} */
export function parsePoolWay(bytes: Uint8Array): PoolWay {
  if (bytes.length !== POOL_WAY_BYTES) throw new MalformedError("pool");
  return { id: bytes.slice(0, ID), secret: bytes.slice(ID) };
}

/** Takes from the pool. */
export function poolTakePair(secret: Uint8Array): Promise<Ed25519Pair> {
  return ed25519PairOf(derive(secret, "take"));
}

/** Opens what lies there: 32 bytes, XChaCha20-Poly1305. */
export function poolSealKey(secret: Uint8Array): Uint8Array {
  return derive(secret, "seal");
}

function derive(secret: Uint8Array, purpose: string): Uint8Array {
  const info = utf8ToBytes(`whisper contact pool v1 ${purpose}`);
  return hkdf(sha256, secret, undefined, info, 32);
}
