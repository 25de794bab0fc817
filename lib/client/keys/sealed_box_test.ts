import assert from "node:assert/strict";
import fc from "fast-check";
import { generateKeyPair } from "../../signal/mod.ts";
import {
  openSealed,
  SEALED_BOX_OVERHEAD,
  SealedBoxError,
  sealToKey,
} from "./sealed_box.ts";

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("a box opens with the private key and for its purpose only", async () => {
  const recipient = await generateKeyPair();
  const box = await sealToKey(recipient.publicKey, text("secret"), "vault key");
  assert.equal(box.length, 6 + SEALED_BOX_OVERHEAD);
  assert.deepEqual(
    await openSealed(recipient, box, "vault key"),
    text("secret"),
  );
  await assert.rejects(
    openSealed(recipient, box, "remove key"),
    SealedBoxError,
  );
  await assert.rejects(
    openSealed(await generateKeyPair(), box, "vault key"),
    SealedBoxError,
  );
});

Deno.test("boxes of the same bytes have nothing in common but the version", async () => {
  const recipient = await generateKeyPair();
  const one = await sealToKey(recipient.publicKey, new Uint8Array(32), "p");
  const two = await sealToKey(recipient.publicKey, new Uint8Array(32), "p");
  assert.notDeepEqual(one.slice(1, 33), two.slice(1, 33));
  assert.notDeepEqual(one.slice(33), two.slice(33));
});

Deno.test("no changed byte of a box goes unnoticed", async () => {
  const recipient = await generateKeyPair();
  const box = await sealToKey(recipient.publicKey, text("x"), "p");
  for (let at = 0; at < box.length; at++) {
    const changed = box.slice();
    changed[at] ^= 0x80;
    await assert.rejects(openSealed(recipient, changed, "p"), SealedBoxError);
  }
  for (const length of [0, 1, 33, 48, box.length - 1]) {
    await assert.rejects(
      openSealed(recipient, box.slice(0, length), "p"),
      SealedBoxError,
    );
  }
});

Deno.test("an ephemeral key of low order is refused", async () => {
  const recipient = await generateKeyPair();
  for (const low of [0, 1]) {
    const box = new Uint8Array(80);
    box[0] = 1;
    box[1] = low;
    await assert.rejects(openSealed(recipient, box, "p"), SealedBoxError);
  }
});

Deno.test("whatever is sealed opens as it was", async () => {
  const recipient = await generateKeyPair();
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 500 }),
      fc.string(),
      async (plaintext, purpose) => {
        const box = await sealToKey(recipient.publicKey, plaintext, purpose);
        assert.deepEqual(await openSealed(recipient, box, purpose), plaintext);
      },
    ),
    { numRuns: 25 },
  );
});
