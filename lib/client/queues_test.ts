import assert from "node:assert/strict";
import {
  type CommandBody,
  decodeFrame,
  encodeFrame,
  type Hello,
  newEd25519Pair,
} from "../wire/mod.ts";
import { Connection, ConnectionLostError, RelayError } from "./link/mod.ts";
import { bindQueue, bindQueues, heldGeneration, withWork } from "./queues.ts";
import { joinRendezvous, openRendezvous } from "./rendezvous.ts";
import { TestClock } from "./testing/test_clock.ts";

const HELLO: Hello = {
  features: 0,
  relayKey: new Uint8Array(32),
  challenge: new Uint8Array(32),
  time: 0,
  workBits: 0,
  limits: {
    queuesPerConnection: 1,
    messagesPerQueue: 1,
    bytesPerQueue: 1,
    messageLifetime: 1,
  },
  dayKey: new Uint8Array(32),
  dayKeyValidUntil: 0,
  url: "https://relay.example",
};

/** A connection to a relay that answers every request alike. */
function answering(
  answer: CommandBody,
  hello = HELLO,
): { connection: Connection; asked: () => number; dropped: () => boolean } {
  let asked = 0;
  let dropped = false;
  const connection: Connection = new Connection(
    {
      send: (frame) => {
        for (const { request } of decodeFrame(frame)) {
          asked++;
          const [reply] = encodeFrame([{ request, ...answer }]);
          queueMicrotask(() => connection.received(reply));
        }
      },
      close: () => {},
    },
    hello,
    new TestClock(),
    () => {
      dropped = true;
      connection.closed();
    },
  );
  return { connection, asked: () => asked, dropped: () => dropped };
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
  const connection: Connection = new Connection(
    {
      send: (frame) => {
        const [first] = decodeFrame(frame);
        const [ok] = encodeFrame([
          {
            type: "OK",
            request: first.request,
            body: Uint8Array.of(0, 0, 0, 7),
          },
        ]);
        queueMicrotask(() => connection.received(ok));
      },
      close: () => {},
    },
    HELLO,
    new TestClock(),
    () => {},
  );
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
