import { concatBytes, equalBytes } from "@noble/ciphers/utils.js";
import { hexToBytes } from "@noble/hashes/utils.js";
import { SignalError } from "./errors.ts";

/**
 * X25519 on raw 32-byte values. Two implementations, the same results; noble's is fetched where WebCrypto has none:
 * the arithmetic of its curves is a tenth of what a page would load.
 */
export interface X25519 {
  readonly name: "webcrypto" | "noble";
  /** Public u coordinate (32) of a private key (32). */
  publicKey(privateKey: Uint8Array): Promise<Uint8Array>;
  /** Shared secret (32). @throws SignalError `invalid-key` when it would be all zeros (RFC 7748 section 6.1). */
  agree(privateKey: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array>;
}

// RFC 8410: the PrivateKeyInfo of an X25519 key is this prefix and the 32 bytes.
const PKCS8_PREFIX = hexToBytes("302e020100300506032b656e04220420");
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31));
/** RFC 7748 section 5.2: the first iteration of k = u = 9. */
const KNOWN = hexToBytes(
  "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
);

/**
 * WebCrypto's X25519, about four times as fast as noble's; undefined where it is missing or wrong.
 * A public key is derived against the base point: cheaper than generating a pair and exporting both halves.
 */
export async function webCryptoX25519(
  subtle: SubtleCrypto,
): Promise<X25519 | undefined> {
  const importPublic = (bytes: Uint8Array) =>
    subtle.importKey("raw", Uint8Array.from(bytes), "X25519", false, []);
  const derive = async (
    privateKey: Uint8Array,
    publicKey: Promise<CryptoKey>,
  ) => {
    const pkcs8 = Uint8Array.from(concatBytes(PKCS8_PREFIX, privateKey));
    const imported = subtle.importKey("pkcs8", pkcs8, "X25519", false, [
      "deriveBits",
    ]);
    pkcs8.fill(0); // importKey takes its copy before it returns the promise
    const [key, peer] = await Promise.all([imported, publicKey]);
    return new Uint8Array(
      await subtle.deriveBits({ name: "X25519", public: peer }, key, 256),
    );
  };
  try {
    const base = await importPublic(BASE_POINT);
    const baseReady = Promise.resolve(base);
    if (!equalBytes(await derive(BASE_POINT, baseReady), KNOWN)) {
      return undefined;
    }
    return {
      name: "webcrypto",
      publicKey: (privateKey) => derive(privateKey, baseReady),
      async agree(privateKey, publicKey) {
        try {
          return await derive(privateKey, importPublic(publicKey));
        } catch {
          throw new SignalError("invalid-key"); // WebCrypto refuses an all-zero result by itself
        }
      },
    };
  } catch {
    return undefined; // NotSupportedError and its kin: this platform has no X25519
  }
}

let chosen: Promise<X25519> | undefined;

/** The implementation of this platform: WebCrypto's if it has one that works, else noble's. Chosen once. */
export function x25519(): Promise<X25519> {
  chosen ??= chooseX25519(globalThis.crypto.subtle);
  return chosen;
}

/** `subtle` is undefined where a page is not a secure context. */
export async function chooseX25519(
  subtle: SubtleCrypto | undefined,
): Promise<X25519> {
  return (subtle && await webCryptoX25519(subtle)) ??
    (await import("./x25519_noble.ts")).nobleX25519;
}
