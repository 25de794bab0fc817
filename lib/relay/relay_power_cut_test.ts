import assert from "node:assert/strict";
import { MAX_CHUNK } from "../wire/mod.ts";
import { Relay } from "./relay.ts";
import { BlobKeys, PoolKeys } from "./testing/blob_keys.ts";
import { type Files, saidAndKept, writeFiles } from "./testing/power_cut.ts";
import {
  newCredentials,
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "./testing/relay_client.ts";
import { RelayProcess } from "./testing/relay_process.ts";
import { straced, whyNoStrace } from "./testing/strace.ts";

/** So many that the database's log is full once, what is in it gets to its place, and it begins anew. */
const CHUNKS = 34;

/** Of the chunks, one in so many is looked for after a power cut of its own. */
const STRIDE = Deno.env.get("SLOW") === "1" ? 1 : 8;

const LIMITS = {
  workBits: 2,
  framesPerSecond: 100_000,
  bytesPerSecond: 1_000_000_000,
};

/** Whether what was promised is so: asked of the relay that was started after the power cut. */
type Kept = (client: RelayClient) => Promise<void>;

/** What an OK told whoever got it, with what was told before and still holds. */
type Promises = ReadonlyMap<string, Kept>;

/** Has a client be promised all that a relay can promise, each when the one before is answered; what held after each OK. */
async function bePromised(url: string): Promise<(Promises | undefined)[]> {
  const promised: (Promises | undefined)[] = [];
  const now = new Map<string, Kept>();
  const answered = (what?: string, kept?: Kept) => {
    if (what !== undefined && kept !== undefined) now.set(what, kept);
    promised.push(what === undefined ? undefined : new Map(now));
  };
  const [client, owner] = await Promise.all([
    RelayClient.overWebSocket(url),
    RelayClient.overWebSocket(url),
  ]);

  const keys = await client.createQueue();
  answered("NEW", async (after) => void await after.bind(keys, "send"));

  await owner.bind(keys, "receive", 7);
  answered("BIND", async (after) => {
    const older = await after.bindCommand(keys, "receive", 6);
    refused(await after.ask(older), "replaced");
  });
  await owner.close();

  const sent = Array.from({ length: 3 }, () => ({
    id: randomBytes(16),
    envelope: randomBytes(480),
  }));
  const wait = (messages: typeof sent): Kept => async (after) => {
    await after.bind(keys, "receive", 9);
    for (const message of messages) {
      const { id, envelope } = await within(3_000, after.message());
      assert.deepEqual({ id, envelope }, message);
    }
  };
  const outbox = await client.bind(keys, "send");
  answered();
  for (const [i, { id, envelope }] of sent.entries()) {
    ok(await client.send(outbox, id, envelope));
    answered("SEND", wait(sent.slice(0, i + 1)));
  }
  ok(await client.send(outbox, sent[0].id, sent[0].envelope));
  answered("SEND", wait(sent));

  const reader = await RelayClient.overWebSocket(url);
  const inbox = await reader.bind(keys, "receive", 8);
  answered();
  ok(await reader.ack(inbox, (await reader.message()).seq));
  answered("SEND", wait(sent.slice(1)));
  await reader.close();

  const short = await newCredentials();
  ok(await client.ask(await client.newCommand(short)));
  answered();
  const handle = await client.bind(short, "remove");
  answered();
  ok(await client.ask({ type: "DEL", handle }));
  answered("DEL", async (after) => {
    const bind = await after.bindCommand(short, "send");
    refused(await after.ask(bind), "no-such-queue");
  });

  const pool = await PoolKeys.random();
  const [bundle, lastResort] = [randomBytes(2_048), randomBytes(2_048)];
  const { version } = await pool.make(client, lastResort, []);
  answered("PUT of a pool", async (after) => {
    assert.equal((await pool.take(after)).lastResort, true);
  });
  ok(await client.ask(await pool.fillCommand(client, version, [bundle])));
  answered("PUT of a pool", async (after) => {
    assert.deepEqual((await pool.take(after)).bundle, bundle);
  });
  await pool.take(client);
  answered("PUT of a pool", async (after) => {
    assert.deepEqual((await pool.take(after)).bundle, lastResort);
  });

  const [opener, joiner] = [await randomSigner(), await randomSigner()];
  const opened = await client.open(opener);
  answered("OPEN", async (after) => {
    assert.equal((await after.open(opener)).nameplate, opened.nameplate);
  });
  ok(await client.pass(opened.handle, 0, lastResort));
  answered("JOIN", async (after) => {
    await after.join(joiner, opened.nameplate);
    const pass = await after.push();
    assert.deepEqual(pass.type === "PASS" && pass.bytes, lastResort);
  });
  await client.join(joiner, opened.nameplate);
  answered("JOIN of another", async (after) => {
    const another = await randomSigner();
    const join = await after.joinCommand(another, opened.nameplate);
    refused(await after.ask(join), "taken");
  });

  const dropped = await BlobKeys.random();
  await dropped.make(client);
  answered("DROP", async (after) => {
    assert.equal((await dropped.state(after)).current.version, 0);
  });
  ok(await client.ask(await dropped.dropCommand(client)));
  answered("DROP", async (after) => {
    const state = await dropped.stateCommand(after);
    refused(await after.ask(state), "no-such-blob");
  });

  const blob = await BlobKeys.random();
  const contents = new Uint8Array(CHUNKS * MAX_CHUNK).map((_, i) => i % 251);
  await blob.make(client, { bytes: contents.length });
  answered("PUT of a blob", async (after) => {
    assert.equal((await blob.state(after)).quota, contents.length);
  });
  const commands = await blob.putCommands(client, 0, contents);
  for (const [i, command] of commands.entries()) {
    ok(await client.ask(command));
    if (i === CHUNKS - 1) {
      answered("PUT of a chunk", async (after) => {
        assert.deepEqual(await blob.contents(after), contents);
      });
    } else if (i % STRIDE > 0) answered();
    else {
      answered("PUT of a chunk", async (after) => {
        const there = (await blob.state(after)).draft?.there ?? [];
        assert.equal(there.filter((chunk) => chunk).length, i + 1);
      });
    }
  }
  await client.close();
  return promised;
}

/** Fails when it takes longer than so many ms. */
async function within<Value>(
  ms: number,
  value: Promise<Value>,
): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("nothing comes")), ms);
  return await Promise.race([value, late.promise])
    .finally(() => clearTimeout(timer));
}

/** The power is back: what was promised holds at a relay that has these files. */
async function assertKept(promised: Promises, files: Files): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "whisper-power-" });
  try {
    await writeFiles(folder, files);
    const kv = await Deno.openKv(`${folder}/relay.kv`);
    const relay = await Relay.open({
      kv,
      publicUrl: "http://127.0.0.1",
      limits: LIMITS,
    });
    for (const [what, kept] of promised) {
      try {
        await kept(await RelayClient.inProcess(relay));
      } catch (error) {
        const last = [...promised.keys()].at(-1);
        throw new Error(
          `the power fails as the OK leaves that comes after ${last}: ${what} is not kept`,
          { cause: error },
        );
      }
    }
    await relay.stop();
    kv.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const reason = await whyNoStrace();
if (reason) console.log(`Without a view of what is synced: ${reason}.`);

Deno.test({
  name:
    "whenever the power fails, what was answered OK is on the disk for good: each waits until it was written and synced",
  ignore: reason !== undefined,
  fn: async () => {
    const place = await Deno.makeTempDir({ prefix: "whisper-synced-" });
    try {
      const folder = `${place}/data`;
      await Deno.mkdir(folder);
      const relay = await RelayProcess.start(
        `${folder}/relay.kv`,
        LIMITS,
        0,
        // What was written is put in its place, and the log of that deleted, all the time.
        { rest: 10 },
        straced(`${place}/trace`),
      );
      let promised: (Promises | undefined)[];
      try {
        promised = await bePromised(relay.url);
      } finally {
        await relay.stop();
      }
      const trace = await Deno.readTextFile(`${place}/trace`);
      let answers = 0;
      const sizes = new Set<number | undefined>();
      for (const { said, files } of saidAndKept(trace, folder)) {
        if (said.type !== "OK") continue;
        const now = promised[answers++];
        sizes.add(files.get("relay.kv")?.length);
        if (now !== undefined) await assertKept(now, files);
      }
      assert.equal(answers, promised.length);
      assert.ok(sizes.size > 1, "the database's log was never full");
    } finally {
      await Deno.remove(place, { recursive: true });
    }
  },
});
