import assert from "node:assert/strict";
import fc from "fast-check";
import type { CommandBody } from "../wire/mod.ts";
import { KvStore } from "./kv_store.ts";
import {
  decodeStored,
  encodeStored,
  messageBytes,
  messageKey,
  passBytes,
  QUEUE_BYTES,
  RENDEZVOUS_BYTES,
} from "./records.ts";
import { Relay } from "./relay.ts";
import { diskBytes } from "./store.ts";
import { BlobKeys, PoolKeys } from "./testing/blob_keys.ts";
import { FailingStore } from "./testing/failing_store.ts";
import {
  newCredentials,
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { storedFigures } from "./testing/stored_figures.ts";
import { withRelay } from "./testing/with_relay.ts";

const DAY = 86_400_000;

Deno.test("what is counted is about what the file grows by, and not less", async () => {
  const directory = await Deno.makeTempDir({ prefix: "whisper-disk-" });
  for (const size of [72, 113, 503, 1_015, 2_039, 8_183, 32_759]) {
    const path = `${directory}/${size}.kv`;
    const kv = await Deno.openKv(path);
    const count = size > 4_096 ? 300 : 3_000;
    for (let i = 0; i < count;) {
      const atomic = kv.atomic();
      for (let bytes = 0; i < count && bytes < 500_000; i++) {
        atomic.set(messageKey(randomBytes(16), i), randomBytes(size), {
          expireIn: DAY,
        });
        bytes += size + 1_000;
      }
      await atomic.commit();
    }
    kv.close();
    const grown = (await Deno.stat(path)).size / count;
    const counted = diskBytes(size);
    assert.ok(
      counted > 0.95 * grown && counted < 2 * grown,
      `${size} bytes are counted as ${counted}, and take ${grown}`,
    );
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("one byte too many in the store is busy, until there is room; nothing accepted is lost", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    const ids = [1, 2, 3].map((n) => new Uint8Array(16).fill(n));
    const together = await Promise.all(client.askAll(
      ids.map((id) => ({
        type: "SEND",
        handle: outbox,
        id,
        envelope: new Uint8Array(480),
      })),
    ));
    ok(together[0]);
    ok(together[1]);
    refused(together[2], "busy");
    ok(await client.send(outbox, ids[0])); // a repeat takes no room
    refused(
      await client.ask(await client.newCommand(await newCredentials())),
      "busy",
    );
    refused(
      await client.ask(await client.openCommand(await randomSigner())),
      "busy",
    );

    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    const again = await later.bind(keys, "send");
    refused(await later.send(again, ids[2]), "busy");
    const inbox = await later.bind(keys, "receive", 1);
    const first = await later.message();
    assert.deepEqual(first.id, ids[0]);
    ok(await later.ack(inbox, first.seq));
    ok(await later.send(again, ids[2]));
    assert.deepEqual(
      [(await later.message()).id, (await later.message()).id],
      [ids[1], ids[2]],
    );
  }, { storedBytes: QUEUE_BYTES + 2 * messageBytes(480) }));

Deno.test("the fuller the store, the less one queue takes of it, and the dearer are new ones; those with little in them go on", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const price = async () => {
      for (;;) {
        const command = await client.newCommand(await newCredentials());
        assert.ok(command.type === "NEW");
        const answer = await client.ask({ ...command, work: 0n });
        // Nonce 0 is enough now and then.
        if (answer.type === "ERR") return refused(answer, "work")[0];
      }
    };
    /** Fills a new queue as far as it goes: how many envelopes it took, of 32,256 bytes. */
    const fill = async () => {
      const { workBits } = client.hello;
      client.hello = { ...client.hello, workBits: await price() };
      const keys = await client.createQueue();
      client.hello = { ...client.hello, workBits };
      const outbox = await client.bind(keys, "send");
      for (let taken = 0;; taken++) {
        const id = randomBytes(16);
        const answer = await client.send(outbox, id, new Uint8Array(32_256));
        if (answer.type === "OK") continue;
        refused(answer, "full");
        return taken;
      }
    };
    assert.equal(await price(), client.hello.workBits);
    const taken = [await fill(), await fill(), await fill(), await fill()];
    // Of 4 MiB the first takes what is b with b = 2 MiB · (1 - b / 4 MiB)², about 1.07 MiB.
    assert.ok(taken[0] > 25 && taken[0] < 40, String(taken));
    assert.deepEqual(taken, taken.toSorted((a, b) => b - a), "ever less");
    assert.ok(taken[3] < taken[0] / 2, String(taken));
    assert.ok(await price() > client.hello.workBits);
  }, {
    storedBytes: 4 * 1024 * 1024,
    bytesPerQueue: 2 * 1024 * 1024,
    workBits: 2,
    bytesPerSecond: 1e9,
  }));

Deno.test("what is left at a rendezvous counts, and its end gives the room back", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const { handle } = await client.open(await randomSigner());
    ok(await client.pass(handle, 0, new Uint8Array(500)));
    refused(await client.pass(handle, 1, new Uint8Array(1)), "busy");
    refused(
      await client.ask(await client.newCommand(await newCredentials())),
      "busy",
    );
    ok(await client.ask({ type: "CLOSE", handle }));
    await client.createQueue();
  }, { storedBytes: RENDEZVOUS_BYTES + passBytes(500) }));

Deno.test("what expired gives its room back, though nobody asked for it, and is not given back twice", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const full = await client.createQueue();
    const busy = await client.createQueue();
    for (const keys of [full, busy]) {
      const owner = await RelayClient.inProcess(world.relay);
      await owner.bind(keys, "receive", 0);
      await owner.close();
    }
    ok(await client.send(await client.bind(full, "send"), randomBytes(16)));
    const outbox = await client.bind(busy, "send");
    refused(await client.send(outbox, randomBytes(16)), "busy");
    world.clock.now += 22 * DAY; // counted by the day
    ok(await client.send(outbox, randomBytes(16)));
    refused(await client.send(outbox, randomBytes(16)), "busy");
    await client.bind(full, "receive", 1); // now the relay deletes what had expired
    refused(await client.send(outbox, randomBytes(16)), "busy");
  }, { storedBytes: 2 * QUEUE_BYTES + messageBytes(480) }));

Deno.test("the figure is what lies in the store, after whatever was asked and however the disk failed", async () => {
  const step = fc.constantFrom(
    "send",
    "send large",
    "acknowledge",
    "make",
    "delete",
    "claim",
    "pass",
    "close",
    "make a blob",
    "write the blob",
    "begin to write the blob",
    "give the blob another key",
    "drop the blob",
    "make a pool",
    "take and fill",
    "drop the pool",
    "disk full",
    "disk well",
    "restart",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 60 }),
      async (steps) => {
        const kv = await Deno.openKv(":memory:");
        const store = new FailingStore(new KvStore(kv));
        const open = () =>
          Relay.open({
            kv: store,
            publicUrl: "http://localhost",
            limits: { workBits: 0 },
          });
        let relay = await open();
        let client = await RelayClient.inProcess(relay);
        let keys = await client.createQueue();
        let generation = 0;
        let [blob, epoch] = [await BlobKeys.random(), 1];
        let pool = await PoolKeys.random();
        const bundles = [1, 2].map(() => new Uint8Array(2_000));
        const asked: Promise<unknown>[] = [];
        // Not awaited one by one: what is under way at the same time is what could be counted wrongly.
        const ask = (...body: Parameters<typeof client.askAll>) =>
          asked.push(Promise.allSettled(client.askAll(...body)));
        /** A blob's or pool's version, which OK to any question begins with. */
        const versionOf = async (question: Promise<CommandBody>) => {
          const answer = await client.ask(await question);
          return answer.type === "OK"
            ? new DataView(answer.body.buffer, answer.body.byteOffset)
              .getUint32(0)
            : 0;
        };
        const handleOf = async (role: "send" | "receive" | "remove") => {
          const answer = await client.ask(
            await client.bindCommand(
              keys,
              role,
              role === "receive" ? ++generation : 0,
            ),
          );
          return answer.type === "OK"
            ? new DataView(answer.body.buffer, answer.body.byteOffset)
              .getUint32(0)
            : 0;
        };
        for (const step of steps) {
          const size = step === "send large" ? 2_016 : 480;
          if (step.startsWith("send")) {
            const handle = await handleOf("send");
            ask([1, 2, 3].map(() => ({
              type: "SEND",
              handle,
              id: randomBytes(16),
              envelope: new Uint8Array(size),
            })));
          } else if (step === "acknowledge") {
            const handle = await handleOf("receive");
            const seqs = client.pushes.splice(0).map((push) =>
              push.type === "MSG" ? push.seq : 0
            );
            const seq = seqs[seqs.length >> 1] ?? 2;
            ask([{ type: "ACK", handle, seq }]);
          } else if (step === "make") {
            keys = await newCredentials();
            ask([await client.newCommand(keys)]);
          } else if (step === "delete") {
            const handle = await handleOf("remove");
            ask([{ type: "DEL", handle }]);
          } else if (step === "claim") await handleOf("receive");
          else if (step === "pass" || step === "close") {
            const opened = await client.ask(
              await client.openCommand(await randomSigner()),
            );
            if (opened.type !== "OK") continue;
            const handle = new DataView(
              opened.body.buffer,
              opened.body.byteOffset,
            ).getUint32(0);
            ask([
              { type: "PASS", handle, index: 0, bytes: new Uint8Array(300) },
              ...step === "close" ? [{ type: "CLOSE", handle } as const] : [],
            ]);
          } else if (step === "make a blob") {
            [blob, epoch] = [await BlobKeys.random(), 1];
            ask([await blob.makeCommand(client, { epoch })]);
          } else if (step.endsWith("write the blob")) {
            const base = await versionOf(blob.getCommand(client, 0));
            const chunks = await blob.putCommands(
              client,
              base,
              new Uint8Array(90_000),
            );
            ask(step === "write the blob" ? chunks : chunks.slice(0, 2));
          } else if (step === "give the blob another key") {
            blob = await blob.rekeyed();
            const other = await RelayClient.inProcess(relay);
            const again = await blob.makeCommand(other, { epoch: ++epoch });
            asked.push(Promise.allSettled(other.askAll([again])));
          } else if (step === "drop the blob") {
            ask([await blob.dropCommand(client)]);
          } else if (step === "make a pool") {
            pool = await PoolKeys.random();
            ask([await pool.makeCommand(client, new Uint8Array(99), bundles)]);
          } else if (step === "take and fill") {
            const base = await versionOf(pool.stateCommand(client));
            ask([
              await pool.takeCommand(client),
              await pool.fillCommand(client, base, bundles.slice(0, 1)),
            ]);
          } else if (step === "drop the pool") {
            ask([await pool.dropCommand(client)]);
          } else if (step === "restart") {
            store.full = false;
            await relay.stop();
            relay = await open();
            client = await RelayClient.inProcess(relay);
          } else store.full = step === "disk full";
        }
        store.full = false;
        await relay.stop();
        await Promise.all(asked);
        const [said, found] = await storedFigures(kv);
        assert.deepEqual(said, found);
        kv.close();
      },
    ),
    { numRuns: Deno.env.get("SLOW") === "1" ? 300 : 15 },
  );
});

Deno.test("the figure that the first version of the relay kept is read, with nothing in blobs", () => {
  const record = Uint8Array.of(1, 0, 0, 78, 32, 0, 0, 0, 1, 0, 1);
  assert.deepEqual(decodeStored(record), {
    all: new Map([[20_000, 65_537]]),
    blobs: new Map(),
  });
  const figures = {
    all: new Map([[20_000, 65_537], [20_001, 9]]),
    blobs: new Map([[20_001, 8]]),
  };
  assert.deepEqual(decodeStored(encodeStored(figures)), figures);
});
