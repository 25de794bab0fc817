import { deepEqual, equal } from "node:assert/strict";
import { join } from "node:path";
import { judgeCoverage, readLcov } from "./coverage.ts";
import { runTier } from "./run_tier.ts";

const SOURCE =
  'export const kind = (n: number) => {\n  if (n > 0) {\n    return "more";\n  }\n  return "none";\n};\n';

/** Runs a test with these calls of SOURCE, half of whose branches must be covered at least. */
async function run(calls: string) {
  const folder = await Deno.makeTempDir();
  try {
    const file = join(folder, "lib/kind_test.ts");
    await Deno.mkdir(join(folder, "lib"));
    await Deno.writeTextFile(join(folder, "lib/kind.ts"), SOURCE);
    await Deno.writeTextFile(
      file,
      `import { kind } from "./kind.ts";\nDeno.test("kinds", () => { ${calls} });`,
    );
    const { passed, failed } = await runTier(
      {
        name: "unit",
        minutes: 5,
        jobs: 1,
        coverage: { of: "lib", branches: 95 },
      },
      [file],
      folder,
    );
    return { passed, failed };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("that enough branches are taken is one more test of the tier", async () => {
  deepEqual(await run("kind(1); kind(0);"), { passed: 2, failed: 0 });
  deepEqual(await run("kind(0);"), { passed: 1, failed: 1 });
});

Deno.test("branches are summed over files, and those not taken are located", () => {
  deepEqual(
    readLcov(
      "SF:/a.ts\nBRDA:3,1,0,5\nBRDA:7,2,0,0\nBRF:2\nend_of_record\nSF:/b.ts\nBRDA:1,1,0,-\nDA:1,0\nend_of_record\n",
    ),
    { branches: 3, taken: 1, missed: ["/a.ts:7", "/b.ts:1"] },
  );
});

Deno.test("nothing covered is not enough", () => {
  const coverage = { of: "lib", branches: 95 };
  const judge = (branches: number, taken: number) =>
    judgeCoverage(coverage, { branches, taken, missed: [] });
  equal(judge(0, 0), false);
  equal(judge(100, 94), false);
  equal(judge(100, 95), true);
});
