import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type CiphertextMessage,
  decrypt,
  type Session,
  SignalError,
} from "./mod.ts";
import { happenings } from "./testing/happenings.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce } from "./testing/party.ts";
import { holds } from "./testing/property.ts";
import { Schedule } from "./testing/schedule.ts";
import { hear, say, write } from "./testing/text.ts";
import { judge, steal } from "./testing/theft.ts";

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

/** Rounds of conversation before the theft: SPQR is in another of its stages each time. */
const MOMENTS = [0, 1, 3, 10, 20, 22, 30, 41, 45, 60, 70, 88];

for (const role of ["began", "answered"] as const) {
  Deno.test(`a thief is shut out by a round trip, one with a quantum computer by an epoch of SPQR: the victim ${role}`, async () => {
    for (const before of MOMENTS) {
      const { alice, bob } = await talking();
      const [victim, peer] = role === "began" ? [alice, bob] : [bob, alice];
      judge(await steal(victim, peer, before, 100));
    }
  });
}

Deno.test("whatever is lost or late, who stole the session reads nothing once the victim wrote with a new key and was answered", async () => {
  await holds(
    fc.asyncProperty(happenings(150), happenings(150), async (then, later) => {
      const [alice, bob] = [await OurParty.create(), await OurParty.create()];
      const schedule = new Schedule([alice, bob]);
      const [aliceSays, bobSays] = [0, 1].map((line) => () =>
        schedule.say(line)
      );
      await aliceSays();
      for (const event of then) await schedule.happen(event);
      await aliceSays();
      const stolen = bob.session(alice.address)!;
      const next = await aliceSays();
      assert.equal(await thiefReads(alice, bob, stolen, next), true);
      for (const event of later) await schedule.happen(event);
      // What was under way at the theft may have been written with the key that Bob still writes with.
      for (const _round of [1, 2]) {
        await bobSays();
        await aliceSays();
      }
      const secret = await aliceSays();
      assert.equal(await thiefReads(alice, bob, stolen, secret), false);
    }),
    20,
  );
});
