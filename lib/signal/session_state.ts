import type { PbfWriter } from "pbf";
import type {
  DoubleRatchet,
  ReceivingChain,
  SendingChain,
  SkippedKey,
} from "./double_ratchet.ts";
import { SignalError } from "./errors.ts";
import { type Fields, readFields } from "./fields.ts";
import { KeptBuffer } from "./kept_buffer.ts";
import {
  parse as parseSpqr,
  serialize as serializeSpqr,
  SpqrError,
  type SpqrState,
} from "./spqr/mod.ts";

/** What every message of a session we began repeats until its first answer. */
export interface Unanswered {
  readonly preKeyId?: number;
  readonly signedPreKeyId: number;
  readonly kyberPreKeyId: number;
  readonly kyberCiphertext: Uint8Array;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** One run of the protocol with one device, from one PQXDH on. */
export interface SessionState {
  /** The initiator's base key (33): names the state. */
  readonly baseKey: Uint8Array;
  readonly remoteIdentityKey: Uint8Array;
  readonly remoteRegistrationId: number;
  readonly ratchet: DoubleRatchet;
  readonly spqr: SpqrState;
  readonly unanswered?: Unanswered;
}

const VERSION = 1;

/*
 * version (1 byte) ‖ State { 1 base key, 2 remote identity, 3 remote registration id, 4 Ratchet, 5 SPQR state,
 *                           6 Unanswered? }
 * Ratchet    { 1 root key, 2 previous counter, 3 our ratchet private key, 4 our ratchet public key,
 *              5 sending chain key, 6 sending counter, 7 their ratchet key (instead of 3..6), 8 Receiving* }
 * Receiving  { 1 ratchet key, 2 chain key, 3 counter, 4 skipped keys: (u32 ‖ 32 bytes)* }
 * Unanswered { 1 prekey id?, 2 signed prekey id, 3 Kyber prekey id, 4 Kyber ciphertext, 5 since }
 */

const buffer = new KeptBuffer(8192);

/** The state as bytes, secrets included: to be stored encrypted. */
export function serializeState(state: SessionState): Uint8Array {
  const spqr = serializeSpqr(state.spqr);
  return buffer.write((writer) => {
    writer.writeVarint(VERSION); // one byte
    writer.writeBytesField(1, state.baseKey);
    writer.writeBytesField(2, state.remoteIdentityKey);
    writer.writeVarintField(3, state.remoteRegistrationId);
    writer.writeMessage(4, writeRatchet, state.ratchet);
    writer.writeBytesField(5, spqr);
    if (state.unanswered !== undefined) {
      writer.writeMessage(6, writeUnanswered, state.unanswered);
    }
  });
}

/** The result shares memory with `bytes`. @throws SignalError `version`, `malformed` */
export function parseState(bytes: Uint8Array): SessionState {
  if (bytes[0] !== VERSION) throw new SignalError("version");
  const fields = readFields(bytes.subarray(1));
  const unanswered = fields.optionalBytes(6);
  return {
    baseKey: fields.bytes(1, 33),
    remoteIdentityKey: fields.bytes(2, 33),
    remoteRegistrationId: fields.number(3),
    ratchet: readRatchet(readFields(fields.bytes(4))),
    spqr: readSpqr(fields.bytes(5)),
    ...(unanswered && { unanswered: readUnanswered(readFields(unanswered)) }),
  };
}

function readSpqr(bytes: Uint8Array): SpqrState {
  try {
    return parseSpqr(bytes);
  } catch (error) {
    if (error instanceof SpqrError) {
      throw new SignalError(
        error.code === "version" ? "version" : "malformed",
        "SPQR state",
      );
    }
    throw error;
  }
}

function writeRatchet(ratchet: DoubleRatchet, writer: PbfWriter): void {
  const { sending } = ratchet;
  writer.writeBytesField(1, ratchet.rootKey);
  writer.writeVarintField(2, ratchet.previousCounter);
  if (sending.kind === "ready") {
    writer.writeBytesField(3, sending.ratchetKeyPair.privateKey);
    writer.writeBytesField(4, sending.ratchetKeyPair.publicKey);
    writer.writeBytesField(5, sending.chain.key);
    writer.writeVarintField(6, sending.chain.index);
  } else {
    writer.writeBytesField(7, sending.theirRatchetKey);
  }
  for (const chain of ratchet.receiving) {
    writer.writeMessage(8, writeReceiving, chain);
  }
}

function readRatchet(fields: Fields): DoubleRatchet {
  return {
    rootKey: fields.bytes(1, 32),
    previousCounter: fields.number(2),
    sending: readSending(fields),
    receiving: fields.all(8).map((bytes) => readReceiving(readFields(bytes))),
  };
}

function readSending(fields: Fields): SendingChain {
  const theirRatchetKey = fields.optionalBytes(7, 33);
  if (theirRatchetKey !== undefined) return { kind: "due", theirRatchetKey };
  return {
    kind: "ready",
    ratchetKeyPair: {
      privateKey: fields.bytes(3, 32),
      publicKey: fields.bytes(4, 33),
    },
    chain: { key: fields.bytes(5, 32), index: fields.number(6) },
  };
}

const SKIPPED_LENGTH = 4 + 32;

function writeReceiving(receiving: ReceivingChain, writer: PbfWriter): void {
  writer.writeBytesField(1, receiving.ratchetKey);
  writer.writeBytesField(2, receiving.chain.key);
  writer.writeVarintField(3, receiving.chain.index);
  if (receiving.skipped.length === 0) return;
  const packed = new Uint8Array(receiving.skipped.length * SKIPPED_LENGTH);
  const view = new DataView(packed.buffer);
  receiving.skipped.forEach(({ counter, seed }, i) => {
    view.setUint32(i * SKIPPED_LENGTH, counter);
    packed.set(seed, i * SKIPPED_LENGTH + 4);
  });
  writer.writeBytesField(4, packed);
}

function readReceiving(fields: Fields): ReceivingChain {
  const packed = fields.optionalBytes(4) ?? new Uint8Array();
  if (packed.length % SKIPPED_LENGTH !== 0) {
    throw new SignalError("malformed", "skipped keys");
  }
  const view = new DataView(packed.buffer, packed.byteOffset);
  const skipped: SkippedKey[] = [];
  for (let at = 0; at < packed.length; at += SKIPPED_LENGTH) {
    const seed = packed.subarray(at + 4, at + SKIPPED_LENGTH);
    skipped.push({ counter: view.getUint32(at), seed });
  }
  return {
    ratchetKey: fields.bytes(1, 33),
    chain: { key: fields.bytes(2, 32), index: fields.number(3) },
    skipped,
  };
}

function writeUnanswered(unanswered: Unanswered, writer: PbfWriter): void {
  if (unanswered.preKeyId !== undefined) {
    writer.writeVarintField(1, unanswered.preKeyId);
  }
  writer.writeVarintField(2, unanswered.signedPreKeyId);
  writer.writeVarintField(3, unanswered.kyberPreKeyId);
  writer.writeBytesField(4, unanswered.kyberCiphertext);
  writer.writeVarintField(5, unanswered.since);
}

function readUnanswered(fields: Fields): Unanswered {
  return {
    preKeyId: fields.optionalNumber(1),
    signedPreKeyId: fields.number(2),
    kyberPreKeyId: fields.number(3),
    kyberCiphertext: fields.bytes(4),
    since: fields.number(5, Number.MAX_SAFE_INTEGER),
  };
}
