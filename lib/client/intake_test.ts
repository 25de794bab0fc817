import assert from "node:assert/strict";
import { generateKeyPair } from "../signal/mod.ts";
import { type Command, decodeFrame, encodeFrame } from "../wire/mod.ts";
import {
  type Delivery,
  Intake,
  MAX_WAITING_BYTES,
  type Take,
} from "./intake.ts";
import { Ledger } from "./ledger.ts";
import { plain } from "./record_codec.ts";
import { MemoryDisk, table, Vault } from "./storage/mod.ts";
import { connectionTo } from "./testing/connection.ts";
import { TestClock } from "./testing/test_clock.ts";
import { othersTurn } from "./turn.ts";

const LARGEST = new Uint8Array(32_736);
const SMALLEST = new Uint8Array(480);
const taken = table("taken", plain<number>());
const recovery = await generateKeyPair();

/** An intake on a disk, where taking an envelope writes a record under its sequence. */
async function setUp(during: (seq: number) => void = () => {}) {
  const disk = new MemoryDisk();
  const vault = await Vault.create(disk.platform(), {
    recoveryPublicKey: recovery.publicKey,
  });
  let freed = Promise.withResolvers<void>();
  const ledger = new Ledger(vault, {
    full: () => freed.promise,
    broken: (cause) => assert.fail(String(cause)),
  });
  const clock = new TestClock();
  /** Sequences, once their commit is on disk. */
  const done: number[] = [];
  const take: Take = (entry, queue, { seq }) => {
    assert.equal(queue, "queue");
    during(seq);
    entry.put(taken, String(seq), seq);
    entry.after(() => done.push(seq));
    return Promise.resolve();
  };
  return {
    disk,
    ledger,
    clock,
    done,
    intake: new Intake(ledger, clock, take),
    free: () => {
      disk.full = false;
      freed.resolve();
      freed = Promise.withResolvers();
    },
  };
}

/** A connection to a relay that only listens. */
function connect(clock: TestClock) {
  const heard: Command[] = [];
  const connection = connectionTo(clock, (frame, connection) => {
    for (const command of decodeFrame(frame)) {
      heard.push(command);
      const [ok] = encodeFrame([
        { type: "OK", request: command.request, body: new Uint8Array() },
      ]);
      queueMicrotask(() => connection.received(ok));
    }
  });
  return {
    connection,
    acknowledged: () =>
      heard.map((command) => command.type === "ACK" ? command.seq : -1),
  };
}

function delivery(seq: number, envelope = SMALLEST): Delivery {
  return { type: "MSG", handle: 1, seq, id: new Uint8Array(16), envelope };
}

async function until(done: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!done()) {
    assert.ok(performance.now() < deadline, what);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

Deno.test("what waits already is taken in its order, several in one commit, and acknowledged after it", async () => {
  const { intake, disk, done, clock } = await setUp();
  const { connection, acknowledged } = connect(clock);
  const before = disk.commits;
  disk.onCommit = (when) => {
    const last = acknowledged().at(-1) ?? -1;
    if (when === "before") assert.ok(last < done.length);
  };
  for (const seq of upTo(100)) {
    intake.receive(connection, "queue", delivery(seq));
  }
  await until(() => done.length === 100, "all were taken");
  assert.deepEqual(done, upTo(100));
  assert.equal(disk.commits - before, 4);
  await until(() => acknowledged().at(-1) === 99, "all were acknowledged");
  assert.equal(acknowledged().length, 4);
});

Deno.test("what a person does comes in between what waits", async () => {
  const { intake, ledger, done, clock } = await setUp();
  const { connection } = connect(clock);
  for (const seq of upTo(1_000)) {
    intake.receive(connection, "queue", delivery(seq));
  }
  const before = await ledger.run(() => done.length);
  assert.ok(before < 100, `${before} were taken first`);
  await until(() => done.length === 1_000, "all were taken");
});

Deno.test("a commit holds no more than a moment's work", async () => {
  const world = await setUp(() => world.clock.advance(15));
  const { intake, disk, done, clock } = world;
  const { connection } = connect(clock);
  const before = disk.commits;
  for (const seq of upTo(10)) {
    intake.receive(connection, "queue", delivery(seq));
  }
  await until(() => done.length === 10, "all were taken");
  assert.equal(disk.commits - before, 5);
});

Deno.test("within one commit the page has its turn again and again", async () => {
  let turns = 0;
  const seen: number[] = [];
  const world = await setUp(() => {
    seen.push(turns);
    void othersTurn().then(() => turns++);
    world.clock.advance(6);
  });
  const { intake, disk, done, clock } = world;
  const { connection } = connect(clock);
  const before = disk.commits;
  for (const seq of upTo(4)) {
    intake.receive(connection, "queue", delivery(seq));
  }
  await until(() => done.length === 4, "all were taken");
  assert.equal(disk.commits - before, 1);
  assert.deepEqual(seen, [0, 1, 2, 3]);
});

Deno.test("what a full disk did not take is taken again, and only then acknowledged", async () => {
  const { intake, disk, done, clock, free } = await setUp();
  const { connection, acknowledged } = connect(clock);
  disk.full = true;
  for (const seq of upTo(40)) {
    intake.receive(connection, "queue", delivery(seq));
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual([done, acknowledged()], [[], []]);
  free();
  await until(() => acknowledged().at(-1) === 39, "all were acknowledged");
  assert.deepEqual(done, upTo(40));
});

Deno.test("more than can be kept ends the connection; what it brought is taken when it comes again", async () => {
  const { intake, ledger, done, clock } = await setUp();
  const first = connect(clock);
  const most = Math.floor(MAX_WAITING_BYTES / LARGEST.length);
  for (const seq of upTo(most)) {
    intake.receive(first.connection, "queue", delivery(seq, LARGEST));
  }
  assert.equal(first.connection.lost, false);
  intake.receive(first.connection, "queue", delivery(most, LARGEST));
  assert.equal(first.connection.lost, true);
  const second = connect(clock);
  await ledger.idle();
  for (const seq of upTo(most)) {
    intake.receive(second.connection, "queue", delivery(seq, LARGEST));
  }
  await until(() => done.length >= most, "all were taken");
  assert.equal(second.connection.lost, false);
  // Once each: of the first connection nothing was taken that could not be acknowledged.
  assert.deepEqual(done, upTo(most));
  assert.deepEqual(first.acknowledged(), []);
});
