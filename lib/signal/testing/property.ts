import fc from "fast-check";

const SEED = Deno.env.get("SEED");
const SLOW = Deno.env.get("SLOW") === "1";

/**
 * Holds a property to random cases; SLOW=1 tries 25 times as many. A failure tells its seed and the smallest case
 * found; SEED repeats it.
 */
export async function holds<T extends unknown[]>(
  property: fc.IAsyncProperty<T>,
  numRuns: number,
): Promise<void> {
  await fc.assert(property, {
    numRuns: SLOW ? 25 * numRuns : numRuns,
    ...(SEED && { seed: Number(SEED) }),
    // Rather a case that could be smaller than none, when the search for it takes long.
    interruptAfterTimeLimit: SLOW ? 1_200_000 : 100_000,
  });
}
