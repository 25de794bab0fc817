import assert from "node:assert/strict";
import { ed25519Signer, encodeFrame, ENVELOPE_SIZES } from "../wire/mod.ts";
import { lines } from "./testing/lines.ts";
import {
  newCredentials,
  ok,
  randomBytes,
  RelayClient,
} from "./testing/relay_client.ts";
import { RelayProcess } from "./testing/relay_process.ts";

const SLOW = Deno.env.get("SLOW") === "1";
const MIB = 1024 * 1024;
const LARGEST_ENVELOPE = Math.max(...ENVELOPE_SIZES);

/** No limit that is not what a test is about. */
const WIDE = {
  workBits: 0,
  anonymousPerMinute: 1_000_000,
  framesPerSecond: 100_000,
  bytesPerSecond: 100 * MIB,
};

async function withProcess(
  limits: Parameters<typeof RelayProcess.start>[1],
  run: (relay: RelayProcess) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "whisper-stress-" });
  const relay = await RelayProcess.start(`${directory}/relay.kv`, limits);
  try {
    await run(relay);
  } finally {
    await relay.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

/** A WebSocket made by hand: nothing reads from it. */
async function rawSocket(url: string): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(
    "GET /relay HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ));
  return connection;
}

/** A frame as a client's WebSocket message, under a mask that changes nothing. */
function masked(frame: Uint8Array): Uint8Array {
  const message = new Uint8Array(8 + frame.length);
  message.set([0x82, 0xfe, frame.length >> 8, frame.length & 255]);
  message.set(frame, 8);
  return message;
}

/** Sends and receives one message. */
async function passOne(client: RelayClient): Promise<void> {
  const keys = await client.createQueue();
  const outbox = await client.bind(keys, "send");
  const inbox = await client.bind(keys, "receive", 1);
  const id = randomBytes(16);
  ok(await client.send(outbox, id));
  const message = await client.message();
  assert.deepEqual(message.id, id);
  ok(await client.ack(inbox, message.seq));
}

const ROUNDS = SLOW ? 20 : 4;

Deno.test(`restarted and killed ${ROUNDS} times under load, with everybody coming back: nothing is lost, nothing acknowledged comes again`, async () => {
  const directory = await Deno.makeTempDir({ prefix: "whisper-restart-" });
  let relay = await RelayProcess.start(`${directory}/relay.kv`, WIDE);
  try {
    const pairs = await Promise.all(
      Array.from({ length: 6 }, () => newCredentials()),
    );
    const founder = await RelayClient.overWebSocket(relay.url);
    for (const keys of pairs) {
      ok(await founder.ask(await founder.newCommand(keys)));
    }
    let over = false;
    /** Does it on one connection after another, for as long as it throws because one ended. */
    const persist = async (
      live: (client: RelayClient) => Promise<void>,
    ): Promise<void> => {
      for (;;) {
        try {
          const client = await RelayClient.overWebSocket(relay.url);
          await live(client);
          await client.close();
          return;
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          assert.match(String(error), /connection ended|closed before HELLO/);
          await new Promise((resume) => setTimeout(resume, 20));
        }
      }
    };
    const results = pairs.map(async (keys) => {
      const sent: string[] = [];
      const arrived = new Set<string>();
      const order: string[] = [];
      const acknowledged = new Set<string>();
      let next = randomBytes(16);
      /** Sent when everything else was; then said before. */
      let last: string | undefined;
      /** Sent on two connections, for the first ended before OK came. */
      const repeated = new Set<string>();
      const sending = persist(async (client) => {
        const outbox = await client.bind(keys, "send");
        for (let first = true; last === undefined || first; first = false) {
          const name = next.toHex();
          if (first) repeated.add(name);
          if (over) last = name;
          ok(await client.send(outbox, next));
          sent.push(name);
          next = randomBytes(16);
        }
      });
      await Promise.all([
        sending,
        persist(async (client) => {
          const inbox = await client.bind(keys, "receive", 1);
          const unacknowledged: string[] = [];
          while (last === undefined || !arrived.has(last)) {
            const { id, seq } = await client.message();
            const name = id.toHex();
            assert.ok(
              !acknowledged.has(name) || repeated.has(name),
              "what was acknowledged came again",
            );
            if (!arrived.has(name)) order.push(name);
            arrived.add(name);
            unacknowledged.push(name);
            if (unacknowledged.length < 5 && name !== last) continue;
            ok(await client.ack(inbox, seq));
            for (const done of unacknowledged.splice(0)) acknowledged.add(done);
          }
        }),
      ]);
      return { sent, order };
    });
    for (let round = 0; round < ROUNDS; round++) {
      await new Promise((resume) => setTimeout(resume, 300));
      await (round % 2 === 0 ? relay.stop() : relay.kill());
      relay = await RelayProcess.start(`${directory}/relay.kv`, WIDE);
    }
    await new Promise((resume) => setTimeout(resume, 300));
    over = true;
    for (const { sent, order } of await Promise.all(results)) {
      assert.deepEqual(order, sent, "each once, in the order they were sent");
      assert.ok(sent.length > ROUNDS, `only ${sent.length}: that was no load`);
    }
  } finally {
    await relay.stop();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a recipient that stops reading costs no memory, holds nobody up, and goes on where it was", () =>
  withProcess({ ...WIDE, bytesPerQueue: 64 * MIB }, async (relay) => {
    const sender = await RelayClient.overWebSocket(relay.url);
    const seed = randomBytes(32);
    const keys = {
      ...await newCredentials(),
      receive: await ed25519Signer(seed),
    };
    ok(await sender.ask(await sender.newCommand(keys)));
    const outbox = await sender.bind(keys, "send");
    const reader = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        new URL("testing/held_reader.ts", import.meta.url).href,
        relay.url,
        seed.toHex(),
        keys.id.toHex(),
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    try {
      const said = lines(reader.stdout);
      assert.equal((await said.next()).value, "bound");
      reader.kill("SIGSTOP");
      /** Sends 50 MiB; the most memory that the relay had meanwhile. */
      const fill = async (handle: number) => {
        const sent: string[] = [];
        let most = 0;
        for (let i = 0; i < 25; i++) {
          const ids = Array.from({ length: 64 }, () => randomBytes(16));
          sent.push(...ids.map((id) => id.toHex()));
          const answers = sender.askAll(ids.map((id) => ({
            type: "SEND",
            handle,
            id,
            envelope: new Uint8Array(LARGEST_ENVELOPE),
          })));
          (await Promise.all(answers)).forEach(ok);
          most = Math.max(most, await relay.memory());
        }
        return { sent, most };
      };
      // The same for who is away: what the journal and the database take.
      const away = await fill(
        await sender.bind(await sender.createQueue(), "send"),
      );
      const { sent, most } = await fill(outbox);
      // Held in memory it would be 50 MiB or more; how the heap happens to grow is a few.
      assert.ok(
        most - away.most < 25 * MIB,
        `50 MiB that nobody read took ${(most - away.most) / MIB} MiB more`,
      );
      await passOne(await RelayClient.overWebSocket(relay.url));
      reader.kill("SIGCONT");
      for (const id of sent) assert.equal((await said.next()).value, id);
    } finally {
      reader.kill("SIGKILL");
      await reader.status;
    }
  }));

Deno.test("floods of commands whose answers nobody reads, and frames that never end, cost bounded memory and hold nobody up", () =>
  withProcess({ workBits: 0 }, async (relay) => {
    const bystander = await RelayClient.overWebSocket(relay.url);
    await passOne(bystander);
    const pings = masked(
      encodeFrame(Array.from({ length: 90 }, (_, i) => ({
        type: "PING",
        request: i + 1,
      })))[0],
    );
    const unfinished = masked(new Uint8Array(32_768)).subarray(0, 32_000);
    /** Twenty at once, ten of each kind. Returns whether every flood was ended. */
    const attack = async (): Promise<boolean> => {
      const ends = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const connection = await rawSocket(relay.url);
          if (i % 2 === 0) {
            await connection.write(unfinished);
            return { connection, ended: true };
          }
          for (let written = 0; written < 400_000; written++) {
            try {
              await connection.write(pings);
            } catch {
              return { connection, ended: true };
            }
          }
          return { connection, ended: false };
        }),
      );
      await passOne(bystander);
      for (const { connection } of ends) connection.close();
      await passOne(bystander);
      return ends.every(({ ended }) => ended);
    };
    const before = await relay.memory();
    const floods = [await attack(), await attack()];
    const after = await relay.memory();
    // Each flood could leave hundreds of MiB of answers; what is left is what memory is collected late.
    assert.ok(
      after - before < 256 * MIB,
      `memory rose by ${(after - before) / MIB} MiB`,
    );
    assert.deepEqual(floods, [true, true], "a flood went on");
  }));

/** Enough that how the heap happens to grow is little beside them. */
const IDLE = SLOW ? 10_000 : 4_000;

Deno.test(`${IDLE} idle connections are held, at under 30 KB each, and mail goes through beside them`, () =>
  withProcess({ ...WIDE, connections: IDLE + 10 }, async (relay) => {
    const ping = masked(encodeFrame([{ type: "PING", request: 1 }])[0]);
    const connections: Deno.TcpConn[] = [];
    const client = await RelayClient.overWebSocket(relay.url);
    const connect = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const connection = await rawSocket(relay.url);
        connections.push(connection);
        await connection.write(ping);
        // The upgrade and HELLO, which come only to who is let in.
        for (let bytes = 0; bytes < 129 + 516;) {
          bytes += await connection.read(new Uint8Array(2_048)) ?? NaN;
          assert.ok(!Number.isNaN(bytes), "a connection was refused");
        }
      }
    };
    const many = (count: number) =>
      Promise.all(Array.from({ length: 10 }, () => connect(count / 10)));
    await many(IDLE / 2);
    await passOne(client);
    const half = await relay.memory();
    await many(IDLE / 2);
    await passOne(client);
    const all = await relay.memory();
    assert.ok(
      (all - half) / (IDLE / 2) < 30 * 1_024,
      `${(all - half) / (IDLE / 2) / 1_024} KB each`,
    );
    for (const connection of connections) connection.close();
    await passOne(client);
  }));

const SOAK_MS = Number(Deno.env.get("SOAK_SECONDS") ?? 600) * 1_000;

Deno.test({
  name: "memory stays flat however long it works",
  ignore: !SLOW,
  fn: () =>
    withProcess(WIDE, async (relay) => {
      const until = performance.now() + SOAK_MS;
      let count = 0;
      const work = async () => {
        while (performance.now() < until) {
          const client = await RelayClient.overWebSocket(relay.url);
          const keys = await client.createQueue();
          const outbox = await client.bind(keys, "send");
          // Away, then there, then somebody else: and the queue is gone.
          for (let i = 0; i < 20; i++) {
            ok(await client.send(outbox, randomBytes(16)));
          }
          const inbox = await client.bind(keys, "receive", 1);
          for (let i = 0; i < 200; i++) {
            if (i < 180) ok(await client.send(outbox, randomBytes(16)));
            const { seq } = await client.message();
            if (i % 3 === 0) ok(await client.ack(inbox, seq));
            count++;
          }
          ok(
            await client.ask({
              type: "DEL",
              handle: await client.bind(keys, "remove"),
            }),
          );
          await client.close();
        }
      };
      const workers = Array.from({ length: 16 }, work);
      const samples: number[] = [];
      while (performance.now() < until) {
        await new Promise((resume) => setTimeout(resume, SOAK_MS / 20));
        samples.push(await relay.memory());
      }
      await Promise.all(workers);
      // The first quarter is for what everything takes once.
      const early = Math.max(...samples.slice(5, 10));
      const late = Math.max(...samples.slice(-5));
      assert.ok(
        late < early * 1.1 + 4 * MIB,
        `MiB over time: ${samples.map((bytes) => Math.round(bytes / MIB))}`,
      );
      console.log(`${count} messages; MiB over time: ${
        samples.map((bytes) => Math.round(bytes / MIB))
      }`);
    }),
});
