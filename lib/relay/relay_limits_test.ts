import assert from "node:assert/strict";
import {
  newCredentials,
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { withRelay } from "./testing/with_relay.ts";
import { completeLimits, DEFAULT_LIMITS } from "./limits.ts";
import { KvStore } from "./kv_store.ts";
import { Relay } from "./relay.ts";
import { BlobKeys } from "./testing/blob_keys.ts";
import { FailingStore } from "./testing/failing_store.ts";
import { checkWork, type Command } from "../wire/mod.ts";

const DAY = 86_400_000;
const MINUTE = 60_000;

/** What was sent in this process is with the relay after some turns of the event loop. */
const relayHasHeard = () => new Promise((resume) => setTimeout(resume, 20));

/** A transport id. */
const id = (byte: number) => new Uint8Array(16).fill(byte);

/** A queue whose owner came once and is gone. */
async function ownedQueue(relay: Relay) {
  const owner = await RelayClient.inProcess(relay);
  const keys = await owner.createQueue();
  await owner.bind(keys, "receive", 0);
  await owner.close();
  return keys;
}

Deno.test("the protocol document names every limit once, with its default", async () => {
  const protocol = await Deno.readTextFile(
    new URL("../../docs/protocol.md", import.meta.url),
  );
  const table = protocol.split("\n### Limits\n")[1].split("\n### ")[0];
  const units: Record<string, number> = {
    "": 1,
    s: 1,
    minutes: 60,
    day: 86_400,
    days: 86_400,
  };
  const documented = [...table.matchAll(/^\| `(\w+)` .*?\| ([\d,]+) ?(\w*)/gm)]
    .map(([, name, number, unit]) =>
      [name, Number(number.replaceAll(",", "")) * units[unit]] as const
    );
  assert.deepEqual(Object.fromEntries(documented), DEFAULT_LIMITS);
  assert.equal(documented.length, Object.keys(DEFAULT_LIMITS).length);
});

Deno.test("limits that no relay may have are refused", () => {
  for (
    const limits of [
      { messageLifetime: 21 * 86_400 + 1 },
      { connections: -1 },
      { bytesPerQueue: 0.5 },
      { bytesPerQueue: 2 ** 32 },
      { storedBytes: 2 ** 48 },
      { queuesPerConnection: 65_536 },
      { bufferedBytes: 5_000, bufferedBytesToClose: 5_000 },
      { forwardsPerPeer: 65_536 },
      { forwardWithin: 61 },
      { workBits: 25 },
    ]
  ) {
    assert.throws(() => completeLimits(limits), RangeError);
  }
});

Deno.test("one connection too many is told busy and closed, and there is room again when one leaves", () =>
  withRelay(async ({ relay }) => {
    const two = [
      await RelayClient.inProcess(relay),
      await RelayClient.inProcess(relay),
    ];
    await assert.rejects(RelayClient.inProcess(relay), /1013 busy/);
    await two[0].close();
    await RelayClient.inProcess(relay);
    ok(await two[1].ask({ type: "PING" }));
  }, { connections: 2 }));

Deno.test("one queue too many on a connection is full; the others go on", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    const inbox = await client.bind(keys, "receive", 1);
    refused(await client.ask(await client.bindCommand(keys, "remove")), "full");
    refused(
      await client.ask(await client.openCommand(await randomSigner())),
      "full",
    );
    assert.equal(
      await client.bind(keys, "receive", 1),
      inbox,
      "what is bound may be bound again",
    );
    ok(await client.send(outbox, randomBytes(16)));
  }, { queuesPerConnection: 2 }));

Deno.test("one queue too many on all connections is busy, except to who has less than an even share (queuesInAll)", () =>
  withRelay(async ({ relay }) => {
    const [greedy, modest] = [
      await RelayClient.inProcess(relay),
      await RelayClient.inProcess(relay),
    ];
    const keys = await Promise.all(
      Array.from({ length: 4 }, () => greedy.createQueue()),
    );
    for (const one of keys) await greedy.bind(one, "send");
    const bind = async (client: RelayClient, one: number) =>
      await client.ask(await client.bindCommand(keys[one], "remove"));
    refused(await bind(greedy, 0), "busy");
    refused(
      await greedy.ask(await greedy.openCommand(await randomSigner())),
      "busy",
    );
    ok(await bind(modest, 0));
    ok(await bind(modest, 1));
    refused(await bind(modest, 2), "busy");
    ok(await bind(modest, 1)); // what is bound may be bound again
    // A connection that ends gives back what it held.
    await greedy.close();
    ok(await bind(modest, 2));
    ok(await bind(modest, 3));
    const late = await RelayClient.inProcess(relay);
    ok(await bind(late, 0));
  }, { queuesInAll: 4, connections: 2 }));

Deno.test("one message too many in a queue is full until one is acknowledged; none that was accepted is lost", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    const ids = [1, 2, 3, 4].map((n) => new Uint8Array(16).fill(n));
    for (const id of ids.slice(0, 3)) ok(await client.send(outbox, id));
    refused(await client.send(outbox, ids[3]), "full");
    ok(await client.send(outbox, ids[0]));
    const inbox = await client.bind(keys, "receive", 1);
    const { seq } = await client.message();
    ok(await client.ack(inbox, seq));
    ok(await client.send(outbox, ids[3]));
    assert.deepEqual(
      [
        (await client.message()).id,
        (await client.message()).id,
        (await client.message()).id,
      ],
      [ids[1], ids[2], ids[3]],
    );
  }, { messagesPerQueue: 3 }));

Deno.test("one byte too many in a queue is full", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    ok(await client.send(outbox, randomBytes(16), new Uint8Array(480)));
    refused(
      await client.send(outbox, randomBytes(16), new Uint8Array(992)),
      "full",
    );
    ok(await client.send(outbox, randomBytes(16), new Uint8Array(480)));
    refused(
      await client.send(outbox, randomBytes(16), new Uint8Array(480)),
      "full",
    );
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    const again = await later.bind(keys, "send");
    refused(
      await later.send(again, randomBytes(16), new Uint8Array(480)),
      "full",
    );
  }, { bytesPerQueue: 960 }));

Deno.test("a message waits 21 days and not a millisecond longer, in memory and on disk", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const [kept, restarted] = [
      await ownedQueue(world.relay),
      await ownedQueue(world.relay),
    ];
    for (const keys of [kept, restarted]) {
      ok(await client.send(await client.bind(keys, "send"), randomBytes(16)));
    }
    world.clock.now += 21 * DAY - 1;
    await client.bind(kept, "receive", 1);
    await client.message();
    world.clock.now += 1;
    await client.bind(kept, "receive", 1);
    ok(await client.ask({ type: "PING" }));
    assert.deepEqual(client.pushes, []);
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    for (const keys of [kept, restarted]) await later.bind(keys, "receive", 1);
    ok(await later.ask({ type: "PING" }));
    assert.deepEqual(later.pushes, []);
  }));

Deno.test("room that expired messages took is free again", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const outbox = await client.bind(await ownedQueue(world.relay), "send");
    ok(await client.send(outbox, randomBytes(16)));
    refused(await client.send(outbox, randomBytes(16)), "full");
    world.clock.now += 21 * DAY;
    ok(await client.send(outbox, randomBytes(16)));
  }, { messagesPerQueue: 1 }));

Deno.test("a clock that was a year ahead keeps no message longer", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const keys = await ownedQueue(world.relay);
    world.clock.now += 300 * DAY;
    ok(await client.send(await client.bind(keys, "send"), randomBytes(16)));
    world.clock.now -= 300 * DAY;
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    await later.bind(keys, "receive", 1);
    await later.message();
    world.clock.now += 21 * DAY;
    await later.bind(keys, "receive", 1);
    ok(await later.ask({ type: "PING" }));
    assert.deepEqual(later.pushes, []);
  }));

Deno.test("a queue lives for a year after its owner last came, whoever else came", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const [visited, left] = [
      await client.createQueue(),
      await client.createQueue(),
    ];
    for (const keys of [visited, left]) await client.bind(keys, "receive", 0);
    world.clock.now += 300 * DAY;
    await world.restart();
    const middle = await RelayClient.inProcess(world.relay);
    await middle.bind(visited, "receive", 0);
    await middle.bind(left, "send");
    world.clock.now += 300 * DAY;
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    await later.bind(visited, "receive", 0);
    refused(
      await later.ask(await later.bindCommand(left, "receive", 0)),
      "no-such-queue",
    );
  }));

Deno.test("frames beyond the rate are refused and cost nothing that was accepted; patience ends too", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    for (let i = 0; i < 20; i++) ok(await client.ask({ type: "PING" }));
    refused(await client.ask({ type: "PING" }), "rate");
    world.clock.now += 100;
    ok(await client.ask({ type: "PING" }));
    refused(await client.ask({ type: "PING" }), "rate");
    const flood = Promise.allSettled(
      Array.from({ length: 30 }, () => client.ask({ type: "PING" })),
    );
    assert.deepEqual(await client.closed, {
      code: 1008,
      reason: "too many frames",
    });
    await flood;
    assert.equal(client.refusal, "rate");
    ok(await (await RelayClient.inProcess(world.relay)).ask({ type: "PING" }));
  }, { framesPerSecond: 10, burstSeconds: 2 }));

Deno.test("a frame full of small commands counts as what it is: many", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const other = await RelayClient.inProcess(relay);
    const crowded = new Uint8Array(32_768);
    // PINGs, five bytes each, all with the request number 256.
    for (let at = 0; at + 5 <= crowded.length; at += 5) {
      crowded.set([0x40, 1, 0, 0, 0], at);
    }
    client.raw(crowded);
    assert.equal((await client.closed).code, 1008);
    assert.equal(client.refusal, "rate");
    ok(await other.ask({ type: "PING" }));
  }, { framesPerSecond: 20, burstSeconds: 2 }));

Deno.test("bytes beyond the rate are refused", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const outbox = await client.bind(await client.createQueue(), "send"); // two small frames
    ok(await client.send(outbox, randomBytes(16), new Uint8Array(8_160)));
    refused(
      await client.send(outbox, randomBytes(16), new Uint8Array(8_160)),
      "rate",
    );
    world.clock.now += 1_000;
    ok(await client.send(outbox, randomBytes(16), new Uint8Array(8_160)));
  }, { bytesPerSecond: 10_000, burstSeconds: 1 }));

Deno.test("pushing stops at a socket that does not read; all of it stays in the queue and comes in order", () =>
  withRelay(async ({ relay }) => {
    const owner = await RelayClient.inProcess(relay);
    const keys = await owner.createQueue();
    const outbox = await owner.bind(keys, "send");
    const sends = Array.from(
      { length: 100 },
      (_, i) => new Uint8Array(16).fill(i),
    );
    const reader = await RelayClient.inProcess(relay);
    const inbox = await reader.bind(keys, "receive", 1);
    reader.pause();
    for (const id of sends) ok(await owner.send(outbox, id));
    assert.deepEqual(reader.pushes, []);
    reader.resume();
    let last = 0;
    for (const id of sends) {
      const message = await reader.message();
      assert.deepEqual(message.id, id);
      last = message.seq;
    }
    ok(await reader.ack(inbox, last));
  }, { bufferedBytes: 5_000, bufferedBytesToClose: 8_000 }));

Deno.test("who does not read answers is closed, with what it sent kept", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const keys = await client.createQueue();
    const outbox = await client.bind(keys, "send");
    ok(await client.send(outbox, new Uint8Array(16).fill(1)));
    client.pause();
    const asked: Promise<unknown>[] = [];
    for (let i = 0; i < 40; i++) {
      asked.push(Promise.allSettled([client.ask({ type: "PING" })]));
      await new Promise((resume) => setTimeout(resume)); // else the answers share frames
    }
    assert.equal((await client.closed).code, 1008);
    await Promise.all(asked);
    const later = await RelayClient.inProcess(relay);
    await later.bind(keys, "receive", 1);
    assert.deepEqual((await later.message()).id, new Uint8Array(16).fill(1));
  }, { bufferedBytes: 1_000, bufferedBytesToClose: 2_000 }));

Deno.test("of unread bytes in all, pushing pauses at half for who has many; what is not pushed waits (bufferedBytesInAll)", () =>
  withRelay(async ({ relay }) => {
    const owner = await RelayClient.inProcess(relay);
    const reader = async () => {
      const keys = await owner.createQueue();
      const outbox = await owner.bind(keys, "send");
      const client = await RelayClient.inProcess(relay);
      await client.bind(keys, "receive", 1);
      return { client, outbox };
    };
    const [stalled, reading] = [await reader(), await reader()];
    stalled.client.pause();
    // Frames of 512 bytes, more than fit: who was pushed all of them would be closed.
    const ids = Array.from({ length: 40 }, (_, i) => id(i));
    for (const one of ids) {
      ok(await owner.send(stalled.outbox, one));
      ok(await owner.send(reading.outbox, one));
      assert.deepEqual((await reading.client.message()).id, one);
    }
    stalled.client.resume();
    for (const one of ids) {
      assert.deepEqual((await stalled.client.message()).id, one);
    }
  }, { bufferedBytesInAll: 8_192, connections: 4 }));

Deno.test("beyond so many unread bytes in all who has most is closed, and nobody else (bufferedBytesInAll)", () =>
  withRelay(async ({ relay }) => {
    const [greedy, modest] = [
      await RelayClient.inProcess(relay),
      await RelayClient.inProcess(relay),
    ];
    greedy.pause();
    modest.pause();
    const apart = async (client: RelayClient, count: number) => {
      const answers = [];
      for (let i = 0; i < count; i++) {
        answers.push(...pings(client, 1));
        await relayHasHeard(); // else the answers share frames
      }
      return answers;
    };
    const [few, many] = [await apart(modest, 2), await apart(greedy, 6)];
    assert.equal(relay.connections, 2);
    many.push(...pings(greedy, 1));
    assert.deepEqual(await greedy.closed, {
      code: 1008,
      reason: "answers are not read",
    });
    await Promise.allSettled(many);
    modest.resume();
    assert.deepEqual(await codes(few), ["OK", "OK"]);
  }, { bufferedBytesInAll: 8 * 512 }));

/** A connection whose commands wait: it asked for chunks, and reads no answers. */
async function stuck(relay: Relay) {
  const client = await RelayClient.inProcess(relay);
  const blob = await BlobKeys.random();
  await blob.make(client);
  await blob.put(client, 0, randomBytes(20_000));
  const chunk = await blob.getCommand(client, 0);
  client.pause();
  // There is room for the first, and the second waits for some.
  const chunks = client.askAll([chunk, chunk]);
  await relayHasHeard();
  return { client, chunks };
}

/** Each in a frame of 512 bytes. */
const pings = (client: RelayClient, count: number) =>
  Array.from({ length: count }, () => client.ask({ type: "PING" }));

const codes = async (answers: Promise<Command>[]) =>
  (await Promise.all(answers)).map((answer) =>
    answer.type === "ERR" ? answer.code : answer.type
  );

Deno.test("so many bytes of a connection wait behind what takes time; more are told rate (waitingBytes)", () =>
  withRelay(async ({ relay }) => {
    const { client, chunks } = await stuck(relay);
    const asked = pings(client, 5);
    await relayHasHeard();
    client.resume();
    assert.deepEqual(await codes(asked), ["OK", "OK", "OK", "rate", "rate"]);
    assert.deepEqual(await codes(chunks), ["OK", "OK"]);
    assert.deepEqual(await codes(pings(client, 5)), Array(5).fill("OK"));
  }, { bufferedBytes: 1_000, waitingBytes: 3 * 512 }));

Deno.test("of all connections together too; who has nothing waiting is still heard (waitingBytesInAll)", () =>
  withRelay(async ({ relay }) => {
    const first = await stuck(relay);
    const asked = pings(first.client, 4);
    await relayHasHeard();
    const second = await stuck(relay);
    const more = pings(second.client, 3);
    await relayHasHeard();
    // A connection that ends takes what waits along.
    first.client.cut();
    await Promise.allSettled([...asked, ...first.chunks]);
    const third = await stuck(relay);
    const last = pings(third.client, 4);
    await relayHasHeard();
    second.client.resume();
    third.client.resume();
    assert.deepEqual(await codes(more), ["OK", "busy", "busy"]);
    assert.deepEqual(await codes(last), ["OK", "OK", "OK", "busy"]);
    await codes([...second.chunks, ...third.chunks]);
  }, { bufferedBytes: 1_000, waitingBytesInAll: 4 * 512 }));

Deno.test("4,096 commands of a connection wait for their answer; one more is told rate", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const relay = await Relay.open({
    kv: store,
    publicUrl: "http://localhost",
    limits: { workBits: 2, framesPerSecond: 100_000 },
  });
  const client = await RelayClient.inProcess(relay);
  const outbox = await client.bind(await client.createQueue(), "send");
  store.hold();
  const id = randomBytes(16);
  const send = {
    type: "SEND",
    handle: outbox,
    id,
    envelope: new Uint8Array(480),
  } as const;
  const asked = client.askAll(Array(4_097).fill(send));
  refused(await asked[4_096], "rate");
  store.release();
  assert.deepEqual(await codes(asked.slice(0, -1)), Array(4_096).fill("OK"));
  ok(await client.ask(send));
  await relay.stop();
  kv.close();
});

Deno.test("repeats of what was accepted count as unwritten too: more than the relay may hold are busy", async () => {
  const kv = await Deno.openKv(":memory:");
  const store = new FailingStore(new KvStore(kv));
  const relay = await Relay.open({
    kv: store,
    publicUrl: "http://localhost",
    limits: { workBits: 2, unwrittenBytes: 1_500 },
  });
  const client = await RelayClient.inProcess(relay);
  const outbox = await client.bind(await client.createQueue(), "send");
  const id = randomBytes(16);
  ok(await client.send(outbox, id));
  store.hold();
  const asked = Array.from({ length: 6 }, () => client.send(outbox, id));
  refused(await asked[5], "busy");
  store.release();
  assert.deepEqual((await codes(asked)).slice(0, 2), ["OK", "OK"]);
  ok(await client.send(outbox, id));
  await relay.stop();
  kv.close();
});

Deno.test("more unwritten bytes than the relay may hold are busy", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const outbox = await client.bind(await client.createQueue(), "send");
    const answers = await Promise.all(client.askAll(
      Array.from(
        { length: 6 },
        () => ({
          type: "SEND",
          handle: outbox,
          id: randomBytes(16),
          envelope: randomBytes(480),
        }),
      ),
    ));
    const types = answers.map((answer) =>
      answer.type === "ERR" ? answer.code : answer.type
    );
    assert.ok(types.includes("OK") && types.includes("busy"), types.join());
    ok(await client.send(outbox, randomBytes(16)));
  }, { unwrittenBytes: 1_500 }));

Deno.test("one rendezvous too many is busy, one pass too many is full", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const { handle } = await client.open(await randomSigner());
    refused(
      await client.ask(await client.openCommand(await randomSigner())),
      "busy",
    );
    for (const index of [0, 1]) {
      ok(await client.pass(handle, index, randomBytes(9)));
    }
    refused(await client.pass(handle, 2, randomBytes(9)), "full");
  }, { rendezvous: 1, passesPerSide: 2 }));

Deno.test("a rendezvous that is over takes nobody's place, though its nameplate rests", () =>
  withRelay(async (world) => {
    const open = async () => {
      const client = await RelayClient.inProcess(world.relay);
      return {
        client,
        ...await client.open(await randomSigner()),
      };
    };
    const busy = async () => {
      const client = await RelayClient.inProcess(world.relay);
      const command = await client.openCommand(await randomSigner());
      refused(await client.ask(command), "busy");
    };
    const { client, handle } = await open();
    await busy();
    ok(await client.ask({ type: "CLOSE", handle }));
    await open();
    await busy();
    await world.restart();
    await busy();
    world.clock.now += 5 * MINUTE;
    await open();
    await busy();
  }, { rendezvous: 1 }));

Deno.test("the fewer places are left, the dearer is OPEN, and neither JOIN nor coming back", () =>
  withRelay(async ({ relay }) => {
    const client = await RelayClient.inProcess(relay);
    const { challenge, workBits } = client.hello;
    /** OPEN that is worth what HELLO asks for, and no bit more. */
    const cheap = async () => {
      for (;;) {
        const open = await client.openCommand(await randomSigner());
        assert.ok(open.type === "OPEN");
        const { publicKey: key, work } = open;
        const bits = workBits + 1;
        if (!checkWork({ challenge, type: "OPEN", key, bits }, work)) {
          return open;
        }
      }
    };
    const opener = await randomSigner();
    const { nameplate } = await client.open(opener);
    for (let taken = 1; taken < 4; taken++) ok(await client.ask(await cheap()));
    assert.deepEqual(
      refused(await client.ask(await cheap()), "work"),
      Uint8Array.of(workBits + 1),
      "half of the places are taken",
    );
    client.hello = { ...client.hello, workBits: workBits + 1 };
    for (let taken = 4; taken < 6; taken++) {
      await client.open(await randomSigner());
    }
    client.hello = { ...client.hello, workBits };
    assert.deepEqual(
      refused(await client.ask(await cheap()), "work"),
      Uint8Array.of(workBits + 2),
      "three quarters are",
    );
    const later = await RelayClient.inProcess(relay);
    assert.equal(later.hello.workBits, workBits);
    await later.join(await randomSigner(), nameplate);
    await later.open(opener);
  }, { rendezvous: 8, workBits: 3 }));

Deno.test("a queue that its owner never bound lives for a day; what was left in it is gone with it", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    const [bound, inUse, left] = [
      await client.createQueue(),
      await client.createQueue(),
      await client.createQueue(),
    ];
    await client.bind(bound, "receive", 0);
    const outbox = await client.bind(inUse, "send");
    ok(await client.send(outbox, randomBytes(16)));
    ok(await client.send(await client.bind(left, "send"), randomBytes(16)));
    world.clock.now += DAY - 1;
    ok(await client.send(outbox, randomBytes(16)));
    world.clock.now += 1 + DAY; // lifetimes are rounded up to a day
    refused(await client.send(outbox, randomBytes(16)), "no-such-queue");
    refused(
      await client.ask(await client.bindCommand(inUse, "receive", 1)),
      "no-such-queue",
    );
    await world.restart();
    const later = await RelayClient.inProcess(world.relay);
    await later.bind(bound, "receive", 0);
    refused(
      await later.ask(await later.bindCommand(left, "receive", 1)),
      "no-such-queue",
    );
    // Whoever makes a queue of this name again must not find what others left.
    for (const keys of [left, inUse]) {
      ok(await later.ask(await later.newCommand(keys)));
      await later.bind(keys, "receive", 1);
    }
    ok(await later.ask({ type: "PING" }));
    assert.deepEqual(later.pushes, []);
  }));

Deno.test("who is unauthorised twenty times is closed, and nobody else", () =>
  withRelay(async ({ relay }) => {
    const other = await RelayClient.inProcess(relay);
    const keys = await other.createQueue();
    const guesser = await RelayClient.inProcess(relay);
    const guess = async () => {
      const bind = await guesser.bindCommand(keys, "receive", 1);
      assert.ok(bind.type === "BIND");
      return guesser.ask({ ...bind, signature: randomBytes(64) });
    };
    for (let i = 0; i < 19; i++) refused(await guess(), "unauthorised");
    await guesser.bind(keys, "send");
    refused(await guess(), "unauthorised");
    assert.deepEqual(await guesser.closed, {
      code: 1008,
      reason: "too often unauthorised",
    });
    assert.equal(guesser.refusal, "unauthorised");
    ok(await other.ask({ type: "PING" }));
  }));

Deno.test("a connection that says nothing for a minute at its beginning is closed", () =>
  withRelay(async ({ relay, clock }) => {
    const [mute, zeros, early] = [
      await RelayClient.inProcess(relay),
      await RelayClient.inProcess(relay),
      await RelayClient.inProcess(relay),
    ];
    ok(await early.ask({ type: "PING" }));
    zeros.raw(new Uint8Array(512));
    clock.now += MINUTE - 1;
    relay.sweep();
    const late = await RelayClient.inProcess(relay);
    assert.equal(relay.connections, 4);
    clock.now += 1;
    relay.sweep();
    for (const client of [mute, zeros]) {
      assert.deepEqual(await client.closed, {
        code: 1008,
        reason: "nothing was said",
      });
    }
    ok(await late.ask({ type: "PING" }));
    ok(await early.ask({ type: "PING" }));
    clock.now += 10 * MINUTE;
    relay.sweep();
    ok(await early.ask({ type: "PING" }));
  }));

Deno.test("the price of anonymous commands rises with their number and falls with time", () =>
  withRelay(async (world) => {
    const client = await RelayClient.inProcess(world.relay);
    for (let i = 0; i < 4; i++) await client.createQueue();
    await client.createQueue();
    client.hello = { ...client.hello, workBits: 0 };
    let asked = 0;
    for (let i = 0; i < 6 && asked === 0; i++) {
      const answer = await client.ask(
        await client.newCommand(await newCredentials()),
      );
      if (answer.type === "ERR") asked = refused(answer, "work")[0];
    }
    assert.equal(asked, 4);
    assert.equal((await RelayClient.inProcess(world.relay)).hello.workBits, 4);
    world.clock.now += 10 * 60_000;
    assert.equal((await RelayClient.inProcess(world.relay)).hello.workBits, 3);
  }, { workBits: 3, anonymousPerMinute: 4 }));
