import assert from "node:assert/strict";
import {
  ed25519Signer,
  encodeFrame,
  encodeHello,
  MAX_URL,
  parseHello,
  WireError,
} from "./mod.ts";

const signer = await ed25519Signer(new Uint8Array(32).fill(1));
const hello = {
  features: 0,
  challenge: new Uint8Array(32).fill(2),
  time: 1_795_000_000_123,
  workBits: 12,
  limits: {
    queuesPerConnection: 256,
    messagesPerQueue: 4096,
    bytesPerQueue: 1 << 24,
    messageLifetime: 21 * 86_400,
  },
  dayKey: new Uint8Array(32).fill(3),
  dayKeyValidUntil: 1_795_086_400_000,
  url: "https://relay.example",
};

Deno.test("HELLO comes back as it was said, with the key that signed it", async () => {
  const parsed = await parseHello(await encodeHello(hello, signer));
  assert.deepEqual(parsed, { ...hello, relayKey: signer.publicKey });
});

Deno.test("every changed byte of HELLO is noticed", async () => {
  const body = await encodeHello(hello, signer);
  for (let i = 0; i < body.length; i++) {
    const changed = body.slice();
    changed[i] ^= 1;
    await assert.rejects(parseHello(changed), WireError, `byte ${i}`);
  }
  await assert.rejects(parseHello(body.subarray(1)), WireError);
  await assert.rejects(parseHello(new Uint8Array([...body, 0])), WireError);
});

Deno.test("HELLO of another version is refused as such", async () => {
  const body = await encodeHello(hello, signer);
  body[0] = 2;
  await assert.rejects(parseHello(body), {
    name: "WireError",
    code: "version",
  });
});

Deno.test("HELLO with the longest URL fits the smallest frame, a longer URL is refused", async () => {
  const url = "https://".padEnd(MAX_URL, "x");
  const body = await encodeHello({ ...hello, url }, signer);
  assert.deepEqual(
    encodeFrame([{ type: "HELLO", request: 0, body }]).map((frame) =>
      frame.length
    ),
    [512],
  );
  await assert.rejects(
    encodeHello({ ...hello, url: url + "x" }, signer),
    RangeError,
  );
});
