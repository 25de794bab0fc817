/**
 * How a conversation is forgotten: cleared in one step, which takes it out of sight, then erased from
 * the disk page by page, then, if nobody is to know that there was one, removed.
 */
import { hexToBytes } from "@noble/hashes/utils.js";
import type { VaultReader, VaultWriter } from "../storage/mod.ts";
import { deleteAwaited } from "./awaited.ts";
import {
  entries,
  entryId,
  keysBetween,
  order,
  orderId,
  PAGE_SIZE,
  summaries,
} from "./log_records.ts";
import { firstAbove, unreadFrom } from "./placing.ts";

/**
 * Everything that is there is shown no more, what is being written included. What comes from now on begins the
 * conversation anew.
 * @param now ms since the epoch
 * @returns the rank up to which it was cleared
 */
export async function clearLog(
  w: VaultWriter,
  conversation: string,
  now: number,
): Promise<number> {
  const summary = await w.get(summaries, hexToBytes(conversation));
  if (!summary) return 0;
  const { next, rank, draftAt } = summary;
  w.put(summaries, hexToBytes(conversation), {
    ...summary,
    readUpTo: next,
    clearedTo: next,
    unread: 0,
    draft: "",
    editing: undefined,
    draftAt: Math.max(now, draftAt + 1),
    last: undefined,
    cleared: { rank, at: now },
  });
  return rank;
}

/** What has a rank up to `rank` is shown no more: it was cleared on another device. @param me own account id */
export async function clearUpTo(
  w: VaultWriter,
  conversation: string,
  rank: number,
  me: string,
): Promise<void> {
  const clearedTo = await firstAbove(w, conversation, rank);
  const summary = await w.get(summaries, hexToBytes(conversation));
  if (!summary || clearedTo <= summary.clearedTo) return;
  const { next, last } = summary;
  w.put(summaries, hexToBytes(conversation), {
    ...summary,
    clearedTo,
    editing: undefined,
    readUpTo: Math.max(summary.readUpTo, clearedTo),
    unread: await unreadFrom(w, conversation, summary, clearedTo, me),
    last: clearedTo < next ? last : undefined,
  });
}

/** Those of `conversations` of which cleared messages are still on the disk. */
export async function unerased(
  r: VaultReader,
  conversations: readonly string[],
): Promise<string[]> {
  const records = await r.getMany(summaries, conversations.map(hexToBytes));
  return conversations.filter((_, i) => {
    const record = records[i];
    return record && record.erasedTo < record.clearedTo;
  });
}

/** Takes up to a page of cleared messages off the disk. False when there are no more. */
export async function eraseCleared(
  w: VaultWriter,
  conversation: string,
): Promise<boolean> {
  const summary = await w.get(summaries, hexToBytes(conversation));
  if (!summary || summary.erasedTo >= summary.clearedTo) return false;
  const { erasedTo, clearedTo } = summary;
  const page = Math.floor(erasedTo / PAGE_SIZE);
  const pageEnd = (page + 1) * PAGE_SIZE;
  const end = Math.min(clearedTo, pageEnd);
  const keys = await keysBetween(w, conversation, erasedTo, end);
  for (const key of keys) w.delete(entries, entryId(conversation, key));
  // A page that still takes messages stays: those behind are found by their place in it.
  if (end === pageEnd) w.delete(order, orderId(conversation, page));
  w.put(summaries, hexToBytes(conversation), { ...summary, erasedTo: end });
  return end < clearedTo;
}

/** Forgets a conversation of which everything was erased: that there was one, and what it waited for. */
export async function removeLog(
  w: VaultWriter,
  conversation: string,
): Promise<void> {
  const summary = await w.get(summaries, hexToBytes(conversation));
  if (!summary) return;
  await deleteAwaited(w, conversation);
  const page = Math.floor(summary.next / PAGE_SIZE);
  w.delete(order, orderId(conversation, page));
  w.delete(summaries, hexToBytes(conversation));
}
