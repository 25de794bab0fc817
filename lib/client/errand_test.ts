import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Errand, type Rest } from "./errand.ts";
import {
  type Connection,
  ConnectionLostError,
  RelayError,
} from "./link/mod.ts";
import { systemRandom } from "./random.ts";
import { connectionTo } from "./testing/connection.ts";
import { TestClock } from "./testing/test_clock.ts";

/** Longer than any backoff. */
const LONG = 3_600_000;

const busy = () => Promise.reject(new RelayError("busy", new Uint8Array()));

/** An errand whose work is, each time, the next of `work`; `done` counts. */
function errandOf(
  work: readonly ((connection: Connection) => Promise<Rest | void>)[],
  options?: { mostTries: number },
) {
  const clock = new TestClock();
  const broken: unknown[] = [];
  let done = 0;
  const errand = new Errand(
    { clock, random: systemRandom, broken: (error) => broken.push(error) },
    (connection) => work[Math.min(done++, work.length - 1)](connection),
    options,
  );
  const connect = () => {
    const connection = connectionTo(clock);
    errand.connected(connection);
    return connection;
  };
  return { errand, clock, connect, broken, done: () => done };
}

Deno.test("work is done on each connection, and again when there is more by then", async () => {
  const going = Promise.withResolvers<void>();
  const { errand, connect, done } = errandOf([
    () => going.promise,
    async () => {},
  ]);
  errand.run();
  assert.equal(done(), 0, "there is no relay");
  connect();
  errand.run();
  errand.run();
  assert.equal(done(), 1, "one after the other");
  going.resolve();
  await setImmediate();
  assert.equal(done(), 2);
  errand.lost();
  errand.run();
  connect();
  await setImmediate();
  assert.equal(done(), 3);
});

Deno.test("work that gives a rest is gone on with after it, also when there is more, and at once when asked for meanwhile", async () => {
  const resting = () => Promise.resolve(3_000);
  const { errand, clock, connect, done } = errandOf([
    resting,
    resting,
    async () => {},
  ]);
  connect();
  errand.run();
  await setImmediate();
  clock.advance(2_999);
  assert.equal(done(), 1);
  clock.advance(1);
  await setImmediate();
  assert.equal(done(), 2);
  errand.run();
  assert.equal(done(), 3);
  await setImmediate();
  clock.advance(LONG);
  assert.equal(done(), 3, "then all is done");
});

Deno.test("a relay that asks for patience is left alone for a while, whatever there is to do", async () => {
  const { errand, clock, connect, done } = errandOf([
    busy,
    busy,
    async () => {},
  ]);
  connect();
  errand.run();
  await setImmediate();
  assert.equal(done(), 1);
  for (const tries of [2, 3, 3]) {
    clock.advance(LONG);
    await setImmediate();
    assert.equal(done(), tries);
  }
});

Deno.test("work is given up after so many tries in a row, until the next connection or until it is asked for", async () => {
  const { errand, clock, connect, done } = errandOf([busy], { mostTries: 3 });
  const restedOut = async () => {
    for (let rests = 0; rests < 10; rests++) {
      await setImmediate();
      clock.advance(LONG);
    }
    return done();
  };
  connect();
  assert.equal(await restedOut(), 3);
  errand.run();
  assert.equal(await restedOut(), 4);
  errand.lost();
  connect();
  assert.equal(await restedOut(), 7);
});

Deno.test("a connection that is lost waits for the next one; what else fails breaks, unless it was stopped", async () => {
  const failure = new Error("this is a mistake");
  const { errand, clock, connect, done, broken } = errandOf([
    () => Promise.reject(new ConnectionLostError()),
    () => Promise.reject(failure),
  ]);
  connect();
  await setImmediate();
  clock.advance(LONG);
  assert.equal(done(), 1);
  assert.deepEqual(broken, []);
  connect();
  await setImmediate();
  assert.deepEqual(broken, [failure]);
  connect();
  errand.stop();
  await setImmediate();
  assert.deepEqual(broken, [failure]);
});
