/** How many branches of some sources a run has taken, from the profile that `deno test --coverage` leaves. */

/** What is to be covered, and how far at least. */
export interface Coverage {
  /** A folder of the project. */
  readonly of: string;
  /** Percent of the branches. */
  readonly branches: number;
}

export interface Covered {
  readonly branches: number;
  readonly taken: number;
  /** `file:line` of each branch that was not taken. */
  readonly missed: readonly string[];
}

/** Reads the profile at `path`. Tests, and what only tests use, need not be covered. */
export async function readCoverage(
  path: string,
  of: string,
): Promise<Covered> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "coverage",
      "--lcov",
      `--include=/${of}/`,
      "--exclude=_test\\.tsx?$|/testing/",
      path,
    ],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(text(stderr));
  return readLcov(text(stdout));
}

/** Sums the branches of a report in the format of lcov. */
export function readLcov(report: string): Covered {
  let file = "";
  let branches = 0, taken = 0;
  const missed: string[] = [];
  for (const line of report.split("\n")) {
    const [, source] = /^SF:(.*)$/.exec(line) ?? [];
    file = source ?? file;
    const [, at, times] = /^BRDA:(\d+),\d+,\d+,(\d+|-)$/.exec(line) ?? [];
    if (at === undefined) continue;
    branches++;
    if (Number(times) > 0) taken++;
    else missed.push(`${file}:${at}`);
  }
  return { branches, taken, missed };
}

/** Whether enough is covered; says how much, and where not when it is not. */
export function judgeCoverage(
  { of, branches: least }: Coverage,
  { branches, taken, missed }: Covered,
): boolean {
  const percent = branches === 0 ? 0 : 100 * taken / branches;
  const enough = percent >= least;
  if (!enough) console.error(`Not taken:\n  ${missed.join("\n  ")}`);
  console.log(
    `Branches of ${of} taken: ${taken} of ${branches}, ${
      percent.toFixed(1)
    } % (at least ${least} %)`,
  );
  return enough;
}
