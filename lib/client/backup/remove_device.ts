/**
 * Removing a device of the account, with the access key: a list without it, another epoch of the backup,
 * and other queues of the account, all in one commit. What follows from it at the relay, and for contacts
 * and other devices, is done from what is on disk then, however often it is cut short.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import type { Contact } from "../contact.ts";
import type { Desk } from "../desk.ts";
import {
  type AccessKey,
  type Account,
  deriveAccount,
  type DeviceList,
  openSealed,
  REMOVE_KEY_PURPOSE,
  signDeviceList,
  wipe,
  wipeAccount,
} from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import { backupKeys } from "../new_device.ts";
import { makeQueue } from "../queues.ts";
import {
  type BackupKeysRecord,
  backupKeysTable,
  type BackupRecord,
  backupTable,
  type CondemnedQueue,
  queueTable,
  SELF,
} from "../records.ts";
import type { RemovalOutcome } from "../view.ts";
import { encodeCells, parseCells } from "./cell_codec.ts";
import { cellName, DEVICE_KIND, merge } from "./cells.ts";
import { readContents } from "./contents.ts";

export interface RemovalEvents {
  /** The own device list, newer than ours. */
  listed(entry: Entry, list: DeviceList): Promise<void>;
  /** The device is to hear of it, at this address, and the others get the keys of the epoch. */
  tell(
    entry: Entry,
    address: Uint8Array | undefined,
    keys: BackupKeysRecord["key"] & Pick<BackupKeysRecord, "writeSeed">,
  ): Promise<void>;
  put(entry: Entry, contact: Contact): void;
  /** Own queues that nobody needs any more, and queues of somebody else that are to be deleted. */
  discard(entry: Entry, names: readonly string[]): Promise<void>;
  condemn(entry: Entry, queues: readonly CondemnedQueue[]): Promise<void>;
  /** Own queues that this device did not read before. */
  added(entry: Entry, names: readonly string[]): void;
}

/** Removes the device `id`. What is at the relay must be in the backup here already. Wipes the key. */
export async function removeDevice(
  desk: Desk,
  events: RemovalEvents,
  id: number,
  key: AccessKey,
): Promise<RemovalOutcome> {
  const account = deriveAccount(key);
  wipe(key);
  try {
    const { accountKey } = desk.account;
    if (!equalBytes(account.accountKey.publicKey, accountKey)) {
      return { ok: false, reason: "other-account" };
    }
    return await desk.ledger.run((entry) =>
      remove({ desk, events, account }, entry, id)
    );
  } finally {
    wipeAccount(account);
  }
}

interface Removal {
  readonly desk: Desk;
  readonly events: RemovalEvents;
  readonly account: Account;
}

async function remove(
  removal: Removal,
  entry: Entry,
  id: number,
): Promise<RemovalOutcome> {
  const { desk, events, account } = removal;
  const { account: own, devices } = desk.own.in(entry);
  const listed = own.deviceList.devices.some((device) => device.id === id);
  const keys = await entry.get(backupKeysTable, SELF);
  const backup = await entry.get(backupTable, SELF);
  if (!listed || id === own.device.id) {
    return { ok: false, reason: "no-such-device" };
  }
  if (!keys || !backup) return { ok: false, reason: "no-backup" };
  const list = signDeviceList({
    accountId: own.accountId,
    accountKey: account.accountKey,
    devices: own.deviceList.devices.filter((device) => device.id !== id),
    before: own.deviceList,
  });
  const next = await backupKeys(account, undefined, keys.key.epoch + 1);
  const address = devices.others.find((other) => other.id === id)?.address;
  await events.listed(entry, list);
  entry.put(backupKeysTable, SELF, next);
  await events.tell(entry, address, { ...next.key, writeSeed: next.writeSeed });
  await events.condemn(entry, await queuesOf(removal, backup, id));
  entry.put(backupTable, SELF, without(desk, backup, id));
  await renewAccountQueues(removal, entry);
  return { ok: true };
}

/** The queues by which contacts reach the device. By its own it is told, and deletes it itself. */
async function queuesOf(
  { desk, account: { recovery, accountKey } }: Removal,
  { cells }: BackupRecord,
  id: number,
): Promise<CondemnedQueue[]> {
  const { accountId } = desk.account;
  const { devices } = await readContents(
    parseCells(cells),
    accountKey.publicKey,
  );
  const { queues = [] } = devices.find((device) => device.id === id) ?? {};
  return await Promise.all(
    queues.filter(({ from }) => from !== accountId).map(
      async ({ id, removeKey }) => ({
        id,
        seed: await openSealed(recovery, removeKey, REMOVE_KEY_PURPOSE),
      }),
    ),
  );
}

/** The backup, in which the device says nothing of itself any more. */
function without(
  { clock, account }: Desk,
  backup: BackupRecord,
  id: number,
): BackupRecord {
  const cells = parseCells(backup.cells);
  const about = { kind: DEVICE_KIND + id, subject: new Uint8Array() };
  const said = cells.get(cellName(about))?.stamp.time ?? 0;
  const nothing = {
    ...about,
    stamp: {
      time: Math.max(clock.now(), said + 1),
      device: account.device.id,
    },
    value: new Uint8Array(),
  };
  return {
    ...backup,
    cells: encodeCells(merge(cells, [nothing])),
    version: backup.version + 1,
  };
}

/** The device knows the queues of the account, so there are others, and nobody reads those any more. */
async function renewAccountQueues(
  { desk, events }: Removal,
  entry: Entry,
): Promise<void> {
  for (const accountId of desk.contacts.keys()) {
    const contact = desk.contactIn(entry, accountId);
    const [own, ...before] = contact?.record.queues ?? [];
    if (!contact || own === undefined) continue;
    const { name } = await makeQueue(entry, desk.account);
    const queue = await entry.get(queueTable, name);
    if (queue) entry.put(queueTable, name, { ...queue, contact: accountId });
    const record = { ...contact.record, queues: [own, name] };
    events.put(entry, { ...contact, record });
    await events.discard(entry, before);
    events.added(entry, [name]);
  }
}
