/**
 * The ratchet's state as bytes (protobuf), for the device's own storage: no
 * other program reads it. Version 2:
 *
 *   State { 1 version, 2 role (0 A2B, 1 B2A), 3 Chain, 4 epoch, 5 stage,
 *           6 authenticator root, 7 authenticator mac, 8 secret key, 9 header, 10 m,
 *           11 ct1, 12 ct2, 13 next chunk, 14 chunks received: (u16 ‖ 32 bytes)*, 15 vector }
 *   Chain { 1 root, 2 first epoch, 3 send epoch, 4 Link* }
 *   Link  { 1 sending next?, 2 sending counter, 3 receiving next, 4 receiving counter,
 *           5 skipped keys: (u32 ‖ 32 bytes)* }
 *
 * Version 1 kept secret keys as 2400 bytes instead of their 64-byte seed, and the vector in them.
 */
import type { PbfWriter } from "pbf";
import { KeptBuffer } from "../kept_buffer.ts";
import { MAC_LENGTH } from "./authenticator.ts";
import {
  type Chain,
  type Link,
  MAX_SKIPPED,
  type SkippedKey,
} from "./chain.ts";
import { CHUNK_LENGTH, type Chunks, MAX_CHUNK_INDEX } from "./erasure_code.ts";
import { SpqrError } from "./error.ts";
import {
  CT1_LENGTH,
  CT2_LENGTH,
  HEADER_LENGTH,
  MESSAGE_LENGTH,
  SECRET_KEY_LENGTH,
  SEED_LENGTH,
  VECTOR_LENGTH,
  vectorOf,
} from "./kem.ts";
import type { SpqrState } from "./spqr.ts";
import type { Stage } from "./stage.ts";
import { type Fields, malformed, readFields } from "./stored_fields.ts";

const VERSION = 2;

/** A stage's number is its place here; only ever append. */
const STAGES: readonly Stage["kind"][] = [
  "KeysUnsampled",
  "KeysSampled",
  "HeaderSent",
  "Ct1Received",
  "EkSentCt1Received",
  "NoHeaderReceived",
  "HeaderReceived",
  "Ct1Sampled",
  "EkReceivedCt1Sampled",
  "Ct1Acknowledged",
  "Ct2Sampled",
];

const buffer = new KeptBuffer(4096);

/** The state as bytes, secrets included: to be stored encrypted. */
export function serialize({ chain, stage }: SpqrState): Uint8Array {
  return buffer.write((writer) => {
    writer.writeVarintField(1, VERSION);
    writer.writeVarintField(2, chain.role === "A2B" ? 0 : 1);
    writer.writeMessage(3, writeChain, chain);
    writer.writeVarintField(4, stage.epoch);
    writer.writeVarintField(5, STAGES.indexOf(stage.kind));
    writer.writeBytesField(6, stage.authenticator.root);
    writer.writeBytesField(7, stage.authenticator.mac);
    if ("secretKey" in stage) writer.writeBytesField(8, stage.secretKey);
    if ("header" in stage) writer.writeBytesField(9, stage.header);
    if ("m" in stage) writer.writeBytesField(10, stage.m);
    if ("ct1" in stage) writer.writeBytesField(11, stage.ct1);
    if ("ct2" in stage) writer.writeBytesField(12, stage.ct2);
    if ("nextChunk" in stage) writer.writeVarintField(13, stage.nextChunk);
    const received = receivedOf(stage);
    if (received) writer.writeBytesField(14, packChunks(received));
    if ("vector" in stage) writer.writeBytesField(15, stage.vector);
  });
}

/**
 * Reads what `serialize` wrote, in this version or an earlier one; the bytes are copied.
 * @throws SpqrError "version" for a newer format, "malformed" for anything else
 */
export function parse(bytes: Uint8Array): SpqrState {
  const fields = readFields(new Uint8Array(bytes));
  const version = fields.number(1);
  if (version > VERSION) {
    throw new SpqrError("version", "the stored state is of a newer version");
  }
  if (version === 0) throw malformed();
  const role = fields.number(2);
  if (role > 1) throw malformed();
  const state = {
    chain: parseChain(readFields(fields.bytes(3)), role === 0 ? "A2B" : "B2A"),
    stage: parseStage(fields),
  };
  if (!fitTogether(state)) throw malformed();
  return state;
}

/** Whether the chain has the epochs that the stage goes on from. */
function fitTogether({ chain, stage }: SpqrState): boolean {
  // The side that encapsulates has the epoch's secret at once, the other at its end.
  const encapsulated = "ct2" in stage || "m" in stage;
  const newest = chain.firstEpoch + chain.links.length - 1;
  return newest === (encapsulated ? stage.epoch : stage.epoch - 1) &&
    chain.sendEpoch < stage.epoch;
}

function writeChain(chain: Chain, writer: PbfWriter): void {
  writer.writeBytesField(1, chain.root);
  writer.writeVarintField(2, chain.firstEpoch);
  writer.writeVarintField(3, chain.sendEpoch);
  for (const link of chain.links) writer.writeMessage(4, writeLink, link);
}

function writeLink({ send, receive }: Link, writer: PbfWriter): void {
  if (send.next !== undefined) writer.writeBytesField(1, send.next);
  writer.writeVarintField(2, send.counter);
  writer.writeBytesField(3, receive.next);
  writer.writeVarintField(4, receive.counter);
  if (receive.skipped.length > 0) {
    writer.writeBytesField(5, packSkipped(receive.skipped));
  }
}

function parseChain(fields: Fields, role: Chain["role"]): Chain {
  const links = fields.all(4).map((bytes) => parseLink(readFields(bytes)));
  const firstEpoch = fields.number(2);
  const sendEpoch = fields.number(3);
  const current = links[sendEpoch - firstEpoch];
  if (current?.send.next === undefined) throw malformed();
  return { role, root: fields.bytes(1, 32), firstEpoch, links, sendEpoch };
}

function parseLink(fields: Fields): Link {
  const next = fields.has(1) ? { next: fields.bytes(1, 32) } : {};
  const counter = fields.number(4, 0xffffffff);
  return {
    send: { ...next, counter: fields.number(2, 0xffffffff) },
    receive: {
      next: fields.bytes(3, 32),
      counter,
      skipped: fields.has(5) ? unpackSkipped(fields.bytes(5), counter) : [],
    },
  };
}

function parseStage(fields: Fields): Stage {
  const epoch = fields.number(4);
  if (epoch === 0) throw malformed();
  const common = {
    epoch,
    authenticator: { root: fields.bytes(6, 32), mac: fields.bytes(7, 32) },
  };
  const kind = STAGES[fields.number(5)];
  const secretKey = () => parseSecretKey(fields);
  const vector = () => parseVector(fields);
  const header = () => fields.bytes(9, HEADER_LENGTH);
  const m = () => fields.bytes(10, MESSAGE_LENGTH);
  const ct1 = () => fields.bytes(11, CT1_LENGTH);
  const ct2 = () => fields.bytes(12, CT2_LENGTH + MAC_LENGTH);
  const nextChunk = () => fields.number(13, MAX_CHUNK_INDEX);
  const received = (length: number) => unpackChunks(fields.bytes(14), length);
  switch (kind) {
    case undefined:
      throw malformed();
    case "KeysUnsampled":
      return { ...common, kind };
    case "KeysSampled":
      return {
        ...common,
        kind,
        secretKey: secretKey(),
        header: fields.bytes(9, HEADER_LENGTH + MAC_LENGTH),
        vector: vector(),
        nextChunk: nextChunk(),
      };
    case "HeaderSent":
      return {
        ...common,
        kind,
        secretKey: secretKey(),
        vector: vector(),
        nextChunk: nextChunk(),
        receivedCt1: received(CT1_LENGTH),
      };
    case "Ct1Received":
      return {
        ...common,
        kind,
        secretKey: secretKey(),
        vector: vector(),
        nextChunk: nextChunk(),
        ct1: ct1(),
      };
    case "EkSentCt1Received":
      return {
        ...common,
        kind,
        secretKey: secretKey(),
        ct1: ct1(),
        receivedCt2: received(CT2_LENGTH + MAC_LENGTH),
      };
    case "NoHeaderReceived":
      return {
        ...common,
        kind,
        receivedHeader: received(HEADER_LENGTH + MAC_LENGTH),
      };
    case "HeaderReceived":
      return { ...common, kind, header: header() };
    case "Ct1Sampled":
      return {
        ...common,
        kind,
        header: header(),
        m: m(),
        ct1: ct1(),
        nextChunk: nextChunk(),
        receivedEk: received(VECTOR_LENGTH),
      };
    case "EkReceivedCt1Sampled":
      return {
        ...common,
        kind,
        ct1: ct1(),
        nextChunk: nextChunk(),
        ct2: ct2(),
      };
    case "Ct1Acknowledged":
      return {
        ...common,
        kind,
        header: header(),
        m: m(),
        ct1: ct1(),
        receivedEk: received(VECTOR_LENGTH),
      };
    case "Ct2Sampled":
      return { ...common, kind, ct2: ct2(), nextChunk: nextChunk() };
  }
}

/** The seed; a state that version 1 stored keeps the whole key until its epoch is over. */
function parseSecretKey(fields: Fields): Uint8Array {
  const key = fields.bytes(8);
  if (key.length !== SEED_LENGTH && key.length !== SECRET_KEY_LENGTH) {
    throw malformed();
  }
  return key;
}

function parseVector(fields: Fields): Uint8Array {
  if (fields.has(15)) return fields.bytes(15, VECTOR_LENGTH);
  return vectorOf(fields.bytes(8, SECRET_KEY_LENGTH));
}

function receivedOf(stage: Stage): Chunks | undefined {
  switch (stage.kind) {
    case "HeaderSent":
      return stage.receivedCt1;
    case "EkSentCt1Received":
      return stage.receivedCt2;
    case "NoHeaderReceived":
      return stage.receivedHeader;
    case "Ct1Sampled":
    case "Ct1Acknowledged":
      return stage.receivedEk;
    default:
      return undefined;
  }
}

function packChunks(chunks: Chunks): Uint8Array {
  const bytes = new Uint8Array(chunks.length * (2 + CHUNK_LENGTH));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const chunk of chunks) {
    view.setUint16(at, chunk.index);
    bytes.set(chunk.bytes, at + 2);
    at += 2 + CHUNK_LENGTH;
  }
  return bytes;
}

/** Chunks of a value of `length` bytes that is not complete yet. */
function unpackChunks(packed: Uint8Array, length: number): Chunks {
  const records = recordsOf(packed, 2 + CHUNK_LENGTH);
  if (records.length >= length / CHUNK_LENGTH) throw malformed();
  const chunks = records.map((record) => ({
    index: record[0] << 8 | record[1],
    bytes: record.subarray(2),
  }));
  if (!ascends(chunks)) throw malformed();
  return chunks;
}

function packSkipped(skipped: readonly SkippedKey[]): Uint8Array {
  const bytes = new Uint8Array(skipped.length * (4 + 32));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { index, key } of skipped) {
    view.setUint32(at, index);
    bytes.set(key, at + 4);
    at += 4 + 32;
  }
  return bytes;
}

/** Keys of messages before `counter`. */
function unpackSkipped(
  packed: Uint8Array,
  counter: number,
): readonly SkippedKey[] {
  const records = recordsOf(packed, 4 + 32);
  if (records.length > MAX_SKIPPED) throw malformed();
  const view = new DataView(packed.buffer, packed.byteOffset);
  const skipped = records.map((record, at) => ({
    index: view.getUint32(at * (4 + 32)),
    key: record.subarray(4),
  }));
  const last = skipped.at(-1);
  if (last === undefined || last.index >= counter) throw malformed();
  if (skipped[0].index === 0 || !ascends(skipped)) throw malformed();
  return skipped;
}

function recordsOf(packed: Uint8Array, length: number): Uint8Array[] {
  if (packed.length % length !== 0) throw malformed();
  return Array.from(
    { length: packed.length / length },
    (_, at) => packed.subarray(at * length, (at + 1) * length),
  );
}

function ascends(items: readonly { index: number }[]): boolean {
  return items.every(({ index }, at) =>
    at === 0 || items[at - 1].index < index
  );
}
