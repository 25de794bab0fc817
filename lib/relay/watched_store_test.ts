import assert from "node:assert/strict";
import { KvStore } from "./kv_store.ts";
import { Relay } from "./relay.ts";
import { FailingStore } from "./testing/failing_store.ts";
import {
  ok,
  randomBytes,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { WatchedStore } from "./watched_store.ts";

async function withStore(
  run: (store: FailingStore) => Promise<void>,
): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  try {
    await run(new FailingStore(new KvStore(kv)));
  } finally {
    kv.close();
  }
}

async function withRelay(
  run: (relay: Relay, store: FailingStore) => Promise<void>,
): Promise<void> {
  await withStore(async (store) => {
    const relay = await Relay.open({
      kv: store,
      publicUrl: "http://localhost",
      limits: { workBits: 0 },
    });
    await run(relay, store);
    await relay.stop();
    assert.deepEqual(relay.health, { writable: true, draining: true });
  });
}

Deno.test("a relay whose last commit failed says so, until one succeeds", () =>
  withRelay(async (relay, store) => {
    const client = await RelayClient.inProcess(relay);
    const outbox = await client.bind(await client.createQueue(), "send");
    assert.deepEqual(relay.health, { writable: true, draining: false });
    store.full = true;
    refused(await client.send(outbox, randomBytes(16)), "busy");
    assert.equal(relay.health.writable, false);
    store.full = false;
    ok(await client.send(outbox, randomBytes(16)));
    assert.equal(relay.health.writable, true);
    assert.equal(relay.totals.commitFailures, 1);
  }));

/** What is under way to the store has ended. */
const settled = () => new Promise((resume) => setTimeout(resume, 50));

Deno.test("a relay that nobody uses tries by itself whether it can write", () =>
  withRelay(async (relay, store) => {
    relay.sweep(); // what opening wrote
    store.full = true;
    relay.sweep();
    await settled();
    assert.equal(relay.health.writable, false);
    store.full = false;
    relay.sweep();
    await settled();
    assert.equal(relay.health.writable, true);
  }));

Deno.test("a commit that does not end is a store that can't be written", () =>
  withStore(async (store) => {
    let now = 1_000;
    const watched = new WatchedStore(store, () => now);
    store.hold();
    const commit = watched.commit([{ key: ["a"], value: new Uint8Array(1) }]);
    now += 4_999;
    assert.equal(watched.writable, true);
    now += 1;
    assert.equal(watched.writable, false);
    store.release();
    await commit;
    assert.equal(watched.writable, true);
    assert.equal(watched.commits, 1);
  }));

Deno.test("a relay that stops does not wait for a store that hangs, and answers nothing that is not on it", () =>
  withStore(async (store) => {
    const relay = await Relay.open({
      kv: store,
      publicUrl: "http://localhost",
      limits: { workBits: 0 },
    });
    const client = await RelayClient.inProcess(relay);
    const outbox = await client.bind(await client.createQueue(), "send");
    store.hold();
    const outcome = client.send(outbox, randomBytes(16)).then(
      () => "answered",
      () => "not answered",
    );
    await relay.stop(10);
    assert.equal(await outcome, "not answered");
    assert.equal((await client.closed).code, 1001);
    store.release();
    await settled();
  }));
