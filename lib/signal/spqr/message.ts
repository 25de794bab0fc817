/**
 * What SPQR adds to a message, byte for byte:
 * `version 01 ‖ varint epoch ‖ varint index ‖ type ‖ [varint chunk index ‖ chunk 32]`.
 */
import { type Chunk, CHUNK_LENGTH, MAX_CHUNK_INDEX } from "./erasure_code.ts";
import { SpqrError } from "./error.ts";

/** The part of the key exchange a message carries. */
export type Payload =
  | { readonly type: "None" | "Ct1Ack" }
  | {
    readonly type: "Hdr" | "Ek" | "EkCt1Ack" | "Ct1" | "Ct2";
    readonly chunk: Chunk;
  };

export type Message = {
  /** Epoch of the key exchange, from 1. The message key is of the epoch before. */
  readonly epoch: number;
  /** Index of the message key in its chain, from 1. */
  readonly index: number;
  readonly payload: Payload;
};

const VERSION = 1;
/** A type's number is its place here. */
const TYPES: readonly Payload["type"][] = [
  "None",
  "Hdr",
  "Ek",
  "EkCt1Ack",
  "Ct1Ack",
  "Ct1",
  "Ct2",
];

export function encodeMessage({ epoch, index, payload }: Message): Uint8Array {
  const head = [VERSION];
  pushVarint(head, epoch);
  pushVarint(head, index);
  head.push(TYPES.indexOf(payload.type));
  if (!("chunk" in payload)) return Uint8Array.from(head);
  pushVarint(head, payload.chunk.index);
  const bytes = new Uint8Array(head.length + CHUNK_LENGTH);
  bytes.set(head);
  bytes.set(payload.chunk.bytes, head.length);
  return bytes;
}

/**
 * Reads a message. Any version from 1 on is read as version 1 and bytes
 * behind the message are ignored, as libsignal does.
 * @throws SpqrError "version" for none or version 0, "malformed" for the rest.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const cursor = { bytes, at: 1 };
  if (bytes.length === 0 || bytes[0] === 0) {
    throw new SpqrError("version", "the peer does without post-quantum keys");
  }
  const epoch = readVarint(cursor, Number.MAX_SAFE_INTEGER);
  if (epoch === 0) throw malformed();
  const index = readVarint(cursor, 0xffffffff);
  const type = TYPES[bytes[cursor.at++]];
  switch (type) {
    case undefined:
      throw malformed();
    case "None":
    case "Ct1Ack":
      return { epoch, index, payload: { type } };
    default:
      return { epoch, index, payload: { type, chunk: readChunk(cursor) } };
  }
}

type Cursor = { readonly bytes: Uint8Array; at: number };

function readChunk(cursor: Cursor): Chunk {
  const index = readVarint(cursor, MAX_CHUNK_INDEX);
  const chunk = cursor.bytes.subarray(cursor.at, cursor.at + CHUNK_LENGTH);
  if (chunk.length < CHUNK_LENGTH) throw malformed();
  // A copy: the chunk outlives the message, whose memory is the caller's.
  return { index, bytes: new Uint8Array(chunk) };
}

function readVarint(cursor: Cursor, limit: number): number {
  let value = 0;
  for (let scale = 1; scale <= limit; scale *= 128) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw malformed();
    value += (byte & 127) * scale;
    if (byte < 128) {
      if (value > limit) throw malformed();
      return value;
    }
  }
  throw malformed();
}

function pushVarint(bytes: number[], value: number): void {
  while (value > 127) {
    bytes.push(value % 128 + 128);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
}

function malformed(): SpqrError {
  return new SpqrError("malformed", "not a message of the ratchet");
}
