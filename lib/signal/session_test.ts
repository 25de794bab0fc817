import assert from "node:assert/strict";
import { utf8ToBytes } from "@noble/ciphers/utils.js";
import { parseSession, serializeSession, SignalError } from "./mod.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce } from "./testing/party.ts";
import { say, write } from "./testing/text.ts";

/** Sessions in every shape: fresh, unanswered, answered, with missing messages, with archived states. */
async function sessions() {
  const alice = await OurParty.create();
  const bob = await OurParty.create();
  const found: Uint8Array[] = [];
  const collect = () => {
    for (const [at, of] of [[alice, bob], [bob, alice]]) {
      const session = at.session(of.address);
      if (session) found.push(serializeSession(session));
    }
  };
  for (const oneTime of [true, false]) {
    await introduce(alice, bob, { oneTime });
    collect();
    await say(alice, bob, "hello");
    collect();
    for (let i = 0; i < 7; i++) {
      await write(bob, alice.address, "missing");
      await say(bob, alice, "answer");
      await write(alice, bob.address, "missing too");
      await say(alice, bob, "more");
      collect();
    }
  }
  return found;
}

Deno.test("a stored session is read as it was written", async () => {
  const stored = await sessions();
  assert(stored.length > 20);
  for (const bytes of stored) {
    const session = parseSession(bytes);
    assert.deepEqual(serializeSession(session), bytes);
    assert.deepEqual(parseSession(serializeSession(session)), session);
  }
});

Deno.test("a read session shares no memory with the bytes it came from", async () => {
  const [bytes] = await sessions();
  const session = parseSession(bytes);
  const copy = Uint8Array.from(bytes);
  bytes.fill(0);
  assert.deepEqual(serializeSession(session), copy);
});

Deno.test("a stored session of a later version, or cut off, is refused", async () => {
  const stored = await sessions();
  const bytes = stored.at(-1)!;
  assert.throws(
    () => parseSession(bytes.with(0, 3)),
    new SignalError("version"),
  );
  assert.throws(
    () => parseSession(new Uint8Array()),
    new SignalError("version"),
  );
  for (let length = 1; length < bytes.length; length += 7) {
    // Cut between two archived states it is a session with fewer of them.
    try {
      assert(parseSession(bytes.subarray(0, length)).archived.length < 1);
    } catch (error) {
      assert(error instanceof SignalError, `cut to ${length}: ${error}`);
    }
  }
});

Deno.test("errors carry no bytes of a session", async () => {
  const alice = await OurParty.create();
  const bob = await OurParty.create();
  await introduce(alice, bob);
  const { type, bytes } = await write(alice, bob.address, "a secret text");
  const { privateKey } = bob.local.identity;
  for (let at = 1; at < bytes.length; at += 50) {
    await assert.rejects(
      bob.receive(alice.address, {
        type,
        bytes: bytes.with(at, bytes[at] ^ 1),
      }),
      (error: unknown) => {
        assert(error instanceof SignalError);
        assert.equal(error.cause, undefined);
        const told = `${error.message} ${JSON.stringify(error)}`;
        assert(!told.includes(privateKey.toHex()) && !told.includes("secret"));
        assert(
          told.length < 200 && utf8ToBytes(told).every((byte) => byte < 128),
        );
        return true;
      },
    );
  }
});
