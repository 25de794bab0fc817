/**
 * `deno task test [tier…] [file…] [--no-install]`: runs the tests tier by tier, each within its budget,
 * and ends with the line `N passed, N failed[, N skipped]`, counted from the runs.
 */
import { ensureProgram, MissingProgram, PROGRAMS } from "./runner/programs.ts";
import { readReport, type Report, summary } from "./runner/report.ts";
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
    TIERS.map((tier) =>
      [tier, files.filter((file) => tier.has(file) && chosen(tier, file))] as [
        Tier,
        string[],
      ]
    ).filter(([, of]) => of.length > 0),
  );
}

async function runTier(tier: Tier, files: readonly string[]): Promise<Report> {
  console.log(
    `\n── ${tier.name}: ${files.length} files, at most ${tier.minutes} minutes ──`,
  );
  const path = `${RESULTS}/${tier.name}.xml`;
  await Deno.remove(path).catch(ignoreMissing);
  const child = new Deno.Command(Deno.execPath(), {
    // Types are checked by `deno task check`, once for everything.
    args: [
      "test",
      "--allow-all",
      "--no-check",
      "--parallel",
      `--junit-path=${path}`,
      ...files,
    ],
    env: { DENO_JOBS: String(tier.jobs) },
  }).spawn();
  let late = false;
  const budget = setTimeout(() => {
    late = true;
    child.kill("SIGTERM");
  }, tier.minutes * 60_000);
  const { success } = await child.status;
  clearTimeout(budget);
  if (late) {
    console.error(
      `${tier.name}: over its budget of ${tier.minutes} minutes, stopped.`,
    );
  }
  const report = await reportAt(path);
  // A file that can't be loaded, or a run that was cut off, is in the exit code only.
  return success || report.failed > 0 ? report : { ...report, failed: 1 };
}

async function reportAt(path: string): Promise<Report> {
  try {
    return readReport(await Deno.readTextFile(path));
  } catch (error) {
    console.error(
      `There is no report of this run: ${
        error instanceof Error ? error.message : error
      }`,
    );
    return { passed: 0, failed: 1, skipped: [] };
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
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
for (const [tier, files] of chosen) reports.push(await runTier(tier, files));
const skipped = reports.flatMap((report) => report.skipped);
console.log(
  ["", ...skipped.map((name) => `skipped: ${name}`), summary(reports)].join(
    "\n",
  ),
);
Deno.exit(reports.every((report) => report.failed === 0) ? 0 : 1);
