import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { accessMessage } from "./mod.ts";
import { accessSeed } from "./access_seed.ts";

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("a password is stretched as the document says, for one relay", async () => {
  const relayKey = new Uint8Array(32).fill(5);
  const salt = new Uint8Array([...text("whisper access v1"), ...relayKey]);
  const parameters = { N: 32_768, r: 8, p: 3, maxmem: 2 ** 27 };
  const expected = scryptSync("p\u00e4ss", salt, 32, parameters);
  const seed = await accessSeed("pa\u0308ss", relayKey);
  assert.deepEqual(seed, new Uint8Array(expected));
});

Deno.test("what is signed to enter names connection and relay", () => {
  const [challenge, relayKey] = [1, 2].map((n) => new Uint8Array(32).fill(n));
  assert.deepEqual(
    accessMessage(challenge, relayKey),
    new Uint8Array([...text("whisper access v1"), ...challenge, ...relayKey]),
  );
});
