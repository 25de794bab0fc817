/**
 * The device list: which devices speak for an account, signed by the account
 * key. Lists form a chain: each names the hash of the one before, so that a
 * relay or a thief who shows an older or another list is noticed.
 */
import { equalBytes } from "@noble/ciphers/utils.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { verify } from "../../signal/mod.ts";
import { accountIdFromBytes, accountIdToBytes } from "./account_id.ts";
import { type Device, MAX_DEVICE_ID, MAX_REGISTRATION_ID } from "./device.ts";
import { Fields, MalformedError, writeMessage } from "./protobuf.ts";

/** A device list that must not be believed. */
export class DeviceListError extends Error {
  constructor(
    readonly code: "malformed" | "other-account" | "invalid-signature",
  ) {
    super(`device list refused: ${code}`);
    this.name = "DeviceListError";
  }
}

/** What a list says. */
export interface DeviceListContent {
  readonly accountId: string;
  /** 1 for the first, then one more each time; at most 2^32 - 1. */
  readonly version: number;
  /** Hash of the list before; absent exactly for version 1. */
  readonly previous?: Uint8Array;
  /** 1..8 devices, ids rising. */
  readonly devices: readonly Device[];
}

declare const verified: unique symbol;
/** A list whose signature was verified (or made) here; nothing else makes this type. */
export interface DeviceList extends DeviceListContent {
  /** 32 bytes over the content, not the signature, which differs each time it is made. */
  readonly hash: Uint8Array;
  /** The signed list as it travels and is stored. */
  readonly bytes: Uint8Array;
  readonly [verified]: true;
}

const utf8 = (text: string) => new TextEncoder().encode(text);
export const SIGNATURE_LABEL = utf8("whisper device list v1");
const HASH_LABEL = utf8("whisper device list hash v1");
const MAX_VERSION = 0xffff_ffff;

/** Devices of an account at a time: whatever is said to it is sealed and sent for each of them. */
export const MAX_DEVICES = 8;

export function encodeContent(content: DeviceListContent): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(1, 1);
    writer.writeBytesField(2, accountIdToBytes(content.accountId));
    writer.writeVarintField(3, content.version);
    if (content.previous) writer.writeBytesField(4, content.previous);
    for (const device of content.devices) {
      writer.writeBytesField(
        5,
        writeMessage((entry) => {
          entry.writeVarintField(1, device.id);
          entry.writeVarintField(2, device.registrationId);
          entry.writeBytesField(3, device.identityKey);
        }),
      );
    }
  });
}

/** Parses and checks every rule of a list but its signature. */
export function parseContent(bytes: Uint8Array): DeviceListContent {
  const fields = new Fields(bytes);
  fields.uint(1, 1, 1);
  const version = fields.uint(3, 1, MAX_VERSION);
  if (fields.has(4) !== version > 1) throw new MalformedError("previous");
  const devices = fields.repeated(5, MAX_DEVICES).map((entry): Device => {
    const device = new Fields(entry);
    const identityKey = device.bytes(3, 33);
    if (identityKey[0] !== 0x05) throw new MalformedError("identity key");
    return {
      id: device.uint(1, 1, MAX_DEVICE_ID),
      registrationId: device.uint(2, 1, MAX_REGISTRATION_ID),
      identityKey,
    };
  });
  if (devices.length === 0) throw new MalformedError("no device");
  for (const [index, device] of devices.entries()) {
    if (index > 0 && device.id <= devices[index - 1].id) {
      throw new MalformedError("device order");
    }
    // One identity under two ids would let one device answer for another.
    if (
      devices.slice(0, index).some((other) =>
        equalBytes(other.identityKey, device.identityKey)
      )
    ) throw new MalformedError("identity key twice");
  }
  return {
    accountId: accountIdFromBytes(fields.bytes(2, 16)),
    version,
    previous: version > 1 ? fields.bytes(4, 32) : undefined,
    devices,
  };
}

const hashOf = (content: Uint8Array) =>
  sha256(concatBytes(HASH_LABEL, content));

/** For who has verified or made its signature just before. */
export function believed(
  content: DeviceListContent,
  encoded: Uint8Array,
  bytes: Uint8Array,
): DeviceList {
  // The brand holds: both callers made or verified the signature just before.
  return { ...content, hash: hashOf(encoded), bytes } as DeviceList;
}

/**
 * Verifies a list that came from somewhere else, or from the vault.
 * @param expected whose list it must be: the account's UUID and current account key (33 bytes)
 * @throws {DeviceListError}
 */
export async function verifyDeviceList(
  bytes: Uint8Array,
  expected: { accountId: string; accountKey: Uint8Array },
): Promise<DeviceList> {
  const { content, encoded, signature } = parseSigned(bytes);
  if (content.accountId !== expected.accountId) {
    throw new DeviceListError("other-account");
  }
  const valid = await verify(
    expected.accountKey,
    concatBytes(SIGNATURE_LABEL, encoded),
    signature,
  );
  if (!valid) throw new DeviceListError("invalid-signature");
  return believed(content, encoded, bytes);
}

function parseSigned(bytes: Uint8Array) {
  try {
    const fields = new Fields(bytes);
    const encoded = fields.bytes(1);
    return {
      encoded,
      content: parseContent(encoded),
      signature: fields.bytes(2, 64),
    };
  } catch (error) {
    if (error instanceof MalformedError) {
      throw new DeviceListError("malformed");
    }
    throw error;
  }
}

/** What a message says of its author's list: the beginning of its hash is enough to tell two apart. */
export interface DeviceListClaim {
  readonly version: number;
  readonly hash: Uint8Array;
}

/**
 * As `compareDeviceLists`, for a list that is not here: what a device says it goes by. Whoever hides
 * a list from some, or signs another beside it, is noticed by what the devices themselves say.
 */
export function compareClaim(
  known: DeviceList,
  { version, hash }: DeviceListClaim,
): DeviceListOrder {
  const begins = (full: Uint8Array | undefined) =>
    full !== undefined && equalBytes(full.subarray(0, hash.length), hash);
  if (version > known.version) return "newer";
  if (version === known.version) return begins(known.hash) ? "same" : "forked";
  const adjacent = version === known.version - 1;
  return adjacent && !begins(known.previous) ? "forked" : "older";
}

export type DeviceListOrder = "newer" | "same" | "older" | "forked";

/**
 * How a verified list relates to the one known so far, of the same account.
 * "forked": the account key signed two lists that can't both be in one chain;
 * raise an alarm. An "older" one is refused, and says who serves old lists.
 * Over a gap in versions the chain can't be checked: such a list is "newer".
 * @throws {DeviceListError} when they are of different accounts
 */
export function compareDeviceLists(
  known: DeviceList,
  candidate: DeviceList,
): DeviceListOrder {
  if (known.accountId !== candidate.accountId) {
    throw new DeviceListError("other-account");
  }
  if (candidate.version === known.version) {
    return equalBytes(candidate.hash, known.hash) ? "same" : "forked";
  }
  const [earlier, later, order] = candidate.version > known.version
    ? [known, candidate, "newer" as const]
    : [candidate, known, "older" as const];
  const adjacent = later.version === earlier.version + 1;
  if (
    adjacent && !(later.previous && equalBytes(later.previous, earlier.hash))
  ) {
    return "forked";
  }
  return order;
}

/** Whether it is listed, by its identity key. */
export function isListedIn(
  { devices }: Pick<DeviceList, "devices">,
  { identityKey }: Pick<Device, "identityKey">,
): boolean {
  return devices.some((device) => equalBytes(device.identityKey, identityKey));
}
