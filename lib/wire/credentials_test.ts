import assert from "node:assert/strict";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  bindMessage,
  ed25519Signer,
  queueId,
  rendezvousMessage,
  verifyEd25519,
} from "./mod.ts";

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("a queue's id is the labelled hash of its send key", () => {
  const key = new Uint8Array(32).fill(5);
  assert.deepEqual(
    queueId(key),
    sha256(new Uint8Array([...text("whisper queue v1"), ...key])).slice(0, 16),
  );
});

Deno.test("what is signed names relay, connection, queue or party, role and generation", () => {
  const [challenge, relay, key] = [1, 2, 3].map((fill) =>
    new Uint8Array(32).fill(fill)
  );
  const queue = new Uint8Array(16).fill(4);
  assert.deepEqual(
    bindMessage(challenge, relay, queue, "remove", 0x01020304),
    new Uint8Array([
      ...text("whisper bind v1"),
      ...challenge,
      ...relay,
      ...queue,
      2,
      1,
      2,
      3,
      4,
    ]),
  );
  assert.deepEqual(
    rendezvousMessage(challenge, relay, "join", 0x0fffff, key),
    new Uint8Array([
      ...text("whisper rendezvous v1"),
      ...challenge,
      ...relay,
      1,
      0,
      0x0f,
      0xff,
      0xff,
      ...key,
    ]),
  );
});

Deno.test("signatures are RFC 8032's, and anything else is no", async () => {
  const seed = new Uint8Array(32).fill(9);
  const message = text("a message");
  const signer = await ed25519Signer(seed);
  const signature = await signer.sign(message);
  assert.deepEqual(signer.publicKey, ed25519.getPublicKey(seed));
  assert.deepEqual(signature, ed25519.sign(message, seed));
  assert.equal(await verifyEd25519(signer.publicKey, message, signature), true);
  assert.equal(
    await verifyEd25519(signer.publicKey, text("another"), signature),
    false,
  );
  assert.equal(
    await verifyEd25519(new Uint8Array(32).fill(0xff), message, signature),
    false,
  );
  assert.equal(
    await verifyEd25519(signer.publicKey.slice(1), message, signature),
    false,
  );
  assert.equal(
    await verifyEd25519(signer.publicKey, message, signature.slice(1)),
    false,
  );
});
