/** What a device has that belongs into the backup, and how it is written there. docs/protocol.md § Backup. */
import { concatBytes } from "@noble/hashes/utils.js";
import type { ContactSettings, KnownIdentity } from "../contact_settings.ts";
import {
  accountIdToBytes,
  type QueueCredentials,
  writeMessage,
} from "../keys/mod.ts";
import type { ContactRecord, LeftRelay, SettingsRecord } from "../records.ts";
import { encodeUrl, queueId } from "../../wire/mod.ts";
import { DEVICE_KIND, KINDS } from "./cells.ts";
import type { Held } from "./restate.ts";

/** An own queue as the backup knows it. */
export interface BackedQueue {
  /** 16 bytes, as the relay names it. */
  readonly id: Uint8Array;
  /** Its remove key, sealed to the recovery key. */
  readonly removeKey: Uint8Array;
}

/** An own queue of the account, as all of its devices know it. */
export type AccountQueue =
  & Pick<QueueCredentials, "receive" | "send" | "sealKey">
  & {
    /** Missing where it was written before there were several devices: then `queues` has it. */
    readonly remove?: QueueCredentials["remove"];
    /** Where it is, if not at the relay of the account. */
    readonly left?: Pick<LeftRelay, "url" | "key">;
  };

/** A contact, with the own queues that only they can send to. */
export interface BackedContact {
  readonly record: Omit<ContactRecord, "queues" | "conversation">;
  /** As written before there were several devices. */
  readonly queues: readonly BackedQueue[];
  /** Those of the account, the present one first; none after a parting. */
  readonly accountQueues: readonly AccountQueue[];
}

/** A device, as it says of itself. */
export interface BackedDevice {
  readonly id: number;
  /** Where the other devices reach it; empty for what it has not signed itself. */
  readonly address: Uint8Array;
  /** 64 bytes, and of when; see keys/own_address.ts. */
  readonly signature: Uint8Array;
  readonly since: number;
  readonly name: string;
  /** When it was last used, in days since 1970. */
  readonly day: number;
  /** Its queues, each with the account id of who sends to it. */
  readonly queues: readonly (BackedQueue & { readonly from: string })[];
}

export interface BackedAccount {
  readonly name: string;
  /** See keys/succession.ts. */
  readonly successions: readonly Uint8Array[];
  readonly deviceList: { readonly version: number; readonly bytes: Uint8Array };
  readonly settings: SettingsRecord;
  /** Seed of the key that writes the backup, and the epoch it is of. */
  readonly writeKey: { readonly epoch: number; readonly seed: Uint8Array };
}

const NOBODY = new Uint8Array();
const utf8 = (text: string) => new TextEncoder().encode(text);
const yesOrNo = (value: boolean) => Uint8Array.of(value ? 1 : 0);

export function heldOfAccount(account: BackedAccount): Held[] {
  const { name, successions, deviceList, settings, writeKey } = account;
  const about = (
    kind: number,
    value: Uint8Array,
    time?: number,
  ): Held => ({
    kind,
    subject: NOBODY,
    value,
    ...time === undefined ? {} : { stamp: { time, device: 0 } },
  });
  return [
    about(KINDS.name, utf8(name)),
    about(KINDS.deviceList, deviceList.bytes, deviceList.version),
    about(KINDS.deliveryReceipts, yesOrNo(settings.deliveryReceipts)),
    about(KINDS.readReceipts, yesOrNo(settings.readReceipts)),
    about(KINDS.writeKey, writeKey.seed, writeKey.epoch),
    ...successions.length > 0
      ? [
        about(
          KINDS.successions,
          encodeSuccessions(successions),
          successions.length,
        ),
      ]
      : [],
  ];
}

function encodeSuccessions(successions: readonly Uint8Array[]): Uint8Array {
  return writeMessage((writer) => {
    for (const statement of successions) writer.writeBytesField(1, statement);
  });
}

export function heldOfContact(contact: BackedContact): Held[] {
  const { record } = contact;
  const subject = accountIdToBytes(record.accountId);
  return [
    { kind: KINDS.person, subject, value: encodePerson(record) },
    { kind: KINDS.way, subject, value: encodeWay(contact) },
    ...heldOfSettings(subject, record.settings),
  ];
}

export function heldOfDevice(
  { id, address, signature, since, name, day, queues }: BackedDevice,
): Held {
  const value = writeMessage((writer) => {
    writer.writeBytesField(1, address);
    writer.writeStringField(2, name);
    writer.writeVarintField(3, day);
    for (const queue of queues) {
      const from = accountIdToBytes(queue.from);
      writer.writeBytesField(4, concatBytes(from, queue.id, queue.removeKey));
    }
    writer.writeBytesField(5, signature);
    writer.writeVarintField(6, since);
  });
  return { kind: DEVICE_KIND + id, subject: NOBODY, value };
}

/** What nobody chose is not written: any choice is later than none. */
function heldOfSettings(
  subject: Uint8Array,
  { name, muted, archived, blocked, identity }: ContactSettings,
): Held[] {
  const fields = [
    { kind: KINDS.ownName, chosen: name, value: utf8(name.value) },
    { kind: KINDS.muted, chosen: muted, value: yesOrNo(muted.value) },
    { kind: KINDS.archived, chosen: archived, value: yesOrNo(archived.value) },
    { kind: KINDS.blocked, chosen: blocked, value: yesOrNo(blocked.value) },
    {
      kind: KINDS.identity,
      chosen: identity,
      value: encodeIdentity(identity.value),
    },
  ];
  return fields.flatMap(({ kind, chosen: { time, device }, value }) =>
    time > 0 ? [{ kind, subject, value, stamp: { time, device } }] : []
  );
}

function encodePerson(
  { name, accountKey, successions = [], deviceList, metAt }:
    BackedContact["record"],
): Uint8Array {
  return writeMessage((writer) => {
    writer.writeStringField(1, name);
    writer.writeBytesField(2, accountKey);
    writer.writeBytesField(3, deviceList);
    writer.writeVarintField(4, metAt);
    for (const statement of successions) writer.writeBytesField(5, statement);
  });
}

function encodeWay(
  { record, queues, accountQueues }: BackedContact,
): Uint8Array {
  return writeMessage((writer) => {
    for (const { id, address, pool } of record.devices) {
      writer.writeBytesField(
        1,
        writeMessage((device) => {
          device.writeVarintField(1, id);
          device.writeBytesField(2, address);
          if (pool) device.writeBytesField(3, pool);
        }),
      );
    }
    if (record.accountAddress) writer.writeBytesField(2, record.accountAddress);
    for (const { receive, send, sealKey, remove } of accountQueues) {
      const seeds = [receive.seed, send.seed, sealKey];
      if (remove) seeds.push(remove.seed);
      writer.writeBytesField(3, concatBytes(...seeds));
    }
    for (const { id, removeKey } of queues) {
      writer.writeBytesField(4, concatBytes(id, removeKey));
    }
    for (const { send, left } of accountQueues) {
      if (!left) continue;
      const url = encodeUrl(left.url);
      const id = queueId(send.publicKey);
      writer.writeBytesField(5, concatBytes(id, left.key, url));
    }
  });
}

function encodeIdentity(
  { accountKey, deviceKeys, verified }: KnownIdentity,
): Uint8Array {
  return writeMessage((writer) => {
    writer.writeBytesField(1, accountKey);
    for (const key of deviceKeys) writer.writeBytesField(2, key);
    writer.writeVarintField(3, verified ? 1 : 0);
  });
}
