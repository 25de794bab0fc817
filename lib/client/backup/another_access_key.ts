/**
 * Another access key in the place of the one there is: for who fears that somebody has seen it. The
 * account key before signs the one after it, and everything that the old key opens is sealed to the new
 * one, in one commit. Contacts follow by what this device announces. docs/protocol.md § Another access key.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { blobId } from "../../wire/mod.ts";
import {
  type Account,
  deriveAccount,
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
import {
  accountTable,
  backupKeysTable,
  backupTable,
  contactsTable,
  contactTable,
  doorsTable,
  formerBackupTable,
  inviteTable,
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

/** The open account, and what changes its vault while nothing works on it. */
interface Open {
  readonly account: OwnAccount;
  readonly reader: VaultReader;
  /** Resolves with false when it came to nothing. */
  change(work: (vault: Vault) => Promise<void>): Promise<boolean>;
}

/** Another key for the open account; nothing changes before it is committed. */
export async function anotherAccessKey(
  accessKey: string,
  { account, reader, change }: Open,
): Promise<AnotherAccessKey> {
  const reading = parseAccessKey(accessKey);
  if (!reading.ok) return reading;
  const before = deriveAccount(reading.key);
  wipe(reading.key);
  const same = equalBytes(before.accountKey.publicKey, account.accountKey);
  const reason = same ? await objection(reader) : "other-account";
  if (reason) {
    wipeAccount(before);
    return { ok: false, reason };
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
    commit: async () => {
      try {
        return await change((vault) => changeAccessKey(vault, before, next));
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
): Promise<"invite" | "devices" | "too-often" | undefined> {
  // What an invite has made is sealed to the old key, and becomes a contact's when it is met.
  const invites = await reader.getMany(inviteTable, ["offer", "join"]);
  const doors = await reader.get(doorsTable, SELF);
  const open = [...invites, ...Object.values(doors ?? {}).flat()];
  if (open.some((each) => each !== undefined)) return "invite";
  const record = await accountOf(reader);
  const { deviceList } = await openAccount(record);
  if (deviceList.devices.length > 1) return "devices";
  const { successions = [] } = record;
  if (successions.length === MAX_SUCCESSIONS) return "too-often";
}

/** Puts `next` in the place of `before`, whose account this is. All of it is stored, or nothing. */
async function changeAccessKey(
  vault: Vault,
  before: Account,
  next: Account,
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
    ...await resealed(vault, before, next),
    ...await backupAnew(vault, before, next),
  ]);
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
    ...contacts.flatMap((contact) => contact?.queues ?? []),
    ...devices ? [devices.queue] : [],
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

/** The next key finds a backup of its own, which is still to be written; the one before is still to be deleted. */
async function backupAnew(
  vault: Vault,
  before: Account,
  next: Account,
): Promise<VaultChange[]> {
  const keys = await vault.get(backupKeysTable, SELF);
  const backup = await vault.get(backupTable, SELF);
  const [read, own] = await Promise.all(
    [before.backup.readSeed, before.backup.ownSeed].map(ed25519PairOf),
  );
  return [
    backupKeysTable.put(
      SELF,
      await backupKeys(next, undefined, (keys?.key.epoch ?? 0) + 1),
    ),
    formerBackupTable.put(SELF, {
      blob: blobId(read.publicKey, own.publicKey),
      ownSeed: before.backup.ownSeed.slice(),
    }),
    ...backup
      ? [
        backupTable.put(SELF, {
          ...backup,
          version: backup.version + 1,
          base: 0,
        }),
      ]
      : [],
  ];
}
