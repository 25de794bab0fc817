import { x25519 } from "@noble/curves/ed25519.js";
import { SignalError } from "./errors.ts";
import type { X25519 } from "./x25519.ts";

export const nobleX25519: X25519 = {
  name: "noble",
  publicKey: (privateKey) => Promise.resolve(x25519.getPublicKey(privateKey)),
  agree(privateKey, publicKey) {
    try {
      return Promise.resolve(x25519.getSharedSecret(privateKey, publicKey));
    } catch {
      // Lengths are checked where keys are parsed: what is left to fail is an all-zero result.
      return Promise.reject(new SignalError("invalid-key"));
    }
  },
};
