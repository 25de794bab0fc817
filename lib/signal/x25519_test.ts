import assert from "node:assert/strict";
import { hexToBytes } from "@noble/hashes/utils.js";
import { SignalError } from "./errors.ts";
import { agree, generateKeyPair } from "./keys.ts";
import { publicKeyOf } from "./public_key.ts";
import { chooseX25519, webCryptoX25519, type X25519 } from "./x25519.ts";
import { nobleX25519 } from "./x25519_noble.ts";

const webCrypto = await webCryptoX25519(crypto.subtle);
assert(webCrypto, "this runtime has X25519 in WebCrypto");
const IMPLEMENTATIONS: X25519[] = [webCrypto, nobleX25519];

for (const x25519 of IMPLEMENTATIONS) {
  Deno.test(`${x25519.name}: the vector of RFC 7748 section 5.2`, async () => {
    const scalar = hexToBytes(
      "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    );
    const u = hexToBytes(
      "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    );
    assert.deepEqual(
      await x25519.agree(scalar, u),
      hexToBytes(
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
      ),
    );
  });

  Deno.test(`${x25519.name}: an all-zero result is refused`, async () => {
    const { privateKey } = await generateKeyPair();
    const one = Uint8Array.of(1, ...new Uint8Array(31));
    for (const lowOrder of [new Uint8Array(32), one]) {
      await assert.rejects(
        x25519.agree(privateKey, lowOrder),
        new SignalError("invalid-key"),
      );
    }
  });
}

Deno.test("both implementations agree, also on keys with the high bit set", async () => {
  for (let i = 0; i < 50; i++) {
    const privateKey = crypto.getRandomValues(new Uint8Array(32));
    const u = crypto.getRandomValues(new Uint8Array(32));
    assert.deepEqual(
      await webCrypto.agree(privateKey, u),
      await nobleX25519.agree(privateKey, u),
    );
    assert.deepEqual(
      await webCrypto.publicKey(privateKey),
      await nobleX25519.publicKey(privateKey),
    );
  }
});

Deno.test("WebCrypto is chosen where it works, noble where it is missing or wrong", async () => {
  assert.equal((await chooseX25519(crypto.subtle)).name, "webcrypto");
  assert.equal((await chooseX25519(undefined)).name, "noble");
  const bind = (method: keyof SubtleCrypto) =>
    crypto.subtle[method].bind(crypto.subtle);
  const lacking = {
    importKey: () => Promise.reject(new DOMException("", "NotSupportedError")),
  };
  const wrong = {
    importKey: bind("importKey"),
    deriveBits: () => Promise.resolve(new ArrayBuffer(32)),
  };
  for (const subtle of [lacking, wrong]) {
    // Only these methods are used.
    const partial = subtle as unknown as SubtleCrypto;
    assert.equal((await chooseX25519(partial)).name, "noble");
  }
});

Deno.test("key pairs agree, and malformed keys are refused", async () => {
  const [a, b] = [await generateKeyPair(), await generateKeyPair()];
  assert.deepEqual(
    await agree(a.privateKey, b.publicKey),
    await agree(b.privateKey, a.publicKey),
  );
  assert.deepEqual(publicKeyOf(a.privateKey), a.publicKey);
  const invalid = new SignalError("invalid-key");
  const wrongType = Uint8Array.from(b.publicKey);
  wrongType[0] = 0x06;
  for (const key of [b.publicKey.subarray(1), wrongType, new Uint8Array()]) {
    await assert.rejects(agree(a.privateKey, key), invalid);
  }
  await assert.rejects(agree(a.privateKey.subarray(1), b.publicKey), invalid);
});
