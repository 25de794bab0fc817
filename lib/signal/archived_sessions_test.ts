/** Several sessions with one device, and what a stored one may hold. */
import assert from "node:assert/strict";
import { PbfWriter } from "pbf";
import { concatBytes } from "@noble/ciphers/utils.js";
import {
  describeSession,
  generateKeyPair,
  parseSession,
  serializeSession,
  SignalError,
} from "./mod.ts";
import { MAX_FORWARD_JUMPS } from "./double_ratchet.ts";
import { MAX_ARCHIVED_STATES } from "./session.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce } from "./testing/party.ts";
import { hear, say, write } from "./testing/text.ts";

/** Alice and Bob, whose first session has been replaced by a second; messages of the first are late. */
async function replaced() {
  const [alice, bob] = [await OurParty.create(), await OurParty.create()];
  await introduce(alice, bob);
  const received = await write(alice, bob.address, "received");
  assert.equal(await hear(bob, alice.address, received), "received");
  const latePreKey = await write(alice, bob.address, "late, unanswered");
  await say(bob, alice, "answer");
  const late = await write(alice, bob.address, "late");
  await introduce(alice, bob);
  await say(alice, bob, "anew");
  const base = () => bob.session(alice.address)!.current.baseKey.toHex();
  return { alice, bob, received, latePreKey, late, base, newBase: base() };
}

Deno.test("a late message of a replaced session makes it the current one again", async () => {
  for (const which of ["late", "latePreKey"] as const) {
    const { alice, bob, base, newBase, ...messages } = await replaced();
    await hear(bob, alice.address, messages[which]);
    assert.notEqual(base(), newBase, which);
    const { archivedStates } = describeSession(bob.session(alice.address)!);
    assert.equal(archivedStates, 1, "the other one is archived");
    await say(bob, alice, "answer");
    await say(alice, bob, "and on");
  }
});

Deno.test("what a replaced session has received is a duplicate, and changes nothing", async () => {
  const { alice, bob, received, late, base, newBase } = await replaced();
  const duplicate = new SignalError("duplicate");
  await assert.rejects(bob.receive(alice.address, received), duplicate);
  assert.equal(base(), newBase);
  await hear(bob, alice.address, late);
  await say(alice, bob, "anew once more");
  await assert.rejects(bob.receive(alice.address, late), duplicate);
});

Deno.test("between devices of one account more messages may be missing than between people", async () => {
  const identity = await generateKeyPair();
  const serviceId = crypto.randomUUID();
  const [phone, laptop] = await Promise.all(
    [1, 2].map((deviceId) =>
      OurParty.create({ serviceId, deviceId }, identity)
    ),
  );
  await introduce(phone, laptop);
  await say(phone, laptop, "first");
  await say(laptop, phone, "answer");
  phone.stored = false;
  for (let i = 0; i <= MAX_FORWARD_JUMPS; i++) {
    await phone.send(laptop.address, new Uint8Array());
  }
  await say(phone, laptop, "far ahead");
});

Deno.test("a stored session with more archived states than are kept, or broken ones, is refused", async () => {
  const { alice, bob } = await replaced();
  const session = bob.session(alice.address)!;
  const [state] = session.archived;
  const full = { ...session, archived: Array(MAX_ARCHIVED_STATES).fill(state) };
  assert.equal(
    parseSession(serializeSession(full)).archived.length,
    MAX_ARCHIVED_STATES,
  );
  const over = { ...full, archived: [...full.archived, state] };
  assert.throws(
    () => parseSession(serializeSession(over)),
    new SignalError("malformed", "archived states"),
  );
  // An archived state as a number, and one of a version to come.
  const [version] = serializeSession(session);
  const write = (fill: (writer: PbfWriter) => void) => {
    const writer = new PbfWriter();
    fill(writer);
    return concatBytes(Uint8Array.of(version), writer.finish());
  };
  assert.throws(
    () => parseSession(write((writer) => writer.writeVarintField(2, 1))),
    new SignalError("malformed", "field 2"),
  );
  assert.throws(
    () =>
      parseSession(
        write((writer) => writer.writeBytesField(1, state.with(0, 99))),
      ),
    new SignalError("version"),
  );
});
