import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import type { Card } from "./invite/mod.ts";
import {
  accountIdToBytes,
  type Address,
  type DeviceList,
  encodeAddress,
  parseAddress,
  verifyDeviceList,
} from "./keys/mod.ts";
import { type ContactSettings, newSettings } from "./contact_settings.ts";
import type { ContactRecord } from "./records.ts";

/** A device of a contact, and where it receives from us. */
export interface ContactDevice {
  readonly id: number;
  /** Signal identity, 33 bytes, as the signed list has it. */
  readonly identityKey: Uint8Array;
  readonly address: Address;
  /** See pool/pool_way.ts. */
  readonly pool?: Uint8Array;
}

/** A person we met. */
export interface Contact {
  readonly record: ContactRecord;
  readonly deviceList: DeviceList;
  /** Those of the list that we know a way to. */
  readonly devices: readonly ContactDevice[];
  readonly accountAddress?: Address;
}

/** Whom something is sent to: an account, and those of its devices that are to have it. */
export interface Recipient {
  readonly accountId: string;
  readonly devices: readonly {
    readonly id: number;
    readonly identityKey: Uint8Array;
    /** Where it receives, as far as that is known. */
    readonly address?: Address;
  }[];
}

/** A contact with every device that is listed, or with one. */
export function recipientOf(
  { record, deviceList, devices }: Contact,
  only?: number,
): Recipient {
  return {
    accountId: record.accountId,
    devices: deviceList.devices.flatMap((listed) =>
      only === undefined || listed.id === only
        ? { ...listed, ...devices.find(({ id }) => id === listed.id) }
        : []
    ),
  };
}

/** Every queue that we send a contact something by. */
export function addressesOf(
  { devices, accountAddress }: Contact,
): readonly Address[] {
  const addresses = devices.map(({ address }) => address);
  return accountAddress ? [...addresses, accountAddress] : addresses;
}

/**
 * The conversation of two people, hex: the same for both, without a word between them.
 * SHA-256("whisper conversation v1" ‖ lower account id ‖ higher account id), first 16 bytes.
 */
export function conversationOf(ownId: string, otherId: string): string {
  const ids = [ownId, otherId].sort().map(accountIdToBytes);
  const label = new TextEncoder().encode("whisper conversation v1");
  return bytesToHex(sha256(concatBytes(label, ...ids)).subarray(0, 16));
}

/**
 * What is kept of someone's card. `queues`: the own queues that were made for them. `settings`: what
 * was decided about them earlier, if they were met before.
 */
export function contactOfCard(
  card: Card,
  own: { accountId: string; queues: readonly string[]; now: number },
  settings: ContactSettings = newSettings(card),
): ContactRecord {
  return {
    accountId: card.accountId,
    name: card.displayName,
    accountKey: card.accountKey,
    successions: card.successions,
    deviceList: card.deviceList.bytes,
    devices: card.devices.map(({ device, address }) => ({
      id: device.id,
      address: encodeAddress(address),
    })),
    accountAddress: encodeAddress(card.accountQueue),
    queues: own.queues,
    conversation: conversationOf(own.accountId, card.accountId),
    metAt: own.now,
    settings,
  };
}

/** Whether we can write to each other. Not after a parting: then it takes another meeting. */
export function isConnected({ record }: Contact): boolean {
  return record.queues.length > 0;
}

/** What the contact is called here: the own name for them, or the one they chose. */
export function nameOf({ record }: Contact): string {
  return record.settings.name.value || record.name;
}

/** Every own queue that a contact may send to, this device's first. */
export function queuesOf({ queues, renewed }: ContactRecord): string[] {
  return [...queues, ...renewed?.own ?? []];
}

/** The record of a contact one has parted from: no way from them or to them is left in it. */
export function parted(
  { accountAddress: _, renewed: _own, givenUp: _shared, ...record }:
    ContactRecord,
): ContactRecord {
  return { ...record, devices: [], queues: [] };
}

/** Throws what `verifyDeviceList` and `parseAddress` do, for a record that is not what was put. */
export async function openContact(record: ContactRecord): Promise<Contact> {
  const deviceList = await verifyDeviceList(record.deviceList, record);
  const devices = await Promise.all(
    deviceList.devices.flatMap(({ id, identityKey }) =>
      record.devices.filter((device) => device.id === id).map(
        async (device) => ({
          id,
          identityKey,
          address: await parseAddress(device.address),
          ...device.pool ? { pool: device.pool } : {},
        }),
      )
    ),
  );
  return {
    record,
    deviceList,
    devices,
    ...record.accountAddress
      ? { accountAddress: await parseAddress(record.accountAddress) }
      : {},
  };
}
