import assert from "node:assert/strict";
import { ed25519 } from "@noble/curves/ed25519.js";
import { numberToBytesLE } from "@noble/curves/utils.js";
import { generateKeyPair } from "./keys.ts";
import { chooseEd25519, verify, webCryptoEd25519 } from "./xeddsa.ts";
import { nobleEd25519, sign } from "./xeddsa_noble.ts";

const webCrypto = await webCryptoEd25519(crypto.subtle);
assert(webCrypto, "this runtime has Ed25519 in WebCrypto");

Deno.test("a signature verifies under its key and message only", async () => {
  const [signer, other] = [await generateKeyPair(), await generateKeyPair()];
  const message = new TextEncoder().encode("message");
  const signature = sign(signer.privateKey, message);
  assert.equal(await verify(signer.publicKey, message, signature), true);
  assert.equal(await verify(other.publicKey, message, signature), false);
  assert.equal(
    await verify(signer.publicKey, message.subarray(1), signature),
    false,
  );
});

Deno.test("signatures are randomised", async () => {
  const { privateKey } = await generateKeyPair();
  const message = new Uint8Array(4);
  assert.notDeepEqual(sign(privateKey, message), sign(privateKey, message));
});

Deno.test("malformed keys and signatures are a no, not an exception", async () => {
  const { privateKey, publicKey } = await generateKeyPair();
  const message = new Uint8Array(3);
  const signature = sign(privateKey, message);
  const highBits = Uint8Array.from(signature);
  highBits[63] |= 0x60;
  const minusOne = numberToBytesLE(ed25519.Point.Fp.ORDER - 1n, 32);
  const onTheTwist = Uint8Array.of(2, ...new Uint8Array(31));
  assert.equal(await verify(publicKey.subarray(1), message, signature), false);
  assert.equal(await verify(publicKey, message, signature.subarray(1)), false);
  assert.equal(await verify(publicKey, message, highBits), false);
  for (const u of [minusOne, onTheTwist, new Uint8Array(32)]) {
    assert.equal(
      await verify(Uint8Array.of(5, ...u), message, signature),
      false,
    );
  }
});

Deno.test("both Ed25519 verifiers judge alike", async () => {
  const secret = ed25519.utils.randomSecretKey();
  const publicKey = ed25519.getPublicKey(secret);
  const message = crypto.getRandomValues(new Uint8Array(100));
  const signature = ed25519.sign(message, secret);
  const tooLarge = Uint8Array.from(signature);
  const S = ed25519.Point.Fn.fromBytes(signature.subarray(32));
  tooLarge.set(numberToBytesLE(S + ed25519.Point.Fn.ORDER, 32), 32);
  const altered = Array.from({ length: 64 }, (_, at) => {
    const bytes = Uint8Array.from(signature);
    bytes[at] ^= 1;
    return bytes;
  });
  for (const verifier of [webCrypto, nobleEd25519]) {
    assert.equal(await verifier.verify(publicKey, message, signature), true);
    for (const wrong of [tooLarge, ...altered]) {
      assert.equal(await verifier.verify(publicKey, message, wrong), false);
    }
  }
});

Deno.test("WebCrypto verifies where it works, noble where it is missing or wrong", async () => {
  assert.equal((await chooseEd25519(crypto.subtle)).name, "webcrypto");
  assert.equal((await chooseEd25519(undefined)).name, "noble");
  const importKey = crypto.subtle.importKey.bind(crypto.subtle);
  const lacking = {
    importKey: () => Promise.reject(new DOMException("", "NotSupportedError")),
  };
  const wrong = { importKey, verify: () => Promise.resolve(false) };
  for (const subtle of [lacking, wrong]) {
    // Only these methods are used.
    const partial = subtle as unknown as SubtleCrypto;
    assert.equal((await chooseEd25519(partial)).name, "noble");
  }
});
