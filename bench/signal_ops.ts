/**
 * What is measured of the Signal Protocol, the same for every implementation and in every runtime: nothing here
 * needs Deno, so a page can run it.
 */
import { OurParty } from "../lib/signal/testing/our_party.ts";
import { introduce, type Party } from "../lib/signal/testing/party.ts";

/** Medians in milliseconds. */
export interface SignalTimes {
  readonly steady: number;
  readonly step: number;
  readonly setUp: number;
  readonly publish: number;
}

/** What the numbers are of, as a person reads it. */
export const OPERATIONS: Record<keyof SignalTimes, string> = {
  steady: "encrypt + decrypt 200 characters, steady",
  step: "encrypt + decrypt 200 characters, with a DH step",
  setUp: "session set-up, both sides (bundle to first message read)",
  publish: "make a bundle (signed, Kyber and one-time prekey)",
};

const TEXT = new TextEncoder().encode("x".repeat(200));

async function exchange(from: Party, to: Party): Promise<void> {
  await to.receive(from.address, await from.send(to.address, TEXT));
}

async function median(
  samples: number,
  operation: () => Promise<void>,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < samples; i++) {
    const start = performance.now();
    await operation();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[samples >> 1];
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
  await introduce(a, b);
  let [from, to] = [a, b];
  const turn = async () => {
    await exchange(from, to);
    [from, to] = [to, from];
  };
  for (let i = 0; i < 300; i++) await turn(); // warms up, and brings the post-quantum ratchet into its stride
  const step = await median(samples, turn);
  await exchange(a, b);
  const steady = await median(samples, () => exchange(a, b));
  const fresh: Party[] = [];
  for (let i = 0; i < samples; i++) fresh.push(await make());
  const bundles = fresh.map(() => a.publish({ oneTime: true }));
  const ready = await Promise.all(bundles);
  let next = 0;
  const setUp = await median(samples >> 1, async () => {
    const initiator = fresh[next];
    await initiator.begin(a.address, ready[next++]);
    await exchange(initiator, a);
  });
  const publish = await median(samples >> 1, async () => {
    await b.publish({ oneTime: true });
  });
  return { steady, step, setUp, publish };
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
