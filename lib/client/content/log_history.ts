/**
 * The past of a conversation, as one device of an account gives it to another: read from the newest
 * message down, and put below what the other has already.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import type { VaultReader, VaultWriter } from "../storage/mod.ts";
import { forgetAwaited } from "./awaited.ts";
import { eraseCleared } from "./log_clearing.ts";
import {
  entries,
  type Entry,
  entryId,
  keysBetween,
  order,
  orderId,
  PAGE_SIZE,
  sameEntry,
  summaries,
  type SummaryRecord,
} from "./log_records.ts";
import { merge, type MessageKey, NOTHING } from "./message_state.ts";
import { compareRanks, place } from "./placing.ts";

/** A message of the past, or a part of one. */
export interface PastEntry {
  readonly key: MessageKey;
  readonly entry: Entry;
}

/** Up to 50 messages before `before` (the last ones without), newest first, and how many there are in all. */
export async function pastOf(
  r: VaultReader,
  conversation: string,
  before?: MessageKey,
): Promise<{ readonly rows: readonly PastEntry[]; readonly left: number }> {
  const { next = 0, clearedTo = 0 } =
    await r.get(summaries, hexToBytes(conversation)) ?? {};
  const end = before
    ? (await r.get(entries, entryId(conversation, before)))?.place?.sequence ??
      clearedTo // it was cleared meanwhile, and what is before it as well
    : next;
  const start = Math.max(clearedTo, end - PAGE_SIZE);
  const keys = await keysBetween(r, conversation, start, end);
  const found = await r.getMany(
    entries,
    keys.map((key) => entryId(conversation, key)),
  );
  const rows = keys.flatMap((key, i) => {
    const entry = found[i];
    return entry ? [{ key, entry }] : [];
  });
  return { rows: rows.reverse(), left: Math.max(0, end - clearedTo) };
}

/** What came of putting some of the past below what there is. */
export interface Restored {
  /** Where the conversation begins now: it is to be said with the next of the same conversation. */
  readonly floor: number;
  /** Only that more was put before what was there; else rows have moved, or look different. */
  readonly onlyOlder: boolean;
}

/**
 * Puts messages of the past where they belong, read. What is here already merges; doing it again
 * changes nothing.
 * @param past newest first
 * @param me account id of this account
 * @param left how many messages are to come of this conversation, these included
 * @param floor what the last call for this conversation gave
 * @returns undefined when the conversation is not here, or was cleared since `floor`
 */
export async function restore(
  w: VaultWriter,
  conversation: string,
  past: readonly PastEntry[],
  { me, left, floor }: {
    me: string;
    left: number;
    floor: number | undefined;
  },
): Promise<Restored | undefined> {
  if (floor === undefined) {
    while (await eraseCleared(w, conversation));
  }
  let summary = await w.get(summaries, hexToBytes(conversation));
  if (!summary || floor !== undefined && summary.clearedTo !== floor) {
    return undefined;
  }
  let onlyOlder = true;
  if (summary.clearedTo < left) {
    onlyOlder = summary.next === summary.clearedTo;
    summary = await makeRoom(w, conversation, summary, left);
  }
  for (const { key, entry } of past) {
    const id = entryId(conversation, key);
    const old = await w.get(entries, id);
    const state = merge(old?.state ?? NOTHING, entry.state);
    if (old?.place) {
      if (sameEntry(old, { ...old, state })) continue;
      w.put(entries, id, { ...old, state });
      onlyOlder = false;
      continue;
    }
    if (!state.base || !entry.place) continue;
    if (old) {
      await forgetAwaited(w, conversation, key);
      summary = { ...summary, awaited: Math.max(0, summary.awaited - 1) };
    }
    const own = key.author === me;
    const message = {
      key,
      entry: { ...entry, state, place: undefined, read: !own },
    };
    const { arrived } = entry.place;
    if (await isBelow(w, conversation, summary, { ...key, ...state.base })) {
      summary = await putBelow(w, conversation, summary, message, arrived);
    } else {
      const options = { at: arrived, own, reach: Infinity };
      const placed = await place(w, conversation, summary, message, options);
      summary = placed.summary;
      onlyOlder = false;
    }
  }
  w.put(summaries, hexToBytes(conversation), summary);
  return { floor: summary.clearedTo, onlyOlder };
}

/** Moves all that there is up, by whole pages, so that below it there is room for `left` messages. */
async function makeRoom(
  w: VaultWriter,
  conversation: string,
  summary: SummaryRecord,
  left: number,
): Promise<SummaryRecord> {
  const { next, clearedTo } = summary;
  const pages = Math.ceil((left - clearedTo) / PAGE_SIZE);
  const by = pages * PAGE_SIZE;
  const keys = await keysBetween(w, conversation, clearedTo, next);
  const ids = keys.map((key) => entryId(conversation, key));
  for (const [i, entry] of (await w.getMany(entries, ids)).entries()) {
    if (!entry?.place) continue;
    const sequence = entry.place.sequence + by;
    w.put(entries, ids[i], { ...entry, place: { ...entry.place, sequence } });
  }
  const first = Math.floor(clearedTo / PAGE_SIZE);
  const count = Math.ceil(next / PAGE_SIZE) - first;
  const numbers = Array.from({ length: count }, (_, i) => first + i);
  const moved = await w.getMany(
    order,
    numbers.map((page) => orderId(conversation, page)),
  );
  for (const page of numbers) w.delete(order, orderId(conversation, page));
  for (const [i, page] of moved.entries()) {
    if (page) w.put(order, orderId(conversation, first + i + pages), page);
  }
  return {
    ...summary,
    next: next + by,
    readUpTo: summary.readUpTo + by,
    clearedTo: clearedTo + by,
    erasedTo: clearedTo + by,
  };
}

/** Whether a message belongs before the first that there is. */
async function isBelow(
  w: VaultWriter,
  conversation: string,
  { next, clearedTo }: SummaryRecord,
  message: MessageKey & { readonly rank: number },
): Promise<boolean> {
  if (clearedTo === 0) return false;
  if (next === clearedTo) return true;
  const [key] = await keysBetween(w, conversation, clearedTo, clearedTo + 1);
  const lowest = await w.get(entries, entryId(conversation, key));
  const rank = lowest?.state.base?.rank ?? 0;
  return compareRanks({ ...key, rank }, message) > 0;
}

async function putBelow(
  w: VaultWriter,
  conversation: string,
  summary: SummaryRecord,
  { key, entry }: PastEntry,
  arrived: number,
): Promise<SummaryRecord> {
  const sequence = summary.clearedTo - 1;
  const page = orderId(conversation, Math.floor(sequence / PAGE_SIZE));
  const messages = [...(await w.get(order, page))?.messages ?? []];
  const at = sequence % PAGE_SIZE;
  // Places below the conversation's beginning are never read, but they are counted.
  while (messages.length < at) messages.push(key);
  messages[at] = key;
  w.put(order, page, { messages });
  const placed = { ...entry, place: { sequence, arrived } };
  w.put(entries, entryId(conversation, key), placed);
  return {
    ...summary,
    clearedTo: sequence,
    erasedTo: sequence,
    rank: Math.max(summary.rank, entry.state.base?.rank ?? 0),
    last: summary.last ?? key,
    activity: Math.max(summary.activity, arrived),
  };
}
