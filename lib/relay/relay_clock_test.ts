import assert from "node:assert/strict";
import { ok, randomBytes, RelayClient } from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";

const DAY = 86_400_000;
const YEAR = 365 * DAY;

/** Where the clock goes, one after another, seen from where it began. */
const JUMPS = [-YEAR, 0, YEAR - DAY, 0, YEAR - DAY, -YEAR, 0];

Deno.test("while the clock jumps by a year, either way and back, mail goes through on connections old and new", () =>
  withRelay(async (world) => {
    const start = world.clock.now;
    const old = await RelayClient.inProcess(world.relay);
    const keys = await old.createQueue();
    const outbox = await old.bind(keys, "send");
    const inbox = await old.bind(keys, "receive", 1);
    for (const jump of JUMPS) {
      world.clock.now = start + jump;
      world.relay.sweep();
      const before = randomBytes(16);
      ok(await old.send(outbox, before));
      const first = await old.message();
      assert.deepEqual(first.id, before);
      ok(await old.ack(inbox, first.seq));

      const client = await RelayClient.inProcess(world.relay);
      assert.equal(client.hello.time, world.clock.now);
      const own = await client.createQueue();
      const ownOutbox = await client.bind(own, "send");
      await client.bind(own, "receive", 1);
      const after = randomBytes(16);
      ok(await client.send(ownOutbox, after));
      assert.deepEqual((await client.message()).id, after);
      await client.close();
    }
    assert.deepEqual(world.lines, []);
  }));

Deno.test("what waits outlives a clock that is a year behind for a while, also through restarts", () =>
  withRelay(async (world) => {
    const start = world.clock.now;
    const founder = await RelayClient.inProcess(world.relay);
    const keys = await founder.createQueue();
    const sent: Uint8Array[] = [];
    for (const jump of [0, -YEAR, 0, -YEAR, -2 * YEAR, 0]) {
      world.clock.now = start + jump;
      await world.restart();
      const sender = await RelayClient.inProcess(world.relay);
      const outbox = await sender.bind(keys, "send");
      // Of those that were sent while it was behind, the time is over when it is right again.
      const id = randomBytes(16);
      ok(await sender.send(outbox, id));
      if (jump === 0) sent.push(id);
      await sender.close();
    }
    const reader = await RelayClient.inProcess(world.relay);
    await reader.bind(keys, "receive", 1);
    const got = [];
    for (const _ of sent) got.push((await reader.message()).id);
    assert.deepEqual(got, sent);
  }));
