/** What this device's records have that belongs into the backup. */
import { hexToBytes } from "@noble/hashes/utils.js";
import {
  addressOf,
  encodeAddress,
  parseQueue,
  signOwnAddress,
} from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import type { OwnAccount } from "../own_account.ts";
import type { OwnState } from "../own_devices.ts";
import {
  type ContactRecord,
  contactsTable,
  contactTable,
  type OwnDevicesRecord,
  queueTable,
  type RelayRecord,
  relayTable,
  SELF,
  settingsTable,
} from "../records.ts";
import { DamagedError } from "../storage/mod.ts";
import {
  type BackedAccount,
  type BackedContact,
  type BackedDevice,
  heldOfAccount,
  heldOfContact,
  heldOfDevice,
} from "./held.ts";
import type { Held } from "./restate.ts";

/** Throws DamagedError when a record is missing. */
export async function heldBy(
  entry: Entry,
  { account, devices }: OwnState,
  writeKey: BackedAccount["writeKey"],
): Promise<Held[]> {
  const { name, successions, deviceList } = account;
  const settings = await entry.get(settingsTable, SELF);
  if (!settings) throw new DamagedError("the settings are missing");
  const { ids } = await entry.get(contactsTable, SELF) ?? { ids: [] };
  const records = await entry.getMany(contactTable, ids);
  const contacts = await Promise.all(records.map((record) => {
    if (!record) throw new DamagedError("a contact is missing");
    return contactOf(entry, record);
  }));
  const relay = await entry.get(relayTable, SELF);
  const own = relay &&
    await deviceOf(entry, account, devices, relay, records);
  return [
    ...heldOfAccount({ name, successions, deviceList, settings, writeKey }),
    ...own ? [heldOfDevice(own)] : [],
    ...contacts.flatMap(heldOfContact),
  ];
}

/** This device: where the others reach it, and what is to be deleted with it. */
async function deviceOf(
  entry: Entry,
  { accountId, device, deviceList }: OwnAccount,
  { queue, renewed, name, day }: OwnDevicesRecord,
  relay: RelayRecord,
  contacts: readonly (ContactRecord | undefined)[],
): Promise<BackedDevice> {
  const names = [
    queue,
    ...renewed?.own ?? [],
    ...contacts.flatMap((contact) => [
      ...contact?.queues.slice(0, 1) ?? [],
      ...contact?.renewed?.own ?? [],
    ]),
  ];
  const found = await entry.getMany(queueTable, names);
  const queues = found.map((record, i) => {
    if (record?.contact === undefined) {
      throw new DamagedError("a queue is missing");
    }
    const { contact: from, removeKey } = record;
    return { from, id: hexToBytes(names[i]), removeKey };
  });
  const [record] = found;
  if (!record) throw new DamagedError("a queue is missing");
  const address = encodeAddress(
    addressOf(await parseQueue(record.credentials), relay),
  );
  const since = deviceList.version;
  // Once: a signature is another one each time it is made, and would be written each time.
  const signed = record.signed ?? {
    since,
    signature: signOwnAddress(device, { accountId, address, since }),
  };
  if (!record.signed) entry.put(queueTable, queue, { ...record, signed });
  return { id: device.id, address, ...signed, name, day, queues };
}

async function contactOf(
  entry: Entry,
  record: ContactRecord,
): Promise<BackedContact> {
  const found = await entry.getMany(queueTable, record.queues);
  const queues = found.map((queue) => {
    if (!queue) throw new DamagedError("a queue is missing");
    return queue;
  });
  // This device's queue, then the account's.
  const accountQueues = await Promise.all(
    queues.slice(1).map(async ({ credentials, left }) => ({
      ...await parseQueue(credentials),
      ...left ? { left } : {},
    })),
  );
  return { record, queues: [], accountQueues };
}
