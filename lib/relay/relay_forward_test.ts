import assert from "node:assert/strict";
import { randomBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import {
  ed25519Signer,
  type ForwardedCommand,
  type ForwardedReply,
  ONE_SHOTS,
  oneShotMessage,
  parseJoinOk,
  parseMeetOk,
  rendezvousMessage,
  solveWork,
} from "../wire/mod.ts";
import { anyBlobCommand } from "../wire/testing/any_blob_command.ts";
import { anyOneShotCommand } from "../wire/testing/any_forward_command.ts";
import {
  ForwardClient,
  meetCommand,
  sealFor,
} from "./testing/forward_client.ts";
import {
  type Credentials,
  newCredentials,
  ok,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import {
  OTHER_URL,
  type TwoRelays,
  withTwoRelays,
} from "./testing/two_relays.ts";
import { withRelay } from "./testing/with_relay.ts";

const id = (n: number) => new Uint8Array(16).fill(n);
const NOTHING = new Uint8Array();
const DONE: ForwardedReply = okWith(NOTHING);

function okWith(body: Uint8Array): ForwardedReply {
  // What decodes has a request number too, which is not sent.
  return { request: 0, type: "OK", body } as ForwardedReply;
}

function codeOf(reply: ForwardedReply): string {
  return reply.type === "ERR" ? reply.code : reply.type;
}

/** Somebody at the own relay, who has greeted the other; and somebody there, with a queue. */
async function people({ own, other }: TwoRelays) {
  const sender = await RelayClient.inProcess(own.relay);
  const owner = await RelayClient.inProcess(other.relay);
  const queue = await owner.createQueue();
  await owner.bind(queue, "receive", 1);
  const way = await ForwardClient.greet(sender, OTHER_URL);
  return { sender, owner, queue, way };
}

function post(way: ForwardClient, queue: Credentials, n: number) {
  return way.post(queue.id, queue.send, id(n));
}

Deno.test("mail for a queue at another relay arrives through the own one, in order, and the OK is the other's", () =>
  withTwoRelays(async (relays) => {
    const { owner, queue, way } = await people(relays);
    assert.deepEqual(way.hello.relayKey, relays.other.relay.key);
    assert.equal(way.hello.url, OTHER_URL);
    const posts = await Promise.all(
      Array.from({ length: 40 }, (_, n) => signedPost(way, queue, n)),
    );
    const sealed = posts.map((command) => sealFor(way.hello, command));
    const answers = await Promise.all(
      sealed.map(({ sealed }) => way.pass(sealed)),
    );
    for (const [n, { open }] of sealed.entries()) {
      assert.deepEqual(open(answers[n]), DONE);
    }
    for (let n = 0; n < 40; n++) {
      assert.deepEqual((await owner.message()).id, id(n));
    }
  }));

Deno.test("each size of envelope that can be forwarded is", () =>
  withTwoRelays(async (relays) => {
    const { owner, queue, way } = await people(relays);
    const sizes = [480, 992, 2_016, 4_064, 8_160, 16_352, 32_256];
    for (const [n, size] of sizes.entries()) {
      const envelope = randomBytes(size);
      const reply = await way.post(
        queue.id,
        queue.send,
        id(n),
        envelope,
      );
      assert.deepEqual(reply, DONE, String(size));
      assert.deepEqual((await owner.message()).envelope, envelope);
    }
  }));

Deno.test("what is sent twice under one transport id arrives once", () =>
  withTwoRelays(async (relays) => {
    const { owner, queue, way } = await people(relays);
    for (const n of [1, 1, 2]) {
      assert.deepEqual(await post(way, queue, n), DONE);
    }
    assert.deepEqual((await owner.message()).id, id(1));
    assert.deepEqual((await owner.message()).id, id(2));
  }));

Deno.test("who asks learns whether there is a queue, and only with its send key", () =>
  withTwoRelays(async (relays) => {
    const { owner, queue, way } = await people(relays);
    const asked = (keys: Pick<Credentials, "id" | "send">) =>
      way.post(keys.id, keys.send, id(1), NOTHING);
    assert.deepEqual(await asked(queue), DONE);
    const stranger = await newCredentials();
    assert.equal(codeOf(await asked(stranger)), "no-such-queue");
    assert.equal(
      codeOf(await asked({ id: queue.id, send: stranger.send })),
      "unauthorised",
    );
    assert.equal(
      codeOf(await way.post(queue.id, queue.receive, id(1))),
      "unauthorised",
    );
    const remove = await owner.bind(queue, "remove");
    ok(await owner.ask({ type: "DEL", handle: remove }));
    assert.equal(codeOf(await post(way, queue, 3)), "no-such-queue");
    assert.deepEqual(owner.pushes, []);
  }));

Deno.test("nothing that was forwarded can be sent again: not on its connection, not on another, not by anybody", () =>
  withTwoRelays(async (relays) => {
    const { own, other, dialler, restartOther } = relays;
    const { owner, queue, way, sender } = await people(relays);
    const { sealed, open } = sealFor(
      way.hello,
      await signedPost(way, queue, 1),
    );
    assert.deepEqual(open(await way.pass(sealed)), DONE);
    refused(await way.pass(sealed), "stale");
    // By whoever saw it go by, on a connection of their own, or at the relay it passed.
    const thief = await RelayClient.inProcess(other.relay);
    refused(await thief.ask({ type: "FWD", about: "here", sealed }), "stale");
    const there = await RelayClient.inProcess(own.relay);
    refused(await there.ask({ type: "FWD", about: "here", sealed }), "stale");
    // After the relays lost sight of each other, and after the other was started anew.
    dialler.last?.cut();
    const again = await ForwardClient.greet(sender, OTHER_URL);
    refused(await again.pass(sealed), "stale");
    await restartOther();
    const late = await ForwardClient.greet(sender, OTHER_URL);
    refused(await late.pass(sealed), "stale");
    await owner.closed;
    const reader = await RelayClient.inProcess(relays.other.relay);
    await reader.bind(queue, "receive", 2);
    assert.deepEqual((await reader.message()).id, id(1));
    assert.deepEqual(reader.pushes, []);
  }));

Deno.test("two who hand in the same at the same moment: one is heard", () =>
  withTwoRelays(async (relays) => {
    const { way, queue } = await people(relays);
    const { sealed } = sealFor(way.hello, await signedPost(way, queue, 1));
    const answers = await Promise.all([way.pass(sealed), way.pass(sealed)]);
    assert.deepEqual(answers.map(({ type }) => type).sort(), ["ERR", "OK"]);
  }));

async function signedPost(
  { hello }: ForwardClient,
  queue: Credentials,
  n: number,
): Promise<ForwardedCommand> {
  const unsigned = {
    type: "POST",
    queue: queue.id,
    id: id(n),
    envelope: new Uint8Array(480),
  } as const;
  const message = oneShotMessage(hello.challenge, hello.relayKey, unsigned);
  return { ...unsigned, signature: await queue.send.sign(message) };
}

Deno.test("what the own relay passes on tells it neither queue, nor credential, nor outcome", () =>
  withTwoRelays(async (relays) => {
    const { owner, queue, way } = await people(relays);
    const envelope = randomBytes(480);
    assert.deepEqual(
      await way.post(queue.id, queue.send, id(7), envelope),
      DONE,
    );
    await owner.message();
    const stranger = await newCredentials();
    assert.equal(codeOf(await post(way, stranger, 8)), "no-such-queue");
    const { sent, received } = relays.dialler;
    const seen = [...sent, ...received].map((frame) => frame.toHex());
    assert.equal(seen.length, 5, "HELLO, two there and two back");
    for (
      const secret of [
        queue.id,
        queue.send.publicKey,
        id(7),
        envelope.subarray(0, 16),
        stranger.id,
      ]
    ) assert.ok(!seen.some((frame) => frame.includes(secret.toHex())));
    assert.deepEqual(sent.map(({ length }) => length), [1024, 1024]);
    assert.deepEqual(received.slice(1).map(({ length }) => length), [512, 512]);
    await relays.own.close();
    const kv = await Deno.openKv(relays.own.path);
    const stored = await Array.fromAsync(kv.list({ prefix: [] }));
    kv.close();
    assert.ok(stored.length > 0);
    const disk = stored.flatMap(({ key, value }) => [...key, value])
      .map((part) => part instanceof Uint8Array ? part.toHex() : String(part));
    assert.ok(!disk.some((part) => part.includes(queue.id.toHex())));
    assert.ok(!disk.some((part) => part.includes("other.example")));
  }));

Deno.test("who has the code of somebody at another relay meets them through the own one", () =>
  withTwoRelays(async (relays) => {
    const { other } = relays;
    const opener = await RelayClient.inProcess(other.relay);
    const host = await ed25519Signer(randomBytes(32));
    const { handle, nameplate, expires } = await opener.open(host);
    const hello = randomBytes(55);
    ok(await opener.pass(handle, 0, hello));

    const guest = await RelayClient.inProcess(relays.own.relay);
    const way = await ForwardClient.greet(guest, OTHER_URL);
    const party = await ed25519Signer(randomBytes(32));
    const meet = async (...rest: Meeting) =>
      await way.ask(await meetCommand(way.hello, party, nameplate, ...rest));
    assert.equal(codeOf(await meet("look")), "no-such-rendezvous", "not yet");
    const joined = await way.ask(await joinCommand(way, party, nameplate));
    assert.deepEqual(parseJoinOk(bodyOf(joined)), { handle: 0, expires });
    const left = async (from: number) =>
      parseMeetOk(bodyOf(await meet("look", from)));
    assert.deepEqual(await left(0), [{ index: 0, bytes: hello }]);
    assert.deepEqual(await left(1), []);
    const answer = randomBytes(16_000);
    assert.deepEqual(await meet("pass", 0, answer), DONE);
    assert.deepEqual(await meet("pass", 0, answer), DONE, "again");
    assert.equal(codeOf(await meet("pass", 0, hello)), "conflict");
    const push = await opener.push();
    assert.ok(push.type === "PASS");
    assert.deepEqual(push.bytes, answer);
    const large = [randomBytes(16_000), randomBytes(16_000), randomBytes(9)];
    for (const [i, bytes] of large.entries()) {
      ok(await opener.pass(handle, i + 1, bytes));
    }
    const first = await left(1);
    assert.deepEqual(first.map(({ bytes }) => bytes), large.slice(0, 2));
    assert.deepEqual(await left(3), [{ index: 3, bytes: large[2] }]);
    assert.deepEqual(await meet("close"), DONE);
    assert.equal((await opener.push()).type, "CLOSE");
    assert.equal(codeOf(await meet("look")), "no-such-rendezvous");
  }));

type Meeting = [
  act: "look" | "pass" | "close",
  index?: number,
  bytes?: Uint8Array,
];

Deno.test("a rendezvous is its two parties': nobody else looks, passes or closes by another relay", () =>
  withTwoRelays(async ({ own, other }) => {
    const opener = await RelayClient.inProcess(other.relay);
    const { nameplate } = await opener.open(
      await ed25519Signer(randomBytes(32)),
    );
    const guest = await RelayClient.inProcess(own.relay);
    const way = await ForwardClient.greet(guest, OTHER_URL);
    const [party, another] = await Promise.all([
      ed25519Signer(randomBytes(32)),
      ed25519Signer(randomBytes(32)),
    ]);
    bodyOf(await way.ask(await joinCommand(way, party, nameplate)));
    for (const act of ["look", "pass", "close"] as const) {
      const strange = await meetCommand(way.hello, another, nameplate, act);
      assert.equal(codeOf(await way.ask(strange)), "no-such-rendezvous");
      const forged = {
        ...await meetCommand(way.hello, party, nameplate, act),
        signature: randomBytes(64),
      };
      assert.equal(codeOf(await way.ask(forged)), "unauthorised");
    }
    const taken = await way.ask(await joinCommand(way, another, nameplate));
    assert.equal(codeOf(taken), "taken");
    const lazy = { ...await joinCommand(way, party, nameplate), work: 1n };
    assert.equal(codeOf(await way.ask(lazy)), "OK", "paid for before");
    const third = await ed25519Signer(randomBytes(32));
    const free = { ...await joinCommand(way, third, nameplate), work: 0n };
    assert.equal(codeOf(await way.ask(free)), "work");
  }, { other: { workBits: 10 } }));

Deno.test("who asks for much at once by another relay has nobody cut off who comes by it", () =>
  withTwoRelays(async ({ own, other, dialler }) => {
    const opener = await RelayClient.inProcess(other.relay);
    const { handle, nameplate } = await opener.open(
      await ed25519Signer(randomBytes(32)),
    );
    const large = randomBytes(16_000);
    for (const index of [0, 1]) ok(await opener.pass(handle, index, large));
    const [way, neighbour] = await Promise.all(
      [1, 2].map(async () =>
        await ForwardClient.greet(
          await RelayClient.inProcess(own.relay),
          OTHER_URL,
        )
      ),
    );
    const party = await ed25519Signer(randomBytes(32));
    bodyOf(await way.ask(await joinCommand(way, party, nameplate)));
    const look = await meetCommand(way.hello, party, nameplate, "look");
    // The way between the relays takes no more for a moment.
    dialler.last?.pause();
    const asked = Array.from({ length: 60 }, () => way.ask(look));
    const there = () => dialler.lastFar?.bufferedBytes ?? 0;
    let before = 0;
    do {
      before = there();
      await new Promise((resume) => setTimeout(resume, 20));
    } while (there() === 0 || there() > before);
    dialler.last?.resume();
    for (const answer of await Promise.all(asked)) {
      assert.equal(parseMeetOk(bodyOf(answer)).length, 2);
    }
    assert.equal(codeOf(await neighbour.ask({ type: "PING" })), "unsupported");
  }));

async function joinCommand(
  { hello }: ForwardClient,
  party: { publicKey: Uint8Array; sign(m: Uint8Array): Promise<Uint8Array> },
  nameplate: number,
): Promise<ForwardedCommand> {
  const { challenge, relayKey, workBits: bits } = hello;
  const { publicKey } = party;
  const message = rendezvousMessage(
    challenge,
    relayKey,
    "join",
    nameplate,
    publicKey,
  );
  const work = await solveWork({
    challenge,
    type: "JOIN",
    key: publicKey,
    bits,
  });
  return {
    type: "JOIN",
    nameplate,
    publicKey,
    signature: await party.sign(message),
    work,
  };
}

function bodyOf(reply: ForwardedReply): Uint8Array {
  assert.ok(reply.type === "OK", codeOf(reply));
  return reply.body;
}

Deno.test("what needs a connection of one's own is not forwarded, nor is anything over two relays", () =>
  withTwoRelays(async (relays) => {
    const { way, sender } = await people(relays);
    const commands: ForwardedCommand[] = [
      { type: "PING" },
      { type: "SEND", handle: 1, id: id(1), envelope: new Uint8Array(480) },
      { type: "DEL", handle: 1 },
      { type: "FWD", about: "here", sealed: new Uint8Array(502) },
      { type: "ACCESS", signature: randomBytes(64), work: 0n },
      {
        type: "NEW",
        receiveKey: randomBytes(32),
        sendKey: randomBytes(32),
        removeKey: randomBytes(32),
        work: 0n,
      },
    ];
    for (const command of commands) {
      assert.equal(codeOf(await way.ask(command)), "unsupported", command.type);
    }
    for (const type of ONE_SHOTS) {
      const command = { type, body: randomBytes(99) };
      refused(await sender.ask(command), "unsupported");
    }
  }));

Deno.test("whatever is sealed for a relay is answered, and breaks nothing", () =>
  withTwoRelays(async (relays) => {
    const { way, queue, owner } = await people(relays);
    const any = fc.oneof(anyOneShotCommand, anyBlobCommand);
    await fc.assert(
      fc.asyncProperty(any, async (drawn) => {
        const reply = await way.ask({ ...drawn });
        assert.equal(reply.type, "ERR");
      }),
      { numRuns: 150 },
    );
    assert.deepEqual(await post(way, queue, 1), DONE);
    assert.deepEqual((await owner.message()).id, id(1));
    assert.deepEqual(relays.other.lines, []);
  }, { own: { forwardsPerSecond: 1_000 } }));

Deno.test("the day's key opens what was sealed to it as long as HELLO said, also when there is a new one", () =>
  withTwoRelays(async (relays) => {
    const { other } = relays;
    const { queue, way } = await people(relays);
    const hour = 3_600_000;
    other.clock.now += 25 * hour;
    const fresh = await RelayClient.inProcess(other.relay);
    assert.notDeepEqual(fresh.hello.dayKey, way.hello.dayKey);
    assert.deepEqual(await post(way, queue, 1), DONE);
    other.clock.now = way.hello.dayKeyValidUntil + 1;
    const { sealed } = sealFor(way.hello, await signedPost(way, queue, 2));
    refused(await way.pass(sealed), "stale");
  }));

Deno.test("a connection is made anew before its key can end, and the handle with it", () =>
  withTwoRelays(async (relays) => {
    const { own, dialler } = relays;
    const { sender, queue, way } = await people(relays);
    own.clock.now += 11 * 3_600_000 + 1;
    const again = await ForwardClient.greet(sender, OTHER_URL);
    assert.equal(dialler.dialled.length, 2);
    assert.equal(again.handle, way.handle);
    assert.notDeepEqual(again.hello.challenge, way.hello.challenge);
    assert.deepEqual(await post(again, queue, 1), DONE);
  }));

Deno.test("a private relay forwards for its own people only", () =>
  withTwoRelays(async ({ own }) => {
    const stranger = await RelayClient.inProcess(own.relay);
    const greet = await ForwardClient.greetCommand(stranger, OTHER_URL);
    refused(await stranger.ask(greet), "access");
  }, { access: "correct horse" }));

Deno.test("a relay that forwards nothing says so, and takes in what others forward", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const greet = await ForwardClient.greetCommand(client, OTHER_URL);
    refused(await client.ask(greet), "unsupported");
    const pass = { type: "FWD", about: "to", handle: 1 } as const;
    const sealed = new Uint8Array(502);
    refused(await client.ask({ ...pass, sealed }), "unsupported");
    const ping = sealFor(client.hello, { type: "PING" });
    const answer = await client.ask({
      type: "FWD",
      about: "here",
      sealed: ping.sealed,
    });
    assert.equal(codeOf(ping.open(answer)), "unsupported");
  }));
