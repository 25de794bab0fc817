/** One run of `deno test` over the files of a tier, within its budget. */
import { type Coverage, judgeCoverage, readCoverage } from "./coverage.ts";
import { failedRun, readReport, type Report } from "./report.ts";
import type { Tier } from "./tiers.ts";

/** How long a tier that was told to stop may take for it, ms. */
const GRACE_MS = 15_000;

/** The long versions of tests may take their time. */
const PATIENCE = Deno.env.get("SLOW") === "1" ? 30 : 1;

/**
 * Runs these files of the project in the current directory, and counts from the report that the run leaves
 * at `results`, a directory. A run that is over its budget is stopped, and failed, whatever passed in it.
 * `env`: what the tests find in their environment beside our own.
 */
export async function runTier(
  tier: Omit<Tier, "has">,
  files: readonly string[],
  results: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Report> {
  const minutes = tier.minutes * PATIENCE;
  console.log(
    `\n── ${tier.name}: ${files.length} files, at most ${minutes} minutes ──`,
  );
  const path = `${results}/${tier.name}.xml`;
  const profile = `${results}/${tier.name}-coverage`;
  await Deno.remove(path).catch(ignoreMissing);
  await Deno.remove(profile, { recursive: true }).catch(ignoreMissing);
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    // Types are checked by `deno task check`, once for everything.
    args: [
      "test",
      "--allow-all",
      "--no-check",
      "--parallel",
      `--junit-path=${path}`,
      ...(tier.coverage
        ? [`--coverage=${profile}`, "--coverage-raw-data-only"]
        : []),
      ...files,
    ],
    env: { ...env, DENO_JOBS: String(tier.jobs) },
  }).spawn();
  let late = false;
  let patience: ReturnType<typeof setTimeout> | undefined;
  const budget = setTimeout(() => {
    late = true;
    child.kill("SIGTERM");
    // What its tests have started may end in order, and a test that hangs must not hold up the rest.
    patience = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  }, minutes * 60_000);
  const { success, code, signal } = await child.status;
  clearTimeout(budget);
  clearTimeout(patience);
  if (late) {
    return failedRun(
      tier.name,
      `over its budget of ${minutes} minutes, stopped`,
    );
  }
  console.log(`${tier.name}: ${duration(performance.now() - started)}`);
  const report = await reportAt(path, signal ?? code);
  // A file that can't be loaded, or a run that was cut off, is in the exit code only.
  if (!success && report.failed === 0) {
    const { failed, failures } = failedRun(
      tier.name,
      "the run failed, though no test of it did",
    );
    return { ...report, failed, failures };
  }
  if (!success) return report;
  return tier.coverage
    ? await withCoverage(report, tier.coverage, profile)
    : report;
}

/** That enough is covered counts as a test. */
async function withCoverage(
  report: Report,
  coverage: Coverage,
  profile: string,
): Promise<Report> {
  const enough = judgeCoverage(
    coverage,
    await readCoverage(profile, coverage.of),
  );
  return enough ? { ...report, passed: report.passed + 1 } : {
    ...report,
    failed: report.failed + 1,
    failures: [...report.failures, {
      name: `${coverage.of} is covered`,
      reason: "its tests take too few of its branches",
    }],
  };
}

/** `end`: the code or the signal with which the run ended. */
async function reportAt(
  path: string,
  end: number | Deno.Signal,
): Promise<Report> {
  try {
    return readReport(await Deno.readTextFile(path));
  } catch (error) {
    return failedRun(
      path,
      `no report of this run, which ended with ${end}: ${
        error instanceof Error ? error.message : error
      }`,
    );
  }
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
