import assert from "node:assert/strict";
import { bytesToUtf8 } from "@noble/ciphers/utils.js";
import {
  type CiphertextMessage,
  decrypt,
  describeSession,
  encrypt,
  IdentityChangedError,
  initiateSession,
  SignalError,
} from "./mod.ts";
import { serializeSession } from "./session.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce } from "./testing/party.ts";
import { say, write } from "./testing/text.ts";

/** Alice and Bob have talked; then another Bob, with other keys, stands at Bob's address. */
async function reborn() {
  const alice = await OurParty.create();
  const bob = await OurParty.create();
  await introduce(alice, bob);
  await say(alice, bob, "hello");
  await say(bob, alice, "hello");
  const bobAgain = await OurParty.create(bob.address);
  await introduce(bobAgain, alice);
  return { alice, bob, bobAgain };
}

async function changedTo(key: Uint8Array, promise: Promise<unknown>) {
  await assert.rejects(promise, (error: unknown) => {
    assert(error instanceof IdentityChangedError);
    assert.equal(error.code, "identity-changed");
    assert.deepEqual(error.identityKey, key);
    return true;
  });
}

/** Reads a message at Alice without keeping anything. */
function read(
  { alice, bob }: { alice: OurParty; bob: OurParty },
  message: CiphertextMessage,
  identityKey?: Uint8Array,
) {
  const { local, preKeys } = alice;
  const remote = bob.address;
  const session = alice.session(remote);
  return decrypt({ local, remote, session, message, preKeys, identityKey });
}

Deno.test("who writes under another identity is reported with it, and nothing has happened", async () => {
  const { alice, bob, bobAgain } = await reborn();
  const key = bobAgain.local.identity.publicKey;
  const before = serializeSession(alice.session(bob.address)!);
  const message = await write(bobAgain, alice.address, "it is me, really");
  await changedTo(key, read({ alice, bob }, message));
  alice.trustsNewKeys = false;
  await changedTo(key, alice.receive(bob.address, message));
  assert.deepEqual(serializeSession(alice.session(bob.address)!), before);
  assert.equal(alice.used.length, 0, "no prekey is used up");
});

Deno.test("who trusts the new identity reads the message, and then hears no more of the old one", async () => {
  const { alice, bob, bobAgain } = await reborn();
  const late = await write(bob, alice.address, "late");
  const key = bobAgain.local.identity.publicKey;
  const message = await write(bobAgain, alice.address, "it is me, really");
  const received = await read({ alice, bob }, message, key);
  assert.equal(bytesToUtf8(received.plaintext), "it is me, really");
  assert.deepEqual(received.identityKey, key);
  assert.equal(describeSession(received.session).archivedStates, 1);
  alice.keep(bob.address, received.session);
  await say(alice, bobAgain, "welcome");
  const old = bob.local.identity.publicKey;
  await changedTo(old, read({ alice, bob }, late));
  assert.equal(
    bytesToUtf8((await read({ alice, bob }, late, old)).plaintext),
    "late",
  );
});

Deno.test("nobody can make us report an identity that they do not hold", async () => {
  const { alice, bob, bobAgain } = await reborn();
  const { bytes, type } = await write(bobAgain, alice.address, "hello");
  const victim = (await OurParty.create()).local.identity.publicKey;
  const own = bobAgain.local.identity.publicKey;
  const at = bytes.findIndex((_, i) =>
    own.every((byte, j) => bytes[i + j] === byte)
  );
  const forged = Uint8Array.from(bytes);
  forged.set(victim, at);
  await assert.rejects(
    read({ alice, bob }, { type, bytes: forged }),
    new SignalError("invalid-mac"),
  );
});

Deno.test("an expected identity holds for a first message too", async () => {
  const alice = await OurParty.create();
  const bob = await OurParty.create();
  await introduce(bob, alice);
  const message = await write(bob, alice.address, "hello");
  await changedTo(
    bob.local.identity.publicKey,
    read({ alice, bob }, message, alice.local.identity.publicKey),
  );
  await read({ alice, bob }, message, bob.local.identity.publicKey);
  await read({ alice, bob }, message);
});

Deno.test("a bundle under another identity begins a session only with who is trusted", async () => {
  const { alice, bob, bobAgain } = await reborn();
  const bundle = await bobAgain.publish({ oneTime: true });
  const { local, now } = alice;
  const remote = bob.address;
  const session = alice.session(remote)!;
  const options = { local, remote, bundle, session, now };
  const identityKey = bobAgain.local.identity.publicKey;
  await changedTo(identityKey, initiateSession(options));
  const begun = await initiateSession({ ...options, identityKey });
  assert.deepEqual(describeSession(begun).identityKey, identityKey);
});

Deno.test("nothing is encrypted for another identity than the expected one", async () => {
  const { alice, bob, bobAgain } = await reborn();
  const { local, now } = alice;
  const session = alice.session(bob.address)!;
  const plaintext = new Uint8Array(1);
  const options = { local, remote: bob.address, session, plaintext, now };
  const identityKey = bobAgain.local.identity.publicKey;
  await changedTo(
    bob.local.identity.publicKey,
    encrypt({ ...options, identityKey }),
  );
  await encrypt(options);
});
