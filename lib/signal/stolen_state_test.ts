import assert from "node:assert/strict";
import {
  type CiphertextMessage,
  decrypt,
  type Session,
  SignalError,
} from "./mod.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce } from "./testing/party.ts";
import { hear, say, write } from "./testing/text.ts";

/** Alice and Bob in the middle of a conversation. */
async function talking() {
  const alice = await OurParty.create();
  const bob = await OurParty.create();
  await introduce(alice, bob);
  for (let turn = 0; turn < 3; turn++) {
    await say(alice, bob, "ping");
    await say(bob, alice, "pong");
  }
  return { alice, bob };
}

/** Whether somebody with all of Bob's long-lived keys and this session of his reads the message. */
async function thiefReads(
  alice: OurParty,
  bob: OurParty,
  session: Session,
  message: CiphertextMessage,
): Promise<boolean> {
  const { local, preKeys } = bob;
  try {
    await decrypt({ local, remote: alice.address, session, message, preKeys });
    return true;
  } catch (error) {
    if (error instanceof SignalError) return false;
    throw error;
  }
}

/** A message of Alice, read by Bob. */
async function sendRead(alice: OurParty, bob: OurParty) {
  const message = await write(alice, bob.address, "secret");
  assert.equal(await hear(bob, alice.address, message), "secret");
  return message;
}

Deno.test("who steals a session cannot read what was read before", async () => {
  const { alice, bob } = await talking();
  const earlier = await sendRead(alice, bob);
  const stolen = bob.session(alice.address)!;
  assert.equal(await thiefReads(alice, bob, stolen, earlier), false);
});

Deno.test("who steals a session can read on at first, and no more after a round trip", async () => {
  const { alice, bob } = await talking();
  const stolen = bob.session(alice.address)!;
  const next = await sendRead(alice, bob);
  assert.equal(await thiefReads(alice, bob, stolen, next), true);
  await say(bob, alice, "pong");
  const later = await sendRead(alice, bob);
  assert.equal(await thiefReads(alice, bob, stolen, later), false);
});
