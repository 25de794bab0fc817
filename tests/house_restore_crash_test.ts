/** A restore that dies on its way: the relay and its onion service are both the old ones, or both the new. */
import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { join } from "node:path";
import { backUp } from "../server/backup.ts";
import {
  DATABASE,
  openDataDirectory,
  settleDataDirectory,
} from "../server/data_directory.ts";
import { identityIn } from "../server/database_file.ts";
import {
  authoriseOnionClient,
  openOnionKey,
  readOnionClients,
  readOnionKey,
} from "../server/tor/onion_directory.ts";
import { startRelay } from "./harness/mod.ts";

const KILLED = new URL("./harness/killed_at_rename.ts", import.meta.url);

/** A data directory of a relay that is an onion service for one person. */
async function onionRelay(data: string, person: string): Promise<void> {
  await (await startRelay({ dataDir: data })).stop();
  await openOnionKey(data);
  await authoriseOnionClient(data, person);
}

/** Whose data this is. */
async function whoIn(data: string) {
  return {
    relay: (await identityIn(join(data, DATABASE)))?.relayKey.toHex(),
    onion: (await readOnionKey(data))?.address,
    letIn: (await readOnionClients(data))?.map(({ name }) => name),
  };
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { mode: 0o700 });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    if (isDirectory) await copy(source, target);
    else await Deno.copyFile(source, target);
  }
}

const namesIn = async (data: string) =>
  (await Array.fromAsync(Deno.readDir(data))).map(({ name }) => name).sort();

Deno.test("a restore that is killed at any of its steps leaves the old relay with its onion service or the new one with its own, and the old one aside", async () => {
  const folder = await Deno.makeTempDir({ prefix: "whisper-restore-" });
  const at = (name: string) => join(folder, name);
  try {
    await onionRelay(at("old"), "olga");
    await onionRelay(at("new"), "nora");
    await backUp(at("new"), at("backup"));
    const [old, fresh] = [await whoIn(at("old")), await whoIn(at("new"))];
    notDeepEqual(old, fresh);
    const decided: boolean[] = [];
    for (let step = 1;; step++) {
      const data = at(`killed-${step}`);
      await copy(at("old"), data);
      const { signal } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--no-check", "--allow-all"],
          ...[KILLED.pathname, at("backup"), data, String(step)],
        ],
        stdout: "null",
      }).output();
      // As "backup" and "onion" do; and as every start of the relay does.
      if (step % 2 === 1) await settleDataDirectory(data);
      (await openDataDirectory(data)).release();
      const who = await whoIn(data);
      const aside = (await namesIn(data)).find((name) =>
        name.startsWith("before-restore-")
      );
      if (aside) {
        deepEqual(who, fresh);
        deepEqual(await whoIn(join(data, aside)), old);
      } else deepEqual(who, old);
      deepEqual(
        (await namesIn(data)).filter((name) => name !== aside),
        await namesIn(at("old")),
        "and nothing else",
      );
      decided.push(aside !== undefined);
      if (signal === null) break;
      equal(signal, "SIGKILL");
    }
    // It was killed before the decision, and at each of what comes after it.
    equal(decided[0], false);
    equal(decided.filter(Boolean).length > 5, true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
