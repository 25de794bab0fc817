/**
 * The relay as its clients see it: a real relay in a process of its own, on a
 * real file, spoken to from here over real WebSockets. Messages of 512 bytes.
 * `deno run -A bench/relay.ts`
 */
import {
  type Credentials,
  ok,
  randomBytes,
  RelayClient,
} from "../lib/relay/testing/relay_client.ts";
import { RelayProcess } from "../lib/relay/testing/relay_process.ts";

/** How long each measurement of speed lasts. */
const SECONDS = 3;

const LIMITS = {
  workBits: 0,
  anonymousPerMinute: 1_000_000,
  framesPerSecond: 1_000_000,
  bytesPerSecond: 1_000_000_000,
  burstSeconds: 4,
};

const envelope = randomBytes(480);

type Pair = {
  send(id: Uint8Array): Promise<void>;
  arrived(run: (id: Uint8Array) => void): void;
  close(): Promise<void>;
};

/** Sender and recipient on a connection each; what arrives is acknowledged when `acknowledge`. */
async function pair(
  url: string,
  online: boolean,
): Promise<Pair & { drain(count: number): Promise<void> }> {
  const sender = await RelayClient.overWebSocket(url);
  const keys = await sender.createQueue();
  const outbox = await sender.bind(keys, "send");
  const recipient = await RelayClient.overWebSocket(url);
  let told: (id: Uint8Array) => void = () => {};
  let closing = false;
  const read = async () => {
    const inbox = await recipient.bind(keys, "receive", 1);
    for (;;) {
      const { id, seq } = await recipient.message();
      told(id);
      // One ACK for all that came in the same turn.
      if (recipient.pushes.length === 0) recipient.ack(inbox, seq).catch(ended);
    }
  };
  const ended = (error: unknown) => {
    if (!closing) throw error;
  };
  if (online) read().catch(ended);
  return {
    send: async (id) => void ok(await sender.send(outbox, id, envelope)),
    arrived: (run) => told = run,
    drain: (count) =>
      new Promise((done) => {
        told = () => --count === 0 && done();
        read().catch(ended);
      }),
    close: async () => {
      closing = true;
      await Promise.all([sender.close(), recipient.close()]);
    },
  };
}

async function latency(
  url: string,
  perSecond: number,
): Promise<{ p50: number; p99: number; sent: number }> {
  const line = await pair(url, true);
  const started = new Map<string, number>();
  const took: number[] = [];
  line.arrived((id) =>
    took.push(performance.now() - (started.get(id.toHex()) ?? NaN))
  );
  const begin = performance.now();
  const answers: Promise<void>[] = [];
  for (let sent = 0; sent < perSecond * SECONDS;) {
    // By the clock, not one after another: a slow relay must not slow the load down.
    for (
      const due = (performance.now() - begin) * perSecond / 1_000;
      sent < due;
      sent++
    ) {
      const id = randomBytes(16);
      started.set(id.toHex(), performance.now());
      answers.push(line.send(id));
    }
    await new Promise((resume) => setTimeout(resume, 1));
  }
  await Promise.all(answers);
  await line.close();
  took.sort((a, b) => a - b);
  return {
    p50: took[took.length >> 1],
    p99: took[Math.floor(took.length * 0.99)],
    sent: took.length,
  };
}

/** Messages answered OK per second, and what was left to drain. */
async function throughput(
  url: string,
  pairs: number,
  inFlight: number,
  online: boolean,
) {
  const lines = await Promise.all(
    Array.from({ length: pairs }, () => pair(url, online)),
  );
  const sent = lines.map(() => 0);
  const begin = performance.now();
  const end = begin + SECONDS * 1_000;
  await Promise.all(
    lines.flatMap((line, i) =>
      Array.from({ length: inFlight }, async () => {
        while (performance.now() < end && sent[i] < 4_000) {
          await line.send(randomBytes(16));
          sent[i]++;
        }
      })
    ),
  );
  const total = sent.reduce((a, b) => a + b);
  const perSecond = total / (performance.now() - begin) * 1_000;
  let drained: number | undefined;
  if (!online) {
    const start = performance.now();
    await Promise.all(lines.map((line, i) => line.drain(sent[i])));
    drained = total / (performance.now() - start) * 1_000;
  }
  await Promise.all(lines.map((line) => line.close()));
  return { perSecond, drained };
}

/** Bytes that each of `count` connections with `queues` queues bound adds. */
async function idle(
  relay: RelayProcess,
  count: number,
  queues: number,
): Promise<number> {
  const owner = await RelayClient.overWebSocket(relay.url);
  const keys: Credentials[] = [];
  while (keys.length < count * queues) {
    const some = Array.from({ length: queues }, () => owner.createQueue());
    keys.push(...await Promise.all(some));
  }
  const before = await relay.memory();
  const clients: RelayClient[] = [];
  for (let i = 0; i < count; i++) {
    const client = await RelayClient.overWebSocket(relay.url);
    const own = keys.slice(i * queues, (i + 1) * queues);
    for (const queue of own) await client.bind(queue, "receive", 1);
    clients.push(client);
  }
  await new Promise((resume) => setTimeout(resume, 1_000));
  const after = await relay.memory();
  await Promise.all([owner, ...clients].map((client) => client.close()));
  return (after - before) / count;
}

async function fresh<Result>(
  run: (relay: RelayProcess) => Promise<Result>,
): Promise<Result> {
  const directory = await Deno.makeTempDir({ prefix: "whisper-bench-" });
  const relay = await RelayProcess.start(`${directory}/relay.kv`, LIMITS);
  try {
    return await run(relay);
  } finally {
    await relay.stop();
    await Deno.remove(directory, { recursive: true });
  }
}

const row = (what: string, value: string) =>
  console.log(`${what.padEnd(58)} ${value.padStart(20)}`);
const rate = (value: number) => `${Math.round(value).toLocaleString("en")}/s`;

if (import.meta.main) {
  row("512-byte messages, relay and load in a process each", "");
  const { p50, p99, sent } = await fresh(({ url }) => latency(url, 1_000));
  row(
    `frame in to frame out at 1,000/s, p50 / p99 (${sent})`,
    `${p50.toFixed(2)} / ${p99.toFixed(2)} ms`,
  );
  for (const [pairs, inFlight] of [[1, 1], [20, 1], [20, 16]]) {
    const { perSecond } = await fresh(({ url }) =>
      throughput(url, pairs, inFlight, true)
    );
    row(
      `both online, ${pairs} pair(s) × ${inFlight} in flight, answered OK`,
      rate(perSecond),
    );
  }
  const { perSecond, drained } = await fresh(({ url }) =>
    throughput(url, 20, 16, false)
  );
  row("recipients offline, 20 pairs × 16 in flight, stored", rate(perSecond));
  row("then drained by 20 recipients at once", rate(drained ?? 0));
  row(
    "memory per idle connection (2,000)",
    `${((await fresh((relay) => idle(relay, 2_000, 0))) / 1024).toFixed(1)} KB`,
  );
  row(
    "memory per connection with 50 queues bound (100)",
    `${((await fresh((relay) => idle(relay, 100, 50))) / 1024).toFixed(1)} KB`,
  );
}
