import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";

const RUNNER = new URL("./run.ts", import.meta.url).pathname;
const CONFIG = new URL("../deno.json", import.meta.url).pathname;

/** Runs the test runner over a project of these files; gives its exit code, last line and errors. */
async function run(
  files: Record<string, string>,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<{ code: number; last: string; err: string }> {
  const project = await Deno.makeTempDir();
  try {
    for (const [name, source] of Object.entries(files)) {
      const path = join(project, name);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeTextFile(path, source);
    }
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--config", CONFIG, RUNNER, ...args],
      cwd: project,
      env,
    }).output();
    const text = (bytes: Uint8Array) =>
      new TextDecoder().decode(bytes).trimEnd();
    return {
      code,
      last: text(stdout).split("\n").at(-1) ?? "",
      err: text(stderr),
    };
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}

const PASSES = 'Deno.test("passes", () => {});\n';

Deno.test("the last line sums all tiers, and all passing is exit code 0", async () => {
  const { code, last } = await run({
    "a_test.ts": PASSES +
      'Deno.test({ name: "waits", ignore: true, fn() {} });',
    "lib/interop_test.ts": PASSES,
  });
  deepEqual([code, last], [0, "2 passed, 0 failed, 1 skipped"]);
});

Deno.test("a failing test and a file that can't be loaded each fail the run", async () => {
  const failing = await run({
    "a_test.ts": PASSES +
      'Deno.test("fails", () => { throw new Error("no"); });',
  });
  deepEqual([failing.code, failing.last], [1, "1 passed, 1 failed"]);
  const broken = await run({
    "a_test.ts": PASSES,
    "lib/interop_test.ts": 'throw new Error("at load");',
  });
  deepEqual([broken.code, broken.last], [1, "1 passed, 1 failed"]);
});

Deno.test("without Chromium, where it may not be installed, the run stops and says what to install", async () => {
  const { code, err } = await run(
    { "tests/browser/a_test.ts": PASSES },
    ["--no-install"],
    { CHROMIUM: "/nowhere/chromium" },
  );
  equal(code, 1);
  match(
    err,
    /^Chromium is not at \/nowhere\/chromium; install it \(on Debian: apt-get install [^\n]*$/,
  );
});

Deno.test("words that match no test, and unknown options, are refused rather than passed", async () => {
  deepEqual((await run({ "a_test.ts": PASSES }, ["nothing"])).code, 2);
  deepEqual((await run({ "a_test.ts": PASSES }, ["--fast"])).code, 2);
});
