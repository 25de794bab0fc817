/**
 * ML-KEM-768 in two halves (FIPS 203). The larger half of a ciphertext, u,
 * depends on the seed of the matrix and a hash of the key only, so the peer
 * can begin to send it after a 64-byte header, while the rest of the key is
 * still under way.
 */
import { sha3_256, sha3_512, shake256 } from "@noble/hashes/sha3.js";
import { genCrystals, XOF128 } from "@noble/post-quantum/_crystals.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import { SpqrError } from "./error.ts";

/** ρ (32 bytes) ‖ SHA3-256 of the encapsulation key (32 bytes). */
export const HEADER_LENGTH = 64;
/** The vector t̂, 3 × 384 bytes. With ρ behind it, it is the encapsulation key. */
export const VECTOR_LENGTH = 1152;
export const SECRET_KEY_LENGTH = 2400;
export const SEED_LENGTH = 64;
export const MESSAGE_LENGTH = 32;
/** u, compressed to 10 bits. */
export const CT1_LENGTH = 960;
/** v, compressed to 4 bits. */
export const CT2_LENGTH = 128;

const N = 256;
const Q = 3329;
const K = 3;
const ETA_BYTES = 128; // 64 · η, η = 2

const crystals = genCrystals({
  N,
  Q,
  F: 3303, // 128⁻¹ mod q
  ROOT_OF_UNITY: 17,
  newPoly: (n: number) => new Uint16Array(n),
  brvBits: 7,
  isKyber: true,
});

const compressed10 = crystals.bitsCoder(10, {
  encode: (x) => (((x << 10) + (Q >> 1)) / Q) | 0,
  decode: (y) => (y * Q + 512) >>> 10,
});

/** A secret key (2400 bytes) from 64 random bytes, which the caller erases. */
export function generateSecretKey(seed: Uint8Array): Uint8Array {
  return ml_kem768.keygen(seed).secretKey;
}

/** The header (64 bytes) of a secret key's encapsulation key. */
export function headerOf(secretKey: Uint8Array): Uint8Array {
  // dk = s (1152) ‖ t̂ (1152) ‖ ρ (32) ‖ H(ek) (32) ‖ z (32): the header lies there as one piece.
  return secretKey.subarray(2 * VECTOR_LENGTH, 2 * VECTOR_LENGTH + 64);
}

/** The vector (1152 bytes) of a secret key's encapsulation key. */
export function vectorOf(secretKey: Uint8Array): Uint8Array {
  return secretKey.subarray(VECTOR_LENGTH, 2 * VECTOR_LENGTH);
}

/** First half of encapsulation, with 32 random bytes `m` to keep for the second. */
export function encapsulateFirst(
  header: Uint8Array,
  m: Uint8Array,
): { ct1: Uint8Array; sharedSecret: Uint8Array } {
  const rho = header.subarray(0, 32);
  const keyHash = header.subarray(32, 64);
  const digest = sha3_512.create().update(m).update(keyHash).digest();
  const ct1 = encryptU(rho, digest.subarray(32));
  const sharedSecret = digest.slice(0, 32);
  digest.fill(0);
  return { ct1, sharedSecret };
}

/**
 * Second half: ct2 (128 bytes) for the now complete key.
 * @throws SpqrError "invalid-key" when the vector is not the one the header announced, or not in range.
 */
export function encapsulateSecond(
  header: Uint8Array,
  vector: Uint8Array,
  m: Uint8Array,
  ct1: Uint8Array,
): Uint8Array {
  const key = new Uint8Array(VECTOR_LENGTH + 32);
  key.set(vector);
  key.set(header.subarray(0, 32), VECTOR_LENGTH);
  if (!sameBytes(sha3_256(key), header.subarray(32, 64))) {
    throw new SpqrError("invalid-key", "the key is not the announced one");
  }
  if (!inRange(vector)) {
    throw new SpqrError("invalid-key", "the key is out of range");
  }
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(key, m);
  sharedSecret.fill(0);
  // Both halves from different code: a slip in ours must not go out unnoticed.
  if (!sameBytes(cipherText.subarray(0, CT1_LENGTH), ct1)) {
    throw new Error("the halves of an encapsulation do not fit together");
  }
  return cipherText.slice(CT1_LENGTH);
}

/** The secret key (2400 bytes) of what a stage keeps of it: its seed, or already the key. The caller erases it. */
export function expandSecretKey(kept: Uint8Array): Uint8Array {
  return kept.length === SEED_LENGTH ? generateSecretKey(kept) : kept.slice();
}

/** The shared secret (32 bytes); a wrong ciphertext gives a wrong one (implicit rejection). */
export function decapsulate(
  secretKey: Uint8Array,
  ct1: Uint8Array,
  ct2: Uint8Array,
): Uint8Array {
  const ciphertext = new Uint8Array(CT1_LENGTH + CT2_LENGTH);
  ciphertext.set(ct1);
  ciphertext.set(ct2, CT1_LENGTH);
  return ml_kem768.decapsulate(ciphertext, secretKey);
}

/** Equality without an early exit. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

/** FIPS 203 §7.2, modulus check: every 12-bit coefficient is below q. */
function inRange(vector: Uint8Array): boolean {
  for (let i = 0; i < vector.length; i += 3) {
    const low = vector[i] | (vector[i + 1] & 15) << 8;
    const high = vector[i + 1] >> 4 | vector[i + 2] << 4;
    if (low >= Q || high >= Q) return false;
  }
  return true;
}

/** FIPS 203 algorithm 14, lines 3–19 and 22: c1 = Compress₁₀(NTT⁻¹(Âᵀ ∘ r̂) + e₁). */
function encryptU(rho: Uint8Array, randomness: Uint8Array): Uint8Array {
  const r = Array.from(
    { length: K },
    (_, i) => crystals.NTT.encode(sampleNoise(randomness, i)),
  );
  const matrix = XOF128(rho);
  const ct1 = new Uint8Array(CT1_LENGTH);
  for (let i = 0; i < K; i++) {
    const row = Array.from(
      { length: K },
      (_, j) => sampleUniform(matrix.get(i, j)),
    );
    const u = crystals.NTT.decode(innerProduct(row, r));
    const error = sampleNoise(randomness, K + i);
    for (let k = 0; k < N; k++) u[k] = (u[k] + error[k]) % Q;
    ct1.set(compressed10.encode(u), i * (CT1_LENGTH / K));
    error.fill(0);
  }
  matrix.clean();
  for (const polynomial of r) polynomial.fill(0);
  return ct1;
}

/** Σ a_j ∘ b_j in the NTT domain (algorithms 11 and 12). */
function innerProduct(a: Uint16Array[], b: Uint16Array[]): Uint16Array {
  const sum = new Uint16Array(N);
  for (let i = 0; i < N; i += 2) {
    const root = crystals.nttZetas[64 + (i >> 2)];
    const gamma = i & 2 ? Q - root : root;
    let even = 0, odd = 0;
    // Every product is below 2²⁴, so three rounds of two stay below 2³¹.
    for (let j = 0; j < K; j++) {
      const a0 = a[j][i], a1 = a[j][i + 1], b0 = b[j][i], b1 = b[j][i + 1];
      even += a0 * b0 + (a1 * b1 % Q) * gamma;
      odd += a0 * b1 + a1 * b0;
    }
    sum[i] = even % Q;
    sum[i + 1] = odd % Q;
  }
  return sum;
}

/** Algorithm 7, SampleNTT. */
function sampleUniform(nextBlock: () => Uint8Array): Uint16Array {
  const polynomial = new Uint16Array(N);
  for (let filled = 0; filled < N;) {
    const block = nextBlock(); // 168 bytes, a multiple of 3
    for (let i = 0; filled < N && i < block.length; i += 3) {
      const low = block[i] | (block[i + 1] & 15) << 8;
      const high = block[i + 1] >> 4 | block[i + 2] << 4;
      if (low < Q) polynomial[filled++] = low;
      if (high < Q && filled < N) polynomial[filled++] = high;
    }
  }
  return polynomial;
}

/** PRF and algorithm 8, SamplePolyCBD, for η = 2: every 4 bits give one coefficient in −2..2. */
function sampleNoise(randomness: Uint8Array, nonce: number): Uint16Array {
  const bytes = shake256.create({ dkLen: ETA_BYTES }).update(randomness)
    .update(Uint8Array.of(nonce)).digest();
  const polynomial = new Uint16Array(N);
  for (let i = 0; i < N; i++) {
    const bits = bytes[i >> 1] >> 4 * (i & 1);
    const difference = (bits & 1) + (bits >> 1 & 1) - (bits >> 2 & 1) -
      (bits >> 3 & 1);
    polynomial[i] = (difference + Q) % Q;
  }
  bytes.fill(0);
  return polynomial;
}
