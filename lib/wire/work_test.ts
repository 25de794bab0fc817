import assert from "node:assert/strict";
import { sha256 } from "@noble/hashes/sha2.js";
import { checkWork, solveWork, type WorkTask } from "./mod.ts";

const task: WorkTask = {
  challenge: new Uint8Array(32).fill(1),
  type: "NEW",
  key: new Uint8Array(32).fill(2),
  bits: 10,
};

Deno.test("solved work is accepted, for this task and no other", async () => {
  const nonce = await solveWork(task);
  assert.equal(checkWork(task, nonce), true);
  // 30 bits: that the same nonce solves one of these by chance is one in 2^28.
  const others: WorkTask[] = [
    { ...task, bits: 30 },
    { ...task, bits: 30, type: "OPEN" },
    { ...task, bits: 30, key: new Uint8Array(32).fill(3) },
    { ...task, bits: 30, challenge: new Uint8Array(32).fill(3) },
  ];
  for (const other of others) assert.equal(checkWork(other, nonce), false);
});

Deno.test("work is the number of leading zero bits of the labelled hash", async () => {
  const nonce = await solveWork(task);
  const input = new Uint8Array(15 + 32 + 1 + 32 + 8);
  input.set(new TextEncoder().encode("whisper work v1"));
  input.set(task.challenge, 15);
  input[47] = 0x10;
  input.set(task.key, 48);
  new DataView(input.buffer).setBigUint64(80, nonce);
  const hash = sha256(input);
  const bits = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join(
    "",
  ).indexOf("1");
  assert.ok(bits >= 10);
  assert.equal(checkWork({ ...task, bits }, nonce), true);
  assert.equal(checkWork({ ...task, bits: bits + 1 }, nonce), false);
});

Deno.test("solving can be given up", async () => {
  const stop = new AbortController();
  const solving = solveWork({ ...task, bits: 200 }, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(solving, /enough/);
});
