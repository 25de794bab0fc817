import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  idOf,
  IndependentClient,
  Pair,
  sha256,
  u16,
  u32,
  u8,
} from "./testing/independent_client.ts";
import { RelayProcess } from "./testing/relay_process.ts";

Deno.test("a client written from the document alone speaks with a real relay: queues, blobs, pools, invite codes", async () => {
  const directory = await Deno.makeTempDir({ prefix: "whisper-alone-" });
  const relay = await RelayProcess.start(`${directory}/relay.kv`, {
    workBits: 6,
  });
  const mine = await IndependentClient.connect(relay.url);
  const theirs = await IndependentClient.connect(relay.url);
  assert.equal(mine.features, 0);
  assert.notDeepEqual(mine.challenge, theirs.challenge);

  // A queue
  const [receive, send, remove] = [new Pair(), new Pair(), new Pair()];
  const queue = await mine.makeQueue(receive, send, remove);
  const inbox = await mine.bind(queue, 0, receive, 1);
  const outbox = await theirs.bind(queue, 1, send);
  const [id, envelope] = [randomBytes(16), randomBytes(2_016)];
  await theirs.ask(0x12, outbox, id, envelope);
  const message = await mine.hear(({ type }) => type === 0x13);
  assert.deepEqual(message.body.subarray(0, 4), inbox);
  assert.deepEqual(message.body.subarray(10, 26), id);
  assert.deepEqual(message.body.subarray(26), envelope);
  await mine.ask(0x14, inbox, message.body.subarray(4, 10));
  await mine.ask(0x15, await mine.bind(queue, 2, remove));
  await assert.rejects(theirs.ask(0x12, outbox, id, envelope), /ERR 3/);

  // A blob of two chunks
  const [read, own, write] = [new Pair(), new Pair(), new Pair()];
  const blob = idOf("whisper blob v1", read.publicKey, own.publicKey);
  const contents = randomBytes(40_000);
  await mine.prove(
    0x20,
    own,
    u8(0),
    ...[read, own, write].map(({ publicKey }) => publicKey),
    u32(1),
    u32(contents.length),
    u32(86_400),
    mine.work(0x20, own.publicKey),
  );
  const draft = randomBytes(16);
  for (const index of [0, 1]) {
    await mine.prove(
      0x20,
      write,
      u8(1),
      blob,
      u32(0),
      draft,
      u32(contents.length),
      u16(index),
      contents.subarray(index * 32_000, (index + 1) * 32_000),
    );
  }
  const chunks: Buffer[] = [];
  for (const index of [0, 1]) {
    const what = [u8(1), blob, u32(0), u16(index)];
    const body = await theirs.prove(0x21, read, ...what);
    assert.equal(body.readUInt32BE(4), contents.length);
    chunks.push(body.subarray(14));
  }
  assert.deepEqual(Buffer.concat(chunks), contents);
  await mine.prove(0x22, own, u8(0), blob);

  // A pool
  const [take, keeper] = [new Pair(), new Pair()];
  const pool = idOf("whisper pool v1", take.publicKey, keeper.publicKey);
  const [last, once] = [randomBytes(1_900), randomBytes(1_900)];
  await mine.prove(
    0x20,
    keeper,
    u8(2),
    take.publicKey,
    keeper.publicKey,
    mine.work(0x20, keeper.publicKey),
    u16(last.length),
    last,
    u8(1),
    u16(once.length),
    once,
  );
  const state = await mine.prove(0x21, keeper, u8(2), pool);
  assert.deepEqual(state.subarray(27), sha256(once).subarray(0, 16));
  const first = randomBytes(16);
  for (const [asked, bundle] of [[first, once], [first, once]]) {
    const taken = await theirs.prove(0x23, take, pool, asked);
    assert.deepEqual(taken, Buffer.concat([u8(0), bundle]));
  }
  const later = await theirs.prove(0x23, take, pool, randomBytes(16));
  assert.deepEqual(later, Buffer.concat([u8(1), last]));

  // An invite code
  const [opener, joiner] = [new Pair(), new Pair()];
  const meet = (client: IndependentClient, pair: Pair, what: Buffer) =>
    pair.sign(
      Buffer.from("whisper rendezvous v1"),
      client.challenge,
      client.relayKey,
      what,
      pair.publicKey,
    );
  const opened = await mine.ask(
    0x30,
    opener.publicKey,
    meet(mine, opener, Buffer.concat([u8(0), u32(0)])),
    mine.work(0x30, opener.publicKey),
  );
  const nameplate = opened.subarray(4, 8);
  const joined = await theirs.ask(
    0x31,
    nameplate,
    joiner.publicKey,
    meet(theirs, joiner, Buffer.concat([u8(1), nameplate])),
    theirs.work(0x31, joiner.publicKey),
  );
  assert.deepEqual(joined.subarray(4), opened.subarray(8));
  await mine.ask(0x32, opened.subarray(0, 4), u8(0), Buffer.from("hello"));
  const passed = await theirs.hear(({ type }) => type === 0x32);
  assert.equal(passed.body.subarray(5).toString(), "hello");
  await mine.ask(0x33, opened.subarray(0, 4));
  await theirs.hear(({ type }) => type === 0x33);

  await mine.access("a relay without a password lets everybody in");
  for (const client of [mine, theirs]) await client.close();
  await relay.stop();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("that client imports nothing of ours", async () => {
  const source = await Deno.readTextFile(
    new URL("testing/independent_client.ts", import.meta.url),
  );
  const imports = [...source.matchAll(/from "([^"]+)"/g)].map(([, name]) =>
    name
  );
  assert.deepEqual(imports, ["node:buffer", "node:crypto"]);
});
