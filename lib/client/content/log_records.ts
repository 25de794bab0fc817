/** How the log lies in the vault: three tables, read by point look-ups only. */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { PbfWriter } from "pbf";
import {
  accountIdFromBytes,
  accountIdToBytes,
  Fields,
  writeMessage,
} from "../keys/mod.ts";
import { type Codec, table, type VaultReader } from "../storage/mod.ts";
import type { MessageKey, MessageState, Progress } from "./message_state.ts";
import type { LocalPlace } from "./row.ts";

/** A message and everything said about it; without `place` it has not arrived itself. */
export interface Entry {
  readonly state: MessageState;
  readonly place?: LocalPlace;
  /** Sending was given up; counts only while `state.progress` says nothing. */
  readonly failed: boolean;
  /** Somebody else's, and read, whatever stands before it: see `SummaryRecord.readUpTo`. */
  readonly read?: boolean;
}

/** An own message as it is being written anew. */
export interface Editing {
  /** Content id, hex. */
  readonly id: string;
  readonly text: string;
}

/** Which messages have the sequences `PAGE_SIZE · number` and up. */
export interface OrderPage {
  readonly messages: readonly MessageKey[];
}

export interface SummaryRecord {
  /** The sequence that the next message gets. */
  readonly next: number;
  /** Messages below this sequence count as read; above it, those that say so. */
  readonly readUpTo: number;
  readonly unread: number;
  /** ms since the epoch, by the clock of this device. */
  readonly activity: number;
  readonly last?: MessageKey;
  readonly draft: string;
  /** An own message that is being edited on this device. */
  readonly editing?: Editing;
  /** When the draft was written, ms since the epoch: of two of one account the later stays. */
  readonly draftAt: number;
  /** The highest rank of any message so far. */
  readonly rank: number;
  /** Messages that have not arrived, and of which an edit, deletion or reaction is kept. */
  readonly awaited: number;
  /** Messages below this sequence were cleared: they are shown no more. */
  readonly clearedTo: number;
  /** Messages below this sequence are off the disk. */
  readonly erasedTo: number;
  /** What was cleared here last: up to which rank, and when, ms since the epoch. */
  readonly cleared?: Cleared;
}

export interface Cleared {
  readonly rank: number;
  readonly at: number;
}

export const PAGE_SIZE = 50;

const PROGRESS: readonly Progress[] = ["sent", "delivered", "read"];
const MAX = Number.MAX_SAFE_INTEGER;

const entryCodec: Codec<Entry> = {
  encode: ({ state, place, failed, read }) =>
    writeMessage((writer) => {
      if (place) {
        uint(writer, 1, place.sequence);
        uint(writer, 2, place.arrived);
      }
      if (state.base) uint(writer, 3, state.base.time);
      if (state.base?.event) bytes(writer, 4, state.base.event);
      if (state.edit) bytes(writer, 5, state.edit);
      if (state.deleted) uint(writer, 6, 1);
      if (state.progress) uint(writer, 7, 1 + PROGRESS.indexOf(state.progress));
      if (failed) uint(writer, 8, 1);
      if (state.base && state.base.rank !== state.base.time) {
        uint(writer, 11, state.base.rank);
      }
      if (read) uint(writer, 12, 1);
      for (const [author, event] of state.reactions) {
        bytes(writer, 9, accountIdToBytes(author));
        bytes(writer, 10, event);
      }
    }),
  decode: (encoded) => {
    const fields = new Fields(encoded);
    const events = fields.repeated(10, MAX);
    return {
      place: fields.has(1)
        ? { sequence: fields.uint(1, 0, MAX), arrived: fields.uint(2, 0, MAX) }
        : undefined,
      state: {
        base: fields.has(3)
          ? {
            time: fields.uint(3, 0, MAX),
            rank: fields.uint(fields.has(11) ? 11 : 3, 0, MAX),
            event: optionalBytes(fields, 4),
          }
          : undefined,
        edit: optionalBytes(fields, 5),
        deleted: fields.has(6),
        progress: fields.has(7)
          ? PROGRESS[fields.uint(7, 1, PROGRESS.length) - 1]
          : undefined,
        reactions: new Map(
          fields.repeated(9, MAX).map((
            author,
            i,
          ) => [accountIdFromBytes(author), events[i]]),
        ),
      },
      failed: fields.has(8),
      read: fields.has(12),
    };
  },
};

/** Authors are written once each, messages as the number of their author and their id. */
const orderCodec: Codec<OrderPage> = {
  encode: ({ messages }) =>
    writeMessage((writer) => {
      const authors = [...new Set(messages.map(({ author }) => author))];
      for (const author of authors) bytes(writer, 1, accountIdToBytes(author));
      for (const { author, id } of messages) {
        bytes(
          writer,
          2,
          Uint8Array.of(authors.indexOf(author), ...hexToBytes(id)),
        );
      }
    }),
  decode: (encoded) => {
    const fields = new Fields(encoded);
    const authors = fields.repeated(1, PAGE_SIZE).map(accountIdFromBytes);
    return {
      messages: fields.repeated(2, PAGE_SIZE)
        .map((key) => ({
          author: authors[key[0]],
          id: bytesToHex(key.subarray(1)),
        })),
    };
  },
};

const summaryCodec: Codec<SummaryRecord> = {
  encode: (summary) =>
    writeMessage((writer) => {
      uint(writer, 1, summary.next);
      uint(writer, 2, summary.readUpTo);
      uint(writer, 3, summary.unread);
      uint(writer, 4, summary.activity);
      if (summary.last) {
        bytes(writer, 5, accountIdToBytes(summary.last.author));
        bytes(writer, 6, hexToBytes(summary.last.id));
      }
      bytes(writer, 7, new TextEncoder().encode(summary.draft));
      if (summary.awaited > 0) uint(writer, 8, summary.awaited);
      if (summary.clearedTo > 0) uint(writer, 9, summary.clearedTo);
      if (summary.erasedTo > 0) uint(writer, 10, summary.erasedTo);
      if (summary.draftAt > 0) uint(writer, 11, summary.draftAt);
      if (summary.rank > 0) uint(writer, 12, summary.rank);
      if (summary.editing) {
        bytes(writer, 13, hexToBytes(summary.editing.id));
        bytes(writer, 14, new TextEncoder().encode(summary.editing.text));
      }
      if (summary.cleared) {
        uint(writer, 15, summary.cleared.rank);
        uint(writer, 16, summary.cleared.at);
      }
    }),
  decode: (encoded) => {
    const fields = new Fields(encoded);
    return {
      next: fields.uint(1, 0, MAX),
      readUpTo: fields.uint(2, 0, MAX),
      unread: fields.uint(3, 0, MAX),
      activity: fields.uint(4, 0, MAX),
      last: fields.has(5)
        ? {
          author: accountIdFromBytes(fields.bytes(5, 16)),
          id: bytesToHex(fields.bytes(6, 16)),
        }
        : undefined,
      draft: fields.text(7),
      awaited: fields.has(8) ? fields.uint(8, 0, MAX) : 0,
      clearedTo: fields.has(9) ? fields.uint(9, 0, MAX) : 0,
      erasedTo: fields.has(10) ? fields.uint(10, 0, MAX) : 0,
      draftAt: fields.has(11) ? fields.uint(11, 0, MAX) : 0,
      rank: fields.has(12) ? fields.uint(12, 0, MAX) : 0,
      editing: fields.has(13)
        ? { id: bytesToHex(fields.bytes(13, 16)), text: fields.text(14) }
        : undefined,
      ...fields.has(15)
        ? {
          cleared: {
            rank: fields.uint(15, 0, MAX),
            at: fields.uint(16, 0, MAX),
          },
        }
        : {},
    };
  },
};

export const entries = table("log entry", entryCodec);
export const order = table("log order", orderCodec);
export const summaries = table("log summary", summaryCodec);

/** Whether writing the second over the first would change anything. */
export function sameEntry(a: Entry, b: Entry): boolean {
  const [x, y] = [entries.codec.encode(a), entries.codec.encode(b)];
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
}

/** conversation 16 ‖ author 16 ‖ content id 16 */
export function entryId(
  conversation: string,
  { author, id }: MessageKey,
): Uint8Array {
  return hexToBytes(conversation + bytesToHex(accountIdToBytes(author)) + id);
}

/** conversation 16 ‖ number u32 */
export function orderId(conversation: string, page: number): Uint8Array {
  return hexToBytes(conversation + page.toString(16).padStart(8, "0"));
}

/** The messages with the sequences from `start` (inclusive) to `end` (exclusive). */
export async function keysBetween(
  r: VaultReader,
  conversation: string,
  start: number,
  end: number,
): Promise<MessageKey[]> {
  if (start >= end) return [];
  const first = Math.floor(start / PAGE_SIZE);
  const last = Math.floor((end - 1) / PAGE_SIZE);
  const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const pages = await r.getMany(
    order,
    numbers.map((page) => orderId(conversation, page)),
  );
  return pages.flatMap((page) => page?.messages ?? [])
    .slice(start - first * PAGE_SIZE, end - first * PAGE_SIZE);
}

function uint(writer: PbfWriter, field: number, value: number): void {
  writer.writeTag(field, 0);
  writer.writeVarint(value);
}

function bytes(writer: PbfWriter, field: number, value: Uint8Array): void {
  writer.writeTag(field, 2);
  writer.writeBytes(value);
}

function optionalBytes(fields: Fields, field: number): Uint8Array | undefined {
  return fields.has(field) ? fields.bytes(field) : undefined;
}
