import assert from "node:assert/strict";
import {
  type CommandBody,
  parseNumberDetail,
  parsePutOk,
  solveWork,
} from "../wire/mod.ts";
import { diskBytes } from "./store.ts";
import { KvStore } from "./kv_store.ts";
import { completeLimits } from "./limits.ts";
import { Relay } from "./relay.ts";
import { BlobKeys, PoolKeys, signed } from "./testing/blob_keys.ts";
import { FailingStore } from "./testing/failing_store.ts";
import {
  newCredentials,
  ok,
  randomBytes,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";

const DAY = 86_400_000;

Deno.test("limits of blobs and pools that no relay may have are refused", () => {
  for (
    const limits of [
      { bytesPerBlob: 65_536 * 32_000 + 1 },
      { bundlesPerPool: 256, bytesPerBundle: 1 },
      { bundlesPerPool: 8 },
      { blobBytes: 2 ** 48 },
      { blobBytesPerWork: 0 },
    ]
  ) {
    assert.throws(() => completeLimits(limits), RangeError);
  }
  completeLimits({ bytesPerBlob: 65_536 * 32_000, bundlesPerPool: 6 });
});

Deno.test("one byte more than a blob may have is too large, for the relay and for who made it", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await BlobKeys.random();
    const large = await keys.makeCommand(client, { bytes: 5_001 });
    const most = refused(await client.ask(large), "too-large");
    assert.equal(parseNumberDetail(most), 5_000);
    const allowed = await BlobKeys.random();
    await allowed.make(client, { bytes: 5_000 });
    await allowed.put(client, 0, randomBytes(5_000));
    const small = await BlobKeys.random();
    await small.make(client, { bytes: 100 });
    const [over] = await small.putCommands(client, 0, randomBytes(101));
    const quota = refused(await client.ask(over), "too-large");
    assert.equal(parseNumberDetail(quota), 100);
    await small.put(client, 0, randomBytes(100));
  }, { bytesPerBlob: 5_000 }));

Deno.test("contents live no longer than the relay allows", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const keys = await BlobKeys.random();
    const { expires } = await keys.make(client, { lifetime: 2 ** 32 - 1 });
    assert.ok(expires >= world.clock.now + 2 * DAY);
    assert.ok(expires < world.clock.now + 3 * DAY);
    await keys.put(client, 0, randomBytes(9));
    assert.equal((await keys.chunk(client, 0)).expires, expires);
    world.clock.now = expires;
    refused(await client.ask(await keys.getCommand(client, 0)), "no-such-blob");
  }, { blobLifetime: 2 * 86_400 }));

Deno.test("one bundle too many in a pool is full, one byte too many in a bundle too large", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await PoolKeys.random();
    const [most, over] = [randomBytes(500), randomBytes(501)];
    const ask = async (command: Promise<CommandBody>) =>
      await client.ask(await command);
    const tooLarge = [
      keys.makeCommand(client, over, []),
      keys.makeCommand(client, most, [over]),
    ];
    for (const command of tooLarge) {
      assert.equal(
        parseNumberDetail(refused(await ask(command), "too-large")),
        500,
      );
    }
    const three = [most, most, most];
    refused(await ask(keys.makeCommand(client, most, three)), "full");
    await keys.make(client, most, [most, most]);
    refused(await ask(keys.fillCommand(client, 1, [most])), "full");
    const lastResort = { lastResort: over };
    refused(
      await ask(keys.fillCommand(client, 1, [], lastResort)),
      "too-large",
    );
    await keys.take(client);
    ok(await ask(keys.fillCommand(client, 1, [most])));
    refused(await ask(keys.fillCommand(client, 2, [most])), "full");
    ok(await ask(keys.fillCommand(client, 2, [most, most], { discard: true })));
  }, { bundlesPerPool: 2, bytesPerBundle: 500 }));

Deno.test("pools live for as long as the relay says", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const keys = await PoolKeys.random();
    const { expires } = await keys.make(client, randomBytes(9), []);
    world.clock.now = expires - 1;
    const fill = await keys.fillCommand(client, 1, []);
    const renewed = parsePutOk(ok(await client.ask(fill)));
    assert.equal(renewed.expires, expires + 3 * DAY);
    world.clock.now = renewed.expires;
    refused(await client.ask(await keys.takeCommand(client)), "no-such-blob");
  }, { poolLifetime: 3 * 86_400 }));

Deno.test("one byte too many in blobs and pools is busy; queues and their mail are not concerned", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const [one, two] = [await BlobKeys.random(), await BlobKeys.random()];
    await one.make(client);
    await two.make(client);
    const version = await one.put(client, 0, randomBytes(20_000));
    const [command] = await two.putCommands(client, 0, randomBytes(20_000));
    refused(await client.ask(command), "busy");
    const pool = await PoolKeys.random();
    const filling = await pool.makeCommand(client, randomBytes(4_096), []);
    const busy = await client.ask(filling);
    assert.ok(
      busy.type === "ERR" && busy.code === "busy",
      "a pool takes room too",
    );
    const keys = await newCredentials();
    ok(await client.ask(await client.newCommand(keys)));
    ok(await client.send(await client.bind(keys, "send"), randomBytes(16)));

    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    const [again] = await two.putCommands(later, 0, randomBytes(20_000));
    refused(await later.ask(again), "busy");
    assert.equal((await one.chunk(later, 0)).version, version);
    ok(await later.ask(await one.dropCommand(later)));
    // Its chunks go after the OK: until then `busy` passes, as it always does.
    for (let answer = await later.ask(again); answer.type !== "OK";) {
      refused(answer, "busy");
      await new Promise((resume) => setTimeout(resume, 5));
      answer = await later.ask(again);
    }
  }, { blobBytes: 26_000, workBits: 0 }));

Deno.test("who has something there keeps it up to date, however full the room for blobs is", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const [small, large, rest] = await Promise.all(
      [1, 2, 3].map(() => BlobKeys.random()),
    );
    const pool = await PoolKeys.random();
    for (const keys of [small, large, rest]) {
      await keys.make(client, { bytes: 320_000 });
    }
    ok(await client.ask(await pool.makeCommand(client, randomBytes(9), [])));
    let version = await small.put(client, 0, randomBytes(20_000));
    let whole = await large.put(client, 0, randomBytes(64_000));
    await rest.put(client, 0, new Uint8Array(192_000));
    for (let times = 0; times < 3; times++) {
      version = await small.put(client, version, randomBytes(20_000));
      // Answered when what was replaced is gone.
      await small.state(client);
      whole = await large.put(client, whole, randomBytes(64_000));
      await large.state(client);
    }
    ok(
      await client.ask(await pool.fillCommand(client, 1, [randomBytes(4_000)])),
    );
    for (
      const [keys, base, bytes] of [
        [small, version, 20_001],
        [large, whole, 64_001],
        [await BlobKeys.random(), 0, 20_000],
      ] as const
    ) {
      if (base === 0) await keys.make(client);
      const [first] = await keys.putCommands(client, base, randomBytes(bytes));
      refused(await client.ask(first), "busy");
    }
    // Of what comes in parts, there is room for so much at a time.
    const other = await rest.state(client);
    const parts = await rest.putCommands(
      client,
      other.current.version,
      new Uint8Array(192_000),
    );
    const answers = await Promise.all(client.askAll(parts));
    assert.ok(answers.some((answer) => answer.type === "ERR"));
  }, { blobBytes: 300_000, workBits: 0 }));

Deno.test("what expired gives its room to other blobs", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const [one, two] = [await BlobKeys.random(), await BlobKeys.random()];
    await one.make(client, { lifetime: 86_400 });
    await two.make(client);
    await one.put(client, 0, randomBytes(20_000));
    const [command] = await two.putCommands(client, 0, randomBytes(20_000));
    refused(await client.ask(command), "busy");
    world.clock.now += 4 * DAY; // counted by the day
    ok(await client.ask(command));
  }, { blobBytes: 26_000, workBits: 0 }));

Deno.test("a blob costs a bit more for each doubling of its size, and all the more commands count", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const { challenge, workBits } = client.hello;
    const asked = async (bytes: number) => {
      const keys = await BlobKeys.random();
      const command = await keys.makeCommand(client, { bytes, work: 0n });
      const answer = await client.ask(command);
      return answer.type === "OK" ? 0 : refused(answer, "work")[0];
    };
    /** What is asked for, of as many as it takes to be refused: nonce 0 is enough now and then. */
    const price = async (bytes: number) => {
      for (;;) {
        const bits = await asked(bytes);
        if (bits > 0) return bits;
      }
    };
    assert.equal(await price(1_000), workBits);
    assert.equal(await price(1_001), workBits + 1);
    assert.equal(await price(2_000), workBits + 1);
    assert.equal(await price(64_000), workBits + 6);
    const keys = await BlobKeys.random();
    const key = keys.own.publicKey;
    const bits = workBits + 6;
    const work = await solveWork({ challenge, type: "PUT", key, bits });
    await keys.make(client, { bytes: 64_000, work });
    const { hello } = await RelayClient.inProcess(world.relay);
    assert.equal(hello.workBits, workBits + 1, "it counts as 64 commands");
    // The same again costs nothing, another size of the same key is another blob.
    await keys.make(client, { bytes: 64_000, work: 0n });
    refused(
      await client.ask(await keys.makeCommand(client, { bytes: 63_000, work })),
      "conflict",
    );
  }, { blobBytesPerWork: 1_000, anonymousPerMinute: 40, workBits: 4 }));

Deno.test("the fuller the room for blobs is, the dearer are new ones", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const full = await BlobKeys.random();
    await full.make(client, { bytes: 32_000 });
    await full.put(client, 0, randomBytes(32_000));
    const price = async () => {
      for (;;) {
        const pool = await PoolKeys.random();
        const command = await pool.makeCommand(client, randomBytes(9), []);
        assert.ok(command.type === "PUT" && command.about === "pool");
        const cheap = await signed(client, { ...command, work: 0n }, pool.own);
        const answer = await client.ask(cheap);
        if (answer.type === "ERR") return refused(answer, "work")[0];
        ok(await client.ask(await pool.dropCommand(client)));
      }
    };
    assert.equal(await price(), client.hello.workBits + 2);
  }, { blobBytes: Math.round(4 * diskBytes(32_000) / 3), workBits: 3 }));

Deno.test("chunks that wait for their turn are not more than the relay may hold unwritten", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const limits = { workBits: 2, unwrittenBytes: 100_000 };
  const relay = await Relay.open({
    kv: store,
    publicUrl: "http://localhost",
    limits: completeLimits(limits),
  });
  const client = await RelayClient.inProcess(relay);
  const keys = await BlobKeys.random();
  await keys.make(client, { bytes: 320_000 });
  const contents = new Uint8Array(320_000);
  const draft = randomBytes(16);
  const commands = await keys.putCommands(client, 0, contents, draft);
  store.hold();
  const [first, second, third, ...rest] = client.askAll(commands);
  for (const answer of rest) refused(await answer, "busy");
  store.release();
  for (const answer of [first, second, third]) ok(await answer);
  for (const command of commands) ok(await client.ask(command));
  assert.deepEqual(await keys.contents(client), contents);
  await relay.stop();
  kv.close();
});
