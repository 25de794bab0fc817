import { deepEqual, equal, match, notEqual, rejects } from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ok, RelayClient } from "../lib/relay/testing/relay_client.ts";
import { type RelayProcess, startRelay } from "./harness/mod.ts";

const connect = (relay: RelayProcess) =>
  RelayClient.overWebSocket(`${relay.url.replace("http", "ws")}/relay`);

/** Holds the database as a program that writes to it would: until `release`, no commit of the relay's ends. */
function holdDisk(relay: RelayProcess): { release(): void } {
  const database = new DatabaseSync(join(relay.dataDir, "relay.sqlite3"));
  database.exec("BEGIN IMMEDIATE");
  return { release: () => database.close() };
}

/** Sends so many messages at once; their answers are to come. */
async function sendMany(client: RelayClient, count: number) {
  const keys = await client.createQueue();
  const handle = await client.bind(keys, "send");
  const ids = Array.from(
    { length: count },
    () => crypto.getRandomValues(new Uint8Array(16)),
  );
  return (): {
    ids: Uint8Array[];
    answers: Promise<unknown>[];
    keys: typeof keys;
  } => ({
    keys,
    ids,
    answers: client.askAll(
      ids.map((id) => ({
        type: "SEND",
        handle,
        id,
        envelope: new Uint8Array(480),
      })),
    ),
  });
}

/** A connection that never reads what it is told, nor answers that it is to end. */
async function slowReader(port: number): Promise<Deno.TcpConn> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(new TextEncoder().encode(
    "GET /relay HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ));
  return socket;
}

/** A connection whose request never ends. */
async function unfinished(port: number): Promise<Deno.TcpConn> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(
    new TextEncoder().encode(
      "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n1",
    ),
  );
  return socket;
}

async function said(relay: RelayProcess, text: string): Promise<void> {
  while (!relay.output().includes(text)) {
    await new Promise((resume) => setTimeout(resume, 10));
  }
}

Deno.test("told to stop, it finishes what it accepted: answered, on disk, 1001 to everybody, exit code 0", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    const relay = await startRelay({ dataDir });
    const client = await connect(relay);
    const send = await sendMany(client, 50);
    const disk = holdDisk(relay);
    const probe = await connect(relay);
    const { ids, answers, keys } = send();
    ok(await client.ask({ type: "PING" })); // by now the messages before it are accepted
    const stopped = relay.stop();
    await said(relay, "Stopping.");
    const health = await fetch(`${relay.url}/healthz`);
    deepEqual([health.status, await health.text()], [503, "draining\n"]);
    disk.release();
    for (const answer of await Promise.all(answers)) ok(answer as never);
    equal((await client.closed).code, 1001);
    equal((await probe.closed).code, 1001);
    await stopped;

    const again = await startRelay({ dataDir });
    const reader = await connect(again);
    await reader.bind(keys, "receive", 1);
    for (const id of ids) deepEqual((await reader.message()).id, id);
    await reader.close();
    await again.stop();
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("slow readers, half-open and unfinished connections do not keep it from stopping in order", async () => {
  const relay = await startRelay();
  const sockets = await Promise.all(
    [1, 2, 3].flatMap(() => [slowReader(relay.port), unfinished(relay.port)]),
  );
  const client = await connect(relay);
  await relay.stop(); // fails when it was cut short: that is exit code 1
  equal((await client.closed).code, 1001);
  for (const socket of sockets) socket.close();
});

Deno.test("a disk that hangs is not waited for: nothing is answered OK, 1001 to clients, exit code 0", async () => {
  const relay = await startRelay();
  const client = await connect(relay);
  const send = await sendMany(client, 5);
  const disk = holdDisk(relay);
  const { answers } = send();
  const outcomes = Promise.allSettled(answers);
  ok(await client.ask({ type: "PING" }));
  await relay.stop();
  deepEqual(
    (await outcomes).map(({ status }) => status),
    Array(5).fill("rejected"),
  );
  equal((await client.closed).code, 1001);
  disk.release();
});

Deno.test("a second signal ends it at once", async () => {
  const relay = await startRelay();
  const client = await connect(relay);
  const send = await sendMany(client, 5);
  const disk = holdDisk(relay);
  const { answers } = send();
  const outcomes = Promise.allSettled(answers);
  ok(await client.ask({ type: "PING" }));
  Deno.kill(relay.pid, "SIGTERM");
  await said(relay, "Stopping.");
  await rejects(relay.stop(), /stopped with 1/);
  match(relay.output(), /Stopping\.\n$/);
  notEqual((await client.closed).code, 1001);
  await outcomes;
  disk.release();
});
