import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import fc from "fast-check";
import {
  decodeFrame,
  encodeBindOk,
  encodeFrame,
  newEd25519Pair,
} from "../wire/mod.ts";
import type { Address } from "./keys/mod.ts";
import { Lane } from "./lane.ts";
import { RelayError } from "./link/mod.ts";
import type { OutgoingRecord } from "./records.ts";
import { openOwnWay } from "./way.ts";
import { connectionTo, HELLO } from "./testing/connection.ts";
import { TestClock } from "./testing/test_clock.ts";

const address: Address = {
  relayUrl: HELLO.url,
  relayKey: HELLO.relayKey,
  send: await newEd25519Pair(),
  sealKey: new Uint8Array(32),
};

const clock = new TestClock();

function record(index: number): OutgoingRecord {
  return {
    id: new Uint8Array(16).fill(index),
    envelope: new Uint8Array(480),
  };
}

/** A relay that answers everything with OK, once `answered` resolves. `sent`: what came, by index. */
function relay(answered: () => Promise<unknown>) {
  const sent: number[] = [];
  const asked = Promise.withResolvers<void>();
  const connection = connectionTo(clock, (frame, connection) => {
    for (const command of decodeFrame(frame)) {
      if (command.type === "SEND") sent.push(command.id[0]);
      asked.resolve();
      const body = command.type === "BIND" ? encodeBindOk(1) : new Uint8Array();
      const [reply] = encodeFrame([
        { type: "OK", request: command.request, body },
      ]);
      answered().then(() => connection.received(reply));
    }
  });
  return { connection, sent, asked: asked.promise };
}

/** Everything that follows from what happened last has happened. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

Deno.test("entries leave once and in order, whether read from the disk or straight from their commit", () =>
  fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.nat({ max: 20 }),
      fc.nat({ max: 20 }),
      async (scheduler, before, after) => {
        const slowly = () => scheduler.schedule(Promise.resolve());
        const settled: number[] = [];
        let reads = 0;
        const lane = new Lane({ first: 0, next: before }, {
          clock,
          open: (connection) => openOwnWay(connection, address),
          random: { bytes: (n) => new Uint8Array(n), fraction: () => 0 },
          read: async (index) => {
            reads++;
            await slowly();
            return record(index);
          },
          settled: (index) => settled.push(index),
          gone: () => assert.fail("the queue is there"),
          broken: (error) => assert.fail(String(error)),
        });
        const { connection, sent, asked } = relay(slowly);
        lane.connected(connection);
        const grown = (async () => {
          // To prove the queue, a signature is made on another thread: all the rest is over by then.
          if (before > 0) await asked;
          for (let index = before; index < before + after; index++) {
            await slowly();
            lane.grew(index + 1, record(index));
          }
        })();
        const all = before + after;
        while (settled.length < all) {
          if (scheduler.count() > 0) await scheduler.waitOne();
          await turn();
        }
        await grown;
        const inOrder = Array.from({ length: all }, (_, index) => index);
        assert.deepEqual(sent, inOrder);
        assert.deepEqual(settled.toSorted((a, b) => a - b), inOrder);
        assert.ok(reads <= all);
      },
    ),
    { numRuns: 50 },
  ));

Deno.test("on a lane that is free, an entry leaves in the turn of its commit and is not read back", async () => {
  const { connection, sent } = relay(() => Promise.resolve());
  const settled: number[] = [];
  const reads: number[] = [];
  const lane = new Lane({ first: 0, next: 1 }, {
    clock,
    open: (connection) => openOwnWay(connection, address),
    random: { bytes: (n) => new Uint8Array(n), fraction: () => 0 },
    read: (index) => {
      reads.push(index);
      return Promise.resolve(record(index));
    },
    settled: (index) => settled.push(index),
    gone: () => assert.fail("the queue is there"),
    broken: (error) => assert.fail(String(error)),
  });
  lane.connected(connection);
  while (settled.length < 1) await turn();
  lane.grew(2, record(1));
  await Promise.resolve();
  assert.deepEqual(sent, [0, 1]);
  assert.deepEqual(reads, [0]);
});

Deno.test("a lane that has ended says nothing of answers that come late", async () => {
  const answer = Promise.withResolvers<void>();
  const { connection, sent } = relay(() =>
    sent.length > 0 ? answer.promise : Promise.resolve()
  );
  const settled: number[] = [];
  const lane = new Lane({ first: 0, next: 1 }, {
    clock,
    open: (connection) => openOwnWay(connection, address),
    random: { bytes: (n) => new Uint8Array(n), fraction: () => 0 },
    read: (index) => Promise.resolve(record(index)),
    settled: (index) => settled.push(index),
    gone: () => assert.fail("the queue is there"),
    broken: (error) => assert.fail(String(error)),
  });
  lane.connected(connection);
  while (sent.length === 0) await turn();
  lane.end();
  answer.resolve();
  for (let turns = 0; turns < 10; turns++) await turn();
  assert.deepEqual(settled, []);
});

Deno.test("however long another relay is away, it is asked for again within a quarter of a minute", async () => {
  const waits: number[] = [];
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  const lane = new Lane({ first: 0, next: 1 }, {
    clock: {
      now: () => 0,
      after(ms, run) {
        waits.push(ms);
        if (waits.length < 20) queueMicrotask(run);
        else resolve();
        return () => {};
      },
    },
    open: () => Promise.reject(new RelayError("unreachable", new Uint8Array())),
    random: { bytes: (n) => new Uint8Array(n), fraction: () => 0.9999999 },
    read: (index) => Promise.resolve(record(index)),
    settled: () => assert.fail("nothing was sent"),
    gone: () => assert.fail("nothing is known of the queue"),
    broken: (error) => assert.fail(String(error)),
  });
  const { connection } = relay(() => Promise.resolve());
  lane.connected(connection);
  await enough;
  assert.equal(Math.max(...waits), 14_999);
});
