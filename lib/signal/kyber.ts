import { concatBytes } from "@noble/ciphers/utils.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { SignalError } from "./errors.ts";
import { mlKem1024, publicKeyOfSeed, SIZES } from "./ml_kem.ts";

/*
 * Kyber1024 round 3 out of ML-KEM-1024. The two differ in a hash of the encapsulator's randomness, which
 * nobody else can see, and in a last derivation of the shared secret, which is redone here. Keys are the same.
 */

const KYBER1024 = 0x08;

/** Whether the bytes have the form 0x08 ‖ key (1569). */
export function isKyberPublicKey(publicKey: Uint8Array): boolean {
  return publicKey.length === 1 + SIZES.publicKey && publicKey[0] === KYBER1024;
}

/** A new key pair: public key 0x08 ‖ 1568, secret key the 64-byte seed. */
export async function generateKyberKeyPair(): Promise<
  { publicKey: Uint8Array; secretKey: Uint8Array }
> {
  const { publicKey, seed } = await (await mlKem1024()).generate();
  return {
    publicKey: concatBytes(Uint8Array.of(KYBER1024), publicKey),
    secretKey: seed,
  };
}

/** A new secret key, the 64-byte seed, from the platform's randomness. Its public key: `kyberPublicKeyOf`. */
export function generateKyberSeed(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SIZES.seed));
}

/** The public key (0x08 ‖ 1568) of a secret key (the 64-byte seed). About a millisecond. */
export function kyberPublicKeyOf(secretKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(KYBER1024), publicKeyOfSeed(secretKey));
}

/** Ciphertext (0x08 ‖ 1568) and shared secret (32) for a public key. @throws SignalError `invalid-key` */
export async function kyberEncapsulate(
  publicKey: Uint8Array,
): Promise<{ ciphertext: Uint8Array; secret: Uint8Array }> {
  if (!isKyberPublicKey(publicKey)) throw new SignalError("invalid-key");
  const { ciphertext, shared } = await (await mlKem1024()).encapsulate(
    publicKey.subarray(1),
  );
  return {
    ciphertext: concatBytes(Uint8Array.of(KYBER1024), ciphertext),
    secret: kyberSecret(shared, ciphertext),
  };
}

/**
 * The shared secret (32) of a ciphertext (0x08 ‖ 1568). A forged ciphertext gives a random secret, as it must.
 * @throws SignalError `malformed`
 */
export async function kyberDecapsulate(
  secretKey: Uint8Array,
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  if (
    ciphertext.length !== 1 + SIZES.ciphertext || ciphertext[0] !== KYBER1024
  ) {
    throw new SignalError("malformed", "KEM ciphertext");
  }
  const bare = ciphertext.subarray(1);
  return kyberSecret(
    await (await mlKem1024()).decapsulate(secretKey, bare),
    bare,
  );
}

function kyberSecret(shared: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const secret = shake256(concatBytes(shared, sha3_256(ciphertext)), {
    dkLen: 32,
  });
  shared.fill(0);
  return secret;
}
