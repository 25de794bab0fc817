import { ed25519 as noble } from "@noble/curves/ed25519.js";
import type { Ed25519 } from "./ed25519.ts";

/** RFC 8032 equations, without ZIP 215's leniency, which WebCrypto does not have either. */
export const nobleEd25519: Ed25519 = {
  publicKeyOf: (seed) => Promise.resolve(noble.getPublicKey(seed)),
  signerOf(seed) {
    const own = seed.slice();
    return Promise.resolve((message) =>
      Promise.resolve(noble.sign(message, own))
    );
  },
  verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) {
      return Promise.resolve(false);
    }
    try {
      return Promise.resolve(
        noble.verify(signature, message, publicKey, { zip215: false }),
      );
    } catch {
      return Promise.resolve(false); // bytes that encode no point: nothing verifies under them
    }
  },
};
