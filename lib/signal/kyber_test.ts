import assert from "node:assert/strict";
import { SignalError } from "./errors.ts";
import {
  generateKyberKeyPair,
  kyberDecapsulate,
  kyberEncapsulate,
} from "./kyber.ts";
import {
  chooseMlKem1024,
  nobleMlKem1024,
  SIZES,
  webCryptoMlKem1024,
} from "./ml_kem.ts";

const webCrypto = await webCryptoMlKem1024(crypto.subtle);
assert(webCrypto, "this runtime has ML-KEM-1024 in WebCrypto");

Deno.test("each ML-KEM opens what the other sealed, with the other's keys", async () => {
  for (const owner of [webCrypto, nobleMlKem1024]) {
    const { publicKey, seed } = await owner.generate();
    assert.equal(publicKey.length, SIZES.publicKey);
    assert.equal(seed.length, SIZES.seed);
    for (const sender of [webCrypto, nobleMlKem1024]) {
      const { ciphertext, shared } = await sender.encapsulate(publicKey);
      assert.deepEqual(await webCrypto.decapsulate(seed, ciphertext), shared);
      assert.deepEqual(
        await nobleMlKem1024.decapsulate(seed, ciphertext),
        shared,
      );
      // Implicit rejection is the same too (FIPS 203 section 6.3).
      ciphertext[0] ^= 1;
      const rejected = await nobleMlKem1024.decapsulate(seed, ciphertext);
      assert.notDeepEqual(rejected, shared);
      assert.deepEqual(await webCrypto.decapsulate(seed, ciphertext), rejected);
    }
  }
});

Deno.test("both refuse a public key with coefficients out of range", async () => {
  const invalid = new Uint8Array(SIZES.publicKey).fill(0xff);
  for (const kem of [webCrypto, nobleMlKem1024]) {
    await assert.rejects(
      kem.encapsulate(invalid),
      new SignalError("invalid-key"),
    );
  }
});

Deno.test("WebCrypto is chosen where it works, else noble", async () => {
  assert.equal((await chooseMlKem1024(crypto.subtle)).name, "webcrypto");
  assert.equal((await chooseMlKem1024(undefined)).name, "noble");
  const lacking = {
    generateKey: () =>
      Promise.reject(new DOMException("", "NotSupportedError")),
  };
  // Only this method is reached.
  const partial = lacking as unknown as SubtleCrypto;
  assert.equal((await chooseMlKem1024(partial)).name, "noble");
});

Deno.test("Kyber keys and ciphertexts carry their type byte, and others are refused", async () => {
  const { publicKey, secretKey } = await generateKyberKeyPair();
  const { ciphertext, secret } = await kyberEncapsulate(publicKey);
  assert.equal(publicKey[0], 0x08);
  assert.equal(ciphertext[0], 0x08);
  assert.deepEqual(await kyberDecapsulate(secretKey, ciphertext), secret);
  const mlKem = (bytes: Uint8Array) =>
    Uint8Array.of(0x0a, ...bytes.subarray(1));
  await assert.rejects(
    kyberEncapsulate(mlKem(publicKey)),
    new SignalError("invalid-key"),
  );
  for (
    const wrong of [mlKem(ciphertext), ciphertext.subarray(1), new Uint8Array()]
  ) {
    await assert.rejects(
      kyberDecapsulate(secretKey, wrong),
      (error: unknown) =>
        error instanceof SignalError && error.code === "malformed",
    );
  }
});
