/**
 * What it costs that a message goes from one relay to another over Tor: on a Tor network of this machine alone,
 * whose circuits are as long as real ones and have no distance to go. Beside it the same relay in the clear.
 */
import { join } from "node:path";
import { ForwardClient } from "../lib/relay/testing/forward_client.ts";
import {
  ok,
  randomBytes,
  RelayClient,
} from "../lib/relay/testing/relay_client.ts";
import { torNetwork } from "../tests/harness/tor/network.ts";
import { startOnionRelay } from "../tests/harness/tor/onion_relay.ts";
import { args, IN_FLIGHT, measure, postOne } from "./forward.ts";
import { printRow } from "./relay/row.ts";

const MESSAGES = 150;

if (import.meta.main) {
  const network = await torNetwork();
  const folder = await Deno.makeTempDir({ prefix: "whisper-data-" });
  const start = async (name: string) => {
    const dataDir = join(folder, name);
    await Deno.mkdir(dataDir, { mode: 0o700 });
    return await startOnionRelay(network.configFile, dataDir, args);
  };
  const [own, other] = [await start("own"), await start("other")];
  const enter = (url: string) =>
    RelayClient.overWebSocket(`${url.replace("http", "ws")}/relay`);
  const owner = await enter(other.process.url);
  const sender = await enter(own.process.url);
  const direct = await enter(other.process.url);
  const queue = await owner.createQueue();
  const handle = await direct.bind(queue, "send");
  printRow(`\nfrom SEND or POST to OK, 480-byte envelopes`, [
    "p50 ms",
    "p99 ms",
    `${IN_FLIGHT} in flight /s`,
  ]);
  await measure("to the relay itself, in the clear", async () => {
    ok(await direct.send(handle, randomBytes(16)));
  }, MESSAGES);
  const inClear = await ForwardClient.greet(sender, other.process.url);
  await measure("by way of another, in the clear", async () => {
    await postOne(inClear, queue);
  }, MESSAGES);
  const begun = performance.now();
  const byTor = await ForwardClient.greet(sender, other.url);
  const greeted = performance.now() - begun;
  await measure("by way of another, over Tor", async () => {
    await postOne(byTor, queue);
  }, MESSAGES);
  printRow("  until the first circuit is there and greeted", [
    greeted.toFixed(0),
  ]);
  await Promise.all([owner, sender, direct].map((client) => client.close()));
  await own.process.stop();
  await other.process.stop();
  await network.stop();
  await Deno.remove(folder, { recursive: true });
}
