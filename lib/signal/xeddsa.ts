import { ed25519 } from "@noble/curves/ed25519.js";
import {
  bytesToNumberLE,
  concatBytes,
  equalBytes,
  numberToBytesLE,
} from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { SignalError } from "./errors.ts";
import { isPublicKey } from "./keys.ts";

/*
 * XEdDSA: signatures by an X25519 key. The Montgomery key is mapped to Edwards form; because that loses a
 * sign, libsignal's variant carries the sign of A in the top bit of the signature.
 */

const { Point } = ed25519;
const { Fp, Fn } = Point;
const DOMAIN = Uint8Array.of(0xfe, ...new Uint8Array(31).fill(0xff));
const SIGN_BIT = 0x80;

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

/** Whether `signature` (64) is one of `message` by the holder of `publicKey` (33). Malformed input is a no. */
export async function verify(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (
    !isPublicKey(publicKey) || signature.length !== 64 ||
    (signature[63] & 0x60) !== 0
  ) return false;
  const A = edwardsKey(publicKey.subarray(1), signature[63] & SIGN_BIT);
  if (A === undefined) return false;
  const ordinary = Uint8Array.from(signature);
  ordinary[63] &= ~SIGN_BIT;
  return await (await ed25519Verifier()).verify(A, message, ordinary);
}

/** The compressed Edwards point (32) of a Montgomery u (32) with the given sign bit: y = (u - 1) / (u + 1). */
function edwardsKey(
  uBytes: Uint8Array,
  signBit: number,
): Uint8Array | undefined {
  const masked = Uint8Array.from(uBytes);
  masked[31] &= 0x7f;
  const u = Fp.create(bytesToNumberLE(masked));
  const denominator = Fp.add(u, Fp.ONE);
  if (Fp.is0(denominator)) return undefined;
  const y = Fp.toBytes(Fp.mul(Fp.sub(u, Fp.ONE), Fp.inv(denominator)));
  y[31] |= signBit;
  return y;
}

function hashToScalar(...parts: Uint8Array[]): bigint {
  return Fn.create(bytesToNumberLE(sha512(concatBytes(...parts))));
}

/** An ordinary Ed25519 verification, S below the group order and R compared as bytes. */
export interface Ed25519Verifier {
  readonly name: "webcrypto" | "noble";
  verify(
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean>;
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

/** WebCrypto's Ed25519, several times as fast; undefined where it is missing or wrong. */
export async function webCryptoEd25519(
  subtle: SubtleCrypto,
): Promise<Ed25519Verifier | undefined> {
  const verify: Ed25519Verifier["verify"] = async (
    publicKey,
    message,
    signature,
  ) => {
    const key = await subtle.importKey(
      "raw",
      Uint8Array.from(publicKey),
      "Ed25519",
      false,
      [
        "verify",
      ],
    );
    return await subtle.verify(
      "Ed25519",
      key,
      Uint8Array.from(signature),
      Uint8Array.from(message),
    );
  };
  try {
    const known = await verify(
      KNOWN.publicKey,
      new Uint8Array(),
      KNOWN.signature,
    );
    return known ? { name: "webcrypto", verify } : undefined;
  } catch {
    return undefined; // NotSupportedError and its kin: this platform has no Ed25519
  }
}

/** RFC 8032 section 7.1, test 1: the empty message. */
const KNOWN = {
  publicKey: hexToBytes(
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
  ),
  signature: hexToBytes(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ),
};

let chosen: Promise<Ed25519Verifier> | undefined;

/** The implementation of this platform: WebCrypto's if it has one that works, else noble's. Chosen once. */
export function ed25519Verifier(): Promise<Ed25519Verifier> {
  chosen ??= chooseEd25519(globalThis.crypto.subtle);
  return chosen;
}

/** `subtle` is undefined where a page is not a secure context. */
export async function chooseEd25519(
  subtle: SubtleCrypto | undefined,
): Promise<Ed25519Verifier> {
  return (subtle && await webCryptoEd25519(subtle)) ?? nobleEd25519;
}
