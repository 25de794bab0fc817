/** What this device's records have that belongs into the backup. */
import { hexToBytes } from "@noble/hashes/utils.js";
import { parseQueue } from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import type { OwnAccount } from "../own_account.ts";
import {
  type ContactRecord,
  contactsTable,
  contactTable,
  queueTable,
  SELF,
  settingsTable,
} from "../records.ts";
import { DamagedError } from "../storage/mod.ts";
import {
  type BackedAccount,
  type BackedContact,
  heldOfAccount,
  heldOfContact,
} from "./held.ts";
import type { Held } from "./restate.ts";

/** Throws DamagedError when a record is missing. */
export async function heldBy(
  entry: Entry,
  { name, deviceList }: OwnAccount,
  writeKey: BackedAccount["writeKey"],
): Promise<Held[]> {
  const settings = await entry.get(settingsTable, SELF);
  if (!settings) throw new DamagedError("the settings are missing");
  const { ids } = await entry.get(contactsTable, SELF) ?? { ids: [] };
  const records = await entry.getMany(contactTable, ids);
  const contacts = await Promise.all(records.map((record) => {
    if (!record) throw new DamagedError("a contact is missing");
    return contactOf(entry, record);
  }));
  return [
    ...heldOfAccount({ name, deviceList, settings, writeKey }),
    ...contacts.flatMap(heldOfContact),
  ];
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
    queues.slice(1).map(({ credentials }) => parseQueue(credentials)),
  );
  return {
    record,
    queues: queues.map(({ removeKey }, i) => ({
      id: hexToBytes(record.queues[i]),
      removeKey,
    })),
    accountQueues,
  };
}
