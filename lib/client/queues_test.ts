import assert from "node:assert/strict";
import {
  type CommandBody,
  decodeFrame,
  encodeFrame,
  newEd25519Pair,
} from "../wire/mod.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import {
  bindQueue,
  bindQueues,
  generationAfter,
  heldGeneration,
  withWork,
} from "./queues.ts";
import { joinRendezvous, openRendezvous } from "./rendezvous.ts";
import { connectionTo, HELLO } from "./testing/connection.ts";
import { TestClock } from "./testing/test_clock.ts";

/** A connection to a relay that answers every request alike. */
function answering(
  answer: CommandBody,
  hello = HELLO,
): { connection: Connection; asked: () => number; dropped: () => boolean } {
  let asked = 0;
  const connection = connectionTo(new TestClock(), (frame, connection) => {
    for (const { request } of decodeFrame(frame)) {
      asked++;
      const [reply] = encodeFrame([{ request, ...answer }]);
      queueMicrotask(() => connection.received(reply));
    }
  }, hello);
  return { connection, asked: () => asked, dropped: () => connection.lost };
}

const EMPTY = new Uint8Array();
const NONSENSE = { type: "OK", body: EMPTY } as const;

Deno.test("an answer that makes no sense ends the connection, and nothing else", async () => {
  const pair = await newEd25519Pair();
  const queue = new Uint8Array(16);
  const requests: [
    string,
    CommandBody,
    (connection: Connection) => Promise<unknown>,
  ][] = [
    ["BIND", NONSENSE, (c) => bindQueue(c, { role: "send", pair, queue })],
    ["OPEN", NONSENSE, (c) => openRendezvous(c, pair)],
    ["JOIN", NONSENSE, (c) => joinRendezvous(c, pair, 1)],
    [
      "OPEN, a nameplate of 21 bits",
      {
        type: "OK",
        body: Uint8Array.of(0, 0, 0, 1, 0, 16, 0, 0, 0, 0, 0, 0, 0, 1),
      },
      (c) => openRendezvous(c, pair),
    ],
    [
      "a price without a number",
      { type: "ERR", code: "work", detail: EMPTY },
      (c) => openRendezvous(c, pair),
    ],
  ];
  for (const [name, answer, ask] of requests) {
    const { connection, dropped } = answering(answer);
    await assert.rejects(ask(connection), ConnectionLostError, name);
    assert.ok(dropped(), name);
  }
  const { connection, dropped } = answering(NONSENSE);
  assert.throws(
    () => heldGeneration(connection, new RelayError("replaced", EMPTY)),
    ConnectionLostError,
  );
  assert.ok(dropped());
});

Deno.test("a queue that was granted is heard while others wait for their answer", async () => {
  const pair = await newEd25519Pair();
  const connection = connectionTo(new TestClock(), (frame, connection) => {
    const [first] = decodeFrame(frame);
    const [ok] = encodeFrame([
      { type: "OK", request: first.request, body: Uint8Array.of(0, 0, 0, 7) },
    ]);
    queueMicrotask(() => connection.received(ok));
  });
  const heard = Promise.withResolvers<number[]>();
  const binding = { role: "receive", pair, queue: new Uint8Array(16) } as const;
  const all = bindQueues(
    connection,
    [binding, binding],
    (...granted) => heard.resolve(granted),
  );
  assert.deepEqual(await heard.promise, [0, 7]);
  connection.closed();
  const [first, second] = await all;
  assert.deepEqual([first.status, second.status], ["fulfilled", "rejected"]);
});

Deno.test("no work is begun that an honest relay would not ask for", async () => {
  const tooDear = (error: unknown) =>
    error instanceof RelayError && error.code === "work";
  const key = new Uint8Array(32);
  const never = () => Promise.reject(new Error("it was sent"));
  const atOnce = answering(NONSENSE, { ...HELLO, workBits: 255 });
  await assert.rejects(
    withWork(atOnce.connection, "NEW", key, never),
    tooDear,
  );
  const later = answering({
    type: "ERR",
    code: "work",
    detail: Uint8Array.of(25),
  });
  await assert.rejects(
    openRendezvous(later.connection, await newEd25519Pair()),
    tooDear,
  );
  assert.deepEqual([atOnce.asked(), later.asked()], [0, 1]);
});

Deno.test("a queue that somebody holds under the last generation there is can be taken over by it", () => {
  assert.equal(generationAfter(7), 8);
  assert.equal(generationAfter(0xffff_ffff), 0xffff_ffff);
});
