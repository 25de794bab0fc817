import { deepEqual, equal, notEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { randomBytes } from "@noble/hashes/utils.js";
import { ForwardClient } from "../../lib/relay/testing/forward_client.ts";
import {
  type Credentials,
  refused,
  RelayClient,
} from "../../lib/relay/testing/relay_client.ts";
import {
  keptOf,
  type Needles,
  queueSecrets,
  storeOf,
} from "../harness/held_secrets.ts";
import { type RelayProcess, startRelay } from "../harness/mod.ts";
import {
  callersOf,
  foundInMemory,
  outgoingPorts,
  whyNoMemory,
} from "../harness/process_memory.ts";
import { Tap } from "../harness/tap.ts";
import { circuitsTo } from "../harness/tor/circuits.ts";
import { torNetwork } from "../harness/tor/network.ts";
import {
  controlOf,
  type OnionRelay,
  reachable,
  startOnionRelay,
  torPidOf,
} from "../harness/tor/onion_relay.ts";

const id = (n: number) => new Uint8Array(16).fill(n);

/** Two relays of the network, each an onion service, known by nothing else. */
async function withOnions(
  use: (own: OnionRelay, other: OnionRelay) => Promise<void>,
): Promise<void> {
  const network = await torNetwork();
  const folder = await Deno.makeTempDir({ prefix: "whisper-data-" });
  const start = async (name: string) => {
    const dataDir = join(folder, name);
    await Deno.mkdir(dataDir, { mode: 0o700 });
    return await startOnionRelay(network.configFile, dataDir);
  };
  const own = await start("own");
  const other = await start("other");
  try {
    await use(own, other);
  } finally {
    await own.process.stop();
    await network.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

const enter = (relay: RelayProcess) =>
  RelayClient.overWebSocket(`${relay.url.replace("http", "ws")}/relay`);

/** Greets until the other relay can be reached: after a failure it is left alone for some seconds. */
async function greet(client: RelayClient, url: string, label: Uint8Array) {
  for (;;) {
    const command = await ForwardClient.greetCommand(client, url, label);
    const answer = await client.ask(command);
    if (answer.type === "OK") {
      return await ForwardClient.greet(client, url, label);
    }
    refused(answer, "unreachable");
    await new Promise((resume) => setTimeout(resume, 500));
  }
}

/** What only the sender's side is to know, and what only the recipient's. */
function secretsOf(own: OnionRelay, { relayKey, ...sent }: Sent) {
  const { id, receive, send, remove } = sent.queue;
  const { names, others } = queueSecrets([{
    id,
    receiveKey: receive.publicKey,
    sendKey: send.publicKey,
    removeKey: remove.publicKey,
  }]);
  return {
    queue: names,
    recipients: new Map([
      ...names,
      ...others,
      ...sent.envelopes.map((envelope, n): [string, Uint8Array] => [
        `envelope ${n}`,
        envelope.subarray(0, 64),
      ]),
    ]),
    senders: new Map([
      nameOf(own),
      ["the key of the sender's relay", relayKey],
      ...sent.labels.flatMap((label): [string, Uint8Array][] => [
        [`label ${label.toHex()}`, label],
        [`label ${label.toHex()} in hexadecimal`, Buffer.from(label.toHex())],
      ]),
    ]),
  };
}

interface Sent {
  readonly queue: Credentials;
  /** Of the sender's relay. */
  readonly relayKey: Uint8Array;
  readonly labels: readonly Uint8Array[];
  readonly envelopes: readonly Uint8Array[];
}

/** By which a relay is known. */
function nameOf({ url }: OnionRelay): [string, Uint8Array] {
  const name = new URL(url).hostname.replace(".onion", "");
  return [name, Buffer.from(name)];
}

/** Looks into both relays and their Tors, and at who is connected with them. */
async function eachHasItsOwn(
  own: OnionRelay,
  other: OnionRelay,
  sent: Sent,
): Promise<void> {
  const { senders, recipients, queue } = secretsOf(own, sent);
  const [ownTor, otherTor] = await Promise.all(
    [own, other].map(({ process }) => torPidOf(process)),
  );
  const there: Needles = new Map([nameOf(other)]);
  for (
    const [who, pid, has, hasNot] of [
      ["the sender's relay", own.process.pid, there, recipients],
      ["its Tor", ownTor, there, recipients],
      ["the recipient's relay", other.process.pid, queue, senders],
      ["its Tor", otherTor, there, senders],
    ] as const
  ) {
    const reason = await whyNoMemory(pid);
    if (reason) {
      console.log(`Without a look into the memory of ${who}: ${reason}.`);
      continue;
    }
    const found = await foundInMemory(pid, new Map([...has, ...hasNot]));
    // What has to be there is found, in the same reading: so would be what must not.
    deepEqual([...found].toSorted(), [...has.keys()].toSorted(), who);
  }
  const kept = async (needles: Needles, { process }: OnionRelay) =>
    keptOf(needles, await storeOf(process), process);
  deepEqual(await kept(queue, other), [...queue.keys()]);
  deepEqual(await kept(senders, other), []);
  deepEqual(await kept(recipients, own), []);
  // Here those who test it, and what its Tor brings.
  deepEqual(
    await callersOf(other.process.pid),
    new Set([Deno.pid, otherTor]),
  );
  deepEqual(
    await outgoingPorts(own.process.pid),
    await torPortsOf(own.process),
  );
}

Deno.test("mail goes from one onion service to another, each label by a circuit of its own as Tor reports it, and again when the other was killed and is back at its address; neither relay, nor its Tor, has or sees what is the other's", () =>
  withOnions(async (own, other) => {
    notEqual(own.url, other.url);
    const owner = await enter(other.process);
    equal(owner.hello.url, other.url, "known by its onion alone");
    const queue = await owner.createQueue();
    await owner.bind(queue, "receive", 1);
    const sender = await enter(own.process);
    const labels = [randomBytes(16), randomBytes(16)];
    const envelopes = [1, 2, 3, 4].map(() => randomBytes(480));
    const post = async (way: ForwardClient, n: number) => {
      const envelope = envelopes[n - 1];
      const reply = await way.post(queue.id, queue.send, id(n), envelope);
      equal(reply.type, "OK");
    };
    const anna = await greet(sender, other.url, labels[0]);
    equal(anna.hello.url, other.url);
    const bo = await greet(sender, other.url, labels[1]);
    const annaAgain = await greet(sender, other.url, labels[0]);
    await post(anna, 1);
    await post(bo, 2);
    await post(annaAgain, 3);
    const received = [];
    for (const _ of [1, 2, 3]) received.push((await owner.message()).id[0]);
    deepEqual(received.sort(), [1, 2, 3]);

    const circuits = await circuitsTo(
      own.process,
      new URL(other.url).hostname,
    );
    equal(circuits.size, 2);
    deepEqual(
      [...circuits.values()].sort(),
      labels.map((label) => label.toHex()).sort(),
    );
    const { relayKey } = sender.hello;
    await eachHasItsOwn(own, other, { queue, relayKey, labels, envelopes });

    await other.process.kill9();
    const again = await other.process.restart();
    equal(await reachable(again), other.url);
    const back = await enter(again);
    await back.bind(queue, "receive", 2);
    // What was not acknowledged comes again, first.
    for (const _ of [1, 2, 3]) await back.message();
    const fresh = await enter(own.process);
    await post(await greet(fresh, other.url, labels[0]), 4);
    deepEqual((await back.message()).id, id(4));
    await again.stop();
  }));

/** The ports of the Tor that this relay started: for commands, and for connections. */
async function torPortsOf(relay: RelayProcess): Promise<Set<number>> {
  const control = await controlOf(relay);
  const ports = await Promise.all(
    ["control", "socks"].map(async (what) => {
      const [line] = await control.command(`GETINFO net/listeners/${what}`);
      return Number(/:(\d+)"$/.exec(line)?.[1]);
    }),
  );
  control.close();
  return new Set(ports);
}

const FIXTURES = new URL("../fixtures/tls/", import.meta.url);

/** A relay over TLS in the clear, `https://localhost:…`, behind a port that sees who connects. */
async function startClearRelay(dataDir: string) {
  const door = new Tap();
  for (const name of ["localhost.pem", "localhost.key.pem"]) {
    await Deno.copyFile(new URL(name, FIXTURES), join(dataDir, name));
  }
  const url = `https://localhost:${door.port}`;
  const relay = await startRelay({
    dataDir,
    args: [
      ...["--tls-cert", join(dataDir, "localhost.pem")],
      ...["--tls-key", join(dataDir, "localhost.key.pem")],
      ...["--public-url", url],
    ],
  });
  door.target = relay.port;
  return { door, relay, url };
}

Deno.test("with --forward-through-tor a relay in the clear is reached by an exit of Tor's, each label by a circuit of its own, and not at all while Tor is not there", async () => {
  const network = await torNetwork();
  const folder = await Deno.makeTempDir({ prefix: "whisper-data-" });
  const dir = async (name: string) => {
    const path = join(folder, name);
    await Deno.mkdir(path, { mode: 0o700 });
    return path;
  };
  const { door, relay, url } = await startClearRelay(await dir("clear"));
  const config = join(folder, "tor-config");
  const lines = await Deno.readTextFile(network.configFile);
  // Exits have no name for this machine.
  await Deno.writeTextFile(config, `${lines}MapAddress localhost 127.0.0.1\n`);
  /** A relay that trusts the clear one's certificate, and somebody at it. */
  const visit = async (name: string, ...args: string[]) => {
    const process = await startRelay({
      dataDir: await dir(name),
      args,
      mayRead: [config],
      env: { DENO_CERT: new URL("authority.pem", FIXTURES).pathname },
    });
    return { process, client: await enter(process) };
  };
  try {
    const through = await visit(
      "through",
      ...["--forward-through-tor", "--tor-config", config],
    );
    for (const label of [id(1), id(2)]) {
      const way = await greet(through.client, url, label);
      equal(way.hello.url, url);
    }
    const circuits = await circuitsTo(
      through.process,
      `127.0.0.1:${door.port}`,
    );
    deepEqual([...circuits.values()].sort(), [id(1).toHex(), id(2).toHex()]);
    equal(door.callers, 2, "and nobody came another way");
    // All that the relay has connected to is its Tor.
    deepEqual(
      await outgoingPorts(through.process.pid),
      await torPortsOf(through.process),
    );
    await through.process.stop();

    const without = await visit(
      "without",
      ...["--forward-through-tor", "--forward-private"],
      ...["--tor-control", "127.0.0.1:1"],
    );
    await without.process.prints(/^tor: the control port refuses/m);
    const command = await ForwardClient.greetCommand(
      without.client,
      url,
      id(1),
    );
    refused(await without.client.ask(command), "unreachable");
    await without.process.stop();
    equal(door.callers, 2, "it is not tried another way");

    // Though there is one, that is taken without the option.
    const straight = await visit("straight", "--forward-private");
    await greet(straight.client, url, id(1));
    await straight.process.stop();
    equal(door.callers, 3);
  } finally {
    await relay.stop();
    await door.stop();
    await network.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
