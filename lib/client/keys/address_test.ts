import assert from "node:assert/strict";
import fc from "fast-check";
import { addressOf, encodeAddress, parseAddress } from "./address.ts";
import { MalformedError, writeMessage } from "./protobuf.ts";
import { newQueue } from "./queue.ts";

const relayKey = new Uint8Array(32).fill(9);
const at = async (url: string) =>
  addressOf(await newQueue(), { url, key: relayKey });

Deno.test("an address is read back, its public key derived", async () => {
  for (
    const url of [
      "https://relay.example",
      "http://localhost:8000",
      "https://relay.example:8443",
      "http://[::1]:8000",
    ]
  ) {
    const address = await at(url);
    assert.deepEqual(await parseAddress(encodeAddress(address)), address);
  }
});

Deno.test("an address lets its holder send, and neither read nor delete", async () => {
  const queue = await newQueue();
  const address = addressOf(queue, {
    url: "https://relay.example",
    key: relayKey,
  });
  const bytes = encodeAddress(address).join();
  assert.ok(bytes.includes(queue.send.seed.join()));
  assert.ok(!bytes.includes(queue.receive.seed.join()));
  assert.ok(!bytes.includes(queue.remove.seed.join()));
});

Deno.test("a relay is an origin and nothing more", async () => {
  for (
    const url of [
      "",
      "relay.example",
      "ws://relay.example",
      "javascript:alert(1)",
      "data:text/html,x",
      "file:///etc/passwd",
      "https://relay.example/",
      "https://relay.example/path",
      "https://relay.example?a=b",
      "https://relay.example#tag",
      "https://user@relay.example",
      "https://RELAY.example",
      "https://relay.example:443",
      `https://${"a".repeat(60)}.${"b".repeat(250)}`,
    ]
  ) {
    const address = await at(url);
    assert.throws(() => encodeAddress(address), MalformedError);
    const forged = writeMessage((writer) => {
      writer.writeVarintField(1, 1);
      writer.writeStringField(2, url);
      writer.writeBytesField(3, address.relayKey);
      writer.writeBytesField(4, address.send.seed);
      writer.writeBytesField(5, address.sealKey);
    });
    await assert.rejects(parseAddress(forged), MalformedError);
  }
});

Deno.test("another version, and random bytes, are malformed", async () => {
  const bytes = encodeAddress(await at("https://relay.example"));
  const later = bytes.slice();
  assert.equal(later[1], 1);
  later[1] = 2;
  await assert.rejects(parseAddress(later), MalformedError);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (random) => {
      await assert.rejects(parseAddress(random), MalformedError);
    }),
    { numRuns: 300 },
  );
});
