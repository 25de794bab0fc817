import assert from "node:assert/strict";
import * as L from "@signalapp/libsignal-client";
import fc from "fast-check";
import {
  closeIfLost,
  type DecryptionError,
  decryptionErrorOf,
  describeSession,
  encodeDecryptionError,
  encodePlaintextContent,
  generateKeyPair,
  parseDecryptionError,
  parsePlaintextContent,
  PLAINTEXT,
  SignalError,
} from "./mod.ts";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { OurParty } from "./testing/our_party.ts";
import { owned } from "./testing/owned.ts";
import { introduce } from "./testing/party.ts";
import { say, write } from "./testing/text.ts";

const SENT = { timestamp: 1_795_600_000_123, deviceId: 7 };

/** What libsignal reads of an error. */
function readByLibsignal(bytes: Uint8Array): DecryptionError {
  const read = L.DecryptionErrorMessage.deserialize(owned(bytes));
  const ratchetKey = read.ratchetKey()?.serialize();
  return {
    ...(ratchetKey && { ratchetKey }),
    timestamp: read.timestamp(),
    deviceId: read.deviceId(),
  };
}

Deno.test("an error about any message is libsignal's, byte for byte", async () => {
  const ours = await OurParty.create();
  const theirs = new LibsignalParty();
  await introduce(ours, theirs);
  const first = await write(ours, theirs.address, "first");
  await theirs.receive(ours.address, first);
  const answer = await write(theirs, ours.address, "answer");
  await ours.receive(theirs.address, answer);
  const then = await write(ours, theirs.address, "then");
  for (const message of [first, answer, then]) {
    const error = decryptionErrorOf(message, SENT);
    const reference = L.DecryptionErrorMessage.forOriginal(
      owned(message.bytes),
      message.type,
      SENT.timestamp,
      SENT.deviceId,
    );
    const bytes = encodeDecryptionError(error);
    assert.deepEqual(owned(bytes), reference.serialize());
    assert.deepEqual(parseDecryptionError(reference.serialize()), error);
    const plaintext = encodePlaintextContent(error);
    const theirPlaintext = L.PlaintextContent.from(reference);
    assert.deepEqual(owned(plaintext), theirPlaintext.serialize());
    assert.deepEqual(parsePlaintextContent(theirPlaintext.serialize()), error);
    assert.equal(theirPlaintext.asCiphertextMessage().type(), PLAINTEXT);
    const body = L.PlaintextContent.deserialize(owned(plaintext)).body();
    const extracted = L.DecryptionErrorMessage.extractFromSerializedBody(body);
    assert.deepEqual(extracted.serialize(), owned(bytes));
  }
});

Deno.test("any error is read by both alike, with a ratchet key and without", async () => {
  const { publicKey } = await generateKeyPair();
  const errors = fc.record({
    ratchetKey: fc.option(fc.constant(publicKey), { nil: undefined }),
    timestamp: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    deviceId: fc.nat({ max: 0xffffffff }),
  });
  fc.assert(fc.property(errors, ({ ratchetKey, ...rest }) => {
    const error = ratchetKey ? { ratchetKey, ...rest } : rest;
    const bytes = encodeDecryptionError(error);
    assert.deepEqual(parseDecryptionError(bytes), error);
    assert.deepEqual(readByLibsignal(bytes), {
      ...error,
      ...(ratchetKey && { ratchetKey: owned(ratchetKey) }),
    });
  }));
});

Deno.test("what libsignal does not take for an error, we do not either", async () => {
  const { publicKey } = await generateKeyPair();
  const error = { ratchetKey: publicKey, ...SENT };
  const good = encodeDecryptionError(error);
  const accepted = [
    good,
    Uint8Array.of(0x10, 5),
    Uint8Array.of(...good, 56, 9),
  ];
  const refused = [
    new Uint8Array(),
    Uint8Array.of(0x18, 5), // no time
    Uint8Array.of(0x0a, 2, 5, 5, 0x10, 1, 0x18, 0), // a short key
    Uint8Array.of(0x0a, 0, 0x10, 1, 0x18, 0), // an empty key
    good.with(2, 6), // another kind of key
    ...Array.from({ length: 36 }, (_, i) => good.subarray(0, i)),
  ];
  for (const bytes of accepted) {
    assert.deepEqual(
      { ...parseDecryptionError(bytes), ratchetKey: undefined },
      { ...readByLibsignal(bytes), ratchetKey: undefined },
    );
  }
  for (const bytes of refused) {
    assert.throws(() => readByLibsignal(bytes));
    assert.throws(() => parseDecryptionError(bytes), SignalError);
  }
  const plaintext = encodePlaintextContent(error);
  const extract = (bytes: Uint8Array) =>
    L.DecryptionErrorMessage.extractFromSerializedBody(
      L.PlaintextContent.deserialize(owned(bytes)).body(),
    );
  for (
    const bytes of [
      new Uint8Array(),
      Uint8Array.of(0xc0),
      Uint8Array.of(0xc0, 0x80),
      Uint8Array.of(0xc0, 0x0a, 0, 0x80), // another content
      plaintext.with(0, 0xc1),
      plaintext.subarray(0, -1),
      Uint8Array.of(...plaintext, 0),
    ]
  ) {
    assert.throws(() => extract(bytes));
    assert.throws(() => parsePlaintextContent(bytes), SignalError);
  }
});

Deno.test("a session is given up for a message of the chain it still sends with, as libsignal would", async () => {
  const ours = await OurParty.create();
  const theirs = new LibsignalParty();
  await introduce(ours, theirs);
  const message = await write(ours, theirs.address, "not understood");
  const sent = { ...SENT, deviceId: ours.address.deviceId };
  const error = decryptionErrorOf(message, sent);
  const closed = () => {
    const session = ours.session(theirs.address)!;
    const after = closeIfLost(session, error, ours.address.deviceId);
    return describeSession(after).closed;
  };
  assert.equal(closed(), true);
  const session = ours.session(theirs.address)!;
  const otherDevice = closeIfLost(session, { ...error, deviceId: 9 }, 1);
  assert.equal(describeSession(otherDevice).closed, false);
  const { ratchetKey: _, ...unnamed } = error;
  const unknown = closeIfLost(session, unnamed, ours.address.deviceId);
  assert.equal(describeSession(unknown).closed, false);
  // They answer, so they hold the session after all: the error is of the past.
  await theirs.receive(ours.address, message);
  await say(theirs, ours, "answer");
  assert.equal(closed(), false, "an answer is due");
  await say(ours, theirs, "then");
  assert.equal(closed(), false, "another chain");
});

Deno.test("libsignal's view of which chain is current is ours", async () => {
  const ours = await OurParty.create();
  const theirs = new LibsignalParty();
  await introduce(theirs, ours);
  const currentAt = (key: Uint8Array) => {
    const [record] = theirs.stores.sessions.records.values();
    const read = record instanceof L.SessionRecord
      ? record
      : L.SessionRecord.deserialize(record);
    return read.currentRatchetKeyMatches(L.PublicKey.deserialize(owned(key)));
  };
  const keyOf = (message: Awaited<ReturnType<typeof write>>) =>
    decryptionErrorOf(message, SENT).ratchetKey!;
  const first = await write(theirs, ours.address, "first");
  assert.equal(currentAt(keyOf(first)), true);
  await ours.receive(theirs.address, first);
  await say(ours, theirs, "answer");
  assert.equal(currentAt(keyOf(first)), false);
  const second = await write(theirs, ours.address, "second");
  assert.equal(currentAt(keyOf(second)), true);
});
