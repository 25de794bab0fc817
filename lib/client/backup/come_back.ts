/**
 * Coming back with the access key alone: the account of a backup on a device that has nothing. The
 * new device replaces those before it: their queues are deleted, the list that it signs names it alone,
 * and the backup begins another epoch, which they can't write.
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
  REMOVE_KEY_PURPOSE,
  verifyDeviceList,
  wipe,
  wipeAccount,
} from "../keys/mod.ts";
import {
  type Connection,
  ConnectionLostError,
  Link,
  RelayError,
} from "../link/mod.ts";
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
import type { Keeper } from "../keeper.ts";
import { Vault, type VaultChange } from "../storage/mod.ts";
import type { LogInOutcome } from "../view.ts";
import { blobId } from "../../wire/mod.ts";
import { readBlob } from "../blobs.ts";
import { encodeCells, parseCells } from "./cell_codec.ts";
import type { Cells } from "./cells.ts";
import { type BackupContents, readContents } from "./contents.ts";
import type { BackedContact } from "./held.ts";
import { BackupError, openBackup, openBackupKey } from "./seal.ts";

/** How long the relay may take to be reached, in ms; circuits of Tor take up to 8 s. */
const PATIENCE_MS = 25_000;

interface NotThere {
  readonly ok: false;
  readonly reason: "nothing-here" | "unreachable" | "damaged" | "newer-version";
}

interface Found {
  readonly epoch: number;
  /** Of the backup. */
  readonly version: number;
  /** Of the blob. */
  readonly base: number;
  readonly cells: Cells;
  readonly contents: BackupContents;
  readonly list: DeviceList;
}

/** Looks for the backup that `key` opens. Changes nothing. Wipes the key. */
export async function find(
  adapters: Adapters,
  key: AccessKey,
): Promise<LogInOutcome> {
  const account = deriveAccount(key);
  wipe(key);
  try {
    return await atRelay(adapters, async (connection) => {
      const { contents } = await read(connection, account);
      return {
        ok: false as const,
        reason: "found" as const,
        name: contents.account.name,
        contacts: contents.contacts.length,
      };
    });
  } finally {
    wipeAccount(account);
  }
}

/** Shuts out the devices there were, and makes this one the account's. */
export async function comeBack(
  adapters: Adapters,
  keeper: Keeper,
  accessKey: string,
): Promise<LogInOutcome> {
  const reading = parseAccessKey(accessKey);
  if (!reading.ok) return reading;
  const account = deriveAccount(reading.key);
  wipe(reading.key);
  try {
    const outcome = await atRelay(adapters, async (connection) => {
      const found = await read(connection, account);
      await deleteQueues(connection, account, found.contents);
      const now = adapters.clock.now();
      return await recordsOf(account, found, connection, now);
    });
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

/**
 * The queues of the devices there were are no more: what contacts still send there has nowhere to go.
 * Those of the account stay, for whoever knows only these.
 */
async function deleteQueues(
  connection: Connection,
  { recovery }: Account,
  { contacts }: BackupContents,
): Promise<void> {
  for (const { queues, accountQueues } of contacts) {
    const kept = accountQueues.map(({ send }) => queueName(send.publicKey));
    for (const { id, removeKey } of queues) {
      if (kept.includes(bytesToHex(id))) continue;
      const seed = await openSealed(recovery, removeKey, REMOVE_KEY_PURPOSE);
      await deleteQueue(connection, id, await ed25519PairOf(seed));
    }
  }
}

class NothingFoundError extends Error {
  override readonly name = "NothingFoundError";
}

/** Throws NothingFoundError, BackupError, MalformedError and what `Connection.request` does. */
async function read(
  connection: Connection,
  { accountId, accountKey, backup }: Account,
): Promise<Found> {
  const [readPair, own] = await Promise.all(
    [backup.readSeed, backup.ownSeed].map(ed25519PairOf),
  );
  const id = blobId(readPair.publicKey, own.publicKey);
  const blob = await readBlob(connection, id, readPair);
  if (blob.contents.length === 0) throw new NothingFoundError();
  const key = openBackupKey(accountId, backup.sealKey, blob.contents);
  const { version, contents } = openBackup(accountId, key, blob.contents);
  const cells = parseCells(contents);
  const owner = { accountId, accountKey: accountKey.publicKey };
  const said = await readContents(cells, owner);
  return {
    epoch: key.epoch,
    version,
    base: blob.version,
    cells,
    contents: said,
    list: await verifyDeviceList(said.account.deviceList.bytes, owner),
  };
}

async function recordsOf(
  account: Account,
  { epoch, version, base, cells, contents, list }: Found,
  { hello }: Connection,
  now: number,
): Promise<VaultChange[]> {
  const highest = Math.max(...list.devices.map(({ id }) => id));
  const known = await Promise.all(
    contents.contacts.map((contact) => recordsOfContact(account, contact, now)),
  );
  const contacts = known.map(({ contact }) => contact);
  return [
    ...await newDeviceRecords(account, {
      name: contents.account.name,
      // No id of the list before: what was meant for one device is never taken for another's.
      deviceId: highest % 127 + 1,
      settings: contents.account.settings,
      before: list,
      backupKeys: await backupKeys(account, undefined, epoch + 1),
    }),
    relayTable.put(SELF, { url: hello.url, key: hello.relayKey }),
    contactsTable.put(SELF, {
      ids: contacts.map(({ accountId }) => accountId),
    }),
    ...known.flatMap(({ changes }) => changes),
    ...contacts.map(({ conversation, metAt }) => emptyLog(conversation, metAt)),
    backupTable.put(SELF, {
      cells: encodeCells(cells),
      glimpse: [],
      version,
      base,
      written: { version, at: 0 },
      wentBack: false,
      read: version,
    }),
  ];
}

/**
 * A contact, with new queues for them: of this device, and of the account. They know those that the
 * account had until they hear of these.
 */
async function recordsOfContact(
  { accountId, recovery }: Account,
  { record, queues, accountQueues }: BackedContact,
  now: number,
): Promise<{ contact: ContactRecord; changes: VaultChange[] }> {
  const retired = await Promise.all(accountQueues.map(async (queue) => {
    const name = queueName(queue.send.publicKey);
    const kept = queues.find(({ id }) => bytesToHex(id) === name);
    if (!kept) throw new MalformedError("an account queue");
    const seed = await openSealed(recovery, kept.removeKey, REMOVE_KEY_PURPOSE);
    return { ...queue, remove: await ed25519PairOf(seed) };
  }));
  // After a parting there is no way, and none is made.
  const made = record.accountAddress
    ? [await newQueue(), await newQueue()]
    : [];
  const own = await Promise.all(
    [...made, ...retired].map((queue) =>
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
          i < made.length ? queue : { ...queue, retired: now },
        )
      ),
    ],
  };
}

/** Does `work` on a connection of its own. What the relay or its backup have against it is the outcome. */
async function atRelay<T>(
  adapters: Adapters,
  work: (connection: Connection) => Promise<T>,
): Promise<T | NotThere> {
  const { clock } = adapters;
  const over = Promise.withResolvers<T>();
  const unreachable = () => over.reject(new ConnectionLostError());
  const cancelTimer = clock.after(PATIENCE_MS, unreachable);
  const link = new Link({
    ...adapters,
    url: adapters.relaySocketUrl,
    relayKey: undefined,
    connected: (connection) => {
      cancelTimer();
      work(connection).then(over.resolve, over.reject);
    },
    lost: unreachable,
  });
  link.start();
  try {
    return await over.promise;
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  } finally {
    cancelTimer();
    link.stop();
  }
}

/** Throws what is none of these. */
function reasonOf(error: unknown): NotThere["reason"] {
  if (error instanceof NothingFoundError) return "nothing-here";
  if (error instanceof BackupError) {
    return error.code === "damaged" ? "damaged" : "newer-version";
  }
  if (error instanceof MalformedError) return "damaged";
  if (error instanceof ConnectionLostError) return "unreachable";
  if (error instanceof RelayError) {
    return error.code === "no-such-blob" ? "nothing-here" : "unreachable";
  }
  throw error;
}
