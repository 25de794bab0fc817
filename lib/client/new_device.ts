/** How a device of an account begins. */
import { randomBytes } from "@noble/hashes/utils.js";
import { newBackupKey } from "./backup/epoch_key.ts";
import {
  type AccessKey,
  type Account,
  deriveAccount,
  type Device,
  type DeviceList,
  ed25519PairOf,
  encodeOwnDevice,
  newDevice,
  type OwnDevice,
  publicDevice,
  signDeviceList,
  wipeAccount,
} from "./keys/mod.ts";
import { newPreKeys } from "./prekey_bundle.ts";
import {
  type AccountRecord,
  accountTable,
  type BackupKeysRecord,
  backupKeysTable,
  contactsTable,
  countersTable,
  preKeysTable,
  SELF,
  type SettingsRecord,
  settingsTable,
} from "./records.ts";
import type { VaultChange } from "./storage/mod.ts";

/** The first device of every account. */
const FIRST_DEVICE = 1;
const FIRST_EPOCH = 1;

/** What is known of an account when a device of it begins. */
export interface Beginning {
  readonly name: string;
  readonly deviceId: number;
  readonly settings: SettingsRecord;
  /** How the account came to its key from its first one; see keys/succession.ts. */
  readonly successions: readonly Uint8Array[];
  /** The list that the device's own follows. */
  readonly before?: DeviceList;
  /** Devices of that list that stay; by default none. */
  readonly beside?: readonly Device[];
  readonly backupKeys: BackupKeysRecord;
  /** ms since the epoch. */
  readonly now: number;
}

/** A device that begins. */
export interface Begun {
  readonly changes: readonly VaultChange[];
  readonly device: OwnDevice;
  /** The list that it signed, with the device in it. */
  readonly deviceList: DeviceList;
}

/**
 * The records of a new account with its first device. The account's private keys are wiped before
 * this resolves: only the access key brings them back. `now`: ms since the epoch.
 */
export async function createAccount(
  name: string,
  accessKey: AccessKey,
  now: number,
): Promise<{ recoveryKey: Uint8Array; changes: readonly VaultChange[] }> {
  const account = deriveAccount(accessKey);
  try {
    const { changes } = await newDeviceRecords(account, {
      name,
      deviceId: FIRST_DEVICE,
      successions: [],
      settings: { deliveryReceipts: true, readReceipts: true },
      backupKeys: await backupKeys(account, undefined),
      now,
    });
    return { recoveryKey: account.recovery.publicKey, changes };
  } finally {
    wipeAccount(account);
  }
}

/** The records of an account, under the id that it has, on a new device, which knows nobody yet. */
export async function newDeviceRecords(
  account: Account,
  beginning: Beginning,
): Promise<Begun> {
  const { name, deviceId, successions, settings, before, now } = beginning;
  const { beside = [] } = beginning;
  const { accountId } = account;
  const device = await newDevice(deviceId);
  const deviceList = signDeviceList({
    accountId,
    accountKey: account.accountKey,
    devices: [...beside, publicDevice(device)],
    before,
  });
  const record: AccountRecord = {
    name,
    accountId,
    accountKey: account.accountKey.publicKey,
    ...successions.length > 0 ? { successions } : {},
    recoveryKey: account.recovery.publicKey,
    deviceList: deviceList.bytes,
    device: encodeOwnDevice(device),
  };
  const changes = [
    accountTable.put(SELF, record),
    preKeysTable.put(SELF, await newPreKeys(device.identity, now)),
    countersTable.put(SELF, { generation: 0 }),
    settingsTable.put(SELF, settings),
    contactsTable.put(SELF, { ids: [] }),
    backupKeysTable.put(SELF, beginning.backupKeys),
  ];
  return { changes, device, deviceList };
}

/**
 * What a device needs for the backup of `account`, so that it can also make the blob: anew in `epoch`,
 * or with the keys that it has already.
 */
export async function backupKeys(
  { accountId, backup }: Account,
  before: BackupKeysRecord | undefined,
  epoch = FIRST_EPOCH,
): Promise<BackupKeysRecord> {
  const ownSeed = backup.ownSeed.slice();
  if (before) return { ...before, ownSeed };
  return {
    readSeed: backup.readSeed.slice(),
    ownKey: (await ed25519PairOf(ownSeed)).publicKey,
    ownSeed,
    writeSeed: randomBytes(32),
    key: newBackupKey(accountId, backup.sealKey, epoch),
  };
}
