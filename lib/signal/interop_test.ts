/** The mathematics under the sessions, against official libsignal. */
import assert from "node:assert/strict";
import * as L from "@signalapp/libsignal-client";
import {
  agree,
  generateKeyPair,
  publicKeyOf,
  safetyNumber,
  sign,
  verify,
} from "./mod.ts";
import { owned } from "./testing/owned.ts";

Deno.test("a Diffie-Hellman agreement is libsignal's", async () => {
  for (let i = 0; i < 20; i++) {
    const ours = await generateKeyPair();
    const theirs = L.PrivateKey.generate();
    assert.deepEqual(
      await agree(ours.privateKey, theirs.getPublicKey().serialize()),
      owned(theirs.agree(L.PublicKey.deserialize(owned(ours.publicKey)))),
    );
  }
});

Deno.test("XEdDSA signatures verify on the other side, and altered ones do not", async () => {
  for (let i = 0; i < 40; i++) {
    const { privateKey, publicKey } = await generateKeyPair();
    const theirKey = L.PrivateKey.deserialize(owned(privateKey));
    assert.deepEqual(owned(theirKey.getPublicKey().serialize()), publicKey);
    assert.deepEqual(publicKeyOf(privateKey), publicKey);
    const message = crypto.getRandomValues(new Uint8Array(i * 7));
    const theirPublic = theirKey.getPublicKey();
    const ourSignature = sign(privateKey, message);
    assert(theirPublic.verify(message, owned(ourSignature)));
    const theirSignature = theirKey.sign(message);
    assert(await verify(publicKey, message, theirSignature));
    for (const signature of [ourSignature, theirSignature]) {
      const altered = owned(signature);
      altered[i % 64] ^= 1 << (i % 8);
      assert.equal(await verify(publicKey, message, altered), false);
      assert.equal(theirPublic.verify(message, altered), false);
    }
    const longer = Uint8Array.of(...message, 0);
    assert.equal(await verify(publicKey, longer, theirSignature), false);
  }
});

Deno.test("safety numbers are libsignal's, the same on both sides", async () => {
  for (let i = 0; i < 3; i++) {
    const [a, b] = [await generateKeyPair(), await generateKeyPair()];
    const [idA, idB] = [crypto.randomUUID(), crypto.randomUUID()];
    const ours = await safetyNumber({
      localId: idA,
      localKey: a.publicKey,
      remoteId: idB,
      remoteKey: b.publicKey,
    });
    const theirs = L.Fingerprint.new(
      5200,
      2,
      new TextEncoder().encode(idB),
      L.PublicKey.deserialize(owned(b.publicKey)),
      new TextEncoder().encode(idA),
      L.PublicKey.deserialize(owned(a.publicKey)),
    );
    assert.equal(ours.displayable, theirs.displayableFingerprint().toString());
    assert.match(ours.displayable, /^[0-9]{60}$/);
    const scanned = L.ScannableFingerprint._fromBuffer(owned(ours.scannable));
    assert(theirs.scannableFingerprint().compare(scanned));
  }
});
