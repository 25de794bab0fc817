/**
 * `deno task test [tier…] [file…] [--no-install]`: runs the tests tier by tier, each within its budget,
 * and ends with the line `N passed, N failed[, N skipped]`, counted from the runs.
 */
import { startSharedBrowser } from "./harness/browser.ts";
import { startSharedTorNetwork } from "./harness/tor/network.ts";
import { ensureProgram, MissingProgram, PROGRAMS } from "./runner/programs.ts";
import { type Report, summary } from "./runner/report.ts";
import { runTier } from "./runner/run_tier.ts";
import { testFiles, type Tier, TIERS } from "./runner/tiers.ts";

const RESULTS = "dist/test-results";

/** Which files of which tiers the words of the command line ask for; all without words. */
function selection(
  files: readonly string[],
  words: readonly string[],
): Map<Tier, string[]> {
  const chosen = (tier: Tier, file: string) =>
    words.length === 0 || words.includes(tier.name) ||
    words.some((word) => file.startsWith(word));
  return new Map(
    TIERS.map((tier): [Tier, string[]] => {
      const all = files.filter((file) => tier.has(file));
      const of = all.filter((file) => chosen(tier, file));
      // Some of a tier's tests can't cover what all do.
      return [
        of.length < all.length ? { ...tier, coverage: undefined } : tier,
        of,
      ];
    }).filter(([, of]) => of.length > 0),
  );
}

const words = Deno.args.filter((arg) => !arg.startsWith("-"));
const unknown = Deno.args.find((arg) =>
  arg.startsWith("-") && arg !== "--no-install"
);
const chosen = selection(await testFiles(Deno.cwd()), words);
if (unknown || chosen.size === 0) {
  console.error(
    unknown
      ? `There is no option ${unknown}.`
      : `No test matches ${words.join(" ")}.`,
  );
  Deno.exit(2);
}
try {
  const files = [...chosen.values()].flat();
  for (const program of PROGRAMS) {
    if (files.some(program.neededBy)) {
      await ensureProgram(program, !Deno.args.includes("--no-install"));
    }
  }
} catch (error) {
  if (!(error instanceof MissingProgram)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
await Deno.mkdir(RESULTS, { recursive: true });
const reports: Report[] = [];
for (const [tier, files] of chosen) {
  if (tier.name === "browser") {
    const { env, server } = await startSharedBrowser();
    reports.push(await runTier(tier, files, RESULTS, env));
    await server.close();
  } else if (tier.name === "tor") {
    const { env, stop } = await startSharedTorNetwork();
    reports.push(await runTier(tier, files, RESULTS, env));
    await stop();
  } else reports.push(await runTier(tier, files, RESULTS));
}
const failures = reports.flatMap((report) => report.failures);
const skipped = reports.flatMap((report) => report.skipped);
console.log(
  [
    "",
    ...failures.map(({ name, reason }) => `failed: ${name}\n${reason}\n`),
    ...skipped.map((name) => `skipped: ${name}`),
    summary(reports),
  ].join("\n"),
);
Deno.exit(reports.every((report) => report.failed === 0) ? 0 : 1);
