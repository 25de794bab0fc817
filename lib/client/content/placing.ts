/**
 * Where a message stands in its conversation: by its rank, at the same by author and id, so that it is
 * the same on every device. Mostly that is the end; what comes late goes between, and what stands
 * behind it moves on by one.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import { FAR_AHEAD_MS } from "../clock.ts";
import type { VaultWriter } from "../storage/mod.ts";
import {
  entries,
  type Entry,
  entryId,
  keysBetween,
  order,
  orderId,
  PAGE_SIZE,
  summaries,
  type SummaryRecord,
} from "./log_records.ts";
import type { MessageKey } from "./message_state.ts";

/**
 * How many messages one that comes late may move: nobody is to make us write a whole conversation anew
 * by dating what they say into the past.
 */
export const REACH = 500;

/** What the order of a conversation is by. */
export interface Ranked extends MessageKey {
  readonly rank: number;
}

/** Positive when `a` stands behind `b`. */
export function compareRanks(a: Ranked, b: Ranked): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.author !== b.author) return a.author < b.author ? -1 : 1;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}

/**
 * Gives a message that has arrived its place.
 * @param at when, ms since the epoch by this device's clock
 * @param own whether this account said it: then it is no news
 * @param reach how many messages it may move
 * @returns the summary and the entry as they are then; both are put
 */
export async function place(
  w: VaultWriter,
  conversation: string,
  before: SummaryRecord,
  message: { readonly key: MessageKey; readonly entry: Entry },
  { at, own, reach = REACH }: { at: number; own: boolean; reach?: number },
): Promise<{ summary: SummaryRecord; entry: Entry }> {
  const { key } = message;
  const { state } = message.entry;
  const rank = nearRank(state.base?.rank ?? 0, before.rank, at);
  const behind = rank > before.rank
    ? []
    : await standBehind(w, conversation, before, { ...key, rank }, reach);
  const sequence = before.next - behind.length;
  const read = own || message.entry.read === true;
  const entry = {
    ...message.entry,
    state: state.base ? { ...state, base: { ...state.base, rank } } : state,
    place: { sequence, arrived: at },
  };
  w.put(entries, entryId(conversation, key), entry);
  for (const { key, entry } of behind) {
    if (!entry.place) continue;
    const old = entry.place.sequence;
    w.put(entries, entryId(conversation, key), {
      ...entry,
      // What was below the mark stays read, when the mark is to stand before it.
      read: entry.read || old < before.readUpTo,
      place: { ...entry.place, sequence: old + 1 },
    });
  }
  await writeOrder(w, conversation, sequence, [
    key,
    ...behind.map(({ key }) => key),
  ]);
  const summary = {
    ...before,
    next: before.next + 1,
    rank: Math.max(before.rank, rank),
    readUpTo: sequence < before.readUpTo
      ? read ? before.readUpTo + 1 : sequence
      : before.readUpTo,
    unread: before.unread + (read ? 0 : 1),
    activity: Math.max(before.activity, at),
    last: behind.length === 0 ? key : before.last,
  };
  return { summary, entry };
}

/** The rank, or for one of too far ahead one that is above all there is and leaves room for what follows. */
function nearRank(rank: number, highest: number, at: number): number {
  return rank <= at + FAR_AHEAD_MS
    ? rank
    : Math.max(highest + 1, at + FAR_AHEAD_MS);
}

/** Those that are to stand behind a message, in their order: as many as may be moved. */
async function standBehind(
  w: VaultWriter,
  conversation: string,
  { next, clearedTo }: SummaryRecord,
  message: Ranked,
  reach: number,
): Promise<{ key: MessageKey; entry: Entry }[]> {
  const floor = Math.max(clearedTo, next - reach);
  const behind: { key: MessageKey; entry: Entry }[] = [];
  for (let end = next; end > floor; end -= PAGE_SIZE) {
    const start = Math.max(floor, end - PAGE_SIZE);
    const keys = await keysBetween(w, conversation, start, end);
    const found = await w.getMany(
      entries,
      keys.map((key) => entryId(conversation, key)),
    );
    for (let i = keys.length - 1; i >= 0; i--) {
      const entry = found[i];
      const rank = entry?.state.base?.rank ?? 0;
      if (!entry || compareRanks({ ...keys[i], rank }, message) <= 0) {
        return behind.reverse();
      }
      behind.push({ key: keys[i], entry });
    }
  }
  return behind.reverse();
}

/** Writes which messages have the sequences from `sequence` on. */
async function writeOrder(
  w: VaultWriter,
  conversation: string,
  sequence: number,
  keys: readonly MessageKey[],
): Promise<void> {
  const first = Math.floor(sequence / PAGE_SIZE);
  const page = await w.get(order, orderId(conversation, first)) ??
    { messages: [] };
  const all = [...page.messages.slice(0, sequence % PAGE_SIZE), ...keys];
  for (let at = 0; at < all.length; at += PAGE_SIZE) {
    w.put(order, orderId(conversation, first + at / PAGE_SIZE), {
      messages: all.slice(at, at + PAGE_SIZE),
    });
  }
}

/** How many of the messages from `start` on are somebody else's, and not read. */
export async function unreadFrom(
  w: VaultWriter,
  conversation: string,
  { readUpTo, next }: SummaryRecord,
  start: number,
  me: string,
): Promise<number> {
  return (await newsBetween(
    w,
    conversation,
    Math.max(start, readUpTo),
    next,
    me,
  )).length;
}

/** Of the messages between two sequences those that are somebody else's, and do not say that they are read. */
export async function newsBetween(
  w: VaultWriter,
  conversation: string,
  start: number,
  end: number,
  me: string,
): Promise<MessageKey[]> {
  const keys = await keysBetween(w, conversation, start, end);
  const others = keys.filter(({ author }) => author !== me);
  const found = await w.getMany(
    entries,
    others.map((key) => entryId(conversation, key)),
  );
  return others.filter((_, i) => !found[i]?.read);
}

/** The first sequence whose message has a rank above `rank`; the next one if there is none. */
export async function firstAbove(
  w: VaultWriter,
  conversation: string,
  rank: number,
): Promise<number> {
  const summary = await w.get(summaries, hexToBytes(conversation));
  const { next = 0, clearedTo = 0 } = summary ?? {};
  for (let end = next; end > clearedTo; end -= PAGE_SIZE) {
    const start = Math.max(clearedTo, end - PAGE_SIZE);
    const keys = await keysBetween(w, conversation, start, end);
    const found = await w.getMany(
      entries,
      keys.map((key) => entryId(conversation, key)),
    );
    const at = found.findLastIndex((entry) =>
      (entry?.state.base?.rank ?? 0) <= rank
    );
    if (at >= 0) return start + at + 1;
  }
  return clearedTo;
}
