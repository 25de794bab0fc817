import { x25519 } from "@noble/curves/ed25519.js";
import { encodePublicKey } from "./keys.ts";

/** The public key (33) of a private key (32), at once. About a millisecond; `keyPairOf` is faster and waits. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return encodePublicKey(x25519.getPublicKey(privateKey));
}
