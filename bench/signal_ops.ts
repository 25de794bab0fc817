/**
 * What is measured of the Signal Protocol, the same for every implementation and in every runtime: nothing here
 * needs Deno, so a page can run it.
 */
import { generateKeyPair, safetyNumber } from "../lib/signal/mod.ts";
import { OurParty } from "../lib/signal/testing/our_party.ts";
import type { Party } from "../lib/signal/testing/party.ts";

/** What the numbers are of, as a person reads it: times of both sides, then of each. */
export const OPERATIONS = {
  steady: "200 characters, steady: encrypt + decrypt",
  steadySend: "  encrypt",
  steadyReceive: "  decrypt",
  step: "200 characters, with a DH step: encrypt + decrypt",
  stepSend: "  encrypt",
  stepReceive: "  decrypt",
  setUp: "set-up, both sides: bundle to first message read",
  begin: "  take the bundle, encrypt the first message",
  answer: "  decrypt the first message",
  publish: "a bundle: signed, Kyber and one-time prekey, signed",
} as const;

/** Bytes of the messages that were timed, on the wire. */
export const SIZES = {
  steady: "200 characters, steady",
  step: "200 characters, with a DH step",
  setUp: "200 characters, in the first message",
} as const;

/** Medians: milliseconds, and bytes. */
export interface SignalTimes {
  readonly ms: Readonly<Record<keyof typeof OPERATIONS, number>>;
  readonly bytes: Readonly<Record<keyof typeof SIZES, number>>;
}

const TEXT = new TextEncoder().encode("x".repeat(200));

/** One message: milliseconds of either side, and bytes. */
interface Exchange {
  readonly send: number;
  readonly receive: number;
  readonly bytes: number;
}

/** @param prepare what the sender does first, within its time */
async function exchange(
  from: Party,
  to: Party,
  prepare?: () => Promise<void>,
): Promise<Exchange> {
  const start = performance.now();
  await prepare?.();
  const message = await from.send(to.address, TEXT);
  const sent = performance.now();
  await to.receive(from.address, message);
  const received = performance.now();
  const { length: bytes } = message.bytes;
  return { send: sent - start, receive: received - sent, bytes };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

async function measure(samples: number, sample: () => Promise<Exchange>) {
  const all: Exchange[] = [];
  for (let i = 0; i < samples; i++) all.push(await sample());
  return {
    both: median(all.map(({ send, receive }) => send + receive)),
    send: median(all.map(({ send }) => send)),
    receive: median(all.map(({ receive }) => receive)),
    bytes: median(all.map(({ bytes }) => bytes)),
  };
}

/**
 * @param make one side; called for many of them
 * @param samples measurements per operation; half as many set-ups
 */
export async function measureSignal(
  make: () => Promise<Party>,
  samples: number,
): Promise<SignalTimes> {
  const [a, b] = [await make(), await make()];
  await a.begin(b.address, await b.publish({ oneTime: true }));
  let [from, to] = [a, b];
  const turn = () => {
    [from, to] = [to, from];
    return exchange(to, from);
  };
  await measure(300, turn); // warms up, and brings the post-quantum ratchet into its stride
  const step = await measure(samples, turn);
  await exchange(a, b);
  const steady = await measure(samples, () => exchange(a, b));
  const publishing: number[] = [];
  const setUp = await measure(samples >> 1, async () => {
    const initiator = await make();
    const start = performance.now();
    const bundle = await a.publish({ oneTime: true });
    publishing.push(performance.now() - start);
    return await exchange(
      initiator,
      a,
      () => initiator.begin(a.address, bundle),
    );
  });
  return {
    ms: {
      steady: steady.both,
      steadySend: steady.send,
      steadyReceive: steady.receive,
      step: step.both,
      stepSend: step.send,
      stepReceive: step.receive,
      setUp: setUp.both,
      begin: setUp.send,
      answer: setUp.receive,
      publish: median(publishing),
    },
    bytes: { steady: steady.bytes, step: step.bytes, setUp: setUp.bytes },
  };
}

/** Our own times: sessions kept in memory, or through their stored form at every step as in the messenger. */
export function measureOurs(
  stored: boolean,
  samples: number,
): Promise<SignalTimes> {
  return measureSignal(async () => {
    const party = await OurParty.create();
    party.stored = stored;
    return party;
  }, samples);
}

/** Milliseconds of a safety number. */
export interface SafetyNumberTimes {
  readonly whole: number;
  /** The longest in which nothing else had its turn, medians as one pause of a busy machine would hide the rest. */
  readonly longestTask: number;
  /** The same while nothing was computed: what the machine does to any page. */
  readonly idle: number;
}

export async function measureSafetyNumber(
  samples: number,
): Promise<SafetyNumberTimes> {
  const { publicKey } = await generateKeyPair();
  const whole: number[] = [];
  const longest: number[] = [];
  const idle: number[] = [];
  for (let i = 0; i < samples; i++) {
    const watch = watchTurns();
    const start = performance.now();
    await safetyNumber({
      localId: crypto.randomUUID(),
      localKey: publicKey,
      remoteId: crypto.randomUUID(),
      remoteKey: publicKey,
    });
    const took = performance.now() - start;
    whole.push(took);
    longest.push(watch.end());
    const nothing = watchTurns();
    await new Promise((resolve) => setTimeout(resolve, took));
    idle.push(nothing.end());
  }
  return {
    whole: median(whole),
    longestTask: median(longest),
    idle: median(idle),
  };
}

/** The longest time between two turns of a task that is always ready. */
function watchTurns(): { end(): number } {
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  let longest = 0;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  port1.onmessage = () => {
    turn();
    port2.postMessage(0);
  };
  port2.postMessage(0);
  return {
    end() {
      turn();
      port1.close();
      return longest;
    },
  };
}
