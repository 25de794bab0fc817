import { deepEqual, equal, rejects } from "node:assert/strict";
import { join } from "node:path";
import {
  assertArrives,
  copyFixture,
} from "../lib/relay/testing/format_fixture.ts";
import { RelayClient } from "../lib/relay/testing/relay_client.ts";
import { startRelay } from "./harness/mod.ts";

for (
  const [format, release] of [
    [2, "the release before it"],
    [1, "the release before that"],
  ] as const
) {
  Deno.test(`the program opens the data of ${release}: the same relay, everything that waited or lay there is there`, async () => {
    const dataDir = await Deno.makeTempDir();
    try {
      const contents = await copyFixture(
        format,
        join(dataDir, "relay.sqlite3"),
      );
      const relay = await startRelay({ dataDir });
      const steps = [
        ...relay.output().matchAll(
          /^relay: bringing the database from format (\d) to \d$/gm,
        ),
      ].map(([, from]) => Number(from));
      deepEqual(steps, [1, 2].slice(format - 1));
      const client = await RelayClient.overWebSocket(
        `${relay.url.replace("http", "ws")}/relay`,
      );
      await assertArrives(client, contents);
      await client.close();
      await relay.stop();
      const again = await startRelay({ dataDir });
      equal(again.output().includes("bringing the database"), false);
      await again.stop();
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  });
}

Deno.test("data that a newer version wrote is refused with one line and exit code 2", async () => {
  const dataDir = await Deno.makeTempDir();
  const kv = await Deno.openKv(join(dataDir, "relay.sqlite3"));
  await kv.set(["format"], Uint8Array.of(0, 0, 0, 99));
  kv.close();
  try {
    await rejects(
      startRelay({ dataDir }),
      /ended with 2: whisper: The database \S+ can't be used: the database is of format 99, [^\n]*\n$/,
    );
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
