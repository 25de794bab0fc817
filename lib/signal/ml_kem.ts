import { ml_kem1024 as noble } from "@noble/post-quantum/ml-kem.js";
import { SignalError } from "./errors.ts";

/** Bytes of the parts of ML-KEM-1024 (FIPS 203). The seed is d ‖ z. */
export const SIZES = {
  publicKey: 1568,
  ciphertext: 1568,
  seed: 64,
  shared: 32,
} as const;

/** ML-KEM-1024 with secret keys as seeds. Two implementations, each opens what the other sealed. */
export interface MlKem1024 {
  readonly name: "webcrypto" | "noble";
  generate(): Promise<{ publicKey: Uint8Array; seed: Uint8Array }>;
  /** @throws SignalError `invalid-key` for a public key that FIPS 203 section 7.2 refuses */
  encapsulate(
    publicKey: Uint8Array,
  ): Promise<{ ciphertext: Uint8Array; shared: Uint8Array }>;
  decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array>;
}

/** The public key (1568) that belongs to a seed (64). WebCrypto gives none for a seed, so this is noble's everywhere. */
export function publicKeyOfSeed(seed: Uint8Array): Uint8Array {
  const { publicKey, secretKey } = noble.keygen(seed);
  secretKey.fill(0);
  return publicKey;
}

export const nobleMlKem1024: MlKem1024 = {
  name: "noble",
  generate() {
    const seed = crypto.getRandomValues(new Uint8Array(SIZES.seed));
    const { publicKey, secretKey } = noble.keygen(seed);
    secretKey.fill(0);
    return Promise.resolve({ publicKey, seed });
  },
  encapsulate(publicKey) {
    try {
      const { cipherText, sharedSecret } = noble.encapsulate(publicKey);
      return Promise.resolve({ ciphertext: cipherText, shared: sharedSecret });
    } catch {
      return Promise.reject(new SignalError("invalid-key"));
    }
  },
  decapsulate(seed, ciphertext) {
    const { secretKey } = noble.keygen(seed);
    const shared = noble.decapsulate(ciphertext, secretKey);
    secretKey.fill(0);
    return Promise.resolve(shared);
  },
};

/** The part of "Modern Algorithms in the Web Cryptography API" used here, which TypeScript's library lacks. */
interface KemSubtle {
  generateKey(
    algorithm: "ML-KEM-1024",
    extractable: true,
    usages: string[],
  ): Promise<CryptoKeyPair>;
  importKey(
    format: "raw-public" | "raw-seed",
    bytes: Uint8Array,
    algorithm: "ML-KEM-1024",
    extractable: false,
    usages: string[],
  ): Promise<CryptoKey>;
  exportKey(
    format: "raw-public" | "raw-seed",
    key: CryptoKey,
  ): Promise<ArrayBuffer>;
  encapsulateBits(
    algorithm: "ML-KEM-1024",
    key: CryptoKey,
  ): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }>;
  decapsulateBits(
    algorithm: "ML-KEM-1024",
    key: CryptoKey,
    ciphertext: Uint8Array,
  ): Promise<ArrayBuffer>;
}

/** WebCrypto's ML-KEM-1024, several times as fast as noble's; undefined where it is missing or wrong. */
export async function webCryptoMlKem1024(
  subtle: SubtleCrypto,
): Promise<MlKem1024 | undefined> {
  // Not described in TypeScript's library yet; the probe below finds out whether it is really there.
  const kem = subtle as unknown as KemSubtle;
  const native: MlKem1024 = {
    name: "webcrypto",
    async generate() {
      const usages = ["encapsulateBits", "decapsulateBits"];
      const pair = await kem.generateKey("ML-KEM-1024", true, usages);
      const [publicKey, seed] = await Promise.all([
        kem.exportKey("raw-public", pair.publicKey),
        kem.exportKey("raw-seed", pair.privateKey),
      ]);
      return {
        publicKey: new Uint8Array(publicKey),
        seed: new Uint8Array(seed),
      };
    },
    async encapsulate(publicKey) {
      try {
        const key = await kem.importKey(
          "raw-public",
          publicKey,
          "ML-KEM-1024",
          false,
          [
            "encapsulateBits",
          ],
        );
        const { ciphertext, sharedKey } = await kem.encapsulateBits(
          "ML-KEM-1024",
          key,
        );
        return {
          ciphertext: new Uint8Array(ciphertext),
          shared: new Uint8Array(sharedKey),
        };
      } catch {
        throw new SignalError("invalid-key");
      }
    },
    async decapsulate(seed, ciphertext) {
      const key = await kem.importKey("raw-seed", seed, "ML-KEM-1024", false, [
        "decapsulateBits",
      ]);
      return new Uint8Array(
        await kem.decapsulateBits("ML-KEM-1024", key, ciphertext),
      );
    },
  };
  try {
    const { publicKey, seed } = await native.generate();
    const { ciphertext, shared } = await native.encapsulate(publicKey);
    const opened = await nobleMlKem1024.decapsulate(seed, ciphertext);
    return opened.every((byte, i) => byte === shared[i]) ? native : undefined;
  } catch {
    return undefined; // this platform has no ML-KEM (Firefox), or an older draft of it
  }
}

let chosen: Promise<MlKem1024> | undefined;

/** The implementation of this platform: WebCrypto's if it has one that works, else noble's. Chosen once. */
export function mlKem1024(): Promise<MlKem1024> {
  chosen ??= chooseMlKem1024(globalThis.crypto.subtle);
  return chosen;
}

/** `subtle` is undefined where a page is not a secure context. */
export async function chooseMlKem1024(
  subtle: SubtleCrypto | undefined,
): Promise<MlKem1024> {
  return (subtle && await webCryptoMlKem1024(subtle)) ?? nobleMlKem1024;
}
