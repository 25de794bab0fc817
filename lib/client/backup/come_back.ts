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
import {
  deleteQueue,
  heldGeneration,
  queueName,
  queueRecord,
} from "../queues.ts";
import {
  backupTable,
  type CondemnedQueue,
  type ContactRecord,
  contactsTable,
  contactTable,
  queueTable,
  relayTable,
  SELF,
} from "../records.ts";
import { Vault, type VaultChange } from "../storage/mod.ts";
import type { ComeBack, LogInOutcome } from "../view.ts";
import { FAR_VERSION } from "./believed.ts";
import { beginEpoch, openBlobKeys } from "./blob_keys.ts";
import { encodeCells } from "./cell_codec.ts";
import { cellName, DEVICE_KIND } from "./cells.ts";
import { condemnedOf } from "./condemned.ts";
import type { BackupContents } from "./contents.ts";
import { atRelay, type Found, type NotThere, readFound } from "./found.ts";
import type { AccountQueue, BackedContact } from "./held.ts";
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

/** Shuts out the devices there were. Gives the records of the only one there is then. */
async function replace(
  { clock }: Adapters,
  connection: Connection,
  account: Account,
): Promise<VaultChange[]> {
  const found = await readFound(connection, account, clock.now());
  // What contacts still send there has nowhere to go.
  for (const { id, seed } of await queuesOfDevices(account, found.contents)) {
    await deleteQueue(connection, id, await ed25519PairOf(seed));
  }
  const epoch = await epochAfter(connection, account, found);
  return await recordsOf(account, { ...found, epoch }, connection, clock.now());
}

/** The next epoch: one that a device has begun, and written nothing in, is over, too. */
async function epochAfter(
  connection: Connection,
  account: Account,
  { key: { epoch } }: Found,
): Promise<number> {
  // Other keys for an epoch that there is are refused, with the last one that was begun.
  const others = await backupKeys(account, undefined, epoch);
  try {
    const { ownSeed } = account.backup;
    await beginEpoch(connection, await openBlobKeys(others), ownSeed);
    return epoch + 1;
  } catch (error) {
    const begun = heldGeneration(connection, error);
    if (begun === undefined) throw error;
    return Math.max(begun, epoch) + 1;
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
 * it begins. `now`: ms since the epoch.
 */
export async function recordsOf(
  account: Account,
  { owner, epoch, version: found, base, cells, contents, list }:
    & Omit<Found, "key">
    & { readonly epoch: number },
  { hello }: Connection,
  now: number,
): Promise<VaultChange[]> {
  // After the last one there is, nobody could write the next.
  const version = found > FAR_VERSION ? FAR_VERSION / 2 : found;
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
    backupKeys: await backupKeys(account, undefined, epoch),
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
