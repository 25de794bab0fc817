import assert from "node:assert/strict";
import {
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";

const DAY = 86_400_000;

/** When what lives for so many days, to the day, is gone. */
const dayAfter = (now: number, days: number) =>
  Math.ceil((now + days * DAY) / DAY) * DAY;

Deno.test("a queue lives for as long as the host says after its owner last came, and another time until they first did", () =>
  withRelay(async (world) => {
    const start = world.clock.now;
    const owner = await RelayClient.inProcess(world.relay);
    const [bound, unbound] = [
      await owner.createQueue(),
      await owner.createQueue(),
    ];
    await owner.bind(bound, "receive", 0);
    await owner.close();
    const sees = async (keys: typeof bound) => {
      await world.restart();
      const client = await RelayClient.inProcess(world.relay);
      return await client.ask(await client.bindCommand(keys, "send"));
    };
    for (const [keys, days] of [[unbound, 2], [bound, 5]] as const) {
      world.clock.now = dayAfter(start, days) - 1;
      ok(await sees(keys));
      world.clock.now += 1;
      refused(await sees(keys), "no-such-queue");
    }
  }, { queueLifetime: 5 * 86_400, unboundQueueLifetime: 2 * 86_400 }));

Deno.test("a message waits, and a rendezvous lasts, for as long as the host says", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    assert.equal(client.hello.limits.messageLifetime, 100);
    const keys = await client.createQueue();
    ok(await client.send(await client.bind(keys, "send"), randomBytes(16)));
    const { handle, expires } = await client.open(await randomSigner());
    assert.equal(expires, world.clock.now + 50_000);
    ok(await client.pass(handle, 0, randomBytes(9)));
    world.clock.now = expires - 1;
    ok(await client.pass(handle, 1, randomBytes(9)));
    world.clock.now = expires;
    refused(await client.pass(handle, 2, randomBytes(9)), "no-such-rendezvous");
    world.clock.now += 49_999;
    await client.bind(keys, "receive", 0);
    await client.message();
    world.clock.now += 1;
    await client.bind(keys, "receive", 0);
    ok(await client.ask({ type: "PING" }));
    assert.deepEqual(client.pushes, []);
  }, { messageLifetime: 100, rendezvousLifetime: 50 }));

Deno.test("a new connection may be silent for as long as the host says", () =>
  withRelay(async ({ relay, clock }) => {
    const client = await RelayClient.inProcess(relay);
    clock.now += 6_999;
    relay.sweep();
    assert.equal(relay.connections, 1);
    clock.now += 1;
    relay.sweep();
    assert.equal((await client.closed).code, 1008);
  }, { firstFrameWithin: 7 }));
