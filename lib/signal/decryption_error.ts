import { PbfWriter } from "pbf";
import { concatBytes, equalBytes } from "@noble/ciphers/utils.js";
import { SignalError } from "./errors.ts";
import { readFields } from "./fields.ts";
import { isPublicKey } from "./keys.ts";
import {
  type CiphertextMessage,
  parsePreKeyMessage,
  parseSignalMessage,
  PREKEY,
} from "./messages.ts";
import { closeSession, type Session } from "./session.ts";

/*
 * Repair: who could not decrypt a message tells its sender which. It goes out unencrypted, for there may be no
 * session to encrypt it with; whoever carries it has to see to it that it comes from whom it says.
 */

/** libsignal's CiphertextMessageType of plaintext content. */
export const PLAINTEXT = 8;

/** Which message could not be decrypted. */
export interface DecryptionError {
  /** The ratchet key (33) it was sent with. Absent for a message of a group. */
  readonly ratchetKey?: Uint8Array;
  /** When it was sent, as its sender said beside the message: milliseconds since 1970. */
  readonly timestamp: number;
  /** The device that sent it. */
  readonly deviceId: number;
}

/**
 * What to tell the sender of a message that failed. Only the message's header is read.
 * @param sent when, as said beside the message, and by which device of its sender
 * @throws SignalError `malformed`, `version`, `invalid-key`: then it was no message, and there is nothing to tell
 */
export function decryptionErrorOf(
  { type, bytes }: CiphertextMessage,
  sent: { readonly timestamp: number; readonly deviceId: number },
): DecryptionError {
  const inner = type === PREKEY ? parsePreKeyMessage(bytes).message : bytes;
  const ratchetKey = Uint8Array.from(parseSignalMessage(inner).ratchetKey);
  return { ratchetKey, ...sent };
}

/** DecryptionErrorMessage { 1 ratchet key?, 2 timestamp u64, 3 device id u32 }. */
export function encodeDecryptionError(error: DecryptionError): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(64));
  if (error.ratchetKey) writer.writeBytesField(1, error.ratchetKey);
  writer.writeVarintField(2, error.timestamp);
  writer.writeVarintField(3, error.deviceId);
  return writer.finish();
}

/** @throws SignalError `malformed`, `invalid-key` */
export function parseDecryptionError(bytes: Uint8Array): DecryptionError {
  const fields = readFields(bytes);
  const ratchetKey = fields.optionalBytes(1);
  if (ratchetKey && !isPublicKey(ratchetKey)) {
    throw new SignalError("invalid-key");
  }
  return {
    ...(ratchetKey && { ratchetKey: Uint8Array.from(ratchetKey) }),
    timestamp: fields.number(2, Number.MAX_SAFE_INTEGER),
    deviceId: fields.optionalNumber(3) ?? 0,
  };
}

const IDENTIFIER = 0xc0;
/** Ends the padding that every content of libsignal's applications has; there is none here. */
const PADDING_BOUNDARY = 0x80;
/** The field of a Content that holds a DecryptionErrorMessage. */
const CONTENT_FIELD = 8;

/** PlaintextContent: C0 ‖ Content { 8 DecryptionErrorMessage } ‖ 80. */
export function encodePlaintextContent(error: DecryptionError): Uint8Array {
  const writer = new PbfWriter(new Uint8Array(64));
  writer.writeBytesField(CONTENT_FIELD, encodeDecryptionError(error));
  return concatBytes(
    Uint8Array.of(IDENTIFIER),
    writer.finish(),
    Uint8Array.of(PADDING_BOUNDARY),
  );
}

/** Plaintext may say this one thing only. @throws SignalError `malformed`, `version`, `invalid-key` */
export function parsePlaintextContent(bytes: Uint8Array): DecryptionError {
  if (bytes.length < 2) throw new SignalError("malformed", "too short");
  if (bytes[0] !== IDENTIFIER) throw new SignalError("version");
  if (bytes[bytes.length - 1] !== PADDING_BOUNDARY) {
    throw new SignalError("malformed", "padding");
  }
  const fields = readFields(bytes.subarray(1, -1));
  return parseDecryptionError(fields.bytes(CONTENT_FIELD));
}

/**
 * The session after the other side said that it could not decrypt: closed, if the message that failed is of the
 * chain that we still send with, so that a new session has to be begun; else as it was, for the two have moved on.
 * @param ownDeviceId an error about a message of another device of ours says nothing about this session
 */
export function closeIfLost(
  session: Session,
  { ratchetKey, deviceId }: DecryptionError,
  ownDeviceId: number,
): Session {
  const { sending } = session.current.ratchet;
  const lost = deviceId === ownDeviceId && ratchetKey !== undefined &&
    sending.kind === "ready" &&
    equalBytes(sending.ratchetKeyPair.publicKey, ratchetKey);
  return lost ? closeSession(session) : session;
}
