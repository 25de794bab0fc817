/** This device: its number, registration id and Signal identity, as the vault keeps it. */
import { randomBytes } from "@noble/hashes/utils.js";
import { generateKeyPair, type KeyPair, keyPairOf } from "../../signal/mod.ts";
import { Fields, writeMessage } from "./protobuf.ts";

/** A device as others see it: an entry of the device list. */
export interface Device {
  /** 1..127, unique in its list. */
  readonly id: number;
  /** 14 bits, not 0; a new one whenever the id is used again. */
  readonly registrationId: number;
  /** Signal identity key, 33 bytes. */
  readonly identityKey: Uint8Array;
}

/** This device, private key included. */
export interface OwnDevice {
  readonly id: number;
  readonly registrationId: number;
  readonly identity: KeyPair;
}

export const MAX_DEVICE_ID = 127;
export const MAX_REGISTRATION_ID = 0x3fff;
/** Signal draws registration ids from 1..16380. */
const REGISTRATION_IDS = 16380;

/** A new device with a random identity. `id` is 1..127 and free in the account's list. */
export async function newDevice(id: number): Promise<OwnDevice> {
  if (!Number.isInteger(id) || id < 1 || id > MAX_DEVICE_ID) {
    throw new RangeError("a device id is 1..127");
  }
  return {
    id,
    registrationId: randomRegistrationId(),
    identity: await generateKeyPair(),
  };
}

function randomRegistrationId(): number {
  while (true) {
    const [high, low] = randomBytes(2);
    const value = (high << 8 | low) & 0x3fff;
    // Out of range is drawn again, so that every id is equally likely.
    if (value < REGISTRATION_IDS) return value + 1;
  }
}

/** What the device list says of this device. */
export function publicDevice(device: OwnDevice): Device {
  return {
    id: device.id,
    registrationId: device.registrationId,
    identityKey: device.identity.publicKey,
  };
}

/** For the vault. Protobuf: 1 version, 2 id, 3 registration id, 4 private key. */
export function encodeOwnDevice(device: OwnDevice): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(1, 1);
    writer.writeVarintField(2, device.id);
    writer.writeVarintField(3, device.registrationId);
    writer.writeBytesField(4, device.identity.privateKey);
  });
}

/** @throws {MalformedError} */
export async function parseOwnDevice(bytes: Uint8Array): Promise<OwnDevice> {
  const fields = new Fields(bytes);
  fields.uint(1, 1, 1);
  return {
    id: fields.uint(2, 1, MAX_DEVICE_ID),
    registrationId: fields.uint(3, 1, MAX_REGISTRATION_ID),
    identity: await keyPairOf(fields.bytes(4, 32)),
  };
}
