/**
 * Coming back with the access key alone: the account of a backup on a device that has nothing. The new
 * device stands beside those there are, or replaces them: then their queues are deleted, the list that it
 * signs names it alone, and the backup begins another epoch, which they can't write.
 */
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Adapters } from "../adapters.ts";
import { conversationOf } from "../contact.ts";
import { emptyLog } from "../content/mod.ts";
import {
  type AccessKey,
  type Account,
  deriveAccount,
  type DeviceList,
  ed25519PairOf,
  MalformedError,
  newQueue,
  openSealed,
  parseAccessKey,
  type QueueCredentials,
  REMOVE_KEY_PURPOSE,
  wipe,
  wipeAccount,
} from "../keys/mod.ts";
import type { Keeper } from "../keeper.ts";
import type { Connection } from "../link/mod.ts";
import { backupKeys, newDeviceRecords } from "../new_device.ts";
import { deleteQueue, queueName, queueRecord } from "../queues.ts";
import {
  backupTable,
  type ContactRecord,
  contactsTable,
  contactTable,
  queueTable,
  relayTable,
  SELF,
} from "../records.ts";
import { Vault, type VaultChange } from "../storage/mod.ts";
import type { ComeBack, LogInOutcome } from "../view.ts";
import { encodeCells } from "./cell_codec.ts";
import { cellName, DEVICE_KIND } from "./cells.ts";
import type { BackupContents } from "./contents.ts";
import { atRelay, type Found, readFound } from "./found.ts";
import type { BackedContact } from "./held.ts";
import { standBeside } from "./stand_beside.ts";

/** Looks for the backup that `key` opens. Changes nothing. Wipes the key. */
export async function find(
  adapters: Adapters,
  key: AccessKey,
): Promise<LogInOutcome> {
  const account = deriveAccount(key);
  wipe(key);
  try {
    return await atRelay(adapters, async (connection) => {
      const { contents, list } = await readFound(connection, account);
      return {
        ok: false as const,
        reason: "found" as const,
        name: contents.account.name,
        contacts: contents.contacts.length,
        devices: list.devices.length,
      };
    });
  } finally {
    wipeAccount(account);
  }
}

/** Makes this device one of the account's, beside those there are or instead of them. */
export async function comeBack(
  adapters: Adapters,
  keeper: Keeper,
  accessKey: string,
  how: ComeBack,
): Promise<LogInOutcome> {
  const reading = parseAccessKey(accessKey);
  if (!reading.ok) return reading;
  const account = deriveAccount(reading.key);
  wipe(reading.key);
  try {
    const outcome = await atRelay(
      adapters,
      (connection) =>
        how === "beside"
          ? standBeside(adapters, connection, account)
          : replace(adapters, connection, account),
    );
    if ("reason" in outcome) return outcome;
    await keeper.untilThereIsRoom({ at: "no-account" }, async () => {
      keeper.expect("no-account", "comeBack");
      const recoveryPublicKey = account.recovery.publicKey;
      await keeper.work(
        await Vault.create(keeper.disk(), { recoveryPublicKey }, outcome),
      );
    });
    return { ok: true };
  } finally {
    wipeAccount(account);
  }
}

/** Shuts out the devices there were. Gives the records of the only one there is then. */
async function replace(
  { clock }: Adapters,
  connection: Connection,
  account: Account,
): Promise<VaultChange[]> {
  const found = await readFound(connection, account);
  await deleteQueues(connection, account, found.contents);
  return await recordsOf(account, found, connection, clock.now());
}

/**
 * The queues of the devices there were are no more: what contacts still send there has nowhere to go.
 * Those of the account stay, for whoever knows only these.
 */
async function deleteQueues(
  connection: Connection,
  { recovery }: Account,
  { contacts, devices }: BackupContents,
): Promise<void> {
  const kept = contacts.flatMap(({ accountQueues }) =>
    accountQueues.map(({ send }) => queueName(send.publicKey))
  );
  for (const { queues } of [...contacts, ...devices]) {
    for (const { id, removeKey } of queues) {
      if (kept.includes(bytesToHex(id))) continue;
      const seed = await openSealed(recovery, removeKey, REMOVE_KEY_PURPOSE);
      await deleteQueue(connection, id, await ed25519PairOf(seed));
    }
  }
}

/** An id that the list does not use: what was meant for one device is never taken for another's. */
export function freeDeviceId({ devices }: DeviceList): number {
  let id = Math.max(...devices.map(({ id }) => id));
  do id = id % 127 + 1; while (devices.some((device) => device.id === id));
  return id;
}

async function recordsOf(
  account: Account,
  { owner, key, version, base, cells, contents, list }: Found,
  { hello }: Connection,
  now: number,
): Promise<VaultChange[]> {
  const known = await Promise.all(
    contents.contacts.map((contact) =>
      recordsOfContact(owner, contact, "instead", now)
    ),
  );
  const { changes } = await newDeviceRecords(owner, {
    name: contents.account.name,
    deviceId: freeDeviceId(list),
    successions: contents.account.successions,
    settings: contents.account.settings,
    before: list,
    backupKeys: await backupKeys(account, undefined, key.epoch + 1),
    now,
  });
  const left = new Map(cells);
  for (const { id } of list.devices) {
    const subject = new Uint8Array();
    left.delete(cellName({ kind: DEVICE_KIND + id, subject }));
  }
  return [
    ...changes,
    relayTable.put(SELF, { url: hello.url, key: hello.relayKey }),
    ...recordsOfContacts(known),
    backupTable.put(SELF, {
      cells: encodeCells(left),
      glimpse: [],
      version,
      base,
      written: { version, at: 0 },
      wentBack: false,
      read: version,
    }),
  ];
}

export interface KnownContact {
  readonly contact: ContactRecord;
  readonly changes: readonly VaultChange[];
}

/** All contacts, with a conversation each in which nothing was said. */
export function recordsOfContacts(
  known: readonly KnownContact[],
): VaultChange[] {
  const contacts = known.map(({ contact }) => contact);
  return [
    contactsTable.put(SELF, {
      ids: contacts.map(({ accountId }) => accountId),
    }),
    ...known.flatMap(({ changes }) => changes),
    ...contacts.map(({ conversation, metAt }) => emptyLog(conversation, metAt)),
  ];
}

/**
 * A contact, with a new queue of this device for them. Beside others the queues of the account stay as
 * they are. Instead of others there is a new one, too; they know those that the account had until they
 * hear of these.
 */
export async function recordsOfContact(
  { accountId, recovery }: Account,
  backed: BackedContact,
  how: ComeBack,
  now: number,
): Promise<KnownContact> {
  const { record } = backed;
  const before = await accountQueuesOf(recovery, backed);
  const shared = how === "beside" ? before : [await newQueue(), ...before];
  const retired = shared.slice(1);
  // After a parting there is no way, and none is made.
  const queues = record.accountAddress ? [await newQueue(), ...shared] : [];
  const own = await Promise.all(
    queues.map((queue) =>
      queueRecord(queue, recovery.publicKey, record.accountId)
    ),
  );
  const contact = {
    ...record,
    queues: own.map(({ name }) => name),
    conversation: conversationOf(accountId, record.accountId),
  };
  return {
    contact,
    changes: [
      contactTable.put(record.accountId, contact),
      ...own.map(({ name, record: queue }, i) =>
        queueTable.put(
          name,
          retired.includes(queues[i]) ? { ...queue, retired: now } : queue,
        )
      ),
    ],
  };
}

/** The queues of the account for a contact, with their remove keys. */
async function accountQueuesOf(
  recovery: Account["recovery"],
  { queues, accountQueues }: BackedContact,
): Promise<QueueCredentials[]> {
  return await Promise.all(accountQueues.map(async (queue) => {
    if (queue.remove) return { ...queue, remove: queue.remove };
    const name = queueName(queue.send.publicKey);
    const kept = queues.find(({ id }) => bytesToHex(id) === name);
    if (!kept) throw new MalformedError("an account queue");
    const seed = await openSealed(recovery, kept.removeKey, REMOVE_KEY_PURPOSE);
    return { ...queue, remove: await ed25519PairOf(seed) };
  }));
}
