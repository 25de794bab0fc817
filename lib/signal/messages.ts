import { PbfWriter } from "pbf";
import { SignalError } from "./errors.ts";
import { type Fields, readFields } from "./fields.ts";
import { isPublicKey } from "./keys.ts";

/** libsignal's CiphertextMessageType, the two kinds of one-to-one messages. */
export const WHISPER = 2;
export const PREKEY = 3;

/** A message as it goes to the other device. */
export interface CiphertextMessage {
  readonly type: typeof WHISPER | typeof PREKEY;
  readonly bytes: Uint8Array;
}

/** Message version 4 (PQXDH and SPQR), written by a library whose current version is 4. */
const VERSION = 0x44;
const MESSAGE_VERSION = 4;
export const MAC_LENGTH = 8;

/** The header and body of a SignalMessage. */
export interface SignalMessage {
  readonly ratchetKey: Uint8Array;
  readonly counter: number;
  readonly previousCounter: number;
  readonly ciphertext: Uint8Array;
  readonly pqRatchet: Uint8Array;
  /** Sender and recipient (36); only in a message inside a PreKey message. */
  readonly addresses?: Uint8Array;
}

/** A SignalMessage as received: what was authenticated, and by what. */
export interface ReceivedSignalMessage extends SignalMessage {
  readonly authenticated: Uint8Array;
  readonly mac: Uint8Array;
}

/** Version byte and protobuf of a SignalMessage: what the MAC covers and is appended to. */
export function encodeSignalMessage(message: SignalMessage): Uint8Array {
  const writer = start(
    message.ciphertext.length + message.pqRatchet.length + 96,
  );
  writer.writeBytesField(1, message.ratchetKey);
  writer.writeVarintField(2, message.counter); // proto2 "optional": zero is written too
  writer.writeVarintField(3, message.previousCounter);
  writer.writeBytesField(4, message.ciphertext);
  writer.writeBytesField(5, message.pqRatchet);
  if (message.addresses !== undefined) {
    writer.writeBytesField(6, message.addresses);
  }
  return writer.finish();
}

/** @throws SignalError `malformed`, `version`, `invalid-key` */
export function parseSignalMessage(bytes: Uint8Array): ReceivedSignalMessage {
  if (bytes.length < 1 + MAC_LENGTH) {
    throw new SignalError("malformed", "too short");
  }
  checkVersion(bytes[0]);
  const authenticated = bytes.subarray(0, -MAC_LENGTH);
  const fields = readFields(authenticated.subarray(1));
  return {
    ratchetKey: publicKeyField(fields, 1),
    counter: fields.number(2),
    previousCounter: fields.optionalNumber(3) ?? 0,
    ciphertext: fields.bytes(4),
    pqRatchet: fields.optionalBytes(5) ?? new Uint8Array(),
    addresses: fields.optionalBytes(6),
    authenticated,
    mac: bytes.subarray(-MAC_LENGTH),
  };
}

/** The message that begins a session: what the recipient needs to build it, around a SignalMessage. */
export interface PreKeyMessage {
  readonly registrationId: number;
  readonly preKeyId?: number;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  readonly kyberCiphertext: Uint8Array;
  readonly baseKey: Uint8Array;
  readonly identityKey: Uint8Array;
  /** A whole SignalMessage with its MAC. */
  readonly message: Uint8Array;
}

export function encodePreKeyMessage(message: PreKeyMessage): Uint8Array {
  const writer = start(
    message.message.length + message.kyberCiphertext.length + 128,
  );
  if (message.preKeyId !== undefined) {
    writer.writeVarintField(1, message.preKeyId);
  }
  writer.writeBytesField(2, message.baseKey);
  writer.writeBytesField(3, message.identityKey);
  writer.writeBytesField(4, message.message);
  writer.writeVarintField(5, message.registrationId);
  writer.writeVarintField(6, message.signedPreKeyId);
  writer.writeVarintField(7, message.kyberPreKeyId);
  writer.writeBytesField(8, message.kyberCiphertext);
  return writer.finish();
}

/** @throws SignalError `malformed`, `version` (X3DH included), `invalid-key` */
export function parsePreKeyMessage(bytes: Uint8Array): PreKeyMessage {
  if (bytes.length < 1) throw new SignalError("malformed", "too short");
  checkVersion(bytes[0]);
  const fields = readFields(bytes.subarray(1));
  return {
    registrationId: fields.optionalNumber(5) ?? 0,
    preKeyId: fields.optionalNumber(1),
    signedPreKeyId: fields.number(6),
    kyberPreKeyId: fields.number(7),
    kyberCiphertext: fields.bytes(8),
    baseKey: publicKeyField(fields, 2),
    identityKey: publicKeyField(fields, 3),
    message: fields.bytes(4),
  };
}

function start(capacity: number): PbfWriter {
  const writer = new PbfWriter(new Uint8Array(capacity));
  writer.buf[writer.pos++] = VERSION;
  return writer;
}

function checkVersion(byte: number): void {
  if (byte >> 4 !== MESSAGE_VERSION) throw new SignalError("version");
}

function publicKeyField(fields: Fields, tag: number): Uint8Array {
  const key = fields.bytes(tag);
  if (!isPublicKey(key)) throw new SignalError("invalid-key");
  return key;
}
