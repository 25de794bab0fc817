/** `whisper restore`: a data directory from a backup. */
import { join } from "node:path";
import { STORE_FORMAT } from "../lib/relay/mod.ts";
import { type Manifest, readBackup, writeAll } from "./backup_file.ts";
import { DATABASE, openDataDirectory } from "./data_directory.ts";
import { damageIn, foldJournal, identityIn } from "./database_file.ts";
import { ONION } from "./tor/onion_directory.ts";
import { putOnionIdentity } from "./tor/onion_identity.ts";
import { UsageError } from "./usage_error.ts";

export interface Restored {
  readonly manifest: Manifest;
  /** Where what was there before is now, if anything was. */
  readonly putAside?: string;
}

/**
 * Puts the backup `from` into the directory `data`. Everything is checked before anything there is
 * changed; the database then appears whole, by a rename.
 * @throws {UsageError} when the backup is not whole or too new, a relay uses the directory, or it is
 * not empty and `force` was not said.
 */
export async function restore(
  from: string,
  data: string,
  force: boolean,
): Promise<Restored> {
  const announced = await readBackup(from);
  if (announced.format > STORE_FORMAT) {
    throw new UsageError(
      `The backup ${from} is of format ${announced.format}, and this version knows formats up to ${STORE_FORMAT} only: it was made by a newer one.`,
    );
  }
  const directory = await openDataDirectory(data);
  try {
    const old = await contents(data);
    if (old.length > 0 && !force) {
      throw new UsageError(
        `The directory ${data} is not empty; --force puts what is in it aside.`,
      );
    }
    const fresh = await Deno.makeTempDir({ dir: data, prefix: "restoring-" });
    try {
      const database = join(fresh, DATABASE);
      const manifest = await extract(from, database);
      await verify(from, database, manifest);
      const { onion } = manifest;
      if (onion) await putOnionIdentity(fresh, onion);
      const replaced = old.filter((name) =>
        name.startsWith(DATABASE) || onion && name === ONION
      );
      const putAside = replaced.length > 0
        ? await setAside(data, replaced)
        : undefined;
      if (onion) await Deno.rename(join(fresh, ONION), join(data, ONION));
      await Deno.rename(database, join(data, DATABASE));
      await syncDirectory(data);
      return { manifest, putAside };
    } finally {
      await Deno.remove(fresh, { recursive: true });
    }
  } finally {
    directory.release();
  }
}

/** What lies in the directory beside its lock. */
async function contents(data: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(data));
  return entries.map(({ name }) => name).filter((name) => name !== "lock");
}

async function extract(from: string, database: string): Promise<Manifest> {
  using file = await Deno.open(database, {
    write: true,
    createNew: true,
    mode: 0o600,
  });
  const manifest = await readBackup(from, (bytes) => writeAll(file, bytes));
  await file.sync();
  return manifest;
}

/** The digest held; that what it holds for is this relay's whole database is looked at too. */
async function verify(
  from: string,
  database: string,
  { relayKey, size }: Manifest,
): Promise<void> {
  const damage = (await Deno.stat(database)).size === size
    ? damageIn(database)
    : "it is not as long as it says";
  const identity = damage === "" ? await identityIn(database) : undefined;
  if (identity?.relayKey.toHex() === relayKey) return;
  throw new UsageError(
    `The backup ${from} is damaged: ${
      damage || "it is not of the relay that it names"
    }.`,
  );
}

/** Moves what is there under these names into a folder beside it, and gives the folder. */
async function setAside(
  data: string,
  replaced: readonly string[],
): Promise<string> {
  try {
    foldJournal(join(data, DATABASE));
  } catch {
    // A damaged database is what backups are for: it is put aside as it is, its journal beside it.
  }
  const folder = await Deno.makeTempDir({
    dir: data,
    prefix: "before-restore-",
  });
  // The database goes first: SQLite throws away a journal that has none.
  for (
    const name of [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`, ...replaced]
  ) {
    await Deno.rename(join(data, name), join(folder, name)).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
  return folder;
}

/** Makes renames in it last through a power failure, where the system lets directories be synced. */
async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}
