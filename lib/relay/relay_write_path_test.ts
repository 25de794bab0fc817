import assert from "node:assert/strict";
import fc from "fast-check";
import { KvStore } from "./kv_store.ts";
import { Relay } from "./relay.ts";
import { FailingStore } from "./testing/failing_store.ts";
import { journaled, shapes } from "./testing/journaled.ts";
import {
  type Credentials,
  ok,
  randomBytes,
  RelayClient,
} from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";

type World = { store: FailingStore; relay: Relay; lines: string[] };

async function withStore(run: (world: World) => Promise<void>): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const lines: string[] = [];
  const relay = await Relay.open({
    kv: store,
    publicUrl: "http://localhost",
    limits: { workBits: 2, framesPerSecond: 100_000 },
    // Nothing is put in its place meanwhile: every commit is a flush.
    journal: { rest: 3_600_000 },
    log: (line) => lines.push(line),
  });
  try {
    await run({ store, relay, lines });
  } finally {
    await relay.stop();
    kv.close();
  }
}

/** Resolves when it is so; a test that waits in vain is ended by its tier. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resume) => setTimeout(resume, 1));
}

const sendAll = (client: RelayClient, handle: number, count: number) =>
  client.askAll(Array.from({ length: count }, () => ({
    type: "SEND",
    handle,
    id: randomBytes(16),
    envelope: randomBytes(480),
  })));

Deno.test("nothing is read back from the store for a recipient who is there", () =>
  withStore(async ({ store, relay, lines }) => {
    const sender = await RelayClient.inProcess(relay);
    const keys = await sender.createQueue();
    const outbox = await sender.bind(keys, "send");
    const reader = await RelayClient.inProcess(relay);
    const inbox = await reader.bind(keys, "receive", 1);
    store.unreadable = true;
    for (let round = 0; round < 20; round++) {
      const answers = sendAll(sender, outbox, 100);
      let seq = 0;
      for (let i = 0; i < 100; i++) ({ seq } = await reader.message());
      // Every other round what came is on disk before it is acknowledged.
      if (round % 2 === 0) (await Promise.all(answers)).forEach(ok);
      ok(await reader.ack(inbox, seq));
      (await Promise.all(answers)).forEach(ok);
    }
    assert.deepEqual(lines, [], "a read failed");
    // That the store would have refused: who was away is read to.
    ok(await sender.send(outbox, randomBytes(16)));
    await reader.close();
    const later = await RelayClient.inProcess(relay);
    await later.bind(keys, "receive", 1);
    ok(await later.ask({ type: "PING" }));
    assert.deepEqual(lines, ["relay: storage failed (Error)"]);
  }));

Deno.test("a sender can't tell whether the recipient is there: the same answers, after the same writes", async () => {
  /** What the sender hears, and the disk sees, until all is answered. */
  const observe = async (there: boolean) => {
    let seen: unknown;
    await withStore(async ({ store, relay }) => {
      const sender = await RelayClient.inProcess(relay);
      const keys = await sender.createQueue();
      const outbox = await sender.bind(keys, "send");
      const reader = await RelayClient.inProcess(relay);
      const inbox = await reader.bind(keys, "receive", 1);
      if (!there) await reader.close();
      const elsewhere = await sender.bind(await sender.createQueue(), "send");
      const before = store.commits.length;
      store.hold();
      const occupied = sender.send(elsewhere, randomBytes(16)); // a flush that the others wait for
      await until(() => store.commits.length > before);
      const heard: string[] = [];
      const note = async (index: number, answer: Promise<{ type: string }>) =>
        heard.push(`${index} ${(await answer).type}`);
      const answers = sendAll(sender, outbox, 300).map((answer, i) =>
        note(i, answer)
      );
      if (there) {
        let seq = 0;
        for (let i = 0; i < 300; i++) ({ seq } = await reader.message());
        const acknowledged = reader.ack(inbox, seq);
        await new Promise((resume) => setTimeout(resume, 10)); // it is heard
        assert.deepEqual(heard, [], "an answer before the flush");
        store.release();
        ok(await acknowledged);
      } else {
        await new Promise((resume) => setTimeout(resume, 10));
        assert.deepEqual(heard, []);
        store.release();
      }
      ok(await occupied);
      await Promise.all(answers);
      // The flush that was under way, and that of all the others.
      seen = { heard, shapes: shapes(store.commits.slice(before)) };
      const written = journaled(store.commits.slice(before + 1)).flat();
      const messages = written.filter(({ key }) => key[0] === "m");
      assert.equal(messages.length, there ? 0 : 300);
    });
    return seen;
  };
  const [there, away] = [await observe(true), await observe(false)];
  assert.deepEqual(there, away);
});

Deno.test("one ACK takes hundreds of messages off the disk in one commit", () =>
  withStore(async ({ store, relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    (await Promise.all(sendAll(client, outbox, 500))).forEach(ok);
    const inbox = await client.bind(keys, "receive", 1);
    let seq = 0;
    for (let i = 0; i < 500; i++) ({ seq } = await client.message());
    const before = store.commits.length;
    ok(await client.ack(inbox, seq));
    assert.equal(store.commits.length - before, 1);
    await client.bind(keys, "receive", 1);
    ok(await client.ask({ type: "PING" }));
    assert.deepEqual(client.pushes, [], "all of them are gone");
  }));

Deno.test("delivery goes on exactly where it stopped, whatever ends the connection and whenever", async () => {
  const step = fc.record({
    /** Messages sent while nobody reads, and while somebody does. */
    away: fc.nat(40),
    there: fc.nat(40),
    read: fc.nat(90),
    acknowledge: fc.nat(100).map((percent) => percent / 100),
    end: fc.constantFrom("closed", "cut", "half-open", "restart"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 6 }),
      (steps) =>
        withRelay(async (world) => {
          /** All that was sent and is not acknowledged, in order. */
          let waiting: string[] = [];
          const founder = await RelayClient.inProcess(world.relay);
          const keys = await founder.createQueue();
          await founder.close();
          const send = async (count: number) => {
            const sender = await RelayClient.inProcess(world.relay);
            const outbox = await sender.bind(keys, "send");
            const ids = Array.from({ length: count }, () => randomBytes(16));
            const answers = sender.askAll(ids.map((id) => ({
              type: "SEND",
              handle: outbox,
              id,
              envelope: randomBytes(480),
            })));
            waiting.push(...ids.map((id) => id.toHex()));
            (await Promise.all(answers)).forEach(ok);
            await sender.close();
          };
          for (const { away, there, read, acknowledge, end } of steps) {
            await send(away);
            const reader = await RelayClient.inProcess(world.relay);
            const inbox = await reader.bind(keys, "receive", 1);
            await send(there);
            const count = Math.min(read, waiting.length);
            const seqs: number[] = [];
            for (let i = 0; i < count; i++) {
              const { id, seq } = await reader.message();
              assert.equal(id.toHex(), waiting[i]);
              seqs.push(seq);
            }
            const done = Math.floor(count * acknowledge);
            if (done > 0) ok(await reader.ack(inbox, seqs[done - 1]));
            waiting = waiting.slice(done);
            if (end === "closed") await reader.close();
            if (end === "cut") reader.cut();
            if (end === "restart") await world.restart();
            // Else it is half-open: still there, until the next one replaces it.
          }
          await drained(world.relay, keys, waiting);
        }),
    ),
    { numRuns: Deno.env.get("SLOW") === "1" ? 500 : 25 },
  );
});

/** What waits is exactly this, and nothing comes after it. */
async function drained(
  relay: Relay,
  keys: Credentials,
  waiting: readonly string[],
): Promise<void> {
  const reader = await RelayClient.inProcess(relay);
  await reader.bind(keys, "receive", 1);
  for (const id of waiting) {
    assert.equal((await reader.message()).id.toHex(), id);
  }
  ok(await reader.ask({ type: "PING" }));
  assert.deepEqual(reader.pushes, []);
}
