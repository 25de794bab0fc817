import { deepEqual, match } from "node:assert/strict";
import { join } from "node:path";
import { copyFixture } from "../../lib/relay/testing/format_fixture.ts";
import { checkData } from "./data_check.ts";
import { lineOf } from "./finding.ts";

async function linesOn(path: string): Promise<string[]> {
  return (await checkData(path)).findings.map(lineOf);
}

Deno.test({
  name: "a directory that is not there and can't be made is a failure",
  ignore: Deno.build.os !== "linux", // where nobody can write: in /proc
  async fn() {
    const [line, ...others] = await linesOn("/proc/self/no/whisper");
    match(line, /^failed .* can't make it in \/proc\/self: .* with --data\.$/);
    deepEqual(others, []);
  },
});

Deno.test("a database that can't be opened is not called damaged, and no backup is to be put in its place", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "relay.sqlite3");
  try {
    await copyFixture(2, path);
    await Deno.chmod(path, 0o600);
    const said = async () => (await linesOn(folder))[1];
    // What SQLite needs beside the file, and can't make.
    await Deno.mkdir(`${path}-wal`);
    match(await said(), /^failed +database: .* can't be opened \(/);
    await Deno.remove(`${path}-wal`);
    match(await said(), /^warning +database: it is of format 2/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
