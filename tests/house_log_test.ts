import { deepEqual, equal } from "node:assert/strict";
import { createConnection } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  newCredentials,
  ok,
  randomBytes,
  randomSigner,
  refused,
  RelayClient,
} from "../lib/relay/testing/relay_client.ts";
import { MAX_FRAME } from "../lib/wire/mod.ts";
import { type RelayProcess, startRelay, strangeLines } from "./harness/mod.ts";

/** An address of this machine that is nobody's but these clients'. */
const ADDRESS = "127.77.66.55";

/** The size of an envelope of this test's: no port that a system chooses has that number. */
const SIZE = 32_736;

/** What only the clients of this test have or say: whatever of it is in the log came from them. */
class Needles {
  readonly #texts = new Set<string>([
    ADDRESS,
    "203.0.113.77",
    String(SIZE),
    "needle",
  ]);

  /** Bytes in the ways that programs print them. */
  add(bytes: Uint8Array): void {
    const hex = bytes.toHex();
    this.#texts.add(hex.slice(0, 16)).add(hex.toUpperCase().slice(0, 16));
    this.#texts.add(bytes.toBase64().slice(0, 10));
    this.#texts.add(bytes.toBase64({ alphabet: "base64url" }).slice(0, 10));
    this.#texts.add([...bytes.subarray(0, 5)].join(","));
  }

  number(value: number): void {
    if (value > 9_999) this.#texts.add(String(value));
  }

  in(text: string): string[] {
    // Some ways of printing bytes break lines and align columns.
    const dense = text.replace(/\s+/g, "");
    return [...this.#texts].filter((needle) =>
      text.includes(needle) || dense.includes(needle)
    );
  }
}

/** Writes text from the needle's address, and waits until the other side has answered or closed. */
function raw(port: number, text: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = createConnection({
      port,
      host: "127.0.0.1",
      localAddress: ADDRESS,
    }, () => socket.write(text));
    const end = () => {
      socket.destroy();
      resolve();
    };
    socket.on("data", end);
    socket.on("error", end);
    socket.on("close", end);
  });
}

const HEADERS = [
  "Host: localhost",
  "User-Agent: needle-agent",
  "X-Forwarded-For: 203.0.113.77",
  "Cookie: needle-cookie",
  "Referer: http://needle.example/",
].join("\r\n");

const UPGRADE = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
].join("\r\n");

const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/** Requests good and bad, upgrades refused and cut. */
async function knock(port: number): Promise<void> {
  for (
    const text of [
      `GET /chat HTTP/1.1\r\n${HEADERS}\r\n\r\n`,
      `GET /healthz?needle HTTP/1.1\r\n${HEADERS}\r\n\r\n`,
      `GET /needle/path?needle=1 HTTP/1.1\r\n${HEADERS}\r\n\r\n`,
      `GET http://[needle HTTP/1.1\r\n${HEADERS}\r\n\r\n`,
      `DELETE /healthz HTTP/1.1\r\n${HEADERS}\r\n\r\n`,
      `GET / HTTP/1.1\r\n${HEADERS}\r\nExpect: needle\r\n\r\n`,
      `GET / HTTP/1.1\r\nX-Needle: ${"needle".repeat(20_000)}\r\n\r\n`,
      `needle needle needle\r\n\r\n`,
      `\x16\x03\x01needle`.padEnd(300, "needle"),
      `GET /relay HTTP/1.1\r\n${HEADERS}\r\n${UPGRADE}\r\n\r\n`,
      `GET /relay HTTP/1.1\r\n${HEADERS}\r\n${UPGRADE}\r\n${KEY}\r\nOrigin: https://needle.example\r\n\r\n`,
      `GET /needle HTTP/1.1\r\n${HEADERS}\r\n${UPGRADE}\r\n${KEY}\r\n\r\n`,
      // Accepted, then cut; then a frame that announces too much; one that is not masked.
      `GET /relay HTTP/1.1\r\n${HEADERS}\r\n${UPGRADE}\r\n${KEY}\r\n\r\n`,
      `GET /relay HTTP/1.1\r\n${HEADERS}\r\n${UPGRADE}\r\n${KEY}\r\n\r\n\x82\xff\x00\x00\x00\x01`,
      `GET /relay HTTP/1.1\r\n${HEADERS}\r\n${UPGRADE}\r\n${KEY}\r\n\r\n\x82\x06needle`,
    ]
  ) await raw(port, text);
}

/** A conversation and an invite, with everything that can be refused. */
async function talk(relay: RelayProcess, needles: Needles): Promise<void> {
  const connect = () =>
    RelayClient.overWebSocket(`${relay.url.replace("http", "ws")}/relay`);
  const client = await connect();
  const keys = await client.createQueue();
  for (const bytes of [keys.id, keys.send.publicKey, keys.receive.publicKey]) {
    needles.add(bytes);
  }
  const outbox = await client.bind(keys, "send");
  const id = randomBytes(16);
  const envelope = randomBytes(SIZE);
  needles.add(id);
  needles.add(envelope);
  ok(await client.send(outbox, id, envelope));
  ok(await client.send(outbox, randomBytes(16)));
  refused(await client.send(outbox, randomBytes(16)), "full");
  const inbox = await client.bind(keys, "receive", 1);
  ok(await client.ack(inbox, (await client.message()).seq));
  // Another device takes over; a wrong key guesses, until it is closed; a queue that is none.
  const other = await connect();
  await other.bind(keys, "receive", 2);
  const wrong = { ...keys, receive: await randomSigner() };
  for (let i = 0; i < 2; i++) {
    refused(
      await other.ask(await other.bindCommand(wrong, "receive", 3)),
      "unauthorised",
    );
  }
  await other.closed;
  const none = await newCredentials();
  needles.add(none.id);
  refused(
    await client.ask(await client.bindCommand(none, "send")),
    "no-such-queue",
  );
  // An invite.
  const party = await randomSigner();
  needles.add(party.publicKey);
  const { handle, nameplate } = await client.open(party);
  needles.number(nameplate);
  const passed = randomBytes(300);
  needles.add(passed);
  ok(await client.pass(handle, 0, passed));
  ok(await client.ask({ type: "CLOSE", handle }));
  // What is no frame.
  for (
    const frame of [
      "needle",
      randomBytes(512),
      randomBytes(100),
      randomBytes(
        MAX_FRAME + 1,
      ),
    ]
  ) {
    const bad = await connect();
    if (typeof frame !== "string") needles.add(frame);
    bad.raw(frame);
    await bad.closed;
  }
  // More connections than there may be, and a flood.
  const many = await Promise.allSettled(Array.from({ length: 8 }, connect));
  const flooding = await connect().catch(() => client);
  const flood = flooding.askAll(
    Array.from({ length: 20_000 }, () => ({ type: "PING" }) as const),
  );
  await Promise.allSettled(flood);
  for (const one of many) {
    if (one.status === "fulfilled") await one.value.close();
  }
  await client.close();
}

/** A disk that refuses while somebody writes. */
async function failingDisk(
  relay: RelayProcess,
  needles: Needles,
): Promise<void> {
  const client = await RelayClient.overWebSocket(
    `${relay.url.replace("http", "ws")}/relay`,
  );
  const keys = await client.createQueue();
  needles.add(keys.id);
  const outbox = await client.bind(keys, "send");
  const database = new DatabaseSync(join(relay.dataDir, "relay.sqlite3"));
  database.exec("BEGIN IMMEDIATE");
  const id = randomBytes(16);
  needles.add(id);
  refused(await client.send(outbox, id, randomBytes(SIZE)), "busy");
  database.close();
  await client.close();
}

const ARGS = [
  ...["--metrics-port", "0", "--connections", "6", "--unauthorised", "2"],
  ...["--messages-per-queue", "2", "--frames-per-second", "50"],
];

/** Everything above, at a relay started so; what it printed then. */
async function outputOf(
  options: Parameters<typeof startRelay>[0],
  needles: Needles,
): Promise<string> {
  const relay = await startRelay(options);
  try {
    await knock(relay.port);
    await talk(relay, needles);
    await failingDisk(relay, needles);
  } finally {
    await relay.stop();
  }
  return relay.output();
}

Deno.test("the log holds no address, id, size or time of any client, whatever clients and disk do", async () => {
  const needles = new Needles();
  const output = await outputOf({ args: ARGS }, needles);
  deepEqual(strangeLines(output), []);
  equal(/^relay: storage failed/m.test(output), true, "the disk failed");
  // The relay's own ports and folder are its host's to know.
  const rest = output.replace(
    /localhost:\d+|127\.0\.0\.1:\d+|\S*whisper-data-\S+/g,
    "",
  );
  deepEqual(needles.in(rest), []);
  // Nothing is stamped: when somebody came is nobody's business.
  equal(/\d\d:\d\d|\d{10}|20\d\d-/.test(rest), false, rest);
});

Deno.test("a needle that is printed, as text or bytes in any of the usual ways, is found", () => {
  const needles = new Needles();
  const bytes = randomBytes(32);
  needles.add(bytes);
  needles.number(123_456);
  for (
    const text of [
      bytes.toHex(),
      bytes.toHex().toUpperCase(),
      bytes.toBase64(),
      Deno.inspect(bytes, { breakLength: Infinity }),
      String(bytes),
      ADDRESS,
      "code 123456",
      `${SIZE} bytes`,
    ]
  ) equal(needles.in(`x ${text} y`).length > 0, true, text);
  deepEqual(needles.in("relay: storage failed (TypeError)"), []);
  deepEqual(strangeLines("relay: storage failed (TypeError)\nSEND of 512\n"), [
    "SEND of 512",
  ]);
});
