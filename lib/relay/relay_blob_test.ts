import assert from "node:assert/strict";
import {
  type Command,
  type CommandBody,
  ed25519Signer,
  MAX_CHUNK,
  parseChunkOk,
  parseGetChunkOk,
  parseNumberDetail,
  parseReplacedDetail,
  type Signer,
  type Unsigned,
} from "../wire/mod.ts";
import { KvStore } from "./kv_store.ts";
import { Relay } from "./relay.ts";
import { BlobKeys, signed } from "./testing/blob_keys.ts";
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

/** Random bytes, however many: the source gives 65,536 at once. */
function contentsOf(size: number): Uint8Array {
  const contents = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(contents.subarray(at, at + 65_536));
  }
  return contents;
}

const conflictVersion = (answer: Command) =>
  parseNumberDetail(refused(answer, "conflict"));

Deno.test("a small blob is written with one command and read with one, elsewhere and after a restart", () =>
  withRelay(async (world) => {
    const keys = await BlobKeys.random();
    const writer = await RelayClient.inProcess(world.relay);
    await keys.make(writer);
    assert.deepEqual(await keys.chunk(writer, 0), {
      version: 0,
      bytes: 0,
      expires: 0,
      chunk: new Uint8Array(),
    });
    const contents = randomBytes(4_096);
    const version = await keys.put(writer, 0, contents);
    assert.equal(version, 1);
    await world.restart();
    const reader = await RelayClient.inProcess(world.relay);
    const read = await keys.chunk(reader, 0);
    assert.deepEqual([read.version, read.bytes], [1, 4_096]);
    assert.deepEqual(read.chunk, contents);
    assert.ok(read.expires >= world.clock.now + 30 * DAY);
    assert.equal((await keys.chunk(reader, 1)).chunk.length, 0);
  }));

Deno.test("a large blob is streamed in chunks, and each later version replaces all of the one before", () =>
  withRelay(async (world) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(world.relay);
    await keys.make(client, { bytes: 2_000_000 });
    const first = contentsOf(2_000_000);
    const one = await keys.put(client, 0, first);
    assert.deepEqual(await keys.contents(client), first);
    const second = contentsOf(MAX_CHUNK * 3);
    const two = await keys.put(client, one, second);
    assert.ok(two > one);
    assert.deepEqual(await keys.contents(client), second);
    const stale = await client.ask(await keys.getCommand(client, 0, one));
    assert.equal(conflictVersion(stale), two);
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    assert.deepEqual(await keys.contents(later), second);
  }));

Deno.test("readers get the version before until the last chunk is there", () =>
  withRelay(async ({ relay }) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(relay);
    await keys.make(client);
    const before = contentsOf(40_000);
    const base = await keys.put(client, 0, before);
    const commands = await keys.putCommands(client, base, contentsOf(90_000));
    for (const command of commands.slice(0, -1)) {
      const { version } = parseChunkOk(ok(await client.ask(command)));
      assert.equal(version, base);
      assert.deepEqual(await keys.contents(client), before);
    }
    const last = parseChunkOk(ok(await client.ask(commands.at(-1)!))); // of three
    assert.ok(last.version > base);
    assert.equal((await keys.contents(client)).length, 90_000);
  }));

Deno.test("what was interrupted is continued: the relay says which chunks are there, also after a restart", () =>
  withRelay(async (world) => {
    const keys = await BlobKeys.random();
    const before = await RelayClient.inProcess(world.relay);
    await keys.make(before, { bytes: 400_000 });
    const contents = contentsOf(400_000);
    const draft = randomBytes(16);
    const commands = await keys.putCommands(before, 0, contents, draft);
    for (const index of [0, 3, 12]) ok(await before.ask(commands[index]));
    await world.restart();
    const after = await RelayClient.inProcess(world.relay);
    const state = await keys.state(after);
    assert.deepEqual(
      [state.epoch, state.quota, state.current.version],
      [1, 400_000, 0],
    );
    assert.deepEqual(state.draft?.draft, draft);
    assert.deepEqual(
      state.draft?.there.flatMap((there, index) => there ? [index] : []),
      [0, 3, 12],
    );
    const again = await keys.putCommands(after, 0, contents, draft);
    const missing = again.filter((_, index) => !state.draft?.there[index]);
    for (const answer of await Promise.all(after.askAll(missing))) ok(answer);
    assert.deepEqual(await keys.contents(after), contents);
    const done = await keys.state(after);
    assert.equal(done.draft, undefined);
    assert.deepEqual(done.current.draft, draft);
  }));

Deno.test("of two devices that replace the same version one is told of the conflict, and writes on top of the other's", () =>
  withRelay(async ({ relay }) => {
    const keys = await BlobKeys.random();
    const [one, two] = [
      await RelayClient.inProcess(relay),
      await RelayClient.inProcess(relay),
    ];
    await keys.make(one);
    const base = await keys.put(one, 0, randomBytes(10));
    const [mine, theirs] = [contentsOf(60_000), contentsOf(50_000)];
    const first = await keys.putCommands(one, base, mine);
    const second = await keys.putCommands(two, base, theirs);
    ok(await one.ask(first[0]));
    ok(await two.ask(second[0])); // begins anew: the first device's draft is gone
    assert.equal(conflictVersion(await one.ask(first[1])), base);
    const { version } = parseChunkOk(ok(await two.ask(second[1])));
    assert.equal(conflictVersion(await one.ask(first[0])), version);
    assert.deepEqual(await keys.contents(one), theirs);
    const merged = contentsOf(70_000);
    await keys.put(one, version, merged);
    assert.deepEqual(await keys.contents(two), merged);
  }));

Deno.test("a chunk said again is OK and changes nothing, also the last one whose answer was lost", () =>
  withRelay(async (world) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(world.relay);
    await keys.make(client);
    const contents = contentsOf(50_000);
    const draft = randomBytes(16);
    const [first, last] = await keys.putCommands(client, 0, contents, draft);
    for (const command of [first, first, last, last, first]) {
      ok(await client.ask(command));
    }
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    const again = await keys.putCommands(later, 0, contents, draft);
    for (const command of again) {
      assert.equal(parseChunkOk(ok(await later.ask(command))).version, 1);
    }
    assert.deepEqual(await keys.contents(later), contents);
  }));

Deno.test("each key does what is its own, and nothing seen on one connection works on another", () =>
  withRelay(async ({ relay }) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(relay);
    await keys.make(client);
    await keys.put(client, 0, randomBytes(100));
    const signers = {
      read: keys.read,
      write: keys.write,
      own: keys.own,
      another: await randomSigner(),
    };
    const blob = keys.id;
    const make = await keys.makeCommand(client);
    assert.ok(make.type === "PUT" && make.about === "blob");
    const commands: [Unsigned, Signer][] = [
      [{ type: "GET", about: "chunk", blob, version: 0, index: 0 }, keys.read],
      [{ type: "GET", about: "blob", id: blob }, keys.write],
      [{
        type: "PUT",
        about: "chunk",
        blob,
        base: 1,
        draft: randomBytes(16),
        bytes: 3,
        index: 0,
        chunk: randomBytes(3),
      }, keys.write],
      [make, keys.own],
      [{ type: "DROP", about: "blob", id: blob }, keys.own],
    ];
    for (const [command, right] of commands) {
      for (const signer of Object.values(signers)) {
        if (signer === right) continue;
        const connection = await RelayClient.inProcess(relay);
        // The work of a proof is this connection's: only the signature can be wrong.
        const wrong = { ...command } as Unsigned;
        if (wrong.type === "PUT" && wrong.about === "blob") {
          const own = await keys.makeCommand(connection);
          assert.ok(own.type === "PUT" && own.about === "blob");
          wrong.work = own.work;
        }
        const asked = await signed(connection, wrong, signer);
        refused(await connection.ask(asked), "unauthorised");
      }
      const observer = await RelayClient.inProcess(relay);
      const seen = await signed(client, command, right);
      const replayed = await observer.ask(seen);
      assert.ok(
        replayed.type === "ERR" &&
          ["unauthorised", "work"].includes(replayed.code),
      );
      ok(await client.ask(seen));
    }
  }));

Deno.test("a signature is for every field of its command", () =>
  withRelay(async ({ relay }) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(relay);
    await keys.make(client);
    await keys.put(client, 0, randomBytes(100));
    const [put] = await keys.putCommands(client, 1, randomBytes(5));
    const get = await keys.getCommand(client, 0);
    const make = await keys.makeCommand(client);
    assert.ok(put.type === "PUT" && put.about === "chunk");
    assert.ok(get.type === "GET" && get.about === "chunk");
    assert.ok(make.type === "PUT" && make.about === "blob");
    const altered: CommandBody[] = [
      { ...put, base: 2 },
      { ...put, draft: randomBytes(16) },
      { ...put, chunk: randomBytes(5) },
      { ...put, bytes: MAX_CHUNK + 5, index: 1 },
      { ...get, version: 1 },
      { ...get, index: 1 },
      { ...make, epoch: 2 },
      { ...make, writeKey: randomBytes(32) },
      { ...make, lifetime: 1 },
    ];
    for (const command of altered) {
      refused(await client.ask(command), "unauthorised");
    }
    for (const command of [put, get, make]) ok(await client.ask(command));
  }));

Deno.test("a device that was removed writes no more: its owner gives the blob another write key", () =>
  withRelay(async (world) => {
    const keys = await BlobKeys.random();
    const removed = await RelayClient.inProcess(world.relay);
    await keys.make(removed);
    const contents = randomBytes(300);
    const base = await keys.put(removed, 0, contents);
    const draft = await keys.putCommands(removed, base, contentsOf(50_000));
    ok(await removed.ask(draft[0]));

    const owner = await RelayClient.inProcess(world.relay);
    const renewed = await keys.rekeyed();
    await renewed.make(owner, { epoch: 2 });
    refused(await removed.ask(draft[1]), "unauthorised");
    refused(await removed.ask(draft[0]), "unauthorised");
    const state = await renewed.state(owner);
    assert.deepEqual([state.epoch, state.draft], [2, undefined]);
    assert.deepEqual(await renewed.contents(owner), contents);
    await renewed.put(owner, base, randomBytes(301));

    // An older epoch never comes back, nor another key of the same one.
    for (const epoch of [1, 2]) {
      const connection = await RelayClient.inProcess(world.relay);
      const command = await keys.makeCommand(connection, { epoch });
      const detail = refused(await connection.ask(command), "replaced");
      assert.equal(parseReplacedDetail(detail).generation, 2);
    }
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    const [old] = await keys.putCommands(later, base, randomBytes(9));
    refused(await later.ask(old), "unauthorised");
  }));

Deno.test("contents expire by the day after their lifetime, and are renewed by being written again", () =>
  withRelay(async (world) => {
    const [kept, left] = [await BlobKeys.random(), await BlobKeys.random()];
    const client = await RelayClient.inProcess(world.relay);
    for (const keys of [kept, left]) {
      await keys.make(client, { lifetime: 7 * 86_400 });
      await keys.put(client, 0, randomBytes(10));
    }
    const { expires } = await kept.chunk(client, 0);
    assert.equal(expires % DAY, 0);
    assert.ok(expires >= world.clock.now + 7 * DAY);
    assert.ok(expires < world.clock.now + 8 * DAY);
    world.clock.now += 6 * DAY;
    await kept.put(client, 1, randomBytes(11));
    world.clock.now = expires - 1;
    assert.equal((await left.chunk(client, 0)).version, 1);
    world.clock.now = expires;
    refused(await client.ask(await left.getCommand(client, 0)), "no-such-blob");
    assert.equal((await kept.chunk(client, 0)).version, 2);
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    refused(await later.ask(await left.getCommand(later, 0)), "no-such-blob");
    // The place is free again, for who has its own key.
    await left.make(later);
    assert.equal((await left.chunk(later, 0)).version, 0);
  }));

Deno.test("who renews a blob without writing keeps its place, not its contents", () =>
  withRelay(async (world) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(world.relay);
    await keys.make(client, { lifetime: 7 * 86_400 });
    await keys.put(client, 0, randomBytes(10));
    world.clock.now += 5 * DAY;
    const owner = await RelayClient.inProcess(world.relay);
    await keys.make(owner, { lifetime: 7 * 86_400 });
    world.clock.now += 5 * DAY;
    assert.equal((await keys.chunk(owner, 0)).version, 0);
    assert.equal(
      conflictVersion(
        await owner.ask((await keys.putCommands(owner, 1, randomBytes(3)))[0]),
      ),
      0,
    );
    assert.equal(await keys.put(owner, 0, randomBytes(3)), 2);
  }));

Deno.test("what was dropped is gone for everybody at once, and may be made again", () =>
  withRelay(async (world) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(world.relay);
    await keys.make(client);
    await keys.put(client, 0, contentsOf(90_000));
    const reader = await RelayClient.inProcess(world.relay);
    ok(await client.ask(await keys.dropCommand(client)));
    refused(await reader.ask(await keys.getCommand(reader, 0)), "no-such-blob");
    refused(await client.ask(await keys.dropCommand(client)), "no-such-blob");
    const again = await RelayClient.inProcess(world.relay);
    await keys.make(again);
    assert.equal((await keys.chunk(again, 0)).version, 0);
    const contents = contentsOf(40_000);
    await keys.put(again, 0, contents);
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    assert.deepEqual(await keys.contents(later), contents);
  }));

Deno.test("only who has the own key can make a blob of its name, however well they can read it", () =>
  withRelay(async ({ relay }) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(relay);
    const squatter = new BlobKeys(
      keys.read,
      await randomSigner(),
      await randomSigner(),
    );
    await squatter.make(client);
    assert.notDeepEqual(squatter.id, keys.id);
    await keys.make(client);
    assert.equal(await keys.put(client, 0, randomBytes(10)), 1);
  }));

Deno.test("whoever reads while others write gets one version whole", () =>
  withRelay(async ({ relay }) => {
    const keys = await BlobKeys.random();
    const [writer, reader] = [
      await RelayClient.inProcess(relay),
      await RelayClient.inProcess(relay),
    ];
    await keys.make(writer, { bytes: 200_000 });
    let version = await keys.put(writer, 0, new Uint8Array(100_000).fill(1));
    const writing = (async () => {
      for (let fill = 2; fill < 12; fill++) {
        const contents = new Uint8Array(100_000).fill(fill);
        version = await keys.put(writer, version, contents);
      }
    })();
    let whole = 0;
    while (whole < 5) {
      const first = await keys.chunk(reader, 0);
      const chunks = [first];
      for (let index = 1; index < 4; index++) {
        const command = await keys.getCommand(reader, index, first.version);
        const answer = await reader.ask(command);
        if (answer.type === "ERR") {
          assert.ok(["conflict", "busy"].includes(answer.code));
          break;
        }
        chunks.push(parseGetChunkOk(ok(answer)));
      }
      const fill = first.chunk[0];
      for (const { chunk } of chunks) {
        assert.ok(chunk.every((byte) => byte === fill));
      }
      if (chunks.length === 4) whole++;
    }
    await writing;
  }));

Deno.test("a reader that is slow is waited for, and not closed", () =>
  withRelay(async ({ relay }) => {
    const keys = await BlobKeys.random();
    const client = await RelayClient.inProcess(relay);
    await keys.make(client, { bytes: 1_000_000 });
    const contents = contentsOf(1_000_000);
    await keys.put(client, 0, contents);
    const reader = await RelayClient.inProcess(relay);
    const commands = await Promise.all(
      Array.from({ length: 32 }, (_, i) => keys.getCommand(reader, i)),
    );
    reader.pause();
    const answers = reader.askAll(commands);
    for (let i = 0; i < 20; i++) await keys.chunk(client, i); // time to send too much
    reader.resume();
    const read = (await Promise.all(answers)).map((answer) =>
      parseGetChunkOk(ok(answer)).chunk
    );
    assert.deepEqual(read.flatMap((chunk) => [...chunk]), [...contents]);
  }, { bufferedBytes: 70_000, bufferedBytesToClose: 140_000 }));

Deno.test("a full disk refuses a chunk and takes it again later; nothing accepted is lost", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const open = () =>
    Relay.open({ kv: store, publicUrl: "http://localhost", limits: {} });
  let relay = await open();
  const keys = await BlobKeys.random();
  let client = await RelayClient.inProcess(relay);
  await keys.make(client);
  const contents = contentsOf(90_000);
  const draft = randomBytes(16);
  const [first, second, third] = await keys.putCommands(
    client,
    0,
    contents,
    draft,
  );
  ok(await client.ask(first));
  store.full = true;
  refused(await client.ask(second), "busy");
  refused(await client.ask(await keys.dropCommand(client)), "busy");
  store.full = false;
  assert.deepEqual((await keys.state(client)).draft?.there, [
    true,
    false,
    false,
  ]);
  ok(await client.ask(second));
  ok(await client.ask(third));
  assert.deepEqual(await keys.contents(client), contents);
  // The relay ends after a deletion was promised and before it was done.
  ok(await client.ask(await keys.dropCommand(client)));
  store.full = true;
  await relay.stop();
  store.full = false;
  relay = await open();
  client = await RelayClient.inProcess(relay);
  refused(await client.ask(await keys.getCommand(client, 0)), "no-such-blob");
  await keys.make(client);
  await relay.stop();
  const left: string[] = [];
  for await (const { key } of kv.list({ prefix: ["c"] })) {
    left.push(String(key[0]));
  }
  assert.deepEqual(left, []);
  kv.close();
});

Deno.test("the database tells nobody how to read or write a blob", () =>
  withRelay(async (world) => {
    const secrets = [1, 2, 3].map(() => randomBytes(32));
    const [read, own, write] = await Promise.all(secrets.map(ed25519Signer));
    const keys = new BlobKeys(read, own, write);
    const client = await RelayClient.inProcess(world.relay);
    await keys.make(client);
    await keys.put(client, 0, randomBytes(50));
    await world.close();
    const stored = (await Deno.readFile(world.path)).toHex() +
      (await Deno.readFile(`${world.path}-wal`).catch(() => new Uint8Array()))
        .toHex();
    for (const secret of secrets) {
      assert.ok(!stored.includes(secret.toHex()));
    }
    assert.ok(stored.includes(write.publicKey.toHex()), "it was looked at");
    await world.open();
  }));

Deno.test("chunks answered OK are there after kill -9, and an upload goes on from them", async () => {
  const directory = await Deno.makeTempDir({ prefix: "whisper-blob-" });
  const path = `${directory}/relay.kv`;
  const keys = await BlobKeys.random();
  const contents = contentsOf(40 * MAX_CHUNK);
  const draft = randomBytes(16);
  const promised = new Set<number>();
  for (let round = 0; promised.size < 40; round++) {
    const relay = await RelayProcess.start(path, { workBits: 2 }, 3);
    const client = await RelayClient.overWebSocket(relay.url);
    if (round === 0) await keys.make(client, { bytes: contents.length });
    const state = await keys.state(client);
    const there = new Set(
      (state.draft?.there ?? []).flatMap((is, index) => is ? [index] : []),
    );
    for (const index of promised) assert.ok(there.has(index), `chunk ${index}`);
    const commands = await keys.putCommands(client, 0, contents, draft);
    const enough = Promise.withResolvers<void>();
    const asked = commands.map(async (command, index) => {
      if (there.has(index)) return promised.add(index);
      ok(await client.ask(command));
      promised.add(index);
      if (promised.size % 13 === 0) enough.resolve();
    });
    await Promise.race([enough.promise, Promise.all(asked)]);
    await relay.kill();
    await Promise.allSettled(asked);
  }
  const relay = await RelayProcess.start(path, { workBits: 2 });
  const reader = await RelayClient.overWebSocket(relay.url);
  assert.deepEqual(await keys.contents(reader), contents);
  await reader.close();
  await relay.stop();
  await Deno.remove(directory, { recursive: true });
});
