import assert from "node:assert/strict";
import fc from "fast-check";
import { MalformedError } from "../keys/mod.ts";
import { decrypt, encrypt, initiateSession } from "../../signal/mod.ts";
import { encodeCard } from "./card.ts";
import {
  advance,
  closedByPeer,
  expire,
  isPinned,
  offeredCode,
  outcomeOf,
  receive,
  sentMessages,
  wipeHandshake,
} from "./handshake.ts";
import {
  InviteRefusedError,
  startInviter,
  startJoiner,
} from "./handshake_start.ts";
import { parseHandshake, serializeHandshake } from "./handshake_codec.ts";
import type { Handshake } from "./handshake_state.ts";
import { newPerson, RELAY } from "./test_people.ts";
import {
  alice,
  bob,
  EXPIRES,
  honestRun,
  join,
  NAMEPLATE,
  NOW,
  offer,
  offerWithSecret,
  reasonOf,
  sent,
  take,
  takeReloading,
  wrongCode,
} from "./test_run.ts";

const run = await honestRun();

Deno.test("two people who share a code get each other's cards", () => {
  assert.deepEqual(run.joinerMet.outcome, { met: alice.card });
  assert.deepEqual(run.inviterMet.outcome, { met: bob.card });
  assert.equal(run.joinerMet.state.at, "met");
  assert.equal(run.inviterMet.state.at, "met");
  assert.equal(run.inviterMet.send, undefined);
});

Deno.test("the joiner starts a Signal session from the inviter's card", async () => {
  const outcome = run.joinerMet.outcome;
  assert.ok(outcome && "met" in outcome);
  const [device] = outcome.met.devices;
  const [from, to] = [bob.devices[0], alice.devices[0]];
  const remote = {
    serviceId: outcome.met.accountId,
    deviceId: device.device.id,
  };
  const session = await initiateSession({
    local: from.local,
    remote,
    bundle: device.bundles[0],
    now: NOW,
  });
  const plaintext = new TextEncoder().encode("hello");
  const { message } = await encrypt({
    local: from.local,
    remote,
    session,
    plaintext,
    now: NOW,
  });
  const read = await decrypt({
    local: to.local,
    remote: from.local.address,
    message,
    preKeys: to.preKeys,
  });
  assert.deepEqual(read.plaintext, plaintext);
  const met = run.inviterMet.outcome;
  assert.ok(met && "met" in met);
  assert.deepEqual(read.identityKey, met.met.devices[0].device.identityKey);
});

Deno.test("messages have the sizes of the specification and fit a PASS", () => {
  const sizes = [run.opening, run.proof, run.answer, run.returned]
    .map(({ index, bytes }) => [index, bytes.length]);
  assert.deepEqual(sizes, [
    [0, 55],
    [0, 1248],
    [1, 1088 + 32 + 4096 + 16],
    [1, 4096 + 16],
  ]);
});

Deno.test("the largest card fits a PASS of 16,000 bytes", async () => {
  const large = await newPerson("Large", { deviceCount: 7, bundles: 1 });
  assert.equal(encodeCard(large.card).length, 14336);
  const { state, send, code } = offer({ card: large.card });
  const proved = await take(join(code), send);
  const answered = await take(state, sent(proved));
  assert.ok(sent(answered).bytes.length <= 16_000);
  const met = await take(proved.state, sent(answered));
  assert.deepEqual(met.outcome, { met: large.card });
});

Deno.test("nothing of the code, the cards or the keys is in what the relay sees", () => {
  const seen = [run.opening, run.proof, run.answer, run.returned]
    .map(({ bytes }) => new TextDecoder("latin1").decode(bytes)).join("|");
  const latin1 = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
  const secrets = [run.code.secret, "Alice", "Bob", RELAY.url];
  for (const { card, account, devices } of [alice, bob]) {
    secrets.push(
      latin1(account.accountKey.publicKey.subarray(1)),
      latin1(devices[0].own.identity.publicKey.subarray(1)),
      latin1(card.accountQueue.send.seed),
      latin1(card.accountQueue.sealKey),
      latin1(card.deviceList.hash),
    );
  }
  for (const secret of secrets) assert.ok(!seen.includes(secret));
});

Deno.test("different codes end the run on both sides, before any card", async () => {
  const { state, send, code } = offer();
  const proved = await take(join(wrongCode(code)), send);
  const inviter = await take(state, sent(proved));
  assert.deepEqual(inviter.outcome, { failed: "wrong" });
  assert.equal(inviter.send, undefined);
  // The inviter closes the rendezvous; that is all the joiner hears.
  assert.deepEqual(closedByPeer(proved.state).outcome, { failed: "wrong" });
});

Deno.test("a run resumes after a reload between any two steps, byte for byte", async () => {
  const reload = (state: Handshake) =>
    parseHandshake(serializeHandshake(state));
  const proved = await takeReloading(run.joining, run.opening);
  const answered = await takeReloading(run.offered, run.proof);
  const joiner = await takeReloading(proved.state, run.answer);
  const inviter = await takeReloading(answered.state, run.returned);
  assert.deepEqual(proved.send, run.proof);
  assert.deepEqual(answered.send, run.answer);
  assert.deepEqual(joiner.send, run.returned);
  assert.deepEqual(joiner.outcome, run.joinerMet.outcome);
  assert.deepEqual(inviter.outcome, run.inviterMet.outcome);
  for (const { state } of [proved, answered, joiner, inviter]) {
    assert.deepEqual(reload(state), state);
  }
});

Deno.test("doing a step again after a crash sends the identical bytes", async () => {
  const pinned = receive(run.offered, run.proof, NOW).state;
  assert.ok(isPinned(pinned));
  const [once, twice] = [await advance(pinned), await advance(pinned)];
  assert.deepEqual(once, twice);
  assert.deepEqual(once.send, run.answer);
  const joiner = receive(run.proved, run.answer, NOW).state;
  assert.deepEqual(await advance(joiner), await advance(joiner));
});

Deno.test("a step leaves the state it started from as it was", async () => {
  const before = serializeHandshake(run.offered);
  const step = receive(run.offered, run.proof, NOW);
  await advance(step.state);
  assert.deepEqual(serializeHandshake(run.offered), before);
});

Deno.test("after a reload, what was sent is there to be passed again", () => {
  assert.deepEqual(sentMessages(run.offered), [run.opening]);
  assert.deepEqual(sentMessages(run.joining), []);
  assert.deepEqual(sentMessages(run.proved), [run.proof]);
  assert.deepEqual(sentMessages(run.answered), [run.opening, run.answer]);
  assert.deepEqual(sentMessages(run.joinerMet.state), [
    run.proof,
    run.returned,
  ]);
});

Deno.test("the outcome can be asked for again until it is acted on", async () => {
  const met = parseHandshake(serializeHandshake(run.joinerMet.state));
  assert.deepEqual(await outcomeOf(met), { met: alice.card });
  assert.equal(await outcomeOf(run.proved), undefined);
  const failed = expire(run.offered, EXPIRES).state;
  assert.deepEqual(await outcomeOf(failed), { failed: "expired" });
});

Deno.test("the same message twice changes nothing, at any step", () => {
  for (
    const [state, message] of [
      [run.proved, run.opening],
      [run.answered, run.proof],
      [receive(run.offered, run.proof, NOW).state, run.proof],
      [run.joinerMet.state, run.answer],
      [run.joinerMet.state, run.opening],
      [run.inviterMet.state, run.returned],
    ] as const
  ) {
    const step = receive(state, message, NOW);
    assert.equal(step.state, state);
    assert.equal(step.outcome, undefined);
  }
});

Deno.test("the code is shown until the first joiner, and not after", () => {
  assert.deepEqual(offeredCode(run.offered), run.code);
  assert.equal(
    offeredCode(receive(run.offered, run.proof, NOW).state),
    undefined,
  );
  assert.equal(offeredCode(run.joining), undefined);
});

Deno.test("nobody joins their own offer, not even with a slip in it", () => {
  const { state, code } = offer();
  for (const typed of [code, wrongCode(code)]) {
    assert.throws(
      () =>
        startJoiner({
          relayKey: RELAY.key,
          code: typed,
          expiresAt: EXPIRES,
          card: alice.card,
          known: [state],
          now: NOW,
        }),
      (error) => error instanceof InviteRefusedError && error.reason === "own",
    );
  }
});

Deno.test("a code can be tried once, also after it failed", () => {
  const failed = expire(run.joining, EXPIRES).state;
  for (const known of [run.joining, run.proved, failed]) {
    assert.throws(
      () =>
        startJoiner({
          relayKey: RELAY.key,
          code: wrongCode(run.code),
          expiresAt: EXPIRES,
          card: bob.card,
          known: [known],
          now: NOW,
        }),
      (error) => error instanceof InviteRefusedError && error.reason === "used",
    );
  }
});

Deno.test("a nameplate is free again once the run that had it has expired", () => {
  const { state } = startJoiner({
    relayKey: RELAY.key,
    code: run.code,
    expiresAt: EXPIRES + 300_000,
    card: bob.card,
    known: [run.offered, run.joining, run.joinerMet.state],
    now: EXPIRES,
  });
  assert.equal(state.at, "joining");
});

Deno.test("the same nameplate at another relay is another code", () => {
  const { state } = startJoiner({
    relayKey: new Uint8Array(32).fill(1),
    code: run.code,
    expiresAt: EXPIRES,
    card: bob.card,
    known: [run.offered, run.joining],
    now: NOW,
  });
  assert.equal(state.at, "joining");
});

Deno.test("two devices of one account don't meet as strangers", async () => {
  const { state, send, code } = offer();
  const proved = await take(join(code, { card: alice.card }), send);
  const answered = await take(state, sent(proved));
  const joiner = await take(proved.state, sent(answered));
  assert.deepEqual(joiner.outcome, { failed: "own" });
  assert.equal(joiner.send, undefined);
});

Deno.test("a joiner or an opening that comes too late ends the run", async () => {
  assert.deepEqual((await take(run.offered, run.proof, EXPIRES)).outcome, {
    failed: "expired",
  });
  assert.deepEqual((await take(run.joining, run.opening, EXPIRES)).outcome, {
    failed: "expired",
  });
  assert.equal(
    (await take(run.offered, run.proof, EXPIRES - 1)).state.at,
    "answered",
  );
});

Deno.test("who met in time may finish late", async () => {
  const late = EXPIRES + 60_000;
  assert.equal((await take(run.proved, run.answer, late)).state.at, "met");
  assert.equal((await take(run.answered, run.returned, late)).state.at, "met");
});

Deno.test("a run that waits expires; one that has ended, or has something to look at, does not", () => {
  const pinned = receive(run.offered, run.proof, NOW).state;
  for (const state of [run.offered, run.joining, run.proved, run.answered]) {
    assert.equal(expire(state, EXPIRES - 1).state, state);
    assert.equal(reasonOf(expire(state, EXPIRES).state), "expired");
  }
  for (const state of [pinned, run.joinerMet.state]) {
    assert.equal(expire(state, EXPIRES).state, state);
  }
});

Deno.test("what a closed rendezvous means depends on what had been said", () => {
  const reason = (state: Handshake) => reasonOf(closedByPeer(state).state);
  assert.equal(reason(run.offered), "expired");
  assert.equal(reason(run.joining), "expired");
  assert.equal(reason(run.proved), "wrong");
  assert.equal(reason(run.answered), "misbehaved");
  for (
    const state of [
      run.joinerMet.state,
      run.inviterMet.state,
      receive(run.offered, run.proof, NOW).state,
      receive(run.proved, run.answer, NOW).state,
      receive(run.answered, run.returned, NOW).state,
    ]
  ) assert.equal(closedByPeer(state).state, state);
});

Deno.test("an opening of another version says so", async () => {
  const bytes = run.opening.bytes.slice();
  bytes[0] = 2;
  assert.deepEqual((await take(run.joining, { index: 0, bytes })).outcome, {
    failed: "version",
  });
});

Deno.test("an inviter without a bundle for each device is not let start", async () => {
  const wordless = await newPerson("W", { bundles: 0 });
  assert.throws(() => offer({ card: wordless.card }), MalformedError);
});

Deno.test("a joiner needs no bundles, and gives none away", async () => {
  const wordless = await newPerson("W", { bundles: 0 });
  const { state, send, code } = offer();
  const proved = await take(join(code, { card: wordless.card }), send);
  const answered = await take(state, sent(proved));
  const met = await take(proved.state, sent(answered));
  const inviter = await take(answered.state, sent(met));
  assert.deepEqual(inviter.outcome, { met: wordless.card });
});

Deno.test("nameplates are 20 bits", () => {
  for (const nameplate of [-1, 0x10_0000, 1.5]) {
    assert.throws(() => offer({ nameplate }), RangeError);
    assert.throws(() => join({ nameplate, secret: "000000" }), RangeError);
  }
});

Deno.test("secrets leave the state once they have been used", () => {
  assert.ok(!("run" in run.proved) && !("run" in run.answered));
  for (const { state } of [run.joinerMet, run.inviterMet]) {
    assert.ok(!("isk" in state) && !("peerCardKey" in state));
    assert.ok(!("run" in state));
  }
});

Deno.test("wiping a replaced state wipes nothing of the one that replaced it", async () => {
  const { state, send, code } = offer();
  const joining = join(code);
  const pinned = receive(joining, send, NOW).state;
  const proved = await advance(pinned);
  wipeHandshake(pinned);
  assert.ok("run" in joining && joining.run.scalar.every((byte) => byte === 0));
  const challenged = receive(state, sent(proved), NOW).state;
  const answered = await advance(challenged);
  wipeHandshake(challenged);
  const met = await take(proved.state, sent(answered));
  wipeHandshake(proved.state);
  assert.deepEqual(met.outcome, { met: alice.card });
  const inviter = await take(answered.state, sent(met));
  wipeHandshake(answered.state);
  assert.deepEqual(inviter.outcome, { met: bob.card });
  assert.deepEqual(await outcomeOf(inviter.state), { met: bob.card });
});

Deno.test("a stored state that was cut off or mixed up is malformed", () => {
  const bytes = serializeHandshake(run.answered);
  for (const length of [0, 1, 2, 40, 60, 100, bytes.length - 1]) {
    assert.throws(() => parseHandshake(bytes.slice(0, length)), MalformedError);
  }
  const otherRole = bytes.slice();
  assert.deepEqual([...otherRole.slice(2, 4)], [0x10, 0]);
  otherRole[3] = 1;
  assert.throws(() => parseHandshake(otherRole), MalformedError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
      assert.throws(() => parseHandshake(random), MalformedError);
    }),
  );
});

Deno.test("offers don't repeat anything", () => {
  const offers = Array.from({ length: 20 }, () => offer());
  const openings = new Set(offers.map(({ send }) => send.bytes.join()));
  const secrets = new Set(offers.map(({ code }) => code.secret));
  assert.equal(openings.size, 20);
  assert.ok(secrets.size > 18);
});

Deno.test("the test's own offer with a chosen secret is a real one", async () => {
  const { state, send } = offerWithSecret("K7M2QX");
  const proved = await take(
    join({ nameplate: NAMEPLATE, secret: "K7M2QX" }),
    send,
  );
  assert.equal((await take(state, sent(proved))).state.at, "answered");
});

Deno.test("a start that is refused draws no code", () => {
  assert.throws(
    () =>
      startInviter({
        relayKey: RELAY.key,
        nameplate: NAMEPLATE,
        expiresAt: EXPIRES,
        card: { ...alice.card, displayName: "" },
      }),
    MalformedError,
  );
});
