/** What the relay has of somebody's backup, for whoever knows nothing but the access key. */
import assert from "node:assert/strict";
import { blobId } from "../../wire/mod.ts";
import { readBlob } from "../blobs.ts";
import { parseCells } from "../backup/cell_codec.ts";
import { type BackupContents, readContents } from "../backup/contents.ts";
import { openBackup, openBackupKey } from "../backup/seal.ts";
import { deriveAccount, ed25519PairOf, parseAccessKey } from "../keys/mod.ts";
import {
  type Connection,
  Link,
  RelayError,
  unknownNetwork,
} from "../link/mod.ts";
import type { World } from "./world.ts";

export interface BackupAtRelay extends BackupContents {
  readonly version: number;
  /** Bytes, as the relay has it. */
  readonly size: number;
}

/** Undefined when there is none. Throws for one that can't be read. */
export async function backupAtRelay(
  world: World,
  accessKey: string,
): Promise<BackupAtRelay | undefined> {
  const reading = parseAccessKey(accessKey);
  assert.ok(reading.ok);
  const account = deriveAccount(reading.key);
  const [read, own] = await Promise.all(
    [account.backup.readSeed, account.backup.ownSeed].map(ed25519PairOf),
  );
  const blob = await onConnection(world, async (connection) => {
    const id = blobId(read.publicKey, own.publicKey);
    try {
      return (await readBlob(connection, id, read)).contents;
    } catch (error) {
      const none = error instanceof RelayError && error.code === "no-such-blob";
      if (none) return new Uint8Array();
      throw error;
    }
  });
  if (blob.length === 0) return undefined;
  const { accountId, backup: { sealKey } } = account;
  const key = openBackupKey(accountId, sealKey, blob);
  const { version, contents } = openBackup(accountId, key, blob);
  const said = await readContents(
    parseCells(contents),
    account.accountKey.publicKey,
  );
  return { ...said, version, size: blob.length };
}

/** What `work` gives, done on a connection of nobody's. */
export async function onConnection<T>(
  world: World,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const done = Promise.withResolvers<T>();
  let ended = false;
  const link = new Link({
    url: "ws://relay.example/relay",
    relayKey: undefined,
    transport: world.transport,
    network: unknownNetwork,
    clock: world.clock,
    random: { bytes: (n) => new Uint8Array(n), fraction: () => 0 },
    connected: (connection) => {
      work(connection).then(done.resolve, done.reject)
        .finally(() => ended = true);
    },
    lost: () => {},
  });
  link.start();
  await world.until(() => ended, "the relay's answer about a backup");
  link.stop();
  return await done.promise;
}
