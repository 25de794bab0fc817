import assert from "node:assert/strict";
import * as L from "@signalapp/libsignal-client";
import {
  describeSession,
  generateKeyPair,
  PREKEY,
  publicKeyOf,
  safetyNumber,
  sign,
  SignalError,
  verify,
  WHISPER,
} from "./mod.ts";
import { LibsignalParty, owned } from "./testing/libsignal_party.ts";
import { OurParty } from "./testing/our_party.ts";
import { introduce, type Party, randomAddress } from "./testing/party.ts";
import { hear, say, write } from "./testing/text.ts";

/** Both ways round: who begins, who answers. */
const ROLES = ["we begin", "libsignal begins"] as const;

async function pair(role: typeof ROLES[number]) {
  const ours = await OurParty.create();
  const theirs = new LibsignalParty();
  const [initiator, responder]: [Party, Party] = role === "we begin"
    ? [ours, theirs]
    : [theirs, ours];
  return { ours, theirs, initiator, responder };
}

/** Rejects, whichever side it is. */
async function refuses(
  party: Party,
  from: Party,
  message: Awaited<ReturnType<Party["send"]>>,
) {
  await assert.rejects(party.receive(from.address, message));
}

for (const role of ROLES) {
  for (const oneTime of [true, false]) {
    Deno.test(`${role}, ${oneTime ? "with" : "without"} a one-time prekey: text goes both ways`, async () => {
      const { initiator, responder } = await pair(role);
      await introduce(initiator, responder, { oneTime });
      await say(initiator, responder, "hello");
      for (let i = 0; i < 5; i++) {
        await say(responder, initiator, `answer ${i}`);
        await say(initiator, responder, `question ${i}`);
        await say(initiator, responder, "");
        await say(responder, initiator, "long ".repeat(5000));
      }
    });
  }

  Deno.test(`${role}: every message is a PreKey message of one session until the first answer`, async () => {
    const { ours, initiator, responder } = await pair(role);
    await introduce(initiator, responder);
    for (let i = 0; i < 3; i++) {
      const message = await write(initiator, responder.address, `first ${i}`);
      assert.equal(message.type, PREKEY);
      assert.equal(
        await hear(responder, initiator.address, message),
        `first ${i}`,
      );
    }
    await say(responder, initiator, "answer");
    assert.equal(
      (await write(initiator, responder.address, "then")).type,
      WHISPER,
    );
    if (responder === ours) {
      assert.equal(
        ours.used.length,
        1,
        "prekeys are used up by the first message alone",
      );
      assert.equal(
        describeSession(ours.session(initiator.address)!).archivedStates,
        0,
      );
    }
  });

  Deno.test(`${role}: a one-time prekey serves one session only`, async () => {
    const { initiator, responder } = await pair(role);
    const bundle = await responder.publish({ oneTime: true });
    await initiator.begin(responder.address, bundle);
    await say(initiator, responder, "first");
    await initiator.begin(responder.address, bundle);
    await refuses(
      responder,
      initiator,
      await write(initiator, responder.address, "second"),
    );
  });

  Deno.test(`${role}: a last-resort Kyber prekey serves several sessions`, async () => {
    const { initiator, responder } = await pair(role);
    const bundle = await responder.publish({ oneTime: false });
    for (let i = 0; i < 3; i++) {
      await initiator.begin(responder.address, bundle);
      await say(initiator, responder, `session ${i}`);
      await say(responder, initiator, `answer ${i}`);
    }
  });

  Deno.test(`${role}: messages of a replaced session still arrive and bring it back`, async () => {
    const { ours, initiator, responder } = await pair(role);
    await introduce(initiator, responder);
    await say(initiator, responder, "old session");
    await say(responder, initiator, "old session, answered");
    const late = await write(initiator, responder.address, "late");
    const lateAnswer = await write(responder, initiator.address, "late answer");
    await introduce(initiator, responder);
    await say(initiator, responder, "new session");
    const other = ours === initiator ? responder : initiator;
    const newBase = ours.session(other.address)!.current.baseKey;
    assert.equal(await hear(responder, initiator.address, late), "late");
    assert.equal(
      await hear(initiator, responder.address, lateAnswer),
      "late answer",
    );
    const { current, archived } = ours.session(other.address)!;
    assert.notDeepEqual(
      current.baseKey,
      newBase,
      "the old session is current again",
    );
    assert.equal(archived.length, 1);
    for (let i = 0; i < 3; i++) {
      await say(initiator, responder, `on ${i}`);
      await say(responder, initiator, `and on ${i}`);
    }
  });

  Deno.test(`${role}: a session is not used after 30 days without an answer`, async () => {
    const { ours, theirs, initiator, responder } = await pair(role);
    await introduce(initiator, responder);
    const days = (count: number) => count * 24 * 60 * 60 * 1000;
    const start = ours.now;
    const later = (milliseconds: number) => {
      ours.now = start + milliseconds;
      theirs.now = new Date(start + milliseconds);
    };
    later(days(30));
    await say(initiator, responder, "in time");
    later(days(30) + 1000);
    await assert.rejects(write(initiator, responder.address, "too late"));
    await say(responder, initiator, "an answer");
    await say(initiator, responder, "after all");
  });
}

Deno.test("both begin at once: every crossing message arrives and the talk goes on", async () => {
  for (
    const [messages, firstToSpeak] of [[1, "ours"], [1, "theirs"], [
      3,
      "ours",
    ]] as const
  ) {
    const ours = await OurParty.create();
    const theirs = new LibsignalParty();
    await introduce(ours, theirs);
    await introduce(theirs, ours);
    const ourFirst = [], theirFirst = [];
    for (let i = 0; i < messages; i++) {
      ourFirst.push(await write(ours, theirs.address, `ours ${i}`));
      theirFirst.push(await write(theirs, ours.address, `theirs ${i}`));
    }
    for (let i = 0; i < messages; i++) {
      assert.equal(await hear(theirs, ours.address, ourFirst[i]), `ours ${i}`);
      assert.equal(
        await hear(ours, theirs.address, theirFirst[i]),
        `theirs ${i}`,
      );
    }
    const [a, b]: [Party, Party] = firstToSpeak === "ours"
      ? [ours, theirs]
      : [theirs, ours];
    for (let i = 0; i < 12; i++) {
      const crossingA = await write(a, b.address, `a ${i}`);
      const crossingB = i % 3 === 0
        ? await write(b, a.address, `b ${i}`)
        : undefined;
      assert.equal(await hear(b, a.address, crossingA), `a ${i}`);
      if (crossingB) {
        assert.equal(await hear(a, b.address, crossingB), `b ${i}`);
      }
      await say(b, a, `answer ${i}`);
    }
  }
});

Deno.test("XEdDSA signatures verify on the other side, and altered ones do not", async () => {
  for (let i = 0; i < 40; i++) {
    const { privateKey, publicKey } = await generateKeyPair();
    const theirKey = L.PrivateKey.deserialize(owned(privateKey));
    assert.deepEqual(owned(theirKey.getPublicKey().serialize()), publicKey);
    assert.deepEqual(publicKeyOf(privateKey), publicKey);
    const message = crypto.getRandomValues(new Uint8Array(i * 7));
    const theirPublic = theirKey.getPublicKey();
    const ourSignature = sign(privateKey, message);
    assert(theirPublic.verify(message, owned(ourSignature)));
    const theirSignature = theirKey.sign(message);
    assert(await verify(publicKey, message, theirSignature));
    for (const signature of [ourSignature, theirSignature]) {
      const altered = owned(signature);
      altered[i % 64] ^= 1 << (i % 8);
      assert.equal(await verify(publicKey, message, altered), false);
      assert.equal(theirPublic.verify(message, altered), false);
    }
    const longer = Uint8Array.of(...message, 0);
    assert.equal(await verify(publicKey, longer, theirSignature), false);
  }
});

Deno.test("safety numbers are libsignal's, the same on both sides", async () => {
  for (let i = 0; i < 3; i++) {
    const [a, b] = [await generateKeyPair(), await generateKeyPair()];
    const [idA, idB] = [crypto.randomUUID(), crypto.randomUUID()];
    const ours = await safetyNumber({
      localId: idA,
      localKey: a.publicKey,
      remoteId: idB,
      remoteKey: b.publicKey,
    });
    const theirs = L.Fingerprint.new(
      5200,
      2,
      new TextEncoder().encode(idB),
      L.PublicKey.deserialize(owned(b.publicKey)),
      new TextEncoder().encode(idA),
      L.PublicKey.deserialize(owned(a.publicKey)),
    );
    assert.equal(ours.displayable, theirs.displayableFingerprint().toString());
    assert.match(ours.displayable, /^[0-9]{60}$/);
    const scanned = L.ScannableFingerprint._fromBuffer(owned(ours.scannable));
    assert(theirs.scannableFingerprint().compare(scanned));
  }
});

Deno.test("address binding: we refuse a first message made for or by another address", async () => {
  const ours = await OurParty.create();
  const { serviceId, deviceId } = ours.address;
  const otherDevice = { serviceId, deviceId: deviceId + 1 };
  for (const wrong of [otherDevice, randomAddress()]) {
    const theirs = new LibsignalParty();
    // They believe to write to `wrong`, under our keys.
    await theirs.begin(wrong, {
      ...await ours.publish({ oneTime: true }),
      deviceId: wrong.deviceId,
    });
    const message = await write(theirs, wrong, "misdirected");
    await assert.rejects(
      ours.receive(theirs.address, message),
      new SignalError("wrong-address"),
    );
    await introduce(theirs, ours);
    const genuine = await write(theirs, ours.address, "directed");
    for (
      const sender of [randomAddress(), { ...theirs.address, deviceId: 9 }]
    ) {
      await assert.rejects(
        ours.receive(sender, genuine),
        new SignalError("wrong-address"),
      );
    }
    assert.equal(await hear(ours, theirs.address, genuine), "directed");
  }
});

Deno.test("address binding: libsignal refuses ours for or by another address, accepts the right one", async () => {
  const ours = await OurParty.create();
  const theirs = new LibsignalParty();
  await introduce(ours, theirs);
  const message = await write(ours, theirs.address, "directed");
  for (const sender of [randomAddress(), { ...ours.address, deviceId: 9 }]) {
    await assert.rejects(theirs.receive(sender, message));
  }
  assert.equal(await hear(theirs, ours.address, message), "directed");
});

Deno.test("address binding: a phone-number identity is another name; no names at all are accepted", async () => {
  const ours = await OurParty.create();
  const address = randomAddress();
  const phone = new LibsignalParty(address, `PNI:${address.serviceId}`);
  await introduce(phone, ours);
  await assert.rejects(
    ours.receive(address, await write(phone, ours.address, "by number")),
    new SignalError("wrong-address"),
  );
  const unnamed = new LibsignalParty(randomAddress(), "+12025550123");
  await introduce(unnamed, ours);
  await say(unnamed, ours, "without names");
});
