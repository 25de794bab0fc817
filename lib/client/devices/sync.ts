/** What own devices tell each other, inside of a session: the body 35 of a content. docs/protocol.md § Own devices. */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import {
  accountIdFromBytes,
  accountIdToBytes,
  Fields,
  MalformedError,
  writeMessage,
} from "../keys/mod.ts";

export type Outcome = "sent" | "failed" | "delivered" | "read";

/** `about`: account id of the contact whose conversation it is. `ids`: content ids, hex. */
export type Sync =
  /** This account said something there: the content, as it was sent. */
  | {
    readonly kind: "sent";
    readonly about: string;
    readonly content: Uint8Array;
  }
  /** The contact said something there, and may not have said it to the recipient. */
  | {
    readonly kind: "heard";
    readonly about: string;
    readonly content: Uint8Array;
  }
  /** How far own messages have come. */
  | {
    readonly kind: "settled";
    readonly about: string;
    readonly outcome: Outcome;
    readonly ids: readonly string[];
  }
  /** What the contact said was read. */
  | {
    readonly kind: "read";
    readonly about: string;
    readonly ids: readonly string[];
  }
  /** `time`: when it was written, ms since the epoch; of two drafts the later one stays. */
  | {
    readonly kind: "draft";
    readonly about: string;
    readonly text: string;
    readonly time: number;
  }
  /** What is there of the conversation was cleared, up to a place in its order. */
  | {
    readonly kind: "cleared";
    readonly about: string;
    readonly upTo: number;
  }
  /** A device of the contact announced itself to the account. */
  | {
    readonly kind: "announced";
    readonly about: string;
    readonly announcement: Uint8Array;
  }
  /** The backup has this version now. */
  | { readonly kind: "saved"; readonly version: number }
  /** A device was removed: the list without it, and the keys of the epoch of the backup that began. */
  | {
    readonly kind: "epoch";
    readonly deviceList: Uint8Array;
    readonly epoch: number;
    readonly key: Uint8Array;
    readonly box: Uint8Array;
    readonly writeSeed: Uint8Array;
  }
  /** Of the past, from one device to another: see history/message.ts. */
  | { readonly kind: "history"; readonly bytes: Uint8Array }
  /**
   * What the recipient told may be lost on its way since then: a `time` of its own clock, ms since the epoch,
   * at which it said what was read of it last.
   */
  | { readonly kind: "missed"; readonly time: number }
  /** That was all there is to tell since then: what answers `missed`, after all else. */
  | { readonly kind: "told"; readonly time: number };

/** Their numbers are their places, from 1. */
const KINDS = [
  "sent",
  "heard",
  "settled",
  "read",
  "draft",
  "cleared",
  "announced",
  "saved",
  "epoch",
  "history",
  "missed",
  "told",
] as const satisfies readonly Sync["kind"][];

const OUTCOMES = [
  "sent",
  "failed",
  "delivered",
  "read",
] as const satisfies readonly Outcome[];
const MAX_U32 = 0xffff_ffff;
const MAX = Number.MAX_SAFE_INTEGER;

/** 1 kind, 2 about?, 3 bytes?, 4 text?, 5 number?, and of an epoch 6 key, 7 box, 8 write seed. */
export function encodeSync(sync: Sync): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(1, 1 + KINDS.indexOf(sync.kind));
    if ("about" in sync) {
      writer.writeBytesField(2, accountIdToBytes(sync.about));
    }
    switch (sync.kind) {
      case "sent":
      case "heard":
        return writer.writeBytesField(3, sync.content);
      case "settled":
        writer.writeVarintField(5, 1 + OUTCOMES.indexOf(sync.outcome));
        return writer.writeBytesField(3, hexToBytes(sync.ids.join("")));
      case "read":
        return writer.writeBytesField(3, hexToBytes(sync.ids.join("")));
      case "draft":
        writer.writeVarintField(5, sync.time);
        return writer.writeStringField(4, sync.text);
      case "cleared":
        return writer.writeVarintField(5, sync.upTo);
      case "announced":
        return writer.writeBytesField(3, sync.announcement);
      case "saved":
        return writer.writeVarintField(5, sync.version);
      case "missed":
      case "told":
        return writer.writeVarintField(5, sync.time);
      case "epoch":
        writer.writeBytesField(3, sync.deviceList);
        writer.writeVarintField(5, sync.epoch);
        writer.writeBytesField(6, sync.key);
        writer.writeBytesField(7, sync.box);
        return writer.writeBytesField(8, sync.writeSeed);
      case "history":
        return writer.writeBytesField(3, sync.bytes);
    }
  });
}

/** Undefined for what a later version tells. Throws MalformedError. */
export function parseSync(bytes: Uint8Array): Sync | undefined {
  const fields = new Fields(bytes);
  const kind = KINDS[fields.uint(1, 1, MAX_U32) - 1];
  const about = () => accountIdFromBytes(fields.bytes(2, 16));
  switch (kind) {
    case undefined:
      return undefined;
    case "sent":
    case "heard":
      return { kind, about: about(), content: fields.bytes(3) };
    case "settled": {
      const outcome = OUTCOMES[fields.uint(5, 1, OUTCOMES.length) - 1];
      return { kind, about: about(), outcome, ids: readIds(fields) };
    }
    case "read":
      return { kind, about: about(), ids: readIds(fields) };
    case "draft": {
      const text = fields.has(4) ? fields.text(4) : "";
      return { kind, about: about(), text, time: fields.uint(5, 0, MAX) };
    }
    case "cleared":
      return { kind, about: about(), upTo: fields.uint(5, 0, MAX) };
    case "announced":
      return { kind, about: about(), announcement: fields.bytes(3) };
    case "saved":
      return { kind, version: fields.uint(5, 1, MAX_U32) };
    case "epoch":
      return {
        kind,
        deviceList: fields.bytes(3),
        epoch: fields.uint(5, 1, MAX_U32),
        key: fields.bytes(6, 32),
        box: fields.bytes(7),
        writeSeed: fields.bytes(8, 32),
      };
    case "history":
      return { kind, bytes: fields.bytes(3) };
    case "missed":
    case "told":
      return { kind, time: fields.uint(5, 0, MAX) };
  }
}

function readIds(fields: Fields): string[] {
  const hex = bytesToHex(fields.bytes(3));
  if (hex.length % 32 !== 0) throw new MalformedError("ids");
  return hex.match(/.{32}/gu) ?? [];
}
