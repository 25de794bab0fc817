import { hexToBytes } from "@noble/hashes/utils.js";
import { isPublicKey } from "./keys.ts";
import { toBytes32, toNumber } from "./little_endian.ts";

/*
 * XEdDSA: signatures by an X25519 key, here their verification. The Montgomery key is mapped to Edwards form; because
 * that loses a sign, libsignal's variant carries the sign of A in the top bit of the signature. To sign takes the
 * arithmetic of the curve, which is another module: few sign, and seldom.
 */

export const SIGN_BIT = 0x80;
/** The field of Curve25519. */
const P = 2n ** 255n - 19n;

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
  const u = toNumber(masked) % P;
  if (u === P - 1n) return undefined;
  // The key is public: nothing is told by how long this takes.
  const y = toBytes32((u + P - 1n) * power(u + 1n, P - 2n) % P);
  y[31] |= signBit;
  return y;
}

/** Modulo P. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base % P; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = result * square % P;
    square = square * square % P;
  }
  return result;
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
  return (subtle && await webCryptoEd25519(subtle)) ??
    (await import("./xeddsa_noble.ts")).nobleEd25519;
}
