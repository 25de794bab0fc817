import { hexToBytes } from "@noble/hashes/utils.js";
import type { Adapters } from "../adapters.ts";
import {
  type Account,
  addressOf,
  ed25519PairOf,
  encodeAddress,
  MalformedError,
  MAX_DEVICES,
  newQueue,
  signOwnAddress,
} from "../keys/mod.ts";
import { type Connection, RelayError } from "../link/mod.ts";
import { historyTable } from "../history/records.ts";
import { newDeviceRecords } from "../new_device.ts";
import { dayOf } from "../own_devices.ts";
import { queueRecord } from "../queues.ts";
import {
  type BackupKeysRecord,
  backupTable,
  ownDevicesTable,
  queueTable,
  relayTable,
  SELF,
} from "../records.ts";
import type { VaultChange } from "../storage/mod.ts";
import { writeBlob } from "../blobs.ts";
import { FAR_VERSION } from "./believed.ts";
import { encodeCells } from "./cell_codec.ts";
import { openBlobKeys } from "./blob_keys.ts";
import { type Cell, counted, KINDS, merge } from "./cells.ts";
import {
  begunAfter,
  freeDeviceId,
  recordsOfContact,
  recordsOfContacts,
} from "./come_back.ts";
import { type Found, readFound } from "./found.ts";
import { type BackedDevice, heldOfDevice } from "./held.ts";
import { sealBackup } from "./seal.ts";

/** How often another device may write the backup while this one does, or have begun an epoch. */
const TRIES = 30;

/** How long one that has begun an epoch may take to write in it, in ms, and how often that is looked for. */
const WRITING_MS = 1_000;
const LOOKS = 10;

/**
 * Makes this device one more of the account's. It is in the list that the backup has before anything is
 * stored here: of two that come at once, the second follows the first.
 * @returns the records of the device, or why it can't be
 */
export async function standBeside(
  adapters: Adapters,
  connection: Connection,
  account: Account,
): Promise<VaultChange[] | { ok: false; reason: "too-many-devices" }> {
  let refused = 0;
  let begun: BackupKeysRecord | undefined;
  for (let tries = 1;; tries++) {
    const found = await readFound(connection, account, adapters.clock.now());
    // Those there are do not follow that one, and write over it.
    if (found.version > FAR_VERSION) throw new MalformedError("version");
    if (found.list.devices.length >= MAX_DEVICES) {
      return { ok: false, reason: "too-many-devices" };
    }
    try {
      return await join(adapters, connection, account, found, begun);
    } catch (error) {
      const other = error instanceof RelayError &&
        (error.code === "conflict" || error.code === "unauthorised");
      if (!other || tries === TRIES) throw error;
      if (error.code !== "unauthorised") continue;
      refused++;
      // Whoever has begun an epoch and writes nothing in it for so long may have died.
      if (refused % LOOKS === 0) {
        begun = await begunAfter(connection, account, found);
        continue;
      }
      await new Promise<void>((resolve) =>
        adapters.clock.after(WRITING_MS, resolve)
      );
    }
  }
}

/** The keys of the epoch that there is, or of the one after it that this device has begun. */
async function keysFor(
  account: Account,
  { key, contents }: Found,
  begun: BackupKeysRecord | undefined,
): Promise<BackupKeysRecord> {
  if (begun && begun.key.epoch > key.epoch) {
    const { ownSeed: _, ...keys } = begun;
    return keys;
  }
  const { seed, epoch } = contents.account.writeKey;
  if (epoch !== key.epoch) throw new MalformedError("write key");
  const { readSeed, ownSeed } = account.backup;
  const own = await ed25519PairOf(ownSeed);
  return {
    readSeed: readSeed.slice(),
    ownKey: own.publicKey,
    writeSeed: seed,
    key,
  };
}

async function join(
  { clock, deviceName: name = "" }: Adapters,
  connection: Connection,
  account: Account,
  found: Found,
  begun: BackupKeysRecord | undefined,
): Promise<VaultChange[]> {
  const { owner, list, contents } = found;
  const keys = await keysFor(account, found, begun);
  const { blob, write } = await openBlobKeys(keys);
  const deviceId = freeDeviceId(list);
  const now = clock.now();
  const { changes, deviceList, device } = await newDeviceRecords(owner, {
    name: contents.account.name,
    deviceId,
    successions: contents.account.successions,
    settings: contents.account.settings,
    before: list,
    beside: list.devices,
    backupKeys: keys,
    now,
  });
  const relay = { url: connection.hello.url, key: connection.hello.relayKey };
  const day = dayOf(now);
  const credentials = await newQueue();
  const self = await queueRecord(
    credentials,
    owner.recovery.publicKey,
    owner.accountId,
  );
  const known = await Promise.all(
    contents.contacts.map((contact) =>
      recordsOfContact(owner, contact, "beside", now)
    ),
  );
  const address = encodeAddress(addressOf(credentials, relay));
  const since = deviceList.version;
  const { accountId } = owner;
  const signature = signOwnAddress(device, { accountId, address, since });
  const backed: BackedDevice = {
    id: deviceId,
    address,
    signature,
    since,
    name,
    day,
    queues: [{
      from: owner.accountId,
      id: hexToBytes(self.name),
      removeKey: self.record.removeKey,
    }],
  };
  const version = found.version + 1;
  const cells = encodeCells(merge(found.cells, [
    counted(KINDS.deviceList, deviceList.version, deviceList.bytes),
    counted(KINDS.writeKey, keys.key.epoch, keys.writeSeed),
    cellOf(backed, now),
  ]));
  const base = await writeBlob(
    connection,
    blob,
    write,
    found.base,
    sealBackup(account.accountId, keys.key, version, cells),
  );
  return [
    ...changes,
    relayTable.put(SELF, relay),
    queueTable.put(self.name, { ...self.record, signed: { since, signature } }),
    ownDevicesTable.put(SELF, {
      queue: self.name,
      name,
      day,
      others: contents.devices.map(({ id, address, since, name, day }) => ({
        id,
        address,
        since,
        name,
        day,
      })),
    }),
    ...recordsOfContacts(known),
    ...known.length > 0
      ? [historyTable.put(SELF, { giving: [], due: true })]
      : [],
    backupTable.put(SELF, {
      cells,
      glimpse: [],
      version,
      base,
      written: { version, at: now },
      own: version,
      wentBack: false,
      read: found.version,
    }),
  ];
}

/** Later than what an earlier device of this id said. */
function cellOf(device: BackedDevice, now: number): Cell {
  return { ...heldOfDevice(device), stamp: { time: now, device: device.id } };
}
