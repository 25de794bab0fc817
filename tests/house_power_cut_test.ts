import { deepEqual, equal } from "node:assert/strict";
import { join } from "node:path";
import { straced, whyNoStrace } from "../lib/relay/testing/strace.ts";
import { unsynced } from "./harness/unsynced.ts";

const reason = await whyNoStrace();
if (reason) console.log(`Without a view of what is synced: ${reason}.`);

Deno.test({
  name:
    "a new data directory, the onion service's key, who is let in, a backup and a restore last through a power failure once they are told done",
  ignore: reason !== undefined,
  fn: async () => {
    const place = await Deno.makeTempDir({ prefix: "whisper-lasting-" });
    try {
      const [root, trace] = [join(place, "root"), join(place, "trace")];
      await Deno.mkdir(root);
      const program = new URL("./harness/leave_data.ts", import.meta.url);
      const [command, ...args] = [
        ...straced(trace),
        ...[Deno.execPath(), "run", "-A", "--no-check", "--unstable-kv"],
        ...[program.href, root],
      ];
      const { success } = await new Deno.Command(command, {
        args,
        stdout: "inherit",
        stderr: "inherit",
      }).output();
      equal(success, true);
      // A lock is held, not kept; what SQLite's processes share is made anew.
      deepEqual(
        unsynced(await Deno.readTextFile(trace), root)
          .filter((path) => !/\/lock$|-shm$/.test(path)),
        [],
      );
    } finally {
      await Deno.remove(place, { recursive: true });
    }
  },
});
