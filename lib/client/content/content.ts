/**
 * What one message says: the plaintext that `lib/signal` encrypts. A protobuf
 * with fields 1..11 for what every message has, one body in 12..63, and 64 on for what may be left out.
 * docs/protocol.md § Content.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { PbfWriter } from "pbf";
import {
  accountIdFromBytes,
  accountIdToBytes,
  Fields,
  MalformedError,
  writeMessage,
} from "../keys/mod.ts";
import {
  MAX_EMOJI_BYTES,
  MAX_RECEIPT_IDS,
  MAX_TEXT_BYTES,
  POOL_WAY_BYTES,
  textBytes,
  TextTooLongError,
} from "./limits.ts";

export const CONTENT_VERSION = 1;

export type KnownBody =
  | { readonly kind: "text"; readonly text: string }
  /** `ids`: content ids of the recipient's own messages. */
  | {
    readonly kind: "receipt";
    readonly state: "delivered" | "read";
    readonly ids: readonly string[];
  }
  /**
   * Ends the PreKey messages of a new session by answering it. `heard`: what this device last heard of
   * the account it greets, from others than the device it greets. `pool`: where its bundles for that
   * account wait, see pool/pool_way.ts.
   */
  | {
    readonly kind: "hello";
    readonly heard?: HeardClaim;
    readonly pool?: Uint8Array;
  }
  /** From one own device to another: see devices/sync.ts. */
  | { readonly kind: "sync"; readonly bytes: Uint8Array }
  /** Replaces the text of a message of the same author. */
  | { readonly kind: "edit"; readonly target: string; readonly text: string }
  /** Takes back a message of the same author, for everyone. */
  | { readonly kind: "deletion"; readonly target: string }
  /** One per person and message: the newest counts, an empty `emoji` takes it back. */
  | {
    readonly kind: "reaction";
    readonly target: string;
    /** Account id of the message's author. */
    readonly targetAuthor: string;
    readonly emoji: string;
  };

/** Whoever serves an account an old list or backup is noticed by what others have heard. */
export interface HeardClaim {
  readonly deviceList: ContentFields["deviceList"];
  readonly backupVersion: number;
}

export type Body =
  | KnownBody
  /** `shown`: has a place in the conversation ("needs a newer version"); else it was of the moment. */
  | { readonly kind: "unknown"; readonly shown: boolean };

/** What every message has besides its body. */
export interface ContentFields {
  /** 16 bytes, hex. */
  readonly conversation: string;
  /** Content id: 16 random bytes, hex. Its author never uses it twice. */
  readonly id: string;
  /** ms since the epoch, by the author's clock. */
  readonly time: number;
  /** Seconds that it may be kept once read; 0: as long as one likes. */
  readonly expiry: number;
  /** The author's device list as this device knows it; `hash` is the first 8 bytes of its hash. */
  readonly deviceList: { readonly version: number; readonly hash: Uint8Array };
  readonly backupVersion: number;
  /** The version of the recipient's device list of which every device was sent it, if it says so. */
  readonly knows?: number;
  /** Its place in the order of the conversation, where that is not its time: see `rankOf`. */
  readonly rank?: number;
}

export interface Content extends ContentFields {
  readonly body: Body;
  /** The encoding: what is encrypted, and what the log keeps for a version that reads more of it. */
  readonly bytes: Uint8Array;
}

/** A fresh content id. */
export function newContentId(): string {
  return bytesToHex(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * Where a message stands among others: by this, at the same by author and content id. Its author gave
 * it a rank above those of all that there was before, so that no clock puts an answer before what it answers.
 */
export function rankOf({ rank, time }: ContentFields): number {
  return rank ?? time;
}

/** Field numbers. 1..11 mean the same in every version. */
const FIELD = {
  version: 1,
  conversation: 2,
  id: 3,
  time: 4,
  expiry: 5,
  listVersion: 6,
  listHash: 7,
  backupVersion: 8,
  // 9 author, 10 author's device, 11 group epoch: groups
  knows: 64,
  rank: 65,
} as const;

const BODY = {
  text: 12,
  receipt: 13,
  hello: 14,
  edit: 15,
  deletion: 16,
  reaction: 17,
  // 18 attachment, 19 group operation, 20 call
  // 32 typing, 33 call signal, 34 address update, 36 profile
  sync: 35,
} as const;

const FIRST_BODY = 12;
/** Bodies from here on are of the moment: who does not know one drops it. */
const FIRST_UNSHOWN_BODY = 32;
const LAST_BODY = 63;

export const MAX_TIME = 8_640_000_000_000_000; // the last moment a Date can hold
const MAX_U32 = 0xffff_ffff;
const RECEIPT_STATES = ["delivered", "read"] as const;

/**
 * Makes a message ready to be encrypted and logged.
 * @throws {TextTooLongError}
 * @throws {RangeError} for what only a mistake in the program can ask
 */
export function newContent(fields: ContentFields, body: KnownBody): Content {
  const bytes = writeMessage((writer) => {
    writeVarint(writer, FIELD.version, CONTENT_VERSION);
    writeBytes(writer, FIELD.conversation, hexToBytes(fields.conversation));
    writeBytes(writer, FIELD.id, hexToBytes(fields.id));
    writeVarint(writer, FIELD.time, fields.time);
    if (fields.expiry > 0) writeVarint(writer, FIELD.expiry, fields.expiry);
    writeVarint(writer, FIELD.listVersion, fields.deviceList.version);
    writeBytes(writer, FIELD.listHash, fields.deviceList.hash);
    writeVarint(writer, FIELD.backupVersion, fields.backupVersion);
    writeBytes(writer, BODY[body.kind], encodeBody(body));
    if (fields.knows) writeVarint(writer, FIELD.knows, fields.knows);
    if (fields.rank) writeVarint(writer, FIELD.rank, fields.rank);
  });
  return { ...fields, body, bytes };
}

/**
 * Reads what a contact's device sent.
 * @throws {MalformedError} a body of a kind not known is no error
 */
export function parseContent(bytes: Uint8Array): Content {
  const fields = readFields(bytes);
  const version = fields.uint(FIELD.version, 1, MAX_U32);
  return {
    conversation: bytesToHex(fields.bytes(FIELD.conversation, 16)),
    id: bytesToHex(fields.bytes(FIELD.id, 16)),
    time: fields.uint(FIELD.time, 0, MAX_TIME),
    expiry: fields.has(FIELD.expiry)
      ? fields.uint(FIELD.expiry, 0, MAX_U32)
      : 0,
    deviceList: {
      version: fields.uint(FIELD.listVersion, 0, MAX_U32),
      hash: fields.bytes(FIELD.listHash, 8),
    },
    backupVersion: fields.uint(FIELD.backupVersion, 0, MAX_U32),
    ...fields.has(FIELD.knows)
      ? { knows: fields.uint(FIELD.knows, 0, MAX_U32) }
      : {},
    ...fields.has(FIELD.rank)
      ? { rank: fields.uint(FIELD.rank, 0, MAX_TIME) }
      : {},
    body: readBody(fields, version),
    bytes: bytes.slice(),
  };
}

function readBody(fields: Fields, version: number): Body {
  const numbers: number[] = [];
  for (let number = FIRST_BODY; number <= LAST_BODY; number++) {
    if (fields.has(number)) numbers.push(number);
  }
  if (numbers.length !== 1) throw new MalformedError("a message has one body");
  const [number] = numbers;
  const unknown = {
    kind: "unknown",
    shown: number < FIRST_UNSHOWN_BODY,
  } as const;
  // A higher version says that knowing the field number is not enough.
  return version > CONTENT_VERSION
    ? unknown
    : decodeBody(number, fields.bytes(number)) ?? unknown;
}

function encodeBody(body: KnownBody): Uint8Array {
  if (body.kind === "sync") return body.bytes;
  return writeMessage((writer) => {
    switch (body.kind) {
      case "text":
        return writeText(writer, 1, body.text);
      case "receipt":
        if (body.ids.length < 1 || body.ids.length > MAX_RECEIPT_IDS) {
          throw new RangeError("a receipt names 1 to 1,000 messages");
        }
        writeVarint(writer, 1, 1 + RECEIPT_STATES.indexOf(body.state));
        return writeBytes(writer, 2, hexToBytes(body.ids.join("")));
      case "hello":
        if (body.heard) writeHeard(writer, body.heard);
        if (body.pool) writeBytes(writer, 4, body.pool);
        return;
      case "edit":
        writeBytes(writer, 1, hexToBytes(body.target));
        return writeText(writer, 2, body.text);
      case "deletion":
        return writeBytes(writer, 1, hexToBytes(body.target));
      case "reaction":
        if (textBytes(body.emoji) > MAX_EMOJI_BYTES) {
          throw new RangeError("a reaction is one emoji");
        }
        writeBytes(writer, 1, hexToBytes(body.target));
        writeBytes(writer, 2, accountIdToBytes(body.targetAuthor));
        return writeText(writer, 3, body.emoji);
    }
  });
}

function decodeBody(number: number, bytes: Uint8Array): KnownBody | undefined {
  const fields = () => readFields(bytes);
  switch (number) {
    case BODY.text:
      return { kind: "text", text: fields().text(1) };
    case BODY.receipt:
      return readReceipt(fields());
    case BODY.hello:
      return readHello(fields());
    case BODY.sync:
      return { kind: "sync", bytes: bytes.slice() };
    case BODY.edit:
      return {
        kind: "edit",
        target: readTarget(fields()),
        text: fields().text(2),
      };
    case BODY.deletion:
      return { kind: "deletion", target: readTarget(fields()) };
    case BODY.reaction:
      return readReaction(fields());
    default:
      return undefined;
  }
}

function writeHeard(
  writer: PbfWriter,
  { deviceList, backupVersion }: HeardClaim,
): void {
  writeVarint(writer, 1, deviceList.version);
  writeBytes(writer, 2, deviceList.hash);
  writeVarint(writer, 3, backupVersion);
}

function readHello(fields: Fields): KnownBody {
  const pool = fields.has(4) ? { pool: fields.bytes(4, POOL_WAY_BYTES) } : {};
  if (!fields.has(1)) return { kind: "hello", ...pool };
  return {
    kind: "hello",
    ...pool,
    heard: {
      deviceList: {
        version: fields.uint(1, 1, MAX_U32),
        hash: fields.bytes(2, 8),
      },
      backupVersion: fields.uint(3, 0, MAX_U32),
    },
  };
}

function readReceipt(fields: Fields): KnownBody {
  const state = RECEIPT_STATES[fields.uint(1, 1, RECEIPT_STATES.length) - 1];
  const hex = bytesToHex(fields.bytes(2));
  const ids = hex.match(/.{32}/gu) ?? [];
  if (ids.length < 1 || ids.length > MAX_RECEIPT_IDS || hex.length % 32 !== 0) {
    throw new MalformedError("a receipt's ids");
  }
  return { kind: "receipt", state, ids };
}

function readReaction(fields: Fields): KnownBody {
  const emoji = fields.text(3);
  if (textBytes(emoji) > MAX_EMOJI_BYTES) {
    throw new MalformedError("a reaction's emoji");
  }
  return {
    kind: "reaction",
    target: readTarget(fields),
    targetAuthor: accountIdFromBytes(fields.bytes(2, 16)),
    emoji,
  };
}

function readTarget(fields: Fields): string {
  return bytesToHex(fields.bytes(1, 16));
}

function readFields(bytes: Uint8Array): Fields {
  try {
    return new Fields(bytes);
  } catch (cause) {
    // pbf itself throws plain errors, at a varint that does not end for one.
    if (cause instanceof MalformedError) throw cause;
    throw new MalformedError("protobuf");
  }
}

function writeVarint(writer: PbfWriter, field: number, value: number): void {
  writer.writeTag(field, 0);
  writer.writeVarint(value);
}

function writeBytes(writer: PbfWriter, field: number, value: Uint8Array): void {
  writer.writeTag(field, 2);
  writer.writeBytes(value);
}

/** A lone surrogate becomes U+FFFD, as everywhere where text becomes UTF-8. */
function writeText(writer: PbfWriter, field: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > MAX_TEXT_BYTES) throw new TextTooLongError(bytes.length);
  writeBytes(writer, field, bytes);
}
