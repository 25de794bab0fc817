import assert from "node:assert/strict";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import {
  answersCorrectly,
  type Ed25519,
  ed25519,
  ed25519PairOf,
  newEd25519Pair,
  signEd25519,
  verifyEd25519,
  webCryptoEd25519,
} from "./ed25519.ts";
import { nobleEd25519 } from "./ed25519_noble.ts";
import vectors from "./ed25519_vectors.json" with { type: "json" };

const implementations: [string, Ed25519][] = [
  ["WebCrypto", webCryptoEd25519],
  ["noble", nobleEd25519],
];

for (const [name, implementation] of implementations) {
  for (const vector of vectors.rfc8032) {
    Deno.test(`${name} agrees with RFC 8032, ${vector.name}`, async () => {
      const seed = hexToBytes(vector.seed);
      const publicKey = hexToBytes(vector.publicKey);
      const message = hexToBytes(vector.message);
      assert.equal(
        bytesToHex(await implementation.publicKeyOf(seed)),
        vector.publicKey,
      );
      assert.equal(
        bytesToHex(await sign(implementation, seed, message)),
        vector.signature,
      );
      const signature = hexToBytes(vector.signature);
      assert.ok(await implementation.verify(publicKey, message, signature));
    });
  }

  Deno.test(`${name} refuses what is no signature`, async () => {
    const [{ seed, message }] = vectors.rfc8032.slice(2);
    const publicKey = await implementation.publicKeyOf(hexToBytes(seed));
    const text = hexToBytes(message);
    const signature = await sign(implementation, hexToBytes(seed), text);
    const refused = async (
      key: Uint8Array,
      said: Uint8Array,
      signed: Uint8Array,
    ) => assert.equal(await implementation.verify(key, said, signed), false);
    for (const at of [0, 31, 32, 63]) {
      const changed = signature.slice();
      changed[at] ^= 1;
      await refused(publicKey, text, changed);
    }
    await refused(publicKey, Uint8Array.of(...text, 0), signature);
    await refused(publicKey, text, signature.subarray(1));
    await refused(publicKey.subarray(1), text, signature);
    await refused(new Uint8Array(32).fill(0xff), text, signature);
    await refused(hexToBytes(vectors.noPoint), text, signature);
    await refused(publicKey, text, new Uint8Array(64));
    await refused(publicKey, text, new Uint8Array(64).fill(0xff));
    // s + L is the same equation; accepting it would give a message two signatures.
    await refused(publicKey, text, malleable(signature));
  });
}

async function sign(
  implementation: Ed25519,
  seed: Uint8Array,
  message: Uint8Array,
): Promise<Uint8Array> {
  return await (await implementation.signerOf(seed))(message);
}

/** The same signature with s + L in place of s. */
function malleable(signature: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = signature.slice(32)
    .reduceRight((value, byte) => value << 8n | BigInt(byte), 0n) + order;
  const changed = signature.slice();
  for (let i = 0n; i < 32n; i++) {
    changed[32 + Number(i)] = Number(s >> (8n * i) & 255n);
  }
  return changed;
}

Deno.test("both implementations sign alike and verify each other", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ maxLength: 300 }),
      async (seed, message) => {
        const publicKey = await nobleEd25519.publicKeyOf(seed);
        assert.deepEqual(await webCryptoEd25519.publicKeyOf(seed), publicKey);
        const signature = await sign(nobleEd25519, seed, message);
        assert.deepEqual(
          await sign(webCryptoEd25519, seed, message),
          signature,
        );
        assert.ok(await webCryptoEd25519.verify(publicKey, message, signature));
        assert.ok(await nobleEd25519.verify(publicKey, message, signature));
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("this engine's WebCrypto is chosen, once", async () => {
  assert.equal(await ed25519(), webCryptoEd25519);
  assert.equal(await ed25519(), await ed25519());
});

Deno.test("an engine that throws, or answers wrongly, is passed over", async () => {
  assert.equal(await answersCorrectly(nobleEd25519), true);
  assert.equal(
    await answersCorrectly({
      ...nobleEd25519,
      signerOf: () => Promise.reject(new DOMException("", "NotSupportedError")),
    }),
    false,
  );
  assert.equal(
    await answersCorrectly({
      ...nobleEd25519,
      publicKeyOf: () => Promise.resolve(new Uint8Array(32)),
    }),
    false,
  );
  assert.equal(
    await answersCorrectly({
      ...nobleEd25519,
      verify: () => Promise.resolve(false),
    }),
    false,
  );
});

Deno.test("a pair signs what only its public key verifies", async () => {
  const pair = await newEd25519Pair();
  const message = new TextEncoder().encode("whisper bind v1");
  const signature = await signEd25519(pair, message);
  assert.ok(await verifyEd25519(pair.publicKey, message, signature));
  const other = await newEd25519Pair();
  assert.equal(
    await verifyEd25519(other.publicKey, message, signature),
    false,
  );
  assert.deepEqual(await ed25519PairOf(pair.seed), pair);
});
