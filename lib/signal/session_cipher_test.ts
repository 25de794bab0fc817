import assert from "node:assert/strict";
import {
  type CiphertextMessage,
  decrypt,
  describeSession,
  encrypt,
  generateKeyPair,
  initiateSession,
  PREKEY,
  SignalError,
  type SignalErrorCode,
  WHISPER,
} from "./mod.ts";
import { MAX_FORWARD_JUMPS } from "./double_ratchet.ts";
import { parsePreKeyMessage } from "./messages.ts";
import { MAX_ARCHIVED_STATES, serializeSession } from "./session.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce, randomAddress } from "./testing/party.ts";
import { say, write } from "./testing/text.ts";

async function pair() {
  return { alice: await OurParty.create(), bob: await OurParty.create() };
}

async function refuses(
  promise: Promise<unknown>,
  code: SignalErrorCode,
): Promise<void> {
  await assert.rejects(
    promise,
    (error: unknown) => {
      assert(error instanceof SignalError, String(error));
      assert.equal(error.code, code);
      return true;
    },
  );
}

Deno.test("a first message tells the recipient who wrote and which prekeys it used", async () => {
  const { alice, bob } = await pair();
  const bundle = await bob.publish({ oneTime: true });
  await alice.begin(bob.address, bundle);
  const message = await write(alice, bob.address, "hello");
  const { local, preKeys } = bob;
  const received = await decrypt({
    local,
    remote: alice.address,
    message,
    preKeys,
  });
  assert.deepEqual(received.identityKey, alice.local.identity.publicKey);
  assert.equal(received.used?.preKeyId, bundle.preKey?.id);
  assert.equal(received.used?.signedPreKeyId, bundle.signedPreKey.id);
  assert.equal(received.used?.kyberPreKeyId, bundle.kyberPreKey.id);
  assert.deepEqual(
    received.used?.baseKey,
    parsePreKeyMessage(message.bytes).baseKey,
  );
  assert.equal(
    describeSession(received.session).registrationId,
    alice.local.registrationId,
  );
});

Deno.test("a session we began is unanswered until the first answer", async () => {
  const { alice, bob } = await pair();
  await introduce(alice, bob);
  const since = () =>
    describeSession(alice.session(bob.address)!).unansweredSince;
  assert.equal(since(), alice.now);
  await say(alice, bob, "hello");
  assert.equal(since(), alice.now);
  await say(bob, alice, "answer");
  assert.equal(since(), undefined);
});

Deno.test("a session is left as it was by every call, failed or not", async () => {
  const { alice, bob } = await pair();
  await introduce(alice, bob);
  await say(alice, bob, "hello");
  await say(bob, alice, "answer");
  const message = await write(alice, bob.address, "next");
  const session = bob.session(alice.address)!;
  const before = serializeSession(session);
  const { local, preKeys } = bob;
  const remote = alice.address;
  const last = message.bytes.length - 1;
  const altered = {
    ...message,
    bytes: message.bytes.with(last, message.bytes[last] ^ 1),
  };
  await refuses(
    decrypt({ local, remote, session, message: altered, preKeys }),
    "invalid-mac",
  );
  // The same state serves the same message twice: what was not stored has not happened.
  const first = await decrypt({ local, remote, session, message, preKeys });
  const second = await decrypt({ local, remote, session, message, preKeys });
  assert.deepEqual(first.plaintext, second.plaintext);
  await encrypt({
    local,
    remote,
    session,
    plaintext: new Uint8Array(3),
    now: 0,
  });
  assert.deepEqual(serializeSession(session), before);
  const after = decrypt({
    local,
    remote,
    session: first.session,
    message,
    preKeys,
  });
  await refuses(after, "duplicate");
});

Deno.test("each failure has its code", async () => {
  const { alice, bob } = await pair();
  const bundle = await bob.publish({ oneTime: true });
  await alice.begin(bob.address, bundle);
  const first = await write(alice, bob.address, "hello");
  const inner = {
    type: WHISPER,
    bytes: parsePreKeyMessage(first.bytes).message,
  } as const;
  const toBob = (message: CiphertextMessage) =>
    bob.receive(alice.address, message);

  await refuses(toBob(inner), "no-session");
  await refuses(toBob({ type: PREKEY, bytes: new Uint8Array() }), "malformed");
  await refuses(
    toBob({ type: PREKEY, bytes: first.bytes.with(0, 0x33) }),
    "version",
  );
  const nobody = await OurParty.create(bob.address);
  await refuses(nobody.receive(alice.address, first), "unknown-prekey");
  await refuses(bob.receive(randomAddress(), first), "wrong-address");
  await toBob(first);
  await refuses(toBob(first), "duplicate");

  alice.now += 31 * 24 * 60 * 60 * 1000;
  await refuses(write(alice, bob.address, "anyone?"), "unanswered");
});

Deno.test("a bundle with a wrong key, signature or device is refused", async () => {
  const { alice, bob } = await pair();
  const bundle = await bob.publish({ oneTime: true });
  const { signedPreKey, kyberPreKey } = bundle;
  const other = await generateKeyPair();
  const flip = (bytes: Uint8Array, at: number) => bytes.with(at, bytes[at] ^ 1);
  const begin = (change: Partial<typeof bundle>) =>
    alice.begin(bob.address, { ...bundle, ...change });
  await refuses(begin({ identityKey: other.publicKey }), "invalid-signature");
  await refuses(
    begin({ identityKey: other.publicKey.subarray(1) }),
    "invalid-key",
  );
  for (const at of [0, 32, 63]) {
    const signature = flip(signedPreKey.signature, at);
    await refuses(
      begin({ signedPreKey: { ...signedPreKey, signature } }),
      "invalid-signature",
    );
    const forged = flip(kyberPreKey.signature, at);
    await refuses(
      begin({ kyberPreKey: { ...kyberPreKey, signature: forged } }),
      "invalid-signature",
    );
  }
  const exchanged = { ...signedPreKey, publicKey: other.publicKey };
  await refuses(begin({ signedPreKey: exchanged }), "invalid-signature");
  const publicKey = flip(kyberPreKey.publicKey, 100);
  await refuses(
    begin({ kyberPreKey: { ...kyberPreKey, publicKey } }),
    "invalid-signature",
  );
  await refuses(begin({ deviceId: 2 }), "wrong-address");
  assert.equal(alice.session(bob.address), undefined);
});

Deno.test("a first message with a base key out of form is refused before anything is derived", async () => {
  const { alice, bob } = await pair();
  await introduce(alice, bob);
  const { bytes } = await write(alice, bob.address, "hello");
  const altered = Uint8Array.from(bytes);
  parsePreKeyMessage(altered).baseKey[32] |= 0x80;
  await refuses(
    bob.receive(alice.address, { type: PREKEY, bytes: altered }),
    "invalid-key",
  );
});

Deno.test("a first message of a held session under another identity key is refused", async () => {
  const { alice, bob } = await pair();
  await introduce(alice, bob);
  await say(alice, bob, "hello");
  const { bytes } = await write(alice, bob.address, "again");
  const altered = Uint8Array.from(bytes);
  parsePreKeyMessage(altered).identityKey.set(
    (await generateKeyPair()).publicKey,
  );
  await refuses(
    bob.receive(alice.address, { type: PREKEY, bytes: altered }),
    "invalid-key",
  );
});

Deno.test("an address that is no UUID, or a device beyond 127, cannot be written to", async () => {
  const { alice, bob } = await pair();
  const bundle = await bob.publish({ oneTime: false });
  for (
    const address of [{ serviceId: "bob", deviceId: 1 }, {
      ...bob.address,
      deviceId: 128,
    }]
  ) {
    const { local } = alice;
    const named = { ...bundle, deviceId: address.deviceId };
    const session = await initiateSession({
      local,
      remote: address,
      bundle: named,
      now: 0,
    });
    const plaintext = new Uint8Array(1);
    await refuses(
      encrypt({ local, remote: address, session, plaintext, now: 0 }),
      "wrong-address",
    );
  }
});

Deno.test("states of replaced sessions are kept up to a number, newest first, without the PreKey wrapper", async () => {
  const { alice, bob } = await pair();
  const bundle = await bob.publish({ oneTime: false });
  for (let i = 0; i < MAX_ARCHIVED_STATES + 5; i++) {
    await alice.begin(bob.address, bundle);
  }
  const session = alice.session(bob.address)!;
  assert.equal(describeSession(session).archivedStates, MAX_ARCHIVED_STATES);
  assert(session.archived.every((state) => state.length < 1000));
});

Deno.test("the other side may be silent while we ratchet: answers are made when they are sent", async () => {
  const { alice, bob } = await pair();
  await introduce(alice, bob);
  await say(alice, bob, "hello");
  const before = bob.session(alice.address)!.current.ratchet;
  assert.equal(before.sending.kind, "due");
  for (let i = 0; i < 3; i++) await say(alice, bob, `still me ${i}`);
  assert.deepEqual(
    bob.session(alice.address)!.current.ratchet.sending,
    before.sending,
  );
  await say(bob, alice, "at last");
  assert.equal(
    bob.session(alice.address)!.current.ratchet.sending.kind,
    "ready",
  );
});

Deno.test(`${MAX_FORWARD_JUMPS - 1} messages may be missing in a row, not one more`, async () => {
  const { alice, bob } = await pair();
  await introduce(alice, bob);
  await say(alice, bob, "first");
  await say(bob, alice, "answer");
  const { local, now } = alice;
  const remote = bob.address;
  let session = alice.session(remote)!;
  const send = async () => {
    const sent = await encrypt({
      local,
      remote,
      session,
      plaintext: new Uint8Array(),
      now,
    });
    session = sent.session;
    return sent.message;
  };
  for (let i = 1; i < MAX_FORWARD_JUMPS; i++) await send();
  const farthest = await send();
  const tooFar = await send();
  await refuses(bob.receive(alice.address, tooFar), "too-far-ahead");
  await refuses(bob.receive(alice.address, await send()), "too-far-ahead");
  await refuses(receiveWithin(1e9, bob, alice, tooFar), "too-far-ahead");
  await bob.receive(alice.address, farthest);
  await bob.receive(alice.address, tooFar);
});

/** Decrypts with another limit than the protocol's on missing messages; keeps nothing. */
function receiveWithin(
  maxForwardJumps: number,
  to: OurParty,
  { address: remote }: OurParty,
  message: CiphertextMessage,
) {
  return decrypt({
    local: to.local,
    remote,
    session: to.session(remote),
    message,
    preKeys: to.preKeys,
    maxForwardJumps,
  });
}

Deno.test("a lower limit on missing messages holds for both ratchets", async () => {
  const { alice, bob } = await pair();
  await introduce(alice, bob);
  await say(alice, bob, "first");
  await say(bob, alice, "answer");
  for (let i = 0; i < 10; i++) await write(alice, bob.address, "lost");
  const sameChain = await write(alice, bob.address, "11th of its chain");
  await refuses(receiveWithin(9, bob, alice, sameChain), "too-far-ahead");
  await receiveWithin(10, bob, alice, sameChain);
  // The first of a new chain of the double ratchet is still far ahead in the other one.
  await say(bob, alice, "answer");
  const newChain = await write(alice, bob.address, "first of its chain");
  await refuses(receiveWithin(10, bob, alice, newChain), "too-far-ahead");
  await receiveWithin(11, bob, alice, newChain);
});

Deno.test("what a replaced session could open with a higher limit is said to be too far ahead", async () => {
  const { alice, bob } = await pair();
  await introduce(alice, bob);
  await say(alice, bob, "first");
  await say(bob, alice, "answer");
  await say(alice, bob, "known chain");
  for (let i = 0; i < 10; i++) await write(alice, bob.address, "lost");
  const late = await write(alice, bob.address, "late");
  await introduce(alice, bob);
  await say(alice, bob, "a new session");
  await refuses(receiveWithin(9, bob, alice, late), "too-far-ahead");
  await receiveWithin(10, bob, alice, late);
});
