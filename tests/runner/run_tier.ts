/** One run of `deno test` over the files of a tier, within its budget. */
import { readReport, type Report } from "./report.ts";
import type { Tier } from "./tiers.ts";

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
  console.log(
    `\n── ${tier.name}: ${files.length} files, at most ${tier.minutes} minutes ──`,
  );
  const path = `${results}/${tier.name}.xml`;
  await Deno.remove(path).catch(ignoreMissing);
  const started = performance.now();
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
    env: { ...env, DENO_JOBS: String(tier.jobs) },
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
    return { passed: 0, failed: 1, skipped: [] };
  }
  console.log(`${tier.name}: ${duration(performance.now() - started)}`);
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

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
