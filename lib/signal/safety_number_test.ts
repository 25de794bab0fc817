import assert from "node:assert/strict";
import { generateKeyPair, safetyNumber, SignalError } from "./mod.ts";

async function someone() {
  return { id: crypto.randomUUID(), key: (await generateKeyPair()).publicKey };
}

function between(
  local: Awaited<ReturnType<typeof someone>>,
  remote: Awaited<ReturnType<typeof someone>>,
) {
  return safetyNumber({
    localId: local.id,
    localKey: local.key,
    remoteId: remote.id,
    remoteKey: remote.key,
  });
}

Deno.test("both sides read the same 60 digits, and other ones with anyone else", async () => {
  const [a, b, c] = await Promise.all([someone(), someone(), someone()]);
  const { displayable } = await between(a, b);
  assert.match(displayable, /^\d{60}$/);
  assert.equal((await between(b, a)).displayable, displayable);
  assert.notEqual((await between(a, c)).displayable, displayable);
  assert.notEqual(
    (await between({ ...a, id: c.id }, b)).displayable,
    displayable,
  );
});

Deno.test("a malformed identity key is refused", async () => {
  const [a, b] = [await someone(), await someone()];
  await assert.rejects(
    between(a, { ...b, key: b.key.subarray(1) }),
    new SignalError("invalid-key"),
  );
});

Deno.test("whoever no longer wants a safety number ends its computation, before it begins or in the midst of it", async () => {
  const [a, b] = [await someone(), await someone()];
  const options = {
    localId: a.id,
    localKey: a.key,
    remoteId: b.id,
    remoteKey: b.key,
  };
  const reason = new Error("closed");
  const signal = AbortSignal.abort(reason);
  await assert.rejects(safetyNumber({ ...options, signal }), reason);
  const controller = new AbortController();
  const computing = safetyNumber({ ...options, signal: controller.signal });
  // It gives way before it is done, or this would come too late.
  setTimeout(() => controller.abort(reason));
  await assert.rejects(computing, reason);
});
