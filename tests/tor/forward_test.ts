import { deepEqual, equal, notEqual } from "node:assert/strict";
import { join } from "node:path";
import { ForwardClient } from "../../lib/relay/testing/forward_client.ts";
import {
  type Credentials,
  refused,
  RelayClient,
} from "../../lib/relay/testing/relay_client.ts";
import type { RelayProcess } from "../harness/mod.ts";
import { circuitsTo } from "../harness/tor/circuits.ts";
import { torNetwork } from "../harness/tor/network.ts";
import {
  type OnionRelay,
  reachable,
  startOnionRelay,
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

async function post(way: ForwardClient, queue: Credentials, n: number) {
  const reply = await way.post(queue.id, queue.send, id(n));
  equal(reply.type, "OK");
}

Deno.test("mail goes from one onion service to another, each label by a circuit of its own as Tor reports it, and again when the other was killed and is back at its address", () =>
  withOnions(async (own, other) => {
    notEqual(own.url, other.url);
    const owner = await enter(other.process);
    equal(owner.hello.url, other.url, "known by its onion alone");
    const queue = await owner.createQueue();
    await owner.bind(queue, "receive", 1);
    const sender = await enter(own.process);
    const anna = await greet(sender, other.url, id(1));
    equal(anna.hello.url, other.url);
    const bo = await greet(sender, other.url, id(2));
    const annaAgain = await greet(sender, other.url, id(1));
    await post(anna, queue, 1);
    await post(bo, queue, 2);
    await post(annaAgain, queue, 3);
    const received = [];
    for (const _ of [1, 2, 3]) received.push((await owner.message()).id[0]);
    deepEqual(received.sort(), [1, 2, 3]);

    const circuits = await circuitsTo(
      own.process,
      new URL(other.url).hostname,
    );
    equal(circuits.size, 2);
    deepEqual([...circuits.values()].sort(), [id(1).toHex(), id(2).toHex()]);

    await other.process.kill9();
    const again = await other.process.restart();
    equal(await reachable(again), other.url);
    const back = await enter(again);
    await back.bind(queue, "receive", 2);
    // What was not acknowledged comes again, first.
    for (const _ of [1, 2, 3]) await back.message();
    const fresh = await enter(own.process);
    await post(await greet(fresh, other.url, id(1)), queue, 4);
    deepEqual((await back.message()).id, id(4));
    await again.stop();
  }));
