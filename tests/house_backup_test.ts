import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { join } from "node:path";
import {
  type Credentials,
  ok,
  randomBytes,
  RelayClient,
} from "../lib/relay/testing/relay_client.ts";
import { restore } from "../server/restore.ts";
import { UsageError } from "../server/usage_error.ts";
import { type RelayProcess, runProgram, startRelay } from "./harness/mod.ts";

const connect = (relay: RelayProcess) =>
  RelayClient.overWebSocket(`${relay.url.replace("http", "ws")}/relay`);

/** A folder with a relay's data in `live`, given to `use` and removed. */
async function withFolder(
  use: (at: (name: string) => string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "whisper-backup-" });
  try {
    await use((name) => join(folder, name), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The program did it, and complained of nothing. */
async function done(folder: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await runProgram(args, {}, folder);
  deepEqual([code, err], [0, ""]);
  return out;
}

/** The program refused with exit code 2, in one line. */
async function refuses(
  folder: string,
  line: RegExp,
  ...args: string[]
): Promise<void> {
  const { code, out, err } = await runProgram(args, {}, folder);
  deepEqual([code, out, err.split("\n").length], [2, "", 2], err);
  match(err, line);
}

/** Writes messages one after another until told to end; gives the ids that were answered OK. */
function load(client: RelayClient, handle: number) {
  const answered: Uint8Array[] = [];
  let going = true;
  const ended = (async () => {
    while (going) {
      const ids = Array.from({ length: 10 }, () => randomBytes(16));
      const answers = client.askAll(
        ids.map((id) => ({
          type: "SEND",
          handle,
          id,
          envelope: new Uint8Array(480),
        })),
      );
      for (const [i, answer] of answers.entries()) {
        ok(await answer);
        answered.push(ids[i]);
      }
    }
  })();
  return {
    answered,
    end: async () => {
      going = false;
      await ended;
    },
  };
}

/** Everything that waits in the queue, by id. */
async function waiting(
  relay: RelayProcess,
  keys: Credentials,
  generation: number,
): Promise<{ ids: Set<string>; key: string }> {
  const client = await connect(relay);
  // A marker of the reader's own: what comes before it is what waited.
  const marker = randomBytes(16);
  ok(await client.send(await client.bind(keys, "send"), marker));
  await client.bind(keys, "receive", generation);
  const ids = new Set<string>();
  for (;;) {
    const { id } = await client.message();
    if (id.toHex() === marker.toHex()) break;
    ids.add(id.toHex());
  }
  const key = client.hello.relayKey.toHex();
  await client.close();
  return { ids, key };
}

Deno.test("a backup of a running, busy relay holds everything answered OK before it, and restores to the same relay", () =>
  withFolder(async (at, folder) => {
    const relay = await startRelay({
      dataDir: at("live"),
      args: [
        ...["--messages-per-queue", "1000000", "--bytes-per-queue", "1GiB"],
        ...["--frames-per-second", "100000", "--bytes-per-second", "1GiB"],
      ],
    });
    const client = await connect(relay);
    const keys = await client.createQueue();
    const work = load(client, await client.bind(keys, "send"));
    while (work.answered.length < 500) {
      await new Promise((resume) => setTimeout(resume, 5));
    }
    const before = work.answered.map((id) => id.toHex());
    const said = await done(
      folder,
      "backup",
      "--data",
      at("live"),
      "--to",
      at("backup"),
    );
    const during = work.answered.length - before.length;
    await work.end();
    equal(during > 0, true, "the relay went on meanwhile");
    equal(((await Deno.stat(at("backup"))).mode ?? 0) & 0o777, 0o600);
    match(said, /^The backup is in \S+\/backup: [\d.]+ MB, format \d+\.$/m);

    // What is read after the backup was made comes back with it: the same ids, which clients drop.
    const read = await waiting(relay, keys, 1);
    await relay.stop();
    match(
      await done(
        folder,
        "restore",
        "--from",
        at("backup"),
        "--data",
        at("new"),
      ),
      new RegExp(`^It is the relay ${read.key}\\.$`, "m"),
    );
    const restored = await startRelay({ dataDir: at("new") });
    const found = await waiting(restored, keys, 2);
    equal(found.key, read.key);
    deepEqual(before.filter((id) => !found.ids.has(id)), []);
    deepEqual([...found.ids].filter((id) => !read.ids.has(id)), []);
    await restored.stop();
    const modes = await Promise.all(
      ["new", "new/relay.sqlite3"].map(async (name) =>
        ((await Deno.stat(at(name))).mode ?? 0) & 0o777
      ),
    );
    deepEqual(modes, [0o700, 0o600]);
  }));

/** A data directory in which a relay was, with one queue. */
async function someRelay(
  dataDir: string,
): Promise<{ keys: Credentials; key: string }> {
  const relay = await startRelay({ dataDir });
  const client = await connect(relay);
  const keys = await client.createQueue();
  const key = client.hello.relayKey.toHex();
  await client.close();
  await relay.stop();
  return { keys, key };
}

const filesIn = async (path: string) =>
  (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();

Deno.test("restore refuses a running relay, and a directory with something in it unless told to put it aside", () =>
  withFolder(async (at, folder) => {
    const first = await someRelay(at("live"));
    await done(folder, "backup", "--data", at("live"), "--to", at("backup"));
    const restore = ["restore", "--from", at("backup"), "--data", at("other")];
    const running = await startRelay({ dataDir: at("other") });
    await refuses(folder, /^whisper: Another Whisper is using/, ...restore);
    await refuses(
      folder,
      /^whisper: Another Whisper is using/,
      ...restore,
      "--force",
    );
    await running.stop();
    await refuses(folder, /is not empty; --force puts/, ...restore);
    equal((await filesIn(at("other"))).includes("relay.sqlite3"), true);

    const said = await done(folder, ...restore, "--force");
    const [, aside] = /^What was there before is in (\S+):/m.exec(said) ?? [];
    deepEqual(await filesIn(aside), ["relay.sqlite3"]);
    const restored = await startRelay({ dataDir: at("other") });
    const client = await connect(restored);
    equal(client.hello.relayKey.toHex(), first.key);
    await client.bind(first.keys, "receive", 1);
    await client.close();
    await restored.stop();
  }));

Deno.test("a backup that is cut, altered, of another make or of a newer format is refused before anything is touched", () =>
  withFolder(async (at, folder) => {
    await someRelay(at("live"));
    await someRelay(at("other"));
    await done(folder, "backup", "--data", at("live"), "--to", at("backup"));
    const whole = await Deno.readFile(at("backup"));
    const before = await filesIn(at("other"));
    const refused = async (line: RegExp, bytes: Uint8Array) => {
      await Deno.writeFile(at("bad"), bytes);
      for (const data of [at("other"), at("none")]) {
        await rejects(
          restore(at("bad"), data, true),
          (error) => error instanceof UsageError && line.test(error.message),
        );
      }
      deepEqual(await filesIn(at("other")), before);
      equal((await filesIn(folder)).includes("none"), false);
    };
    const flipped = (at: number) => {
      const bytes = whole.slice();
      bytes[at] ^= 1;
      return bytes;
    };
    await refused(/is damaged: it does not match/, whole.subarray(0, -1));
    await refused(
      /is damaged: it does not match/,
      flipped(whole.length - 9_000),
    );
    const other = whole.slice();
    other[30] = other[30] === 0x30 ? 0x31 : 0x30; // a digit of the digest
    await refused(/is damaged: it does not match/, other);
    await refused(/is not a backup of a relay/, flipped(3));
    await refused(/is not a backup of a relay/, new Uint8Array());
    await refused(
      /is not a backup of a relay/,
      await Deno.readFile(join(at("live"), "relay.sqlite3")),
    );
    await refuses(
      folder,
      /The file \S+ can't be read/,
      ...["restore", "--from", at("nowhere"), "--data", at("other")],
    );

    const kv = await Deno.openKv(join(at("live"), "relay.sqlite3"));
    await kv.set(["format"], Uint8Array.of(0, 0, 0, 99));
    kv.close();
    await done(folder, "backup", "--data", at("live"), "--to", at("newer"));
    await refused(
      /is of format 99, .* newer/,
      await Deno.readFile(at("newer")),
    );
  }));

Deno.test("a backup is not made of nothing, nor over a file that is there, nor where nothing can be written", () =>
  withFolder(async (at, folder) => {
    const backup = (data: string, to: string) => [
      ...["backup", "--data", at(data), "--to", to],
    ];
    await refuses(folder, /no relay's database in/, ...backup("live", at("b")));
    await someRelay(at("live"));
    await Deno.writeTextFile(at("there"), "precious");
    await refuses(folder, /exists already/, ...backup("live", at("there")));
    equal(await Deno.readTextFile(at("there")), "precious");
    await refuses(
      folder,
      /^whisper: There is no directory \S+\/no\/such\/folder for the backup; make it, or choose another\.\n$/,
      ...backup("live", at("no/such/folder/b")),
    );
    await Deno.mkdir(at("empty"));
    await Deno.writeTextFile(join(at("empty"), "relay.sqlite3"), "no database");
    await refuses(folder, /can't be made/, ...backup("empty", at("b")));
    deepEqual(await filesIn(folder), ["empty", "live", "there"]);
  }));

Deno.test("a backup holds the onion service's key and who is let in: what is restored is at the same address, for the same people", () =>
  withFolder(async (at, folder) => {
    await someRelay(at("live"));
    const onion = (data: string, ...args: string[]) =>
      done(folder, "onion", "--data", at(data), ...args);
    await onion("live", "--authorise", "anna");
    const told = await onion("live");
    match(told, /\.onion/);
    match(told, /Let in, with a key: anna\./);
    const backup = (to: string) =>
      done(folder, "backup", "--data", at("live"), "--to", at(to));
    const restore = (from: string, data: string, ...args: string[]) =>
      done(
        folder,
        ...["restore", "--from", at(from), "--data", at(data)],
        ...args,
      );
    await backup("closed");
    await restore("closed", "other");
    equal(await onion("other"), told);
    const files = ["key", "clients/anna.auth"];
    for (const file of files) {
      const { mode } = await Deno.stat(join(at("other"), "onion", file));
      equal((mode ?? 0) & 0o777, 0o600);
    }
    // Nobody is let in any more: not everybody, after restoring either.
    await onion("live", "--revoke", "anna");
    await backup("nobody");
    const said = await restore("nobody", "other", "--force");
    equal(await onion("other"), await onion("live"));
    match(await onion("other"), /Nobody is let in/);
    const [, aside] = /^What was there before is in (\S+):/m.exec(said) ?? [];
    deepEqual(await filesIn(aside), ["onion", "relay.sqlite3"]);
    await onion("live", "--everybody");
    await backup("open");
    await restore("open", "third");
    match(await onion("third"), /Everybody is let in/);
  }));
