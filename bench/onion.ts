/**
 * The relay as an onion service, on a Tor network of this machine alone: circuits as long as real ones, and
 * no distance. What Tor's own network adds is not in these figures.
 *   deno run -A --unstable-kv bench/onion.ts
 */
import { join } from "node:path";
import { ok, RelayClient } from "../lib/relay/testing/relay_client.ts";
import { type TorClient, torClient } from "../tests/harness/tor/client.ts";
import { torNetwork } from "../tests/harness/tor/network.ts";
import {
  onionArguments,
  reachable,
  startOnionRelay,
} from "../tests/harness/tor/onion_relay.ts";
import { throughTor, visitOnce } from "../tests/harness/tor/visit.ts";
import { startRelay } from "../tests/harness/mod.ts";
import { quantile } from "./page_table.ts";
import { printRow } from "./relay/row.ts";

const STARTS = 8;
const PINGS = 300;

/** ms from the start of the program until it says that people can reach it, and until somebody has a page. */
async function timeStart(
  configFile: string,
  client: TorClient,
  dataDir: string,
  n: number,
): Promise<{ said: number; seen: number }> {
  // Another address each time: nobody has an older descriptor of it. Tor keeps what it knows of the network.
  await Deno.remove(join(dataDir, "onion"), { recursive: true });
  const args = await onionArguments(configFile, dataDir);
  const begun = performance.now();
  const relay = await startRelay({ dataDir, args });
  const url = await reachable(relay);
  const said = performance.now() - begun;
  const by = throughTor(client, `start-${n}`);
  for (;;) {
    try {
      await (await visitOnce(`${url}/chat`, by)).text();
      break;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  const seen = performance.now() - begun;
  by.close();
  await relay.stop();
  return { said, seen };
}

/** ms of each PING and its answer, one at a time. */
async function timePings(client: RelayClient): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < PINGS; i++) {
    const begun = performance.now();
    ok(await client.ask({ type: "PING" }));
    times.push(performance.now() - begun);
  }
  return times;
}

function row(what: string, times: readonly number[]): void {
  printRow(
    `  ${what}`,
    [0.5, 0.95, 1].map((at) => quantile(times, at).toFixed(1)),
  );
}

async function measure(configFile: string, dataDir: string): Promise<void> {
  const client = await torClient(configFile);
  const first = await startOnionRelay(configFile, dataDir);
  const path = "/relay";
  const straight = await RelayClient.overWebSocket(
    first.process.url.replace("http", "ws") + path,
  );
  const by = throughTor(client, "pings");
  const onion = await RelayClient.overWebSocket(
    first.url.replace("http", "ws") + path,
    by,
  );
  const straightTimes = await timePings(straight);
  const onionTimes = await timePings(onion);
  await Promise.all([straight.close(), onion.close()]);
  by.close();
  await first.process.stop();

  const starts: Awaited<ReturnType<typeof timeStart>>[] = [];
  for (let n = 0; n < STARTS; n++) {
    starts.push(await timeStart(configFile, client, dataDir, n));
  }
  await client.close();
  printRow(`an onion service, ms (${STARTS} starts, ${PINGS} PINGs)`, [
    "p50",
    "p95",
    "worst",
  ]);
  row("from start to the address on the screen", starts.map((s) => s.said));
  row("from start to a page at somebody else's", starts.map((s) => s.seen));
  row("PING and answer, straight", straightTimes);
  row("PING and answer, over the onion", onionTimes);
}

if (import.meta.main) {
  const network = await torNetwork();
  const dataDir = await Deno.makeTempDir({ prefix: "whisper-data-" });
  try {
    await measure(network.configFile, dataDir);
  } finally {
    await network.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
}
