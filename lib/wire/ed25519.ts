/**
 * Ed25519 for credentials and relay keys: WebCrypto where it has it (about a tenth of
 * the time), noble elsewhere, fetched when it is needed. Chosen once, by a
 * known answer, because some engines announce the algorithm and then refuse a
 * raw private key.
 */
import {
  bytesToHex,
  concatBytes,
  hexToBytes,
  randomBytes,
} from "@noble/hashes/utils.js";

/** seed: 32 bytes (RFC 8032's private key); publicKey: 32 bytes. */
export interface Ed25519Pair {
  readonly publicKey: Uint8Array;
  readonly seed: Uint8Array;
}

/** Who signs with one key again and again. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** One way to compute Ed25519. Public keys and seeds are 32 bytes, signatures 64. */
export interface Ed25519 {
  publicKeyOf(seed: Uint8Array): Promise<Uint8Array>;
  /** Takes a seed to what signs with it. */
  signerOf(seed: Uint8Array): Promise<Signer["sign"]>;
  /** False for anything that is not a valid signature, ill-formed keys included. */
  verify(
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean>;
}

/** PKCS #8 of an Ed25519 private key is this prefix and the seed (RFC 8410, section 7). */
const PKCS8_PREFIX = hexToBytes("302e020100300506032b657004220420");

async function importSeed(
  seed: Uint8Array,
  extractable: boolean,
): Promise<CryptoKey> {
  const pkcs8 = concatBytes(PKCS8_PREFIX, seed);
  try {
    return await crypto.subtle.importKey(
      "pkcs8",
      pkcs8.slice(),
      "Ed25519",
      extractable,
      ["sign"],
    );
  } finally {
    pkcs8.fill(0);
  }
}

export const webCryptoEd25519: Ed25519 = {
  async publicKeyOf(seed) {
    const key = await importSeed(seed, true);
    const { x } = await crypto.subtle.exportKey("jwk", key);
    if (x === undefined) throw new Error("WebCrypto gave no public key");
    const base64 = x.replaceAll("-", "+").replaceAll("_", "/");
    return Uint8Array.from(atob(base64), (character) => {
      return character.charCodeAt(0);
    });
  },
  async signerOf(seed) {
    const key = await importSeed(seed, false);
    return async (message) =>
      new Uint8Array(
        await crypto.subtle.sign("Ed25519", key, message.slice()),
      );
  },
  async verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    let key: CryptoKey;
    try {
      key = await crypto.subtle.importKey(
        "raw",
        publicKey.slice(),
        "Ed25519",
        false,
        ["verify"],
      );
    } catch {
      return false; // 32 bytes that are no point: nothing verifies under them
    }
    return await crypto.subtle.verify(
      "Ed25519",
      key,
      signature.slice(),
      message.slice(),
    );
  },
};

/** RFC 8032, section 7.1, test 2. */
const KNOWN = {
  seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
  publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  message: "72",
  signature:
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
};

/** True when `implementation` computes the known answer; false when it fails in any way. */
export async function answersCorrectly(
  implementation: Ed25519,
): Promise<boolean> {
  const seed = hexToBytes(KNOWN.seed);
  const publicKey = hexToBytes(KNOWN.publicKey);
  const message = hexToBytes(KNOWN.message);
  const signature = hexToBytes(KNOWN.signature);
  try {
    return bytesToHex(await implementation.publicKeyOf(seed)) ===
        KNOWN.publicKey &&
      bytesToHex(await (await implementation.signerOf(seed))(message)) ===
        KNOWN.signature &&
      await implementation.verify(publicKey, message, signature);
  } catch {
    return false; // an engine without it throws; that is the answer we asked for
  }
}

let chosen: Promise<Ed25519> | undefined;

/** The implementation of this engine, found out at the first call. */
export function ed25519(): Promise<Ed25519> {
  chosen ??= answersCorrectly(webCryptoEd25519).then(async (works) =>
    works ? webCryptoEd25519 : (await import("./ed25519_noble.ts")).nobleEd25519
  );
  return chosen;
}

/** A new random key pair. */
export async function newEd25519Pair(): Promise<Ed25519Pair> {
  return await ed25519PairOf(randomBytes(32));
}

/** The pair whose private half is `seed` (32 bytes). */
export async function ed25519PairOf(seed: Uint8Array): Promise<Ed25519Pair> {
  return { seed, publicKey: await (await ed25519()).publicKeyOf(seed) };
}

/** Signs with a pair's seed; 64 bytes, deterministic. */
export async function signEd25519(
  pair: Ed25519Pair,
  message: Uint8Array,
): Promise<Uint8Array> {
  return await (await (await ed25519()).signerOf(pair.seed))(message);
}

/** A signer for a 32-byte seed: quicker than `signEd25519` for who signs more than once. */
export async function ed25519Signer(seed: Uint8Array): Promise<Signer> {
  const { publicKeyOf, signerOf } = await ed25519();
  const [publicKey, sign] = await Promise.all([
    publicKeyOf(seed),
    signerOf(seed),
  ]);
  return { publicKey, sign };
}

/** Verifies a 64-byte signature; false for anything ill-formed. */
export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return await (await ed25519()).verify(publicKey, message, signature);
}
