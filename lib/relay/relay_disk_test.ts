import assert from "node:assert/strict";
import { KvStore } from "./kv_store.ts";
import { Relay } from "./relay.ts";
import { FailingStore } from "./testing/failing_store.ts";
import { journaled } from "./testing/journaled.ts";
import {
  newCredentials,
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";
import { ed25519Signer, queueId } from "../wire/mod.ts";

async function withStore(
  run: (store: FailingStore, relay: Relay, lines: string[]) => Promise<void>,
): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const lines: string[] = [];
  const relay = await Relay.open({
    kv: store,
    publicUrl: "http://localhost",
    limits: { workBits: 2 },
    log: (line) => lines.push(line),
  });
  try {
    await run(store, relay, lines);
  } finally {
    await relay.stop();
    kv.close();
  }
}

Deno.test("on a full disk a sender is told busy, may repeat, and nothing accepted is lost", () =>
  withStore(async (store, relay, lines) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    const [first, second] = [randomBytes(16), randomBytes(16)];
    ok(await client.send(outbox, first));
    store.full = true;
    refused(await client.send(outbox, second), "busy");
    refused(
      await client.ask(await client.newCommand(await newCredentials())),
      "busy",
    );
    refused(
      await client.ask(await client.openCommand(await randomSigner())),
      "busy",
    );
    store.full = false;
    ok(await client.send(outbox, second));
    const inbox = await client.bind(keys, "receive", 1);
    const messages = [await client.message(), await client.message()];
    assert.deepEqual(messages.map((message) => message.id), [first, second]);
    ok(await client.ack(inbox, messages[1].seq));
    assert.ok(lines.length > 0);
    for (const line of lines) {
      assert.equal(line, "relay: storage failed (Error)");
    }
  }));

Deno.test("a store that cannot be read is busy, and is asked again later", () =>
  withStore(async (store, relay) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    ok(await client.send(await client.bind(keys, "send"), randomBytes(16)));
    await client.close();
    relay.sweep(); // nobody holds it: the store alone knows
    store.unreadable = true;
    const later = await RelayClient.inProcess(relay);
    refused(
      await later.ask(await later.bindCommand(keys, "receive", 1)),
      "busy",
    );
    store.unreadable = false;
    await later.bind(keys, "receive", 1);
    await later.message();
  }));

Deno.test("a claim that could not be written is no claim: OK to the same one comes when it is on disk", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const options = { publicUrl: "http://localhost", limits: { workBits: 2 } };
  const before = await Relay.open({ ...options, kv: store });
  const client = await RelayClient.inProcess(before);
  const keys = await client.createQueue();
  await client.bind(keys, "receive", 4);
  store.full = true;
  refused(
    await client.ask(await client.bindCommand(keys, "receive", 5)),
    "busy",
  );
  store.full = false;
  await client.bind(keys, "receive", 5);
  const after = await Relay.open({ ...options, kv: new KvStore(kv) }); // as after a crash
  const later = await RelayClient.inProcess(after);
  refused(
    await later.ask(await later.bindCommand(keys, "receive", 4)),
    "replaced",
  );
  await before.stop();
  await after.stop();
  kv.close();
});

Deno.test("a queue that could not be written is no queue, whatever came behind it in its frame", () =>
  withStore(async (store, relay) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await newCredentials();
    store.full = true;
    const [made, bound] = client.askAll([
      await client.newCommand(keys),
      await client.bindCommand(keys, "receive", 1),
    ]);
    refused(await made, "busy");
    refused(await bound, "no-such-queue");
    store.full = false;
    ok(await client.ask(await client.newCommand(keys)));
    await client.bind(keys, "receive", 1);
  }));

Deno.test("a message acknowledged before the flush never reaches the disk; OK comes with the flush all the same", () =>
  withStore(async (store, relay) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    const inbox = await client.bind(keys, "receive", 1);
    store.hold();
    const occupied = client.send(outbox, randomBytes(16)); // the flush that others wait for
    await client.message();
    let answered = false;
    let early = false;
    occupied.then(() => early = true);
    const envelope = new Uint8Array(480).fill(0xab);
    const sent = client.send(outbox, randomBytes(16), envelope).then(
      (answer) => {
        answered = true;
        return answer;
      },
    );
    const { seq } = await client.message();
    const acknowledged = client.ack(inbox, seq);
    await new Promise((resume) => setTimeout(resume, 20));
    assert.equal(
      answered,
      false,
      "an OK before the flush would tell the sender that the recipient is there",
    );
    assert.equal(early, false, "an OK before the message is on disk");
    store.release();
    ok(await occupied);
    ok(await sent);
    ok(await acknowledged);
    const written = journaled(store.commits).flat().filter(({ key, value }) =>
      key[0] === "m" && value?.at(-1) === 0xab
    );
    assert.deepEqual(written, []);
  }));

Deno.test("a crash between push and flush gives no seq out twice", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const options = {
    kv: store,
    publicUrl: "http://localhost",
    limits: { workBits: 2 },
  };
  const before = await Relay.open(options);
  const client = await RelayClient.inProcess(before);
  const keys = await client.createQueue();
  const outbox = await client.bind(keys, "send");
  await client.bind(keys, "receive", 1);
  store.hold();
  store.full = true; // what is under way now never gets to the disk
  for (let i = 0; i < 600; i++) {
    client.send(outbox, randomBytes(16)).catch(() => {}); // never answered
  }
  const seqs: number[] = [];
  for (let i = 0; i < 600; i++) seqs.push((await client.message()).seq);
  const crashed = new KvStore(kv);
  const after = await Relay.open({ ...options, kv: crashed });
  const later = await RelayClient.inProcess(after);
  await later.bind(keys, "receive", 1);
  ok(await later.send(await later.bind(keys, "send"), randomBytes(16)));
  assert.ok((await later.message()).seq > Math.max(...seqs));
  store.release();
  await before.stop();
  await after.stop();
  kv.close();
});

Deno.test("whenever a crash cuts a burst into one queue short, what was answered OK is there, and what comes next does not take its place", async () => {
  for (let commits = 1; commits <= 4; commits++) {
    const kv = await Deno.openKv(":memory:");
    const store = new FailingStore(new KvStore(kv));
    const options = {
      kv: store,
      publicUrl: "http://localhost",
      limits: { workBits: 2, framesPerSecond: 100_000 },
      journal: { rest: 3_600_000 },
    };
    const before = await Relay.open(options);
    const client = await RelayClient.inProcess(before);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    store.fullAfter(commits);
    const ids = Array.from({ length: 3_000 }, () => randomBytes(16));
    const answers = await Promise.all(
      client.askAll(ids.map((id) => ({
        type: "SEND",
        handle: outbox,
        id,
        envelope: new Uint8Array(480),
      }))),
    );
    const kept = ids.filter((_, i) => answers[i].type === "OK");
    assert.ok(kept.length > 0);
    const after = await Relay.open({ ...options, kv: new KvStore(kv) });
    const later = await RelayClient.inProcess(after);
    const next = randomBytes(16);
    ok(await later.send(await later.bind(keys, "send"), next));
    await later.bind(keys, "receive", 1);
    for (const id of [...kept, next]) {
      assert.deepEqual((await later.message()).id, id);
    }
    await before.stop();
    await after.stop();
    kv.close();
  }
});

Deno.test("what a crash left waits for nobody to write: a reader gets it at once", async () => {
  const kv = await Deno.openKv(":memory:");
  const options = {
    kv,
    publicUrl: "http://localhost",
    limits: { workBits: 2, framesPerSecond: 100_000 },
  };
  const before = await Relay.open(options);
  const client = await RelayClient.inProcess(before);
  const keys = await client.createQueue();
  const outbox = await client.bind(keys, "send");
  const ids = Array.from({ length: 2_000 }, () => randomBytes(16));
  for (const answer of ids.map((id) => client.send(outbox, id))) {
    ok(await answer);
  }
  const after = await Relay.open(options);
  const later = await RelayClient.inProcess(after);
  // The same generation twice: the second time nothing is written for it.
  await later.bind(keys, "receive", 1);
  const again = await RelayClient.inProcess(after);
  await again.bind(keys, "receive", 1);
  for (const id of ids) assert.deepEqual((await again.message()).id, id);
  await before.stop();
  await after.stop();
  kv.close();
});

Deno.test("the database holds no private key and nothing that a client did not seal, the log nobody's traces", () =>
  withRelay(async (world) => {
    const seeds = Array.from({ length: 4 }, () => randomBytes(32));
    const [receive, send, remove, party] = await Promise.all(
      seeds.map(ed25519Signer),
    );
    const client = await RelayClient.inProcess(world.relay);
    const keys = { ...await newCredentials(), receive, send, remove };
    const queue = queueId(send.publicKey);
    const credentials = { ...keys, id: queue };
    ok(await client.ask(await client.newCommand(credentials)));
    const outbox = await client.bind(credentials, "send");
    await client.bind(credentials, "receive", 1);
    // An envelope as a client seals it: random to the relay. The marker stands for what is inside.
    const marker = new TextEncoder().encode(
      "the words that only two people know",
    );
    const pad = randomBytes(480);
    const sealed = pad.map((byte, i) => byte ^ (marker[i] ?? 0));
    ok(await client.send(outbox, randomBytes(16), sealed));
    const { handle } = await client.open(party);
    ok(await client.pass(handle, 0, randomBytes(100)));
    await world.close();

    const found = await databaseBytes(world.path);
    assert.ok(contains(found, sealed), "the test reads what is there");
    assert.ok(
      contains(found, send.publicKey),
      "public keys are kept, to check signatures with",
    );
    for (const secret of [...seeds, marker]) {
      assert.ok(!contains(found, secret));
    }
    for (const trace of ["127.0.0.1", "localhost"]) {
      assert.ok(!contains(found, new TextEncoder().encode(trace)), trace);
    }
    assert.deepEqual(world.lines, []);
    await world.open();
  }));

Deno.test("what was acknowledged or deleted is no longer in the database", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const [read, removed] = [
      await client.createQueue(),
      await client.createQueue(),
    ];
    const ids = [randomBytes(16), randomBytes(16)];
    ok(await client.send(await client.bind(read, "send"), ids[0]));
    ok(await client.send(await client.bind(removed, "send"), ids[1]));
    const inbox = await client.bind(read, "receive", 1);
    ok(await client.ack(inbox, (await client.message()).seq));
    ok(
      await client.ask({
        type: "DEL",
        handle: await client.bind(removed, "remove"),
      }),
    );
    await world.close();
    const kv = await Deno.openKv(world.path);
    const kinds: unknown[] = [];
    for await (const { key } of kv.list({ prefix: [] })) kinds.push(key[0]);
    kv.close();
    assert.deepEqual(kinds.sort(), [
      "format",
      "key",
      "key",
      "q",
      "stored",
    ]);
    await world.open();
  }));

async function databaseBytes(path: string): Promise<Uint8Array> {
  const parts = [];
  for (const suffix of ["", "-wal", "-shm"]) {
    const bytes = await Deno.readFile(path + suffix).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return new Uint8Array();
      throw error;
    });
    parts.push(bytes);
  }
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function contains(haystack: Uint8Array, needle: Uint8Array): boolean {
  const first = needle[0];
  for (
    let at = haystack.indexOf(first);
    at !== -1;
    at = haystack.indexOf(first, at + 1)
  ) {
    if (needle.every((byte, i) => haystack[at + i] === byte)) return true;
  }
  return false;
}
