/**
 * How a device makes itself known to who has no session with it: to contacts, over the queue of their
 * account, and to the own other devices. It names the signed list that it is in, where it receives, and
 * has a bundle for each device that may begin a session. docs/protocol.md § Announcements.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { type PreKeyBundle, sign, verify } from "../../signal/mod.ts";
import { encodeBundle, parseBundle } from "../invite/card.ts";
import {
  accountIdBy,
  accountIdFromBytes,
  accountIdToBytes,
  type Address,
  type Device,
  type DeviceList,
  encodeAddress,
  Fields,
  MalformedError,
  MAX_SUCCESSIONS,
  type OwnDevice,
  parseAddress,
  successorOf,
  verifyDeviceList,
  writeMessage,
} from "../keys/mod.ts";

/** What a device last heard of the account it speaks to: whoever serves that account old things is noticed. */
export interface Heard {
  /** Their signed list. */
  readonly deviceList: Uint8Array;
  /** The highest version of their backup that another device than the one spoken to has told; 0: none. */
  readonly backupVersion: number;
}

export interface Announcement {
  /** Of the account whose device this is, and of the one that it speaks to. */
  readonly from: string;
  readonly to: string;
  /** ms since the epoch, by the device's clock; rises with each of its announcements. */
  readonly time: number;
  /** 33 bytes; what signs the list. */
  readonly accountKey: Uint8Array;
  /** How the account came to its key; see keys/succession.ts. */
  readonly successions: readonly Uint8Array[];
  readonly deviceList: DeviceList;
  readonly device: Device;
  /** Where the device receives from them. An own device that was removed is not told. */
  readonly address?: Address;
  /** Where the account receives from them, whatever becomes of its devices. Between own devices there is none. */
  readonly accountAddress?: Address;
  readonly backupVersion: number;
  /** By the id of who may begin a session with it. */
  readonly bundles: ReadonlyMap<number, PreKeyBundle>;
  readonly heard?: Heard;
}

/** What is to be announced. */
export type Announced = Omit<Announcement, "device" | "accountKey">;

const VERSION = 1;
const LABEL = new TextEncoder().encode("whisper announcement v1");
const MAX_DEVICES = 127;
const MAX_TIME = 8_640_000_000_000_000; // the last moment a Date can hold
const MAX_U32 = 0xffff_ffff;

/** Signed by the device, which the list in it names. Throws MalformedError for an address that is none. */
export function signAnnouncement(
  announcement: Announced,
  device: OwnDevice,
): Uint8Array {
  const part = encodePart(announcement, device.id);
  const message = concatBytes(LABEL, part);
  return writeMessage((writer) => {
    writer.writeBytesField(1, part);
    writer.writeBytesField(2, sign(device.identity.privateKey, message));
  });
}

function encodePart(
  announcement: Announced,
  deviceId: number,
): Uint8Array {
  const { heard, address, accountAddress } = announcement;
  return writeMessage((writer) => {
    writer.writeVarintField(1, VERSION);
    writer.writeBytesField(2, accountIdToBytes(announcement.from));
    writer.writeBytesField(3, accountIdToBytes(announcement.to));
    writer.writeVarintField(4, announcement.time);
    writer.writeVarintField(5, deviceId);
    writer.writeBytesField(6, announcement.deviceList.bytes);
    if (address) writer.writeBytesField(7, encodeAddress(address));
    if (accountAddress) {
      writer.writeBytesField(8, encodeAddress(accountAddress));
    }
    writer.writeVarintField(9, announcement.backupVersion);
    for (const [id, bundle] of announcement.bundles) {
      writer.writeBytesField(
        10,
        writeMessage((entry) => {
          entry.writeVarintField(1, id);
          entry.writeBytesField(2, encodeBundle(bundle));
        }),
      );
    }
    if (heard) {
      writer.writeBytesField(
        11,
        writeMessage((entry) => {
          entry.writeBytesField(1, heard.deviceList);
          entry.writeVarintField(2, heard.backupVersion);
        }),
      );
    }
    for (const statement of announcement.successions) {
      writer.writeBytesField(12, statement);
    }
  });
}

/**
 * Reads one that came from the account `from`, of which this key or an earlier one is known, for the
 * account `to`.
 * @throws {MalformedError} and what `verifyDeviceList` does; nothing of it is to be believed then
 */
export async function readAnnouncement(
  bytes: Uint8Array,
  from: { readonly accountId: string; readonly accountKey: Uint8Array },
  to: string,
): Promise<Announcement> {
  const signed = new Fields(bytes);
  const part = signed.bytes(1);
  const fields = new Fields(part);
  fields.uint(1, VERSION, VERSION);
  const successions = fields.repeated(12, MAX_SUCCESSIONS);
  const accountKey = await successorOf(from, successions);
  const deviceList = await verifyDeviceList(fields.bytes(6), {
    ...from,
    accountKey,
  });
  // What is kept of it is to show others, who know no key of theirs, whose key it is.
  if (
    successions.length > 0 &&
    await accountIdBy(accountKey, successions) !== from.accountId
  ) throw new MalformedError("succession");
  const id = fields.uint(5, 1, MAX_DEVICES);
  const device = deviceList.devices.find((listed) => listed.id === id);
  if (!device) throw new MalformedError("a device that is not listed");
  const message = concatBytes(LABEL, part);
  if (!await verify(device.identityKey, message, signed.bytes(2, 64))) {
    throw new MalformedError("signature");
  }
  // One that was meant for somebody else would lead them to where the device does not look for them.
  if (
    accountIdFromBytes(fields.bytes(2, 16)) !== from.accountId ||
    accountIdFromBytes(fields.bytes(3, 16)) !== to
  ) throw new MalformedError("parties");
  if (!fields.has(7) && from.accountId !== to) {
    throw new MalformedError("address");
  }
  return {
    from: from.accountId,
    to,
    time: fields.uint(4, 0, MAX_TIME),
    accountKey,
    successions,
    deviceList,
    device,
    ...fields.has(7) ? { address: await parseAddress(fields.bytes(7)) } : {},
    ...fields.has(8)
      ? { accountAddress: await parseAddress(fields.bytes(8)) }
      : {},
    backupVersion: fields.uint(9, 0, MAX_U32),
    bundles: new Map(
      fields.repeated(10, MAX_DEVICES).map((entry) => readFor(entry, device)),
    ),
    ...fields.has(11) ? { heard: readHeard(fields.bytes(11)) } : {},
  };
}

function readFor(bytes: Uint8Array, device: Device): [number, PreKeyBundle] {
  const entry = new Fields(bytes);
  return [
    entry.uint(1, 1, MAX_DEVICES),
    parseBundle(entry.bytes(2), device),
  ];
}

function readHeard(bytes: Uint8Array): Heard {
  const entry = new Fields(bytes);
  return {
    deviceList: entry.bytes(1),
    backupVersion: entry.uint(2, 0, MAX_U32),
  };
}
