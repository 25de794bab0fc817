/**
 * The relay beside the brokers that people would reach for: the same work, on the same machine, in one
 * run. Each server is a process of its own on loopback; two more processes load it.
 *   deno run -A bench/relay.ts [speed|latency|memory|queues…]
 * Needs Debian's packages `rabbitmq-server` and `mosquitto`.
 */
import { measureLatency } from "./relay/latency.ts";
import { measureMemory } from "./relay/memory.ts";
import { measureQueues } from "./relay/queues.ts";
import { measureSpeed } from "./relay/speed.ts";

const MEASUREMENTS: Readonly<Record<string, () => Promise<void>>> = {
  speed: measureSpeed,
  latency: measureLatency,
  memory: measureMemory,
  queues: measureQueues,
};

if (import.meta.main) {
  const wanted = Deno.args.length > 0 ? Deno.args : Object.keys(MEASUREMENTS);
  for (const name of wanted) await MEASUREMENTS[name]();
}
