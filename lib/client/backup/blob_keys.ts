/** The keys of the backup, ready to be used at the relay. */
import { blobId } from "../../wire/mod.ts";
import { makeBlob } from "../blobs.ts";
import { type Ed25519Pair, ed25519PairOf } from "../keys/mod.ts";
import type { Connection } from "../link/mod.ts";
import type { BackupKeysRecord } from "../records.ts";
import { MAX_BACKUP } from "./seal.ts";

const YEAR_S = 365 * 86_400;

export interface BlobKeys {
  readonly record: BackupKeysRecord;
  readonly read: Ed25519Pair;
  readonly write: Ed25519Pair;
  /** 16 bytes, as the relay names the blob. */
  readonly blob: Uint8Array;
}

export async function openBlobKeys(
  record: BackupKeysRecord,
): Promise<BlobKeys> {
  const [read, write] = await Promise.all(
    [record.readSeed, record.writeSeed].map(ed25519PairOf),
  );
  return { record, read, write, blob: blobId(read.publicKey, record.ownKey) };
}

/**
 * Has the relay make the blob, or give it the write key of a later epoch; the same again is fine. Rejects
 * as `makeBlob` does: with "replaced" when another device has begun that epoch, or one after it.
 */
export async function beginEpoch(
  connection: Connection,
  { record, read, write }: BlobKeys,
  ownSeed: Uint8Array,
): Promise<void> {
  await makeBlob(connection, {
    readKey: read.publicKey,
    own: await ed25519PairOf(ownSeed),
    writeKey: write.publicKey,
    epoch: record.key.epoch,
    bytes: MAX_BACKUP,
    lifetime: YEAR_S,
  });
}

/** Another device has begun a later epoch: this one can't read or write the backup, unless it is told the keys. */
export class ReplacedError extends Error {
  override readonly name = "ReplacedError";
  constructor() {
    super("another device has taken the backup over");
  }
}
