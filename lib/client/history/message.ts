/** What two devices of an account say to each other of the past. docs/protocol.md § History. */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import {
  accountIdFromBytes,
  accountIdToBytes,
  Fields,
  writeMessage,
} from "../keys/mod.ts";

/** `run`: 8 random bytes, hex: one request and all that comes of it. */
export type HistoryMessage =
  & { readonly run: string }
  & (
    /** From the device that lacks it. */
    | { readonly kind: "ask" }
    /** It was confirmed. `total`: messages that are to come. */
    | { readonly kind: "begin"; readonly total: number }
    | ({ readonly kind: "chunk" } & Chunk)
    /** Chunks before `next` are on disk. */
    | { readonly kind: "taken"; readonly next: number }
    /** By either of the two. */
    | { readonly kind: "refused" }
    | { readonly kind: "stopped" }
  );

export interface Chunk {
  /** Its place among all, from 0. */
  readonly index: number;
  /** Whether there is none after it. */
  readonly last: boolean;
  /** Account id of the contact whose conversation it is of; undefined when there is nothing to give. */
  readonly about?: string;
  /** Messages that are to come of this conversation, with those in it. */
  readonly left: number;
  /** Messages that have come when this one has, of all conversations. */
  readonly given: number;
  /** See content/past_codec.ts; newest first. */
  readonly parts: readonly Uint8Array[];
}

const KINDS = [
  "ask",
  "begin",
  "chunk",
  "taken",
  "refused",
  "stopped",
] as const satisfies readonly HistoryMessage["kind"][];

const MAX_U32 = 0xffff_ffff;
const MAX_PARTS = 200;

/** 1 kind, 2 run, 3 number?, and of a chunk 4 last?, 5 about?, 6 left, 7 given, 8 parts. */
export function encodeHistory(message: HistoryMessage): Uint8Array {
  return writeMessage((writer) => {
    writer.writeVarintField(1, 1 + KINDS.indexOf(message.kind));
    writer.writeBytesField(2, hexToBytes(message.run));
    switch (message.kind) {
      case "begin":
        return writer.writeVarintField(3, message.total);
      case "taken":
        return writer.writeVarintField(3, message.next);
      case "chunk":
        writer.writeVarintField(3, message.index);
        if (message.last) writer.writeVarintField(4, 1);
        if (message.about !== undefined) {
          writer.writeBytesField(5, accountIdToBytes(message.about));
        }
        writer.writeVarintField(6, message.left);
        writer.writeVarintField(7, message.given);
        for (const part of message.parts) writer.writeBytesField(8, part);
    }
  });
}

/** Undefined for what a later version says. Throws MalformedError. */
export function parseHistory(bytes: Uint8Array): HistoryMessage | undefined {
  const fields = new Fields(bytes);
  const kind = KINDS[fields.uint(1, 1, MAX_U32) - 1];
  const run = bytesToHex(fields.bytes(2, 8));
  const number = () => fields.uint(3, 0, MAX_U32);
  switch (kind) {
    case undefined:
      return undefined;
    case "ask":
    case "refused":
    case "stopped":
      return { kind, run };
    case "begin":
      return { kind, run, total: number() };
    case "taken":
      return { kind, run, next: number() };
    case "chunk":
      return {
        kind,
        run,
        index: number(),
        last: fields.has(4),
        ...fields.has(5)
          ? { about: accountIdFromBytes(fields.bytes(5, 16)) }
          : {},
        left: fields.uint(6, 0, MAX_U32),
        given: fields.uint(7, 0, MAX_U32),
        parts: fields.repeated(8, MAX_PARTS),
      };
  }
}
