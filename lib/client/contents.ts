import {
  type Content,
  type HeardClaim,
  type KnownBody,
  MAX_TIME,
  newContent,
  newContentId,
} from "./content/mod.ts";
import type { Contact } from "./contact.ts";
import type { Desk } from "./desk.ts";
import { backupHeard } from "./devices/heard.ts";
import type { Entry } from "./ledger.ts";
import { heardTable } from "./records.ts";

/** The first bytes of a list's hash that every message carries. */
export const LIST_HASH = 8;

/** What this device has heard of a contact's account, for a greeting to one of their devices. */
export async function heardOf(
  entry: Entry,
  { record, deviceList }: Contact,
  deviceId: number,
): Promise<HeardClaim> {
  const { version, hash } = deviceList;
  return {
    deviceList: { version, hash: hash.slice(0, LIST_HASH) },
    backupVersion: backupHeard(
      await entry.get(heardTable, record.accountId),
      deviceList.devices.find(({ id }) => id === deviceId),
    ),
  };
}

/**
 * A new message to a contact, by this device's clock, with what every message tells. `rank`: its
 * place in the conversation, for what has one. `after`: a time that it is to be later than, whatever
 * the clock says.
 */
export function composed(
  desk: Desk,
  contact: Contact,
  body: KnownBody,
  { rank = 0, after = 0 } = {},
): Content {
  const { deviceList } = desk.account;
  const now = Math.min(Math.max(desk.clock.now(), after + 1), MAX_TIME);
  // A device that there is no way to yet has it from those that there is one to.
  const all = contact.devices.length === contact.deviceList.devices.length;
  return newContent({
    conversation: contact.record.conversation,
    id: newContentId(),
    time: now,
    expiry: 0,
    deviceList: {
      version: deviceList.version,
      hash: deviceList.hash.slice(0, LIST_HASH),
    },
    backupVersion: desk.backupVersion(),
    ...all ? { knows: contact.deviceList.version } : {},
    ...rank > now ? { rank } : {},
  }, body);
}
