import assert from "node:assert/strict";
import {
  type Command,
  decodeFrame,
  ed25519Signer,
  encodeFrame,
  encodeHello,
  type Signer,
} from "../../wire/mod.ts";
import { TestClock } from "../testing/test_clock.ts";
import {
  type Connection,
  ConnectionLostError,
  MAX_UNHEARD_BYTES,
  RelayError,
} from "./connection.ts";
import {
  CLOCK_OFF_MS,
  CONNECT_TIMEOUT_MS,
  Link,
  PING_AFTER_MS,
  PING_TIMEOUT_MS,
  REFUSED_RETRY_MS,
  STABLE_AFTER_MS,
} from "./link.ts";
import type { Network, SocketEvents, Transport } from "./transport.ts";

/** The relay's end of one connection, in the test's hands. */
class Peer {
  readonly commands: Command[] = [];
  readonly frames: Uint8Array[] = [];
  closed = false;
  constructor(readonly events: SocketEvents) {}

  say(...commands: Command[]): void {
    for (const frame of encodeFrame(commands)) this.events.message(frame);
  }

  async greet(link: Link, signer: Signer, time?: number): Promise<void> {
    this.say({ type: "HELLO", request: 0, body: await helloOf(signer, time) });
    await decided(link);
  }
}

/** `time`: of the relay's clock, ms; that of a test at its beginning when not given. */
async function helloOf(
  signer: Signer,
  time = new TestClock().now(),
): Promise<Uint8Array> {
  return await encodeHello({
    features: 0,
    challenge: new Uint8Array(32).fill(7),
    time,
    workBits: 0,
    limits: {
      queuesPerConnection: 10,
      messagesPerQueue: 10,
      bytesPerQueue: 10_000,
      messageLifetime: 60,
    },
    dayKey: new Uint8Array(32),
    dayKeyValidUntil: 0,
    url: "https://relay.example",
  }, signer);
}

const at = ({ state }: Link): string => state.value.at;
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
/** The signature is verified on another thread. */
async function decided(link: Link): Promise<void> {
  while (at(link) === "connecting") await turn();
}
const relay = () => ed25519Signer(new Uint8Array(32).fill(1));

function setUp(options: { relayKey?: Uint8Array; fraction?: number } = {}) {
  const clock = new TestClock();
  const peers: Peer[] = [];
  const transport: Transport = {
    connect: (_url, events) => {
      const peer = new Peer(events);
      peers.push(peer);
      return {
        send: (frame) => {
          peer.frames.push(frame);
          peer.commands.push(...decodeFrame(frame));
        },
        // As a real one does on a dead network: it says nothing for long.
        close: () => {
          peer.closed = true;
        },
      };
    },
  };
  let online = true;
  let changed: (online: boolean) => void = () => {};
  const network: Network = {
    online: () => online,
    watch: (listener) => {
      changed = listener;
      return () => {};
    },
  };
  const connections: Connection[] = [];
  let lost = 0;
  const link = new Link({
    url: "ws://relay.example/relay",
    relayKey: options.relayKey,
    transport,
    network,
    clock,
    random: {
      bytes: (length) => new Uint8Array(length),
      fraction: () => options.fraction ?? 0.5,
    },
    connected: (connection) => connections.push(connection),
    lost: () => lost++,
  });
  link.start();
  return {
    link,
    clock,
    peers,
    connections,
    get lost() {
      return lost;
    },
    setOnline: (value: boolean) => {
      online = value;
      changed(value);
    },
  };
}

Deno.test("a link is online when HELLO was signed by the key it names", async () => {
  const { link, peers, connections } = setUp();
  assert.deepEqual(link.state.value, { at: "connecting" });
  await peers[0].greet(link, await relay());
  assert.deepEqual(link.state.value, { at: "online" });
  assert.equal(connections[0].hello.url, "https://relay.example");
  link.stop();
});

Deno.test("a clock an hour from the relay's is told of, on either side of it; a lesser difference is not", async () => {
  for (
    const [ahead, clockOff] of [
      [CLOCK_OFF_MS, { clockOff: CLOCK_OFF_MS }],
      [-CLOCK_OFF_MS, { clockOff: -CLOCK_OFF_MS }],
      [CLOCK_OFF_MS - 1, {}],
      [1 - CLOCK_OFF_MS, {}],
    ] as const
  ) {
    const { link, peers, clock } = setUp();
    await peers[0].greet(link, await relay(), clock.now() - ahead);
    assert.deepEqual(link.state.value, { at: "online", ...clockOff });
    link.stop();
  }
});

Deno.test("a HELLO that somebody changed is no HELLO", async () => {
  const { link, peers, connections } = setUp();
  const body = await helloOf(await relay());
  body[60] ^= 1;
  peers[0].say({ type: "HELLO", request: 0, body });
  await decided(link);
  assert.equal(at(link), "waiting");
  assert.equal(peers[0].closed, true);
  assert.deepEqual(connections, []);
  link.stop();
});

Deno.test("a relay with another key than the first one had is refused, and asked again much later", async () => {
  const { link, peers, connections, clock } = setUp({
    relayKey: (await relay()).publicKey,
  });
  await peers[0].greet(link, await ed25519Signer(new Uint8Array(32).fill(2)));
  assert.deepEqual(link.state.value, { at: "refused", reason: "other-relay" });
  assert.deepEqual(connections, []);
  clock.advance(REFUSED_RETRY_MS - 1);
  assert.equal(peers.length, 1);
  clock.advance(1);
  await peers[1].greet(link, await relay());
  assert.deepEqual(link.state.value, { at: "online" });
  link.stop();
});

Deno.test("the key of the first relay holds for the next connection too", async () => {
  const { link, peers, clock } = setUp();
  await peers[0].greet(link, await relay());
  peers[0].events.closed();
  clock.advance(1_000);
  await peers[1].greet(link, await ed25519Signer(new Uint8Array(32).fill(2)));
  assert.deepEqual(link.state.value, { at: "refused", reason: "other-relay" });
  link.stop();
});

Deno.test("a relay of another version is refused", async () => {
  const { link, peers } = setUp();
  const body = await helloOf(await relay());
  body[0] = 2;
  peers[0].say({ type: "HELLO", request: 0, body });
  await decided(link);
  assert.deepEqual(link.state.value, { at: "refused", reason: "version" });
  link.stop();
});

Deno.test("who says anything before HELLO, or nothing at all, is not waited for", async () => {
  const { link, peers, clock } = setUp();
  peers[0].say({ type: "NOP", request: 0 });
  await turn();
  assert.equal(at(link), "waiting");
  clock.advance(500);
  assert.equal(at(link), "connecting");
  clock.advance(CONNECT_TIMEOUT_MS);
  assert.equal(at(link), "waiting");
  assert.equal(peers[1].closed, true);
  link.stop();
});

Deno.test("requests of one turn share a frame, and each gets its own answer", async () => {
  const { link, peers, connections } = setUp();
  await peers[0].greet(link, await relay());
  const [connection] = connections;
  const first = connection.request({ type: "ACK", handle: 1, seq: 1 });
  const second = connection.request({ type: "DEL", handle: 2 });
  await turn();
  assert.equal(peers[0].frames.length, 1);
  const [{ request: one }, { request: two }] = peers[0].commands;
  peers[0].say(
    { type: "ERR", request: two, code: "full", detail: new Uint8Array() },
    { type: "OK", request: one, body: Uint8Array.of(9) },
    { type: "OK", request: 777, body: new Uint8Array() },
  );
  assert.deepEqual(await first, Uint8Array.of(9));
  await assert.rejects(
    second,
    (error) => error instanceof RelayError && error.code === "full",
  );
  link.stop();
});

Deno.test("a push that comes with the answer that names its handle is heard", async () => {
  const { link, peers, connections } = setUp();
  await peers[0].greet(link, await relay());
  const [connection] = connections;
  const body = connection.request({ type: "DEL", handle: 3 });
  await turn();
  peers[0].say(
    {
      type: "OK",
      request: peers[0].commands[0].request,
      body: new Uint8Array(),
    },
    { type: "REPLACED", request: 0, handle: 5 },
    { type: "CLOSE", request: 0, handle: 6 },
  );
  await body;
  const heard: string[] = [];
  connection.listen(5, ({ type }) => heard.push(type));
  peers[0].say({ type: "CLOSE", request: 0, handle: 5 });
  assert.deepEqual(heard, ["REPLACED", "CLOSE"]);
  link.stop();
});

Deno.test("pushes that nobody listens to are kept up to a number of bytes; a relay that sends more is left", async () => {
  const { link, peers, connections } = setUp();
  await peers[0].greet(link, await relay());
  const envelope = new Uint8Array(32_736);
  const [frame] = encodeFrame([
    {
      type: "MSG",
      request: 0,
      handle: 5,
      seq: 1,
      id: new Uint8Array(16),
      envelope,
    },
  ]);
  const most = Math.floor(MAX_UNHEARD_BYTES / (envelope.length + 128));
  const push = (count: number) => {
    for (let i = 0; i < count; i++) peers[0].events.message(frame);
  };
  push(most);
  let heard = 0;
  connections[0].listen(5, () => heard++);
  assert.equal(heard, most);
  // What is heard at once is not kept.
  push(2 * most);
  assert.equal(heard, 3 * most);
  assert.equal(at(link), "online");

  const [unheard] = encodeFrame([
    {
      type: "MSG",
      request: 0,
      handle: 6,
      seq: 1,
      id: new Uint8Array(16),
      envelope,
    },
  ]);
  for (let i = 0; i < most; i++) peers[0].events.message(unheard);
  assert.equal(at(link), "online");
  peers[0].events.message(unheard);
  assert.equal(at(link), "waiting");
  assert.equal(peers[0].closed, true);
  link.stop();
});

Deno.test("what was asked when the connection went is told that it went", async () => {
  const world = setUp();
  const { link, peers, connections } = world;
  await peers[0].greet(link, await relay());
  const asked = connections[0].request({ type: "DEL", handle: 1 });
  peers[0].events.closed();
  await assert.rejects(asked, ConnectionLostError);
  await assert.rejects(
    connections[0].request({ type: "DEL", handle: 1 }),
    ConnectionLostError,
  );
  assert.equal(world.lost, 1);
  link.stop();
});

Deno.test("a frame that is none ends the connection", async () => {
  const { link, peers } = setUp();
  await peers[0].greet(link, await relay());
  peers[0].events.message(new Uint8Array(511));
  assert.equal(at(link), "waiting");
  link.stop();
});

Deno.test("a silent relay is asked for a sign of life, and left when there is none", async () => {
  const { link, peers, clock } = setUp();
  await peers[0].greet(link, await relay());
  clock.advance(PING_AFTER_MS);
  await turn();
  const [ping] = peers[0].commands;
  assert.equal(ping.type, "PING");
  peers[0].say({ type: "OK", request: ping.request, body: new Uint8Array() });
  await turn();
  assert.equal(at(link), "online");
  clock.advance(PING_AFTER_MS);
  await turn();
  assert.equal(peers[0].commands.length, 2);
  clock.advance(PING_TIMEOUT_MS);
  await turn();
  assert.equal(at(link), "waiting");
  assert.equal(peers[0].closed, true);
  link.stop();
});

Deno.test("the wait doubles with every failure, and begins anew after a connection that lived", async () => {
  const { link, peers, clock } = setUp();
  const wait = () => {
    const state = link.state.value;
    assert.equal(state.at, "waiting");
    return state.at === "waiting" ? state.retryAt - clock.now() : 0;
  };
  peers[0].events.closed();
  assert.equal(wait(), 500);
  clock.advance(500);
  await peers[1].greet(link, await relay());
  peers[1].events.closed();
  assert.equal(wait(), 1_000); // it accepted and dropped: that is a failure too
  clock.advance(1_000);
  await peers[2].greet(link, await relay());
  clock.advance(STABLE_AFTER_MS);
  peers[2].events.closed();
  assert.equal(wait(), 500);
  link.stop();
});

Deno.test("without a network it says so, goes on trying, and tries at once when there is one", () => {
  const { link, peers, setOnline, clock } = setUp();
  setOnline(false);
  peers[0].events.closed();
  assert.deepEqual(link.state.value, { at: "offline" });
  clock.advance(500);
  assert.equal(peers.length, 2); // the hint may be wrong: a relay on this machine
  peers[1].events.closed();
  assert.deepEqual(link.state.value, { at: "offline" });
  setOnline(true);
  assert.equal(peers.length, 3);
  link.stop();
});

Deno.test("a hint that the network went is told at once and checked: who answers takes it back", async () => {
  const { link, peers, setOnline, clock, connections } = setUp();
  await peers[0].greet(link, await relay());
  setOnline(false);
  assert.deepEqual(link.state.value, { at: "offline" });
  await turn();
  const [ping] = peers[0].commands;
  assert.equal(ping.type, "PING");
  peers[0].say({ type: "OK", request: ping.request, body: new Uint8Array() });
  await turn();
  assert.deepEqual(link.state.value, { at: "online" });
  assert.equal(connections.length, 1); // the same as before

  setOnline(false);
  setOnline(true);
  // Whether it is the same network as before is not known yet.
  assert.equal(at(link), "connecting");
  setOnline(false);
  clock.advance(PING_TIMEOUT_MS);
  await turn();
  assert.deepEqual(link.state.value, { at: "offline" });
  assert.equal(peers[0].closed, true);
  link.stop();
});

Deno.test("a link that was stopped stays so", async () => {
  const { link, peers, clock } = setUp();
  await peers[0].greet(link, await relay());
  link.stop();
  assert.equal(peers[0].closed, true);
  clock.advance(1_000_000);
  link.reconnect();
  assert.equal(peers.length, 1);
});
