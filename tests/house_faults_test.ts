/** A fault of the program that nothing caught. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { lines } from "../lib/relay/testing/lines.ts";

Deno.test("a fault that nothing catches ends what met it: the server goes on, and its log says what and where, not about whom", async () => {
  const data = await Deno.makeTempDir({ prefix: "whisper-faults-" });
  const server = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--unstable-kv",
      new URL("harness/faulty_server.ts", import.meta.url).href,
      data,
    ],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  try {
    const said = lines(server.stdout);
    const told = lines(server.stderr);
    const first = (await said.next()).value ?? "";
    const [url] = /http:\S+/.exec(first) ?? [];
    ok(url, first);
    const asked = async (path: string) =>
      await (await fetch(url + path)).text();
    for (
      const [path, kind] of [
        ["/rejection", "RangeError at "],
        ["/timer", "TypeError at "],
        ["/microtask", "SyntaxError at "],
        ["/no-error", "string"],
      ]
    ) {
      equal(await asked(path), path);
      const line = (await told.next()).value ?? "";
      match(line, /^whisper: a fault of the program, which goes on: /);
      ok(line.includes(kind), line);
      ok(!line.includes("somebody"), line);
    }
    equal(await asked("/well"), "/well");
    server.kill("SIGTERM");
    deepEqual(await server.status, { success: true, code: 0, signal: null });
  } catch (error) {
    server.kill("SIGKILL");
    throw error;
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
