import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { LibsignalParty } from "./testing/libsignal_party.ts";
import { OurParty } from "./testing/our_party.ts";
import type { Party } from "./testing/party.ts";
import { type Happening, Schedule } from "./testing/schedule.ts";
import { SeededRandom } from "./testing/seeded_random.ts";

const SLOW = Deno.env.get("SLOW") === "1";
const MB = 1024 * 1024;

/** Out of a thousand. */
const WEIGHTS: readonly [Happening["what"], number][] = [
  ["send", 480],
  ["deliver", 460],
  ["lose", 15],
  ["repeat", 20],
  ["alter", 24],
  ["renew", 1],
];

function happening(random: SeededRandom): Happening {
  let dice = random.below(1_000);
  const [what] = WEIGHTS.find(([, weight]) => (dice -= weight) < 0)!;
  return { what, line: random.below(6), choice: random.below(2 ** 20) };
}

/** What this isolate holds, garbage apart, in MB. */
async function held(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  await new Promise((resolve) => setTimeout(resolve)); // finalisers run
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  return (heapUsed + external) / MB;
}

async function soak(people: readonly Party[], messages: number) {
  const seed = Number(Deno.env.get("SEED") ?? Date.now() % 2 ** 32);
  console.log(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const schedule = new Schedule(people);
  const { counts } = schedule;
  const memory: number[] = [];
  while (counts.sent < messages) {
    await schedule.happen(happening(random));
    if (counts.sent / messages < (memory.length + 1) / 20) continue;
    memory.push(await held());
    const resident = Math.round(Deno.memoryUsage().rss / MB);
    console.log(
      `${counts.sent} sent, ${
        memory.at(-1)!.toFixed(1)
      } MB held, ${resident} MB resident`,
    );
  }
  await schedule.end();
  console.log(counts);
  // By a tenth everything there is to hold, archived sessions too, is held.
  const later = Math.max(...memory.slice(2));
  assert(later < memory[1] + 8, `${later} MB held, after ${memory[1]} MB`);
  assert(counts.arrived > messages * 0.9, `${counts.arrived} arrived`);
  assert(counts.renewed > messages / 2_000 && counts.refused > messages / 50);
}

Deno.test({
  name:
    "a million messages between three of ours arrive as promised, and memory stays flat",
  ignore: !SLOW,
  fn: async () =>
    await soak(
      await Promise.all([1, 2, 3].map(() => OurParty.create())),
      1_000_000,
    ),
});

Deno.test({
  name:
    "a hundred thousand messages between two of ours and libsignal arrive as promised, and memory stays flat",
  ignore: !SLOW,
  fn: async () =>
    await soak([
      await OurParty.create(),
      new LibsignalParty(),
      await OurParty.create(),
    ], 100_000),
});
