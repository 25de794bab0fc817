import { ed25519 } from "@noble/curves/ed25519.js";
import {
  bytesToNumberLE,
  concatBytes,
  equalBytes,
  numberToBytesLE,
} from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { SignalError } from "./errors.ts";
import { type Ed25519Verifier, SIGN_BIT } from "./xeddsa.ts";

/* XEdDSA as far as it takes noble's arithmetic: signing everywhere, verifying where WebCrypto has no Ed25519. */

const { Point } = ed25519;
const { Fn } = Point;
const DOMAIN = Uint8Array.of(0xfe, ...new Uint8Array(31).fill(0xff));

/**
 * XEdDSA signature (64) of a message by an X25519 private key (32). WebCrypto cannot sign from a bare scalar,
 * so this is noble's arithmetic everywhere.
 */
export function sign(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  if (privateKey.length !== 32) throw new SignalError("invalid-key");
  const a = Fn.create(bytesToNumberLE(privateKey));
  const A = Point.BASE.multiply(a).toBytes();
  const nonceInput = concatBytes(
    DOMAIN,
    privateKey,
    message,
    crypto.getRandomValues(new Uint8Array(64)),
  );
  const r = hashToScalar(nonceInput);
  nonceInput.fill(0);
  const R = Point.BASE.multiply(r).toBytes();
  const h = hashToScalar(R, A, message);
  const signature = concatBytes(
    R,
    numberToBytesLE(Fn.add(Fn.mul(h, a), r), 32),
  );
  signature[63] |= A[31] & SIGN_BIT;
  return signature;
}

function hashToScalar(...parts: Uint8Array[]): bigint {
  return Fn.create(bytesToNumberLE(sha512(concatBytes(...parts))));
}

export const nobleEd25519: Ed25519Verifier = {
  name: "noble",
  verify(publicKey, message, signature) {
    const R = signature.subarray(0, 32);
    const S = bytesToNumberLE(signature.subarray(32));
    if (S >= Fn.ORDER) return Promise.resolve(false);
    try {
      const A = Point.fromBytes(publicKey);
      const h = hashToScalar(R, publicKey, message);
      const expected = Point.BASE.multiplyUnsafe(S).subtract(
        A.multiplyUnsafe(h),
      );
      return Promise.resolve(equalBytes(expected.toBytes(), R));
    } catch {
      return Promise.resolve(false); // the key is no point of the curve
    }
  },
};
