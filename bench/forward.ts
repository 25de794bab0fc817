/** What it costs that a message passes through another relay, over TCP on one machine. */
import { ed25519Signer } from "../lib/wire/mod.ts";
import {
  ForwardClient,
  postCommand,
  sealFor,
} from "../lib/relay/testing/forward_client.ts";
import {
  type Credentials,
  ok,
  randomBytes,
  RelayClient,
} from "../lib/relay/testing/relay_client.ts";
import { startRelay } from "../tests/harness/mod.ts";
import { printRow } from "./relay/row.ts";

const MESSAGES = 2_000;
export const IN_FLIGHT = 64;

/** Far above what is measured: rates are not what this is about. */
export const args = [
  "--forward-private",
  ...["frames", "forwards", "peer-frames"].flatMap((what) => [
    `--${what}-per-second`,
    "1000000",
  ]),
  ...["--forwards-under-way", "1000", "--messages-per-queue", "100000"],
];

/** Hands one message over; resolves with the relay's OK. */
type Send = () => Promise<unknown>;

/** ms of each of so many messages, one after another. */
async function latencies(send: Send, messages: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < messages; n++) {
    const begun = performance.now();
    await send();
    times.push(performance.now() - begun);
  }
  return times.toSorted((a, b) => a - b);
}

/** Messages a second with so many on their way. */
async function rate(send: Send, messages: number): Promise<number> {
  const begun = performance.now();
  let left = messages;
  const line = async () => {
    while (left-- > 0) await send();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, line));
  return messages / (performance.now() - begun) * 1_000;
}

/** Prints a row: so many messages one after another, then twice as many at once. */
export async function measure(
  name: string,
  send: Send,
  messages = MESSAGES,
): Promise<void> {
  await latencies(send, messages); // until the code is compiled
  const times = await latencies(send, messages);
  const at = (share: number) =>
    times[Math.floor(times.length * share)].toFixed(2);
  const perSecond = Math.round(await rate(send, 2 * messages));
  printRow(`  ${name}`, [at(0.5), at(0.99), String(perSecond)]);
}

/** Hands over one message by way of the own relay. */
export async function postOne(
  way: ForwardClient,
  queue: Credentials,
): Promise<void> {
  const id = randomBytes(16);
  const post = await postCommand(way.hello, queue.id, queue.send, id);
  const { sealed, open } = sealFor(way.hello, post);
  ok({ request: 0, ...open(await way.pass(sealed)) });
}

if (import.meta.main) {
  const [own, other] = [await startRelay({ args }), await startRelay({ args })];
  const socketOf = (url: string) => `${url.replace("http", "ws")}/relay`;
  const owner = await RelayClient.overWebSocket(socketOf(other.url));
  const sender = await RelayClient.overWebSocket(socketOf(own.url));
  const queue: Credentials = await owner.createQueue();
  const way = await ForwardClient.greet(sender, other.url);
  const direct = await RelayClient.overWebSocket(socketOf(other.url));
  const handle = await direct.bind(queue, "send");
  printRow(`\nfrom SEND or POST to OK, 480-byte envelopes`, [
    "p50 ms",
    "p99 ms",
    `${IN_FLIGHT} in flight /s`,
  ]);
  await measure("to the relay itself", async () => {
    ok(await direct.send(handle, randomBytes(16)));
  });
  await measure("by way of another", () => postOne(way, queue));
  const key = await ed25519Signer(randomBytes(32));
  await measure("  of that, what the sender computes", async () => {
    const post = await postCommand(way.hello, queue.id, key, randomBytes(16));
    sealFor(way.hello, post);
  });
  await Promise.all([owner, sender, direct].map((client) => client.close()));
  await own.stop();
  await other.stop();
}
