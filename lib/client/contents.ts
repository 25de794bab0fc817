import {
  type Content,
  type KnownBody,
  newContent,
  newContentId,
} from "./content/mod.ts";
import type { Contact } from "./contact.ts";
import type { Desk } from "./desk.ts";

/** The first bytes of a list's hash that every message carries. */
export const LIST_HASH = 8;

/** A new message to a contact, by this device's clock, with what every message tells. */
export function composed(
  desk: Desk,
  contact: Contact,
  body: KnownBody,
): Content {
  const { deviceList } = desk.account;
  return newContent({
    conversation: contact.record.conversation,
    id: newContentId(),
    time: desk.clock.now(),
    expiry: 0,
    deviceList: {
      version: deviceList.version,
      hash: deviceList.hash.slice(0, LIST_HASH),
    },
    backupVersion: desk.backupVersion(),
  }, body);
}
