import assert from "node:assert/strict";
import {
  type ForwardedReply,
  oneShotMessage,
  parseCollectOk,
  type Signer,
  type UnsignedOneShot,
  type Waiting,
} from "../wire/mod.ts";
import { ForwardClient } from "./testing/forward_client.ts";
import {
  type Credentials,
  newCredentials,
  ok,
  randomBytes,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import {
  OTHER_URL,
  type TwoRelays,
  withTwoRelays,
} from "./testing/two_relays.ts";

const id = (n: number) => new Uint8Array(16).fill(n);

/** Somebody with a queue at the other relay, who is at the own one now; and who sends to it there. */
async function mover({ own, other }: TwoRelays) {
  const sender = await RelayClient.inProcess(other.relay);
  const queue = await sender.createQueue();
  const handle = await sender.bind(queue, "send");
  const send = async (n: number, envelope: Uint8Array = randomBytes(480)) =>
    ok(await sender.ask({ type: "SEND", handle, id: id(n), envelope }));
  const me = await RelayClient.inProcess(own.relay);
  return { sender, send, queue, way: await ForwardClient.greet(me, OTHER_URL) };
}

async function ask(
  way: ForwardClient,
  signer: Signer,
  unsigned: UnsignedOneShot,
): Promise<ForwardedReply> {
  const { challenge, relayKey } = way.hello;
  const message = oneShotMessage(challenge, relayKey, unsigned);
  return await way.ask({ ...unsigned, signature: await signer.sign(message) });
}

function collect(
  way: ForwardClient,
  queue: Credentials,
  seq: number,
  generation = 1,
  signer = queue.receive,
): Promise<ForwardedReply> {
  const { id } = queue;
  return ask(way, signer, { type: "COLLECT", queue: id, generation, seq });
}

function remove(
  way: ForwardClient,
  queue: Credentials,
  signer = queue.remove,
): Promise<ForwardedReply> {
  return ask(way, signer, { type: "REMOVE", queue: queue.id });
}

function waitingIn(reply: ForwardedReply): Waiting[] {
  assert.ok(reply.type === "OK", codeOf(reply));
  return parseCollectOk(reply.body);
}

function codeOf(reply: ForwardedReply): string {
  return reply.type === "ERR" ? reply.code : reply.type;
}

Deno.test("what waits in a queue at another relay is read in order, again until it is acknowledged, and never after", () =>
  withTwoRelays(async (relays) => {
    const { send, queue, way } = await mover(relays);
    assert.deepEqual(waitingIn(await collect(way, queue, 0)), []);
    const envelopes = [1, 2, 3].map(() => randomBytes(480));
    for (const [n, envelope] of envelopes.entries()) await send(n, envelope);
    const first = waitingIn(await collect(way, queue, 0));
    assert.deepEqual(first.map(({ envelope }) => envelope), envelopes);
    assert.deepEqual(first.map((message) => message.id), [0, 1, 2].map(id));
    assert.deepEqual(waitingIn(await collect(way, queue, 0)), first);
    const rest = waitingIn(await collect(way, queue, first[1].seq));
    assert.deepEqual(rest, first.slice(2));
    // Gone for whoever reads there, too.
    const reader = await RelayClient.inProcess(relays.other.relay);
    await reader.bind(queue, "receive", 2);
    assert.deepEqual((await reader.message()).id, id(2));
    assert.deepEqual(reader.pushes, []);
  }));

Deno.test("more than one answer holds is read in several, and what is too large for any is named and passed by", () =>
  withTwoRelays(async (relays) => {
    const { send, queue, way } = await mover(relays);
    const sizes = [16_352, 16_352, 32_256, 32_736, 480, 8_160];
    for (const [n, size] of sizes.entries()) await send(n, randomBytes(size));
    const seen: [number, number][] = [];
    let answers = 0;
    for (let seq = 0;; answers++) {
      const waiting = waitingIn(await collect(way, queue, seq));
      if (waiting.length === 0) break;
      seq = waiting[waiting.length - 1].seq;
      seen.push(
        ...waiting.map(({ id, envelope }): [number, number] => [
          id[0],
          envelope.length,
        ]),
      );
    }
    assert.deepEqual(
      seen,
      sizes.map((size, n) => [n, size === 32_736 ? 0 : size]),
    );
    assert.equal(answers, 4);
  }));

Deno.test("who collects takes the queue over from who reads it there, and a later reader takes it back", () =>
  withTwoRelays(async (relays) => {
    const { send, queue, way } = await mover(relays);
    const reader = await RelayClient.inProcess(relays.other.relay);
    const handle = await reader.bind(queue, "receive", 4);
    const old = await collect(way, queue, 0, 3);
    assert.equal(codeOf(old), "replaced");
    waitingIn(await collect(way, queue, 0, 5));
    assert.equal((await reader.push()).type, "REPLACED");
    refused(await reader.ask({ type: "ACK", handle, seq: 9 }), "replaced");
    await send(1);
    assert.equal(waitingIn(await collect(way, queue, 0, 5)).length, 1);
    await reader.bind(queue, "receive", 6);
    assert.deepEqual((await reader.message()).id, id(1));
    assert.equal(codeOf(await collect(way, queue, 0, 5)), "replaced");
  }));

Deno.test("what was acknowledged or removed from afar is so after a restart of the relay", () =>
  withTwoRelays(async (relays) => {
    const { send, queue, way, sender } = await mover(relays);
    const another = await sender.createQueue();
    for (const n of [1, 2, 3]) await send(n);
    const [first] = waitingIn(await collect(way, queue, 0));
    waitingIn(await collect(way, queue, first.seq));
    assert.equal(codeOf(await remove(way, another)), "OK");
    await relays.restartOther();
    const again = await ForwardClient.greet(way.own, OTHER_URL);
    const left = waitingIn(await collect(again, queue, 0));
    assert.deepEqual(left.map((message) => message.id), [id(2), id(3)]);
    assert.equal(codeOf(await collect(again, another, 0)), "no-such-queue");
  }));

Deno.test("a queue is removed from afar, with all that waits, and who sends is told that there is none", () =>
  withTwoRelays(async (relays) => {
    const { send, sender, queue, way } = await mover(relays);
    await send(1);
    assert.equal(codeOf(await remove(way, queue)), "OK");
    assert.equal(codeOf(await remove(way, queue)), "no-such-queue");
    assert.equal(codeOf(await collect(way, queue, 0)), "no-such-queue");
    const bound = sender.bind(queue, "send");
    await assert.rejects(bound, /no-such-queue/);
  }));

Deno.test("each credential does what it is for, from afar as well", () =>
  withTwoRelays(async (relays) => {
    const { send, queue, way } = await mover(relays);
    await send(1);
    const { receive } = await newCredentials();
    for (const signer of [queue.send, queue.remove, receive]) {
      const refusal = await collect(way, queue, 99, 1, signer);
      assert.equal(codeOf(refusal), "unauthorised");
    }
    for (const signer of [queue.send, queue.receive, receive]) {
      assert.equal(codeOf(await remove(way, queue, signer)), "unauthorised");
    }
    assert.equal(waitingIn(await collect(way, queue, 0)).length, 1);
  }));

Deno.test("nothing but the frame class of what waits shows to the own relay: no queue, no outcome", () =>
  withTwoRelays(async (relays) => {
    const { send, queue, way } = await mover(relays);
    const { sent, received } = relays.dialler;
    const [was, heard] = [sent.length, received.length];
    waitingIn(await collect(way, queue, 0));
    await send(7, randomBytes(480));
    assert.equal(waitingIn(await collect(way, queue, 0)).length, 1);
    assert.equal(codeOf(await remove(way, queue)), "OK");
    assert.equal(codeOf(await remove(way, queue)), "no-such-queue");
    const frames = [...sent.slice(was), ...received.slice(heard)];
    assert.equal(frames.length, 8);
    assert.deepEqual(sent.slice(was).map(({ length }) => length), [
      512,
      512,
      512,
      512,
    ]);
    assert.deepEqual(received.slice(heard).map(({ length }) => length), [
      512,
      1024,
      512,
      512,
    ]);
    for (const frame of frames) {
      const hex = frame.toHex();
      assert.ok(!hex.includes(queue.id.toHex()));
      assert.ok(!hex.includes(queue.receive.publicKey.toHex()));
    }
  }));
