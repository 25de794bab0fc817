/** The side that lacks the past: each chunk is put into the log in the commit that says it is here. */
import { conversationOf } from "../contact.ts";
import { parsePart, type PastEntry, restore } from "../content/mod.ts";
import type { ConversationHands } from "../conversations.ts";
import type { Desk } from "../desk.ts";
import { MalformedError } from "../keys/mod.ts";
import type { Entry } from "../ledger.ts";
import type { Chunk } from "./message.ts";
import type { TakingRecord } from "./records.ts";

/** Puts a chunk into the log of its conversation, if it is the one that is to come next. */
export async function take(
  entry: Entry,
  desk: Desk,
  hands: ConversationHands,
  record: TakingRecord,
  chunk: Chunk,
): Promise<TakingRecord> {
  const now = desk.clock.now();
  const { about } = chunk;
  const floors = about === undefined
    ? record.floors
    : await put(entry, desk, hands, record.floors, { ...chunk, about });
  return {
    ...record,
    at: chunk.last ? "done" : "taking",
    heard: now,
    next: chunk.index + 1,
    taken: Math.max(record.taken, chunk.given),
    floors,
  };
}

async function put(
  entry: Entry,
  { account, contactIn }: Desk,
  hands: ConversationHands,
  floors: TakingRecord["floors"],
  { about, left, parts }: Chunk & { about: string },
): Promise<TakingRecord["floors"]> {
  if (!contactIn(entry, about)) return floors;
  const me = account.accountId;
  const conversation = conversationOf(me, about);
  const past = parts.flatMap((part) => readable(part, conversation))
    .filter(({ key: { author } }) => author === me || author === about);
  const floor = floors[about];
  const restored = await restore(entry, conversation, past, {
    me,
    left,
    floor,
  });
  if (!restored) return floors;
  await hands.restored(entry, conversation, restored.onlyOlder);
  return { ...floors, [about]: restored.floor };
}

function readable(part: Uint8Array, conversation: string): PastEntry[] {
  try {
    return [parsePart(part, conversation)];
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return [];
  }
}
