/** `whisper backup`: the data of a relay in one file, also while it runs. */
import { stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Manifest, writeBackup } from "./backup_file.ts";
import { DATABASE, settleDataDirectory } from "./data_directory.ts";
import { copyDatabase, identityIn } from "./database_file.ts";
import { syncDirectory } from "./lasting.ts";
import { onionIdentityOf } from "./tor/onion_identity.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Backs up the data directory `data` to the new file `to`. Everything the relay answered OK before this
 * began is in it. Needs twice the database's size for a moment.
 * @throws {UsageError} when there is nothing to back up, or the file can't be written or exists.
 */
export async function backUp(data: string, to: string): Promise<Manifest> {
  await settleDataDirectory(data);
  const database = join(data, DATABASE);
  if (!await exists(database)) {
    throw new UsageError(`There is no relay's database in ${data}.`);
  }
  if (await exists(to)) {
    throw new UsageError(`The file ${to} exists already; choose another.`);
  }
  const folder = dirname(resolve(to));
  if (!await exists(folder)) {
    throw new UsageError(
      `There is no directory ${folder} for the backup; make it, or choose another.`,
    );
  }
  if (Deno.build.os !== "windows") Deno.umask(0o077);
  const [copy, part] = [`${to}.copy`, `${to}.part`];
  try {
    await copyDatabase(database, copy);
    const identity = await identityIn(copy);
    if (identity === undefined) {
      throw new UsageError(`No relay was ever started with ${data}.`);
    }
    const manifest = await writeBackup(part, {
      relayKey: identity.relayKey.toHex(),
      format: identity.format,
      made: new Date().toISOString(),
      onion: await onionIdentityOf(data),
    }, copy);
    await Deno.rename(part, to);
    await syncDirectory(folder);
    return manifest;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The backup ${to} can't be made: ${reason}`, {
      cause: error,
    });
  } finally {
    for (const file of [copy, part, `${copy}-wal`, `${copy}-shm`]) {
      await Deno.remove(file).catch(ignoreMissing);
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
