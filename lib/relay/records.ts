import { diskBytes, type StoreKey } from "./store.ts";
import type { Figures } from "./stored_bytes.ts";

/**
 * What lies in the store, byte for byte (docs/protocol.md has no say here: only
 * a relay reads this). Every record begins with the version of its shape.
 */
const VERSION = 1;
const TWO_32 = 0x1_0000_0000;

export const QUEUES = "q";
export const MESSAGES = "m";
export const RENDEZVOUS = "r";
export const PASSES = "p";

export const queueKey = (queue: Uint8Array): StoreKey => [QUEUES, queue];
export const messageKey = (
  queue: Uint8Array,
  seq: number,
): StoreKey => [MESSAGES, queue, seq];
export const rendezvousKey = (
  nameplate: number,
): StoreKey => [RENDEZVOUS, nameplate];
export const passKey = (
  nameplate: number,
  side: number,
  index: number,
): StoreKey => [PASSES, nameplate, side, index];

/** A record that this version of the relay did not write: the store is another's, or damaged. */
export class RecordError extends Error {
  override readonly name = "RecordError";
}

function open(record: Uint8Array, size: number, exact: boolean): DataView {
  if (
    record[0] !== VERSION ||
    (exact ? record.length !== size : record.length < size)
  ) {
    throw new RecordError("a record in the store has an unknown shape");
  }
  return viewOf(record);
}

function viewOf(record: Uint8Array): DataView {
  return new DataView(record.buffer, record.byteOffset, record.byteLength);
}

function setU48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / TWO_32));
  view.setUint32(at + 2, value % TWO_32);
}

function getU48(view: DataView, at: number): number {
  return view.getUint16(at) * TWO_32 + view.getUint32(at + 2);
}

export type QueueRecord = {
  receiveKey: Uint8Array /* 32 */;
  sendKey: Uint8Array /* 32 */;
  removeKey: Uint8Array /* 32 */;
  generation: number;
  /** No seq at or above this was ever given out. */
  ceiling: number;
  /** ms, on a day boundary: when the owner last came is nobody's business to the hour. */
  expires: number;
};

const QUEUE_SIZE = 113;

/** What a queue without messages counts towards the stored bytes. */
export const QUEUE_BYTES = diskBytes(QUEUE_SIZE);

export function encodeQueue(queue: QueueRecord): Uint8Array {
  const record = new Uint8Array(QUEUE_SIZE);
  const view = new DataView(record.buffer);
  record[0] = VERSION;
  record.set(queue.receiveKey, 1);
  record.set(queue.sendKey, 33);
  record.set(queue.removeKey, 65);
  view.setUint32(97, queue.generation);
  setU48(view, 101, queue.ceiling);
  setU48(view, 107, queue.expires);
  return record;
}

export function decodeQueue(record: Uint8Array): QueueRecord {
  const view = open(record, QUEUE_SIZE, true);
  return {
    receiveKey: record.slice(1, 33),
    sendKey: record.slice(33, 65),
    removeKey: record.slice(65, 97),
    generation: view.getUint32(97),
    ceiling: getU48(view, 101),
    expires: getU48(view, 107),
  };
}

const MESSAGE_HEADER = 23;

/** What a message counts towards the stored bytes. */
export const messageBytes = (envelope: number): number =>
  diskBytes(MESSAGE_HEADER + envelope);

/** version u8 ‖ expires u48 ms ‖ id 16 ‖ envelope */
export function encodeMessage(
  expires: number,
  id: Uint8Array,
  envelope: Uint8Array,
): Uint8Array {
  const record = new Uint8Array(MESSAGE_HEADER + envelope.length);
  record[0] = VERSION;
  setU48(new DataView(record.buffer), 1, expires);
  record.set(id, 7);
  record.set(envelope, MESSAGE_HEADER);
  return record;
}

export type MessageRecord = {
  expires: number;
  id: Uint8Array /* 16 */;
  envelope: Uint8Array;
};

/** The fields are views of `record`. */
export function decodeMessage(record: Uint8Array): MessageRecord {
  const view = open(record, MESSAGE_HEADER, false);
  return {
    expires: getU48(view, 1),
    id: record.subarray(7, MESSAGE_HEADER),
    envelope: record.subarray(MESSAGE_HEADER),
  };
}

export type RendezvousRecord = {
  opener: Uint8Array /* 32 */;
  joiner: Uint8Array | undefined /* 32 */;
  closed: boolean;
  expires: number /* ms */;
};

const RENDEZVOUS_SIZE = 72;

/** What a rendezvous counts towards the stored bytes, and what somebody leaves at it. */
export const RENDEZVOUS_BYTES = diskBytes(RENDEZVOUS_SIZE);
export const passBytes = (size: number): number => diskBytes(size);

/** version u8 ‖ closed u8 ‖ expires u48 ms ‖ opener 32 ‖ joiner 32 or zeros */
export function encodeRendezvous(rendezvous: RendezvousRecord): Uint8Array {
  const record = new Uint8Array(RENDEZVOUS_SIZE);
  record[0] = VERSION;
  record[1] = rendezvous.closed ? 1 : 0;
  setU48(new DataView(record.buffer), 2, rendezvous.expires);
  record.set(rendezvous.opener, 8);
  if (rendezvous.joiner !== undefined) record.set(rendezvous.joiner, 40);
  return record;
}

export function decodeRendezvous(record: Uint8Array): RendezvousRecord {
  const view = open(record, RENDEZVOUS_SIZE, true);
  const joiner = record.slice(40);
  return {
    closed: record[1] === 1,
    expires: getU48(view, 2),
    opener: record.slice(8, 40),
    joiner: joiner.every((byte) => byte === 0) ? undefined : joiner,
  };
}

/** The figure of what is stored once had no part for blobs: version 1, 10 bytes a day. */
const STORED_VERSION = 2;
const DAY_SIZE = 16;
const FIRST_DAY_SIZE = 10;

/** version u8 ‖ (day since 1970 u32 ‖ bytes u48 ‖ of these in blobs u48)* */
export function encodeStored({ all, blobs }: Figures): Uint8Array {
  const record = new Uint8Array(1 + all.size * DAY_SIZE);
  const view = new DataView(record.buffer);
  record[0] = STORED_VERSION;
  let at = 1;
  for (const [day, bytes] of all) {
    view.setUint32(at, day);
    setU48(view, at + 4, bytes);
    setU48(view, at + 10, blobs.get(day) ?? 0);
    at += DAY_SIZE;
  }
  return record;
}

export function decodeStored(record: Uint8Array): Figures {
  const first = record[0] === VERSION;
  if (!first && record[0] !== STORED_VERSION) {
    throw new RecordError("a record in the store has an unknown shape");
  }
  const view = viewOf(record);
  const size = first ? FIRST_DAY_SIZE : DAY_SIZE;
  const [all, blobs] = [new Map<number, number>(), new Map<number, number>()];
  for (let at = 1; at + size <= record.length; at += size) {
    const day = view.getUint32(at);
    all.set(day, getU48(view, at + 4));
    const inBlobs = first ? 0 : getU48(view, at + 10);
    if (inBlobs > 0) blobs.set(day, inBlobs);
  }
  return { all, blobs };
}
