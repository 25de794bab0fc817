/** Reads the JUnit report that `deno test` writes: the counts come from the run itself. */

/** A test that failed, and the first lines of why. */
export interface Failure {
  readonly name: string;
  readonly reason: string;
}

export interface Report {
  readonly passed: number;
  readonly failed: number;
  /** Of each test, and each step, that failed. */
  readonly failures: readonly Failure[];
  /** Names of the tests that were not run. */
  readonly skipped: readonly string[];
}

const unescape = (text: string) =>
  text.replace(
    /&(lt|gt|quot|apos|amp);/g,
    (_, name: string) =>
      ({ lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" })[name] ?? "",
  );

const LINES_OF_A_REASON = 12;

/** Why a case failed, shortened; escapes that colour a terminal are left out. */
const reasonOf = (body: string) =>
  unescape(
    /<(?:failure|error)\b[^>]*>([\s\S]*?)<\/(?:failure|error)>/.exec(body)
      ?.[1] ?? "",
  )
    // deno-lint-ignore no-control-regex
    .replace(/\x1b\[[\d;]*m/g, "").trim().split("\n").slice(
      0,
      LINES_OF_A_REASON,
    ).join("\n");

/** Counts the tests of a report, not their steps. @throws when it is not a whole report. */
export function readReport(xml: string): Report {
  if (!xml.includes("</testsuites>")) {
    throw new Error("the report is not complete");
  }
  const cases = [
    ...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g),
  ]
    .map(([, attributes, body = ""]) => ({
      name: unescape(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? ""),
      failed: /<(failure|error)\b/.test(body),
      skipped: /<skipped\b/.test(body),
      reason: reasonOf(body),
    }));
  // A step is listed as "test > step"; a step that failed has failed its test.
  const names = new Set(cases.map(({ name }) => name));
  const isStep = (name: string) =>
    name.split(" > ").some((_, end, parts) =>
      end > 0 && names.has(parts.slice(0, end).join(" > "))
    );
  const tests = cases.filter(({ name }) => !isStep(name));
  return {
    passed: tests.filter(({ failed, skipped }) => !failed && !skipped).length,
    failed: tests.filter(({ failed }) => failed).length,
    failures: cases.filter(({ failed }) => failed).map(({ name, reason }) => ({
      name,
      reason,
    })),
    skipped: tests.filter(({ skipped }) => skipped).map(({ name }) => name),
  };
}

/** A run that failed as a whole, and why: it counts as one test. */
export function failedRun(name: string, reason: string): Report {
  return { passed: 0, failed: 1, failures: [{ name, reason }], skipped: [] };
}

/** `N passed, N failed`, and how many were skipped when some were. */
export function summary(reports: readonly Report[]): string {
  const sum = (count: (report: Report) => number) =>
    reports.reduce((total, report) => total + count(report), 0);
  const skipped = sum((report) => report.skipped.length);
  return `${sum((report) => report.passed)} passed, ${
    sum((report) => report.failed)
  } failed` +
    (skipped ? `, ${skipped} skipped` : "");
}
