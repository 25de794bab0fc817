/** What the relay has of the backup, when that may be of another epoch than this device knows. */
import {
  type Account,
  type DeviceList,
  MalformedError,
  verifyDeviceList,
} from "../keys/mod.ts";
import type { BackupKeysRecord } from "../records.ts";
import { believedCells } from "./believed.ts";
import { BackupError, openBackup, openBackupKey, readHeader } from "./seal.ts";

/** What the relay has of the blob. */
export interface AtRelay {
  readonly version: number;
  readonly contents: Uint8Array;
  /** Of the backup, the version that this device had been told of before that was read. */
  readonly told: number;
}

/** As it says of itself; 0 for what can't be read. */
export function epochOf({ contents }: AtRelay): number {
  try {
    return readHeader(contents).epoch;
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return 0;
  }
}

/** The list that the backup has, if it is of the epoch of these keys. `name`: under which it is sealed. */
export async function listIn(
  { contents }: AtRelay,
  { key, writeSeed }: Pick<BackupKeysRecord, "key" | "writeSeed">,
  { name, accountKey }: { name: string; accountKey: Uint8Array },
): Promise<DeviceList | undefined> {
  try {
    const opened = openBackup(name, key, contents);
    const { contents: { accountId, account } } = await believedCells(
      opened.contents,
      accountKey,
      key.epoch,
      { writeSeed },
    );
    const { bytes } = account.deviceList;
    return await verifyDeviceList(bytes, { accountId, accountKey });
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}

/** The keys of the epoch that the backup is of, by those of the account; undefined for what can't be read. `now`: ms since the epoch. */
export async function keysOf(
  { contents }: AtRelay,
  { accountId, accountKey, backup }: Account,
  now: number,
): Promise<Pick<BackupKeysRecord, "key" | "writeSeed"> | undefined> {
  try {
    const key = openBackupKey(accountId, backup.sealKey, contents);
    const opened = openBackup(accountId, key, contents);
    const said = await believedCells(
      opened.contents,
      accountKey.publicKey,
      key.epoch,
      { now },
    );
    return { key, writeSeed: said.contents.account.writeKey.seed };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return undefined;
  }
}

/** Nobody honest wrote it, or nobody at all, or it is of another epoch. */
function isUnreadable(error: unknown): boolean {
  return error instanceof MalformedError ||
    error instanceof BackupError && error.code === "damaged";
}
