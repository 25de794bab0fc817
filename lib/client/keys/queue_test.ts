import assert from "node:assert/strict";
import { bytesToHex } from "@noble/hashes/utils.js";
import { generateKeyPair } from "../../signal/mod.ts";
import { MalformedError } from "./protobuf.ts";
import {
  encodeQueue,
  newQueue,
  parseQueue,
  REMOVE_KEY_PURPOSE,
  sealRemoveKey,
  wipeQueue,
} from "./queue.ts";
import { openSealed } from "./sealed_box.ts";

Deno.test("a queue has three different key pairs and a seal key of its own", async () => {
  const [one, two] = [await newQueue(), await newQueue()];
  const keys = [one, two].flatMap((queue) => [
    queue.receive.publicKey,
    queue.send.publicKey,
    queue.remove.publicKey,
    queue.sealKey,
  ]).map(bytesToHex);
  assert.equal(new Set(keys).size, 8);
});

Deno.test("credentials are stored and read back", async () => {
  const queue = await newQueue();
  assert.deepEqual(await parseQueue(encodeQueue(queue)), queue);
});

Deno.test("a truncated record is malformed", async () => {
  const bytes = encodeQueue(await newQueue());
  for (let length = 0; length < bytes.length; length++) {
    await assert.rejects(parseQueue(bytes.slice(0, length)), MalformedError);
  }
});

Deno.test("the remove key opens with the recovery key", async () => {
  const recovery = await generateKeyPair();
  const queue = await newQueue();
  const sealed = await sealRemoveKey(recovery.publicKey, queue);
  assert.deepEqual(
    await openSealed(recovery, sealed, REMOVE_KEY_PURPOSE),
    queue.remove.seed,
  );
});

Deno.test("wiped credentials hold no secret", async () => {
  const queue = await newQueue();
  wipeQueue(queue);
  for (
    const secret of [
      queue.receive.seed,
      queue.send.seed,
      queue.remove.seed,
      queue.sealKey,
    ]
  ) assert.ok(secret.every((byte) => byte === 0));
});
