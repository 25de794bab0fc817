/**
 * Reads mutated inputs in an isolate of its own, so that whoever started it can tell when it no longer answers.
 * Takes a FuzzOrder; answers with a FuzzAnswer at every input that failed, and now and then to say how far it is.
 */
import { Allocations } from "./allocations.ts";
import { type FuzzTarget, fuzzTargets } from "./fuzz_targets.ts";
import { mutated } from "./mutate.ts";
import { SeededRandom } from "./seeded_random.ts";

export interface FuzzOrder {
  readonly target: string;
  readonly seed: number;
  readonly inputs: number;
}

export interface FuzzAnswer {
  readonly done: number;
  readonly accepted: number;
  readonly failure?: string;
}

/** What reading may ask for: some copies of the input, and a little more. */
const allowance = (length: number) => 64 * length + 100_000;

/** What is wrong with how the target reads this, and whether it accepted it. */
async function judge(
  { read, refusal, walks = 0 }: FuzzTarget,
  bytes: Uint8Array,
  allocations: Allocations,
): Promise<{ accepted: boolean; wrong?: string }> {
  allocations.taken();
  let accepted = true;
  try {
    await read(bytes);
  } catch (error) {
    accepted = false;
    if (!(error instanceof refusal)) {
      const stack = error instanceof Error ? error.stack : undefined;
      return { accepted, wrong: `${error} ${stack}` };
    }
  }
  const taken = allocations.taken();
  return taken > allowance(bytes.length) + walks
    ? { accepted, wrong: `asked for ${taken} bytes` }
    : { accepted };
}

const allocations = new Allocations();
const targets = fuzzTargets().then((made) => {
  allocations.watch();
  return made;
});

self.addEventListener("message", async (event) => {
  const { target: name, seed, inputs }: FuzzOrder = event.data;
  const target = (await targets)[name];
  let accepted = 0;
  for (let i = 0; i < inputs; i++) {
    // Each input has a seed of its own, so that it can be made again without those before it.
    const bytes = mutated(target.corpus, new SeededRandom(seed + i));
    const judged = await judge(target, bytes, allocations);
    if (judged.accepted) accepted++;
    const answer: FuzzAnswer = {
      done: i + 1,
      accepted,
      failure: judged.wrong &&
        `${name}, seed ${seed + i}: ${judged.wrong}\n${bytes.toHex()}`,
    };
    if (judged.wrong || i % 100 === 99 || i + 1 === inputs) {
      self.postMessage(answer);
    }
  }
});
