import { equal, match, rejects } from "node:assert/strict";
import { join } from "node:path";
import {
  assertArrives,
  copyFormat1,
} from "../lib/relay/testing/format_fixture.ts";
import { RelayClient } from "../lib/relay/testing/relay_client.ts";
import { startRelay } from "./harness/mod.ts";

Deno.test("the program opens the data of the release before it: the same relay, every message that waited arrives", async () => {
  const dataDir = await Deno.makeTempDir();
  try {
    const contents = await copyFormat1(join(dataDir, "relay.sqlite3"));
    const relay = await startRelay({ dataDir });
    match(relay.output(), /^relay: bringing the database from format 1 to 2$/m);
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
