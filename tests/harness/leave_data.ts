/** Does to the empty folder ROOT all that a host's commands do to a data directory, but for running the relay. */
import { join } from "node:path";
import { Relay } from "../../lib/relay/mod.ts";
import { backUp } from "../../server/backup.ts";
import { openDataDirectory } from "../../server/data_directory.ts";
import { makeDirectory } from "../../server/lasting.ts";
import { restore } from "../../server/restore.ts";
import {
  authoriseOnionClient,
  openOnionKey,
  revokeOnionClient,
} from "../../server/tor/onion_directory.ts";

const [root] = Deno.args;
const data = join(root, "of", "whisper");
const { database, release } = await openDataDirectory(data);
const kv = await Deno.openKv(database);
await (await Relay.open({ kv, publicUrl: "http://127.0.0.1" })).stop();
kv.close();
await openOnionKey(data);
await authoriseOnionClient(data, "nora");
await authoriseOnionClient(data, "olga");
await revokeOnionClient(data, "nora");
release();
const kept = join(root, "kept");
await makeDirectory(kept);
const backup = join(kept, "backup");
await backUp(data, backup);
await restore(backup, join(root, "another"), false);
await restore(backup, data, true);
