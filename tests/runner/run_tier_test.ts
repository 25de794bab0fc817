import { equal, match } from "node:assert/strict";
import { join } from "node:path";
import { runTier } from "./run_tier.ts";

/** Runs a file with this source as a tier that may take so many seconds. */
async function run(seconds: number, source: string) {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "a_test.ts");
    await Deno.writeTextFile(file, source);
    const tier = { name: "unit", minutes: seconds / 60, jobs: 1 } as const;
    return await runTier(tier, [file], folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a tier over its budget is stopped and has failed, whatever passed until then", async () => {
  const report = await run(
    2,
    `Deno.test("passes", () => {});
     Deno.test("never ends", () => new Promise((resolve) => setTimeout(resolve, 3_600_000)));`,
  );
  const { passed, failed, failures } = report;
  equal(`${passed} passed, ${failed} failed`, "0 passed, 1 failed");
  match(failures[0]?.reason ?? "", /over its budget/);
});

Deno.test("a tier within its budget is what its tests are", async () => {
  const { passed, failed } = await run(3_600, 'Deno.test("passes", () => {});');
  equal(`${passed} passed, ${failed} failed`, "1 passed, 0 failed");
});

Deno.test("a file that can't be loaded fails its tier, whatever passed, and that is said", async () => {
  const { failed, failures } = await run(3_600, "throw new Error('early');");
  equal(failed, failures.length);
  match(failures.map(({ reason }) => reason).join(), /no test of it did|early/);
});
