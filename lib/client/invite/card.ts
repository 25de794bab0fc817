/**
 * A card: what two people hand each other at the end of an invite. Who the
 * account is, which devices speak for it, and where and how to write to them.
 */
import { isDisplayName } from "../display_name.ts";
import {
  accountIdBy,
  accountIdOf,
  type Address,
  type Device,
  type DeviceList,
  DeviceListError,
  encodeAddress,
  Fields,
  MalformedError,
  MAX_SUCCESSIONS,
  parseAddress,
  verifyDeviceList,
  wipe,
  writeMessage,
} from "../keys/mod.ts";
import type { PreKeyBundle } from "../../signal/mod.ts";

/** How to reach one listed device. */
export interface CardDevice {
  readonly device: Device;
  /** Where the receiver of this card writes to that device. */
  readonly address: Address;
  /** 0..4 of them, each for one session. The inviter gives at least one for each device. */
  readonly bundles: readonly PreKeyBundle[];
}

export interface Card {
  readonly displayName: string;
  readonly accountId: string;
  /** 33 bytes. */
  readonly accountKey: Uint8Array;
  /** How the account came to this key from its first one; see keys/succession.ts. */
  readonly successions: readonly Uint8Array[];
  readonly deviceList: DeviceList;
  /** Listed devices, in the order of the list, at least one: the others make themselves known. */
  readonly devices: readonly CardDevice[];
  /** The queue of the account rather than of one device. */
  readonly accountQueue: Address;
}

/** The card does not fit the largest size; fewer bundles or devices do. */
export class CardTooLargeError extends Error {
  constructor() {
    super("the card is too large to hand over");
    this.name = "CardTooLargeError";
  }
}

/** Cards are padded to one of these, so that the relay can't count devices or the letters of a name. */
export const CARD_SIZES: readonly number[] = [4096, 8192, 14336];

const LENGTH_PREFIX = 4;
const MAX_DEVICES = 127;
const MAX_BUNDLES = 4;
const EC_KEY = 33;
const KYBER_KEY = 1569;
const SIGNATURE = 64;
const MAX_ID = 0xffff_ffff;

/**
 * The card, padded: length (4) ‖ protobuf ‖ zeros, one of `CARD_SIZES` long.
 * It holds send credentials: wipe it after use.
 * @throws {CardTooLargeError}
 * @throws {MalformedError} when the card breaks one of its own rules
 */
export function encodeCard(card: Card): Uint8Array {
  if (!isDisplayName(card.displayName)) throw new MalformedError("name");
  const first = card.successions.length === 0;
  if (first && accountIdOf(card.accountKey) !== card.accountId) {
    throw new MalformedError("id");
  }
  const message = writeMessage((writer) => {
    writer.writeVarintField(1, 1);
    writer.writeStringField(2, card.displayName);
    writer.writeBytesField(3, card.accountKey);
    writer.writeBytesField(4, card.deviceList.bytes);
    for (const entry of matchDevices(card.deviceList, card.devices)) {
      writer.writeBytesField(5, encodeDevice(entry));
    }
    writer.writeBytesField(6, encodeAddress(card.accountQueue));
    for (const statement of card.successions) {
      writer.writeBytesField(7, statement);
    }
  });
  const size = CARD_SIZES.find((size) =>
    size >= LENGTH_PREFIX + message.length
  );
  if (size === undefined) throw new CardTooLargeError();
  const padded = new Uint8Array(size);
  new DataView(padded.buffer).setUint32(0, message.length);
  padded.set(message, LENGTH_PREFIX);
  wipe(message);
  return padded;
}

/**
 * Reads a card and verifies its device list.
 * @throws {MalformedError} for whatever is wrong with it
 */
export async function parseCard(padded: Uint8Array): Promise<Card> {
  const fields = new Fields(unpad(padded));
  fields.uint(1, 1, 1);
  const displayName = fields.text(2);
  if (!isDisplayName(displayName)) throw new MalformedError("name");
  const accountKey = publicKey(fields.bytes(3, EC_KEY));
  const successions = fields.repeated(7, MAX_SUCCESSIONS);
  const accountId = await accountIdBy(accountKey, successions);
  const deviceList = await believe(fields.bytes(4), accountId, accountKey);
  const entries = fields.repeated(5, MAX_DEVICES);
  if (entries.length === 0) throw new MalformedError("devices");
  const devices = await Promise.all(
    entries.map((entry) => parseDevice(entry, deviceList)),
  );
  if (
    devices.some(({ device }, i) =>
      i > 0 && device.id <= devices[i - 1].device.id
    )
  ) {
    throw new MalformedError("devices");
  }
  return {
    displayName,
    accountId,
    accountKey,
    successions,
    deviceList,
    devices,
    accountQueue: await parseAddress(fields.bytes(6)),
  };
}

/** Whether the card lets its reader begin a session with every device. */
export function startsSessions(card: Card): boolean {
  return card.devices.every(({ bundles }) => bundles.length > 0);
}

function unpad(padded: Uint8Array): Uint8Array {
  if (!CARD_SIZES.includes(padded.length)) throw new MalformedError("size");
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0);
  const end = LENGTH_PREFIX + length;
  if (end > padded.length) throw new MalformedError("length");
  if (padded.subarray(end).some((byte) => byte !== 0)) {
    throw new MalformedError("padding");
  }
  return padded.subarray(LENGTH_PREFIX, end);
}

async function believe(
  bytes: Uint8Array,
  accountId: string,
  accountKey: Uint8Array,
): Promise<DeviceList> {
  try {
    return await verifyDeviceList(bytes, { accountId, accountKey });
  } catch (error) {
    if (error instanceof DeviceListError) throw new MalformedError("list");
    throw error;
  }
}

function matchDevices(
  list: DeviceList,
  devices: readonly CardDevice[],
): readonly CardDevice[] {
  const matched = list.devices.map(({ id }) =>
    devices.find((entry) => entry.device.id === id)
  ).filter((entry) => entry !== undefined);
  if (matched.length === 0 || matched.length !== devices.length) {
    throw new MalformedError("devices");
  }
  return matched;
}

/** Registration id and identity key are not repeated here: the signed list has them. */
function encodeDevice(entry: CardDevice): Uint8Array {
  if (entry.bundles.length > MAX_BUNDLES) throw new MalformedError("bundles");
  return writeMessage((writer) => {
    writer.writeVarintField(1, entry.device.id);
    writer.writeBytesField(2, encodeAddress(entry.address));
    for (const bundle of entry.bundles) {
      writer.writeBytesField(3, encodeBundle(bundle));
    }
  });
}

async function parseDevice(
  bytes: Uint8Array,
  { devices }: DeviceList,
): Promise<CardDevice> {
  const fields = new Fields(bytes);
  const id = fields.uint(1, 1, MAX_DEVICES);
  const device = devices.find((listed) => listed.id === id);
  if (!device) throw new MalformedError("devices");
  return {
    device,
    address: await parseAddress(fields.bytes(2)),
    bundles: fields.repeated(3, MAX_BUNDLES).map((bundle) =>
      parseBundle(bundle, device)
    ),
  };
}

/** A bundle, without what the signed list says of its device. docs/protocol.md § Cards. */
export function encodeBundle(bundle: PreKeyBundle): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(1, bundle.signedPreKey.id);
    writer.writeBytesField(2, bundle.signedPreKey.publicKey);
    writer.writeBytesField(3, bundle.signedPreKey.signature);
    writer.writeVarintField(4, bundle.kyberPreKey.id);
    writer.writeBytesField(5, bundle.kyberPreKey.publicKey);
    writer.writeBytesField(6, bundle.kyberPreKey.signature);
    if (bundle.preKey) {
      writer.writeVarintField(7, bundle.preKey.id);
      writer.writeBytesField(8, bundle.preKey.publicKey);
    }
  });
}

/**
 * The form of a bundle. Its signatures are checked where a session starts from it.
 * @throws {MalformedError}
 */
export function parseBundle(bytes: Uint8Array, device: Device): PreKeyBundle {
  const fields = new Fields(bytes);
  const preKey = fields.has(7) || fields.has(8)
    ? {
      id: fields.uint(7, 0, MAX_ID),
      publicKey: publicKey(fields.bytes(8, EC_KEY)),
    }
    : undefined;
  return {
    registrationId: device.registrationId,
    deviceId: device.id,
    identityKey: device.identityKey,
    signedPreKey: {
      id: fields.uint(1, 0, MAX_ID),
      publicKey: publicKey(fields.bytes(2, EC_KEY)),
      signature: fields.bytes(3, SIGNATURE),
    },
    kyberPreKey: {
      id: fields.uint(4, 0, MAX_ID),
      publicKey: fields.bytes(5, KYBER_KEY),
      signature: fields.bytes(6, SIGNATURE),
    },
    preKey,
  };
}

/** A Curve25519 key in Signal's form. @throws {MalformedError} */
export function publicKey(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x05) throw new MalformedError("public key");
  return bytes;
}
