import assert from "node:assert/strict";
import { sha256 } from "@noble/hashes/sha2.js";
import {
  type CommandBody,
  parseNumberDetail,
  parsePutOk,
  parseTakeOk,
  type Signer,
  type Unsigned,
} from "../wire/mod.ts";
import { KvStore } from "./kv_store.ts";
import { Relay } from "./relay.ts";
import { PoolKeys, signed } from "./testing/blob_keys.ts";
import { FailingStore } from "./testing/failing_store.ts";
import {
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { RelayProcess } from "./testing/relay_process.ts";
import { withRelay } from "./testing/with_relay.ts";

const DAY = 86_400_000;

/** As large as a sealed bundle of prekeys is. */
const bundle = () => randomBytes(2_048);
const bundles = (count: number) => Array.from({ length: count }, bundle);
const nameOf = (bytes: Uint8Array) => sha256(bytes).slice(0, 16);

Deno.test("bundles are taken once each, in order, then the last resort, which stays", () =>
  withRelay(async (world) => {
    const keys = await PoolKeys.random();
    const owner = await RelayClient.inProcess(world.relay);
    const [lastResort, four] = [bundle(), bundles(4)];
    await keys.make(owner, lastResort, four);
    const contact = await RelayClient.inProcess(world.relay);
    for (const expected of four.slice(0, 2)) {
      const taken = await keys.take(contact);
      assert.deepEqual(taken, { lastResort: false, bundle: expected });
    }
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    for (const expected of four.slice(2)) {
      assert.deepEqual((await keys.take(later)).bundle, expected);
    }
    for (let i = 0; i < 3; i++) {
      const taken = await keys.take(later);
      assert.deepEqual(taken, { lastResort: true, bundle: lastResort });
    }
  }));

Deno.test("who asks again under the same id gets the same bundle, and nobody else does", () =>
  withRelay(async (world) => {
    const keys = await PoolKeys.random();
    const client = await RelayClient.inProcess(world.relay);
    const four = bundles(4);
    await keys.make(client, bundle(), four);
    const id = randomBytes(16);
    const twice = await Promise.all([
      keys.take(client, id),
      keys.take(await RelayClient.inProcess(world.relay), id),
    ]);
    assert.deepEqual(twice.map(({ bundle }) => bundle), [four[0], four[0]]);
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    assert.deepEqual((await keys.take(later, id)).bundle, four[0]);
    assert.deepEqual((await keys.take(later)).bundle, four[1]);
    const many = await Promise.all([1, 2, 3].map(() => keys.take(later)));
    assert.equal(many.filter(({ lastResort }) => lastResort).length, 1);
    assert.deepEqual((await keys.take(later, id)).bundle, four[0]);
  }));

Deno.test("the owner sees what is left and fills it up; a repeat of that brings back nothing that was taken", () =>
  withRelay(async ({ relay }) => {
    const keys = await PoolKeys.random();
    const owner = await RelayClient.inProcess(relay);
    const [lastResort, four] = [bundle(), bundles(4)];
    const { version } = await keys.make(owner, lastResort, four);
    await keys.take(owner);
    await keys.take(owner);
    const state = await keys.state(owner);
    assert.equal(state.version, version, "taking is not a new version");
    assert.deepEqual(state.lastResort, nameOf(lastResort));
    assert.deepEqual(state.bundles, four.slice(2).map(nameOf));

    const more = bundles(2);
    const fill = await keys.fillCommand(owner, version, more);
    const filled = parsePutOk(ok(await owner.ask(fill)));
    assert.equal(filled.version, version + 1);
    const detail = refused(await owner.ask(fill), "conflict");
    assert.equal(parseNumberDetail(detail), version + 1);
    for (const expected of [...four.slice(2), ...more]) {
      assert.deepEqual((await keys.take(owner)).bundle, expected);
    }
    refused(await owner.ask(fill), "conflict");
    assert.deepEqual((await keys.take(owner)).lastResort, true);
    // Nor does making it again.
    const again = await RelayClient.inProcess(relay);
    const remade = await keys.make(again, lastResort, four);
    assert.equal(remade.version, version + 1);
    assert.deepEqual((await keys.take(again)).lastResort, true);
  }));

Deno.test("the last resort is replaced when the owner says so, and what is there goes first if it does", () =>
  withRelay(async ({ relay }) => {
    const keys = await PoolKeys.random();
    const owner = await RelayClient.inProcess(relay);
    const { version } = await keys.make(owner, bundle(), bundles(3));
    const [lastResort, two] = [bundle(), bundles(2)];
    ok(
      await owner.ask(
        await keys.fillCommand(owner, version, two, {
          discard: true,
          lastResort,
        }),
      ),
    );
    for (const expected of [...two, lastResort]) {
      assert.deepEqual((await keys.take(owner)).bundle, expected);
    }
  }));

Deno.test("each key does what is its own in its own pool: no contact drains another's", () =>
  withRelay(async ({ relay }) => {
    const [mine, theirs] = [await PoolKeys.random(), await PoolKeys.random()];
    const owner = await RelayClient.inProcess(relay);
    const four = bundles(4);
    await mine.make(owner, bundle(), four);
    await theirs.make(owner, bundle(), bundles(4));
    const signers = [
      mine.takeKey,
      mine.own,
      theirs.takeKey,
      theirs.own,
      await randomSigner(),
    ];
    const pool = mine.id;
    const fill = await mine.fillCommand(owner, 1, []);
    const commands: [Unsigned, Signer][] = [
      [{ type: "TAKE", pool, id: randomBytes(16) }, mine.takeKey],
      [{ type: "GET", about: "pool", id: pool }, mine.own],
      [fill as Unsigned, mine.own], // a signed command has all that an unsigned one has
      [{ type: "DROP", about: "pool", id: pool }, mine.own],
    ];
    for (const [command, right] of commands) {
      for (const signer of signers) {
        if (signer === right) continue;
        const connection = await RelayClient.inProcess(relay);
        const asked = await signed(connection, command, signer);
        refused(await connection.ask(asked), "unauthorised");
      }
      const observer = await RelayClient.inProcess(relay);
      const seen = await signed(owner, command, right);
      refused(await observer.ask(seen), "unauthorised");
      if (command.type === "GET") continue;
      ok(await owner.ask(seen));
    }
    refused(await owner.ask(await mine.stateCommand(owner)), "no-such-blob");
    refused(await owner.ask(await mine.takeCommand(owner)), "no-such-blob");
    refused(await owner.ask(await mine.dropCommand(owner)), "no-such-blob");
    assert.equal((await theirs.state(owner)).bundles.length, 4);
  }));

Deno.test("a pool lives for a year after its owner last filled it, with nothing if there is nothing to add", () =>
  withRelay(async (world) => {
    const [kept, left] = [await PoolKeys.random(), await PoolKeys.random()];
    const client = await RelayClient.inProcess(world.relay);
    await kept.make(client, bundle(), []);
    const { expires } = await left.make(client, bundle(), []);
    assert.ok(expires >= world.clock.now + 365 * DAY && expires % DAY === 0);
    world.clock.now += 300 * DAY;
    ok(await client.ask(await kept.fillCommand(client, 1, [])));
    world.clock.now = expires - 1;
    await left.take(client);
    world.clock.now = expires;
    refused(await client.ask(await left.takeCommand(client)), "no-such-blob");
    await kept.take(client);
  }));

Deno.test("a bundle that a full disk kept from being given out is still there", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const relay = await Relay.open({ kv: store, publicUrl: "http://localhost" });
  const keys = await PoolKeys.random();
  const client = await RelayClient.inProcess(relay);
  const four = bundles(4);
  await keys.make(client, bundle(), four);
  store.full = true;
  refused(await client.ask(await keys.takeCommand(client)), "busy");
  store.full = false;
  assert.deepEqual((await keys.take(client)).bundle, four[0]);
  await relay.stop();
  kv.close();
});

Deno.test("no bundle is given to two, whenever the relay is killed: twelve askers, each again until it is answered", async () => {
  const directory = await Deno.makeTempDir({ prefix: "whisper-pool-" });
  const path = `${directory}/relay.kv`;
  const keys = await PoolKeys.random();
  const limits = { workBits: 2, bundlesPerPool: 12, bytesPerBundle: 2_048 };
  const lastResort = bundle();
  const ids = Array.from({ length: 12 }, () => randomBytes(16));
  const given = new Map<number, string>();
  for (let round = 0; given.size < ids.length; round++) {
    const relay = await RelayProcess.start(path, limits, 4);
    const client = await RelayClient.overWebSocket(relay.url);
    if (round === 0) await keys.make(client, lastResort, bundles(12));
    const takes: CommandBody[] = [];
    for (const id of ids) takes.push(await keys.takeCommand(client, id));
    const enough = Promise.withResolvers<void>();
    const before = given.size;
    const asked = takes.map(async (take, who) => {
      if (given.has(who)) return;
      const { bundle, lastResort } = parseTakeOk(ok(await client.ask(take)));
      assert.ok(!lastResort);
      given.set(who, bundle.toHex());
      if (given.size >= before + 3) enough.resolve();
    });
    await Promise.race([enough.promise, Promise.all(asked)]);
    await relay.kill();
    await Promise.allSettled(asked);
  }
  assert.equal(new Set(given.values()).size, ids.length);
  const relay = await RelayProcess.start(path, limits);
  const client = await RelayClient.overWebSocket(relay.url);
  assert.equal((await keys.take(client)).lastResort, true, "none is left over");
  await client.close();
  await relay.stop();
  await Deno.remove(directory, { recursive: true });
});
