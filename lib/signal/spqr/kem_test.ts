import { sha3_256 } from "@noble/hashes/sha3.js";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";
import fc from "fast-check";
import assert from "node:assert/strict";
import {
  CT1_LENGTH,
  decapsulate,
  encapsulateFirst,
  encapsulateSecond,
  generateSecretKey,
  headerOf,
  sameBytes,
  VECTOR_LENGTH,
  vectorOf,
} from "./kem.ts";
import type { SpqrErrorCode } from "./error.ts";

const refusal = (code: SpqrErrorCode) => ({ name: "SpqrError", code });

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length });
const seed = new Uint8Array(64).fill(1);
const m = new Uint8Array(32).fill(2);

Deno.test("two halves make exactly the standard's encapsulation", () => {
  fc.assert(
    fc.property(bytes(64), bytes(32), (seed, m) => {
      const secretKey = generateSecretKey(seed);
      const { publicKey } = ml_kem768.keygen(seed);
      const standard = ml_kem768.encapsulate(publicKey, m);
      const { ct1, sharedSecret } = encapsulateFirst(headerOf(secretKey), m);
      assert.deepEqual(ct1, standard.cipherText.slice(0, CT1_LENGTH));
      assert.deepEqual(sharedSecret, standard.sharedSecret);
      const ct2 = encapsulateSecond(
        headerOf(secretKey),
        vectorOf(secretKey),
        m,
        ct1,
      );
      assert.deepEqual(ct2, standard.cipherText.slice(CT1_LENGTH));
      assert.deepEqual(decapsulate(secretKey, ct1, ct2), sharedSecret);
    }),
    { numRuns: 100 },
  );
});

Deno.test("header and vector are the encapsulation key and its hash", () => {
  const secretKey = generateSecretKey(seed);
  const { publicKey } = ml_kem768.keygen(seed);
  assert.deepEqual(vectorOf(secretKey), publicKey.slice(0, VECTOR_LENGTH));
  assert.deepEqual(
    headerOf(secretKey).slice(0, 32),
    publicKey.slice(VECTOR_LENGTH),
  );
  assert.deepEqual(headerOf(secretKey).slice(32), sha3_256(publicKey));
});

Deno.test("a key other than the announced one is refused", () => {
  const secretKey = generateSecretKey(seed);
  const header = headerOf(secretKey);
  const { ct1 } = encapsulateFirst(header, m);
  const vector = vectorOf(secretKey).slice();
  vector[100] ^= 1;
  assert.throws(
    () => encapsulateSecond(header, vector, m, ct1),
    refusal("invalid-key"),
  );
});

Deno.test("a key with a coefficient out of range is refused, announced or not", () => {
  for (const [at, low] of [[0, true], [VECTOR_LENGTH - 3, false]] as const) {
    const key = ml_kem768.keygen(seed).publicKey.slice();
    // The smallest value out of range, q = 3329 = 0xd01, in either place of a triple.
    if (low) {
      key[at] = 0x01;
      key[at + 1] = key[at + 1] & 0xf0 | 0x0d;
    } else {
      key[at + 1] = key[at + 1] & 0x0f | 0x10;
      key[at + 2] = 0xd0;
    }
    const header = new Uint8Array(64);
    header.set(key.subarray(VECTOR_LENGTH));
    header.set(sha3_256(key), 32);
    const { ct1 } = encapsulateFirst(header, m);
    const vector = key.subarray(0, VECTOR_LENGTH);
    assert.throws(
      () => encapsulateSecond(header, vector, m, ct1),
      refusal("invalid-key"),
    );
  }
});

Deno.test("halves that do not fit together never leave", () => {
  const secretKey = generateSecretKey(seed);
  const { ct1 } = encapsulateFirst(headerOf(secretKey), m);
  ct1[0] ^= 1;
  assert.throws(
    () => encapsulateSecond(headerOf(secretKey), vectorOf(secretKey), m, ct1),
    /do not fit together/,
  );
});

Deno.test("a changed ciphertext gives another secret", () => {
  const secretKey = generateSecretKey(seed);
  const { ct1, sharedSecret } = encapsulateFirst(headerOf(secretKey), m);
  const ct2 = encapsulateSecond(
    headerOf(secretKey),
    vectorOf(secretKey),
    m,
    ct1,
  );
  ct2[0] ^= 1;
  assert.notDeepEqual(decapsulate(secretKey, ct1, ct2), sharedSecret);
});

Deno.test("bytes are the same when all of them are", () => {
  assert.ok(sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  assert.ok(!sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  assert.ok(!sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1)));
  assert.ok(!sameBytes(Uint8Array.of(1), Uint8Array.of(1, 0)));
});
