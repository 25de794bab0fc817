/** `whisper restore`: a data directory from a backup. */
import { join } from "node:path";
import { STORE_FORMAT } from "../lib/relay/mod.ts";
import { type Manifest, readBackup, writeAll } from "./backup_file.ts";
import { DATABASE, openDataDirectory } from "./data_directory.ts";
import { damageIn, foldJournal, identityIn } from "./database_file.ts";
import { decideFor, finishRestore, RESTORING } from "./restored.ts";
import { putOnionIdentity } from "./tor/onion_identity.ts";
import { UsageError } from "./usage_error.ts";

export interface Restored {
  readonly manifest: Manifest;
  /** Where what was there before is now, if anything was. */
  readonly putAside?: string;
}

/**
 * Puts the backup `from` into the directory `data`. Everything is checked before anything there is
 * changed; then database and onion service take their places, together or not at all.
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
    const fresh = await Deno.makeTempDir({ dir: data, prefix: RESTORING });
    try {
      const database = join(fresh, DATABASE);
      const manifest = await extract(from, database);
      await verify(from, database, manifest);
      const { onion } = manifest;
      if (onion) await putOnionIdentity(fresh, onion);
      if (old.includes(DATABASE)) fold(join(data, DATABASE));
      await decideFor(fresh, data);
      return { manifest, putAside: await finishRestore(data) };
    } catch (error) {
      await Deno.remove(fresh, { recursive: true }).catch(ignoreMissing);
      throw error;
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

/** Moves the old database's journal into it, so that they are put aside as one. */
function fold(database: string): void {
  try {
    foldJournal(database);
  } catch {
    // A damaged database is what backups are for: it is put aside as it is, its journal beside it.
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
