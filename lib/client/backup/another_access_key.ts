/**
 * Another access key in the place of the one there is: for who fears that somebody has seen it. The
 * account key before signs the one after it, and everything that the old key opens is sealed to the new
 * one, in one commit. Contacts follow by what this device announces, and other devices of the account, which
 * nobody knows to be whose, are removed in the same commit. docs/protocol.md § Another access key.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { blobId } from "../../wire/mod.ts";
import type { Clock } from "../clock.ts";
import { queuesOf } from "../contact.ts";
import {
  type Account,
  deriveAccount,
  type DeviceList,
  ed25519PairOf,
  formatAccessKey,
  MAX_SUCCESSIONS,
  newAccessKey,
  openSealed,
  parseAccessKey,
  publicDevice,
  REMOVE_KEY_PURPOSE,
  sealToKey,
  signDeviceList,
  signSuccession,
  wipe,
  wipeAccount,
} from "../keys/mod.ts";
import { backupKeys } from "../new_device.ts";
import { openAccount, type OwnAccount } from "../own_account.ts";
import { alone } from "../own_devices.ts";
import {
  accountTable,
  backupKeysTable,
  type BackupRecord,
  backupTable,
  type CondemnedQueue,
  contactsTable,
  contactTable,
  discardedTable,
  doorsTable,
  formerBackupsTable,
  inviteTable,
  keyChangedTable,
  ownDevicesTable,
  type QueueRecord,
  queueTable,
  SELF,
} from "../records.ts";
import {
  DamagedError,
  type Vault,
  type VaultChange,
  type VaultReader,
} from "../storage/mod.ts";
import type { AnotherAccessKey } from "../view.ts";
import { queuesOfDevices, withoutDevices } from "./going_device.ts";

/** The open account, and what changes its vault while nothing works on it. */
interface Open {
  readonly account: OwnAccount;
  readonly reader: VaultReader;
  readonly clock: Clock;
  /** Reads what other devices wrote and writes what is missing; false when that can't be done now. */
  isCurrent(): Promise<boolean>;
  /** Does it, unless the vault is another tab's by then. What failed is shown. */
  change(work: (vault: Vault) => Promise<void>): Promise<void>;
}

/** Another key for the open account; nothing changes before it is committed. */
export async function anotherAccessKey(
  accessKey: string,
  { account, reader, clock, isCurrent, change }: Open,
): Promise<AnotherAccessKey> {
  const reading = parseAccessKey(accessKey);
  if (!reading.ok) return reading;
  const before = deriveAccount(reading.key);
  wipe(reading.key);
  const same = equalBytes(before.accountKey.publicKey, account.accountKey);
  // What the others wrote would be lost with the backup of before.
  const isComplete = async (list: DeviceList) =>
    list.devices.length === 1 || await isCurrent();
  const against = async () =>
    !same ? "other-account" as const : await objection(reader) ??
      (await isComplete(await listOf(reader)) ? undefined : "unreachable");
  let list: DeviceList;
  try {
    const reason = await against();
    if (reason) {
      wipeAccount(before);
      return { ok: false, reason };
    }
    list = await listOf(reader);
  } catch (error) {
    wipeAccount(before);
    throw error;
  }
  const key = newAccessKey();
  const next = deriveAccount(key);
  const shown = formatAccessKey(key);
  wipe(key);
  const forget = () => {
    wipeAccount(before);
    wipeAccount(next);
  };
  return {
    ok: true,
    accessKey: shown,
    removes: await namesOf(
      reader,
      othersOf({ deviceList: list, device: account.device }),
    ),
    commit: async () => {
      try {
        let changed = false;
        if (!await isComplete(list)) return false;
        await change(async (vault) => {
          // Another device, or somebody who is met, may have come since the key was shown.
          const { hash } = await listOf(vault);
          if (await objection(vault) || !equalBytes(hash, list.hash)) return;
          await changeAccessKey(vault, before, next, clock.now());
          changed = true;
        });
        return changed;
      } finally {
        forget();
      }
    },
    forget,
  };
}

/** Why it can't be changed now; undefined when it can. */
async function objection(
  reader: VaultReader,
): Promise<"invite" | "too-often" | undefined> {
  // What an invite has made is sealed to the old key, and becomes a contact's when it is met.
  const invites = await reader.getMany(inviteTable, ["offer", "join"]);
  // A link of somebody's that was only looked at has made nothing.
  const { kept: _, ...doors } = await reader.get(doorsTable, SELF) ?? {};
  const open = [...invites, ...Object.values(doors).flat()];
  if (open.some((each) => each !== undefined)) return "invite";
  const { successions = [] } = await accountOf(reader);
  if (successions.length === MAX_SUCCESSIONS) return "too-often";
}

async function listOf(reader: VaultReader): Promise<DeviceList> {
  return (await openAccount(await accountOf(reader))).deviceList;
}

async function namesOf(
  reader: VaultReader,
  ids: readonly number[],
): Promise<string[]> {
  const { others = [] } = await reader.get(ownDevicesTable, SELF) ?? {};
  return ids.map((id) => others.find((other) => other.id === id)?.name ?? "");
}

/**
 * Puts `next` in the place of `before`, whose account this is. All of it is stored, or nothing.
 * `now`: ms since the epoch.
 */
async function changeAccessKey(
  vault: Vault,
  before: Account,
  next: Account,
  now: number,
): Promise<void> {
  const record = await accountOf(vault);
  const own = await openAccount(record);
  const { accountId } = own;
  const deviceList = signDeviceList({
    accountId,
    accountKey: next.accountKey,
    devices: [publicDevice(own.device)],
    before: own.deviceList,
  });
  const succession = signSuccession(
    accountId,
    before.accountKey,
    next.accountKey.publicKey,
  );
  await vault.changeRecovery(before.recovery, next.recovery.publicKey, [
    accountTable.put(SELF, {
      ...record,
      accountKey: next.accountKey.publicKey,
      successions: [...own.successions, succession],
      recoveryKey: next.recovery.publicKey,
      deviceList: deviceList.bytes,
    }),
    ...await withoutOthers(vault, before, own),
    ...await resealed(vault, before, next),
    ...await backupAnew(vault, before, next, othersGone(own, now)),
  ]);
}

function othersOf(
  { deviceList, device }: Pick<OwnAccount, "deviceList" | "device">,
): number[] {
  return deviceList.devices.map(({ id }) => id).filter((id) =>
    id !== device.id
  );
}

/** The others are to be told, and their queues to be deleted; see removal.ts. */
async function withoutOthers(
  vault: Vault,
  before: Account,
  own: OwnAccount,
): Promise<VaultChange[]> {
  const ids = othersOf(own);
  const devices = await vault.get(ownDevicesTable, SELF);
  const backup = await vault.get(backupTable, SELF);
  if (ids.length === 0 || !devices || !backup) {
    return [keyChangedTable.put(SELF, { due: true })];
  }
  const discarded = await vault.get(discardedTable, SELF) ?? { queues: [] };
  const condemned: CondemnedQueue[] = await queuesOfDevices(
    before,
    own.accountId,
    backup,
    ids,
    vault,
  );
  const removed = devices.others.filter(({ id, address }) =>
    ids.includes(id) && address.length > 0
  );
  return [
    keyChangedTable.put(SELF, {
      due: true,
      removed: removed.map(({ id, address }) => ({ id, address })),
    }),
    ownDevicesTable.put(SELF, alone(devices, ids)),
    discardedTable.put(SELF, {
      ...discarded,
      condemned: [...discarded.condemned ?? [], ...condemned],
    }),
  ];
}

/** The backup, in which only this device speaks of itself. */
function othersGone(own: OwnAccount, now: number) {
  const stamp = { time: now, device: own.device.id };
  return (backup: BackupRecord): BackupRecord =>
    withoutDevices(backup, othersOf(own), stamp);
}

async function accountOf(reader: VaultReader) {
  const record = await reader.get(accountTable, SELF);
  if (!record) throw new DamagedError("there is no account in the vault");
  return record;
}

/** The remove keys of all queues, sealed to the next key. */
async function resealed(
  vault: Vault,
  before: Account,
  next: Account,
): Promise<VaultChange[]> {
  const { ids } = await vault.get(contactsTable, SELF) ?? { ids: [] };
  const contacts = await vault.getMany(contactTable, ids);
  const devices = await vault.get(ownDevicesTable, SELF);
  const names = [
    ...contacts.flatMap((contact) => contact ? queuesOf(contact) : []),
    ...devices ? [devices.queue, ...devices.renewed?.own ?? []] : [],
  ];
  const queues = await vault.getMany(queueTable, names);
  const changes: VaultChange[] = [];
  for (const [i, queue] of queues.entries()) {
    if (!queue) throw new DamagedError("a queue is missing");
    changes.push(
      queueTable.put(names[i], await resealedQueue(queue, before, next)),
    );
  }
  return changes;
}

async function resealedQueue(
  queue: QueueRecord,
  before: Account,
  next: Account,
): Promise<QueueRecord> {
  const seed = await openSealed(
    before.recovery,
    queue.removeKey,
    REMOVE_KEY_PURPOSE,
  );
  const removeKey = await sealToKey(
    next.recovery.publicKey,
    seed,
    REMOVE_KEY_PURPOSE,
  );
  wipe(seed);
  return { ...queue, removeKey };
}

/** The next key finds a backup of its own, which is still to be written; those before are still to be deleted. */
async function backupAnew(
  vault: Vault,
  before: Account,
  next: Account,
  changed: (backup: BackupRecord) => BackupRecord,
): Promise<VaultChange[]> {
  const keys = await vault.get(backupKeysTable, SELF);
  const backup = await vault.get(backupTable, SELF);
  // The key may have been changed before without a word from the relay since.
  const former = await vault.get(formerBackupsTable, SELF);
  const [read, own] = await Promise.all(
    [before.backup.readSeed, before.backup.ownSeed].map(ed25519PairOf),
  );
  return [
    backupKeysTable.put(
      SELF,
      await backupKeys(next, undefined, (keys?.key.epoch ?? 0) + 1),
    ),
    formerBackupsTable.put(SELF, {
      backups: [...former?.backups ?? [], {
        blob: blobId(read.publicKey, own.publicKey),
        ownSeed: before.backup.ownSeed.slice(),
      }],
    }),
    ...backup
      ? [
        backupTable.put(SELF, { ...changed(backup), base: 0 }),
      ]
      : [],
  ];
}
