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
import { type Connection, RelayError } from "../link/mod.ts";
import { backupKeys, newDeviceRecords } from "../new_device.ts";
import { heldGeneration, queueName, queueRecord } from "../queues.ts";
import {
  type BackupKeysRecord,
  type BackupRecord,
  backupTable,
  type CondemnedQueue,
  type ContactRecord,
  contactsTable,
  contactTable,
  discardedTable,
  queueTable,
  relayTable,
  SELF,
} from "../records.ts";
import { Vault, type VaultChange } from "../storage/mod.ts";
import { writeBlob } from "../blobs.ts";
import type { ComeBack, LogInOutcome } from "../view.ts";
import { FAR_VERSION } from "./believed.ts";
import { beginEpoch, openBlobKeys } from "./blob_keys.ts";
import { encodeCells } from "./cell_codec.ts";
import {
  cellName,
  type Cells,
  counted,
  DEVICE_KIND,
  KINDS,
  merge,
} from "./cells.ts";
import { condemnedOf } from "./condemned.ts";
import type { BackupContents } from "./contents.ts";
import { atRelay, type Found, type NotThere, readFound } from "./found.ts";
import type { AccountQueue, BackedContact } from "./held.ts";
import { sealBackup } from "./seal.ts";
import { standBeside } from "./stand_beside.ts";

/** Does `work` on a connection, with the account of `key`. Wipes both. */
export async function withAccount<T>(
  adapters: Adapters,
  key: AccessKey,
  work: (connection: Connection, account: Account) => Promise<T>,
): Promise<T | NotThere> {
  const account = deriveAccount(key);
  wipe(key);
  try {
    return await atRelay(
      adapters,
      (connection) => work(connection, account),
    );
  } finally {
    wipeAccount(account);
  }
}

/** Looks for the backup that `key` opens. Changes nothing. Wipes the key. */
export function find(
  adapters: Adapters,
  key: AccessKey,
): Promise<LogInOutcome> {
  return withAccount(
    adapters,
    key,
    async (connection, account) =>
      foundOf(await readFound(connection, account, adapters.clock.now())),
  );
}

/** What the person is told of a backup that was found. */
export function foundOf({ contents, list }: Found): LogInOutcome {
  return {
    ok: false,
    reason: "found",
    name: contents.account.name,
    contacts: contents.contacts.length,
    devices: list.devices.length,
  };
}

/** Makes this device one of the account's, beside those there are or instead of them. */
export function comeBack(
  adapters: Adapters,
  keeper: Keeper,
  accessKey: string,
  how: ComeBack,
): Promise<LogInOutcome> {
  return begin(
    adapters,
    keeper,
    accessKey,
    (connection, account) =>
      how === "beside"
        ? standBeside(adapters, connection, account)
        : replace(adapters, connection, account),
  );
}

/** What was found, and the keys of the epoch that is to follow. */
type Beginning = Omit<Found, "key"> & { readonly keys: BackupKeysRecord };

/** How often another device may begin the epoch after the one that this one has begun. */
const TRIES = 5;

/** Why a device can't be one of the account's. */
interface Refusal {
  readonly ok: false;
  readonly reason: string;
}

/** Stores the account here, in one commit, with the records that `work` gives, and goes to work. */
export async function begin<R extends Refusal>(
  adapters: Adapters,
  keeper: Keeper,
  accessKey: string,
  work: (
    connection: Connection,
    account: Account,
  ) => Promise<VaultChange[] | R>,
) {
  const reading = parseAccessKey(accessKey);
  if (!reading.ok) return reading;
  const outcome = await withAccount(
    adapters,
    reading.key,
    async (connection, account) => {
      const records = await work(connection, account);
      return "reason" in records
        ? records
        : { records, recoveryPublicKey: account.recovery.publicKey.slice() };
    },
  );
  if ("reason" in outcome) return outcome;
  const { records, recoveryPublicKey } = outcome;
  await keeper.untilThereIsRoom({ at: "no-account" }, async () => {
    keeper.expect("no-account", "comeBack");
    await keeper.work(
      await Vault.create(keeper.disk(), { recoveryPublicKey }, records),
    );
  });
  return { ok: true } as const;
}

/**
 * Shuts out the devices there were. Gives the records of the only one there is then: it is in the list that
 * the backup has before anything is stored here, so that of all that is done at once one thing follows another.
 */
async function replace(
  { clock }: Adapters,
  connection: Connection,
  account: Account,
): Promise<VaultChange[]> {
  for (let tries = 1;; tries++) {
    const before = await readFound(connection, account, clock.now());
    const keys = await begunAfter(connection, account, before);
    // Nobody else writes in this epoch; what was written until then is what this device follows.
    const found = await readFound(connection, account, clock.now());
    try {
      return await alone(account, { ...found, keys }, connection, clock.now());
    } catch (error) {
      // Another has begun the next one meanwhile, as this one had written nothing for long.
      const other = error instanceof RelayError &&
        (error.code === "conflict" || error.code === "unauthorised");
      if (!other || tries === TRIES) throw error;
    }
  }
}

/** Writes the first backup of the epoch, with a list of this device alone. Gives its records. */
async function alone(
  account: Account,
  found: Beginning,
  connection: Connection,
  now: number,
): Promise<VaultChange[]> {
  const condemned = await queuesOfDevices(account, found.contents);
  const { ownSeed: _, ...keys } = found.keys;
  const { blob, write } = await openBlobKeys(keys);
  const records = await recordsOf(
    { ...found, keys },
    connection,
    now,
    async (said, list, version) => {
      const cells = encodeCells(merge(said, [
        counted(KINDS.writeKey, keys.key.epoch, keys.writeSeed),
        counted(KINDS.deviceList, list.version, list.bytes),
      ]));
      const backup = sealBackup(account.accountId, keys.key, version, cells);
      const base = await writeBlob(
        connection,
        blob,
        write,
        found.base,
        backup,
      );
      return { cells, base, written: { version, at: now }, own: version };
    },
  );
  // What contacts still send there has nowhere to go.
  return [...records, discardedTable.put(SELF, { queues: [], condemned })];
}

/** The keys of the epoch that was begun now: one that a device has begun, and written nothing in, is over, too. */
export async function begunAfter(
  connection: Connection,
  account: Account,
  found: Found,
): Promise<BackupKeysRecord> {
  let epoch = found.key.epoch + 1;
  while (true) {
    const keys = await backupKeys(account, undefined, epoch);
    try {
      const { ownSeed } = account.backup;
      await beginEpoch(connection, await openBlobKeys(keys), ownSeed);
      return keys;
    } catch (error) {
      const begun = heldGeneration(connection, error);
      if (begun === undefined) throw error;
      epoch = Math.max(begun, epoch) + 1;
    }
  }
}

/**
 * The queues of the devices there were, with the seeds of their remove keys. Not those of the account: they
 * stay, for whoever knows only these.
 */
export async function queuesOfDevices(
  account: Account,
  { contacts, devices }: BackupContents,
): Promise<CondemnedQueue[]> {
  const kept = contacts.flatMap(({ accountQueues }) =>
    accountQueues.map(({ send }) => queueName(send.publicKey))
  );
  return await condemnedOf(
    account,
    [...contacts, ...devices].flatMap(({ queues }) => queues)
      .filter(({ id }) => !kept.includes(bytesToHex(id))),
  );
}

/** An id that the list does not use: what was meant for one device is never taken for another's. */
export function freeDeviceId({ devices }: DeviceList): number {
  let id = Math.max(...devices.map(({ id }) => id));
  do id = id % 127 + 1; while (devices.some((device) => device.id === id));
  return id;
}

/**
 * The records of the only device there is then, at the relay of `connection`, in the epoch of the backup that
 * these keys begin. `now`: ms since the epoch. `write`: writes its first version; else the device does, once
 * it is open.
 */
export async function recordsOf(
  { owner, keys, version: found, base, cells, contents, list }: Beginning,
  { hello }: Connection,
  now: number,
  write?: (
    cells: Cells,
    list: DeviceList,
    version: number,
  ) => Promise<
    Pick<BackupRecord, "cells" | "base" | "written" | "own">
  >,
): Promise<VaultChange[]> {
  // After the last one there is, nobody could write the next.
  const version = found > FAR_VERSION ? FAR_VERSION / 2 : found;
  const known = await Promise.all(
    contents.contacts.map((contact) =>
      recordsOfContact(owner, contact, "instead", now)
    ),
  );
  const { changes, deviceList } = await newDeviceRecords(owner, {
    name: contents.account.name,
    deviceId: freeDeviceId(list),
    successions: contents.account.successions,
    settings: contents.account.settings,
    before: list,
    backupKeys: keys,
    now,
  });
  const left = new Map(cells);
  for (const { id } of list.devices) {
    const subject = new Uint8Array();
    left.delete(cellName({ kind: DEVICE_KIND + id, subject }));
  }
  const backup = await write?.(left, deviceList, version + 1) ??
    { cells: encodeCells(left), base, written: { version, at: 0 } };
  return [
    ...changes,
    relayTable.put(SELF, { url: hello.url, key: hello.relayKey }),
    ...recordsOfContacts(known),
    backupTable.put(SELF, {
      ...backup,
      glimpse: [],
      version: backup.written.version,
      wentBack: false,
      read: version,
    }),
  ];
}

/** A queue of the account, and where it is if the account has left that relay. */
type PlacedQueue = QueueCredentials & Pick<AccountQueue, "left">;

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
  const shared: PlacedQueue[] = how === "beside"
    ? before
    : [await newQueue(), ...before];
  const retired = shared.slice(1);
  // After a parting there is no way, and none is made.
  const queues: PlacedQueue[] = record.accountAddress
    ? [await newQueue(), ...shared]
    : [];
  const own = await Promise.all(
    queues.map((queue) =>
      queueRecord(queue, recovery.publicKey, record.accountId)
    ),
  );
  const leftOf = (queue: PlacedQueue) =>
    queue.left ? { left: { ...queue.left, since: now } } : {};
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
          {
            ...queue,
            ...retired.includes(queues[i]) ? { retired: now } : {},
            ...leftOf(queues[i]),
          },
        )
      ),
    ],
  };
}

/** The queues of the account for a contact, with their remove keys. */
async function accountQueuesOf(
  recovery: Account["recovery"],
  { queues, accountQueues }: BackedContact,
): Promise<PlacedQueue[]> {
  return await Promise.all(accountQueues.map(async (queue) => {
    if (queue.remove) return { ...queue, remove: queue.remove };
    const name = queueName(queue.send.publicKey);
    const kept = queues.find(({ id }) => bytesToHex(id) === name);
    if (!kept) throw new MalformedError("an account queue");
    const seed = await openSealed(recovery, kept.removeKey, REMOVE_KEY_PURPOSE);
    return { ...queue, remove: await ed25519PairOf(seed) };
  }));
}
