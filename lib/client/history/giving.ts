/** The side that has the past: chunk by chunk, the newest first, a few ahead of the other's word. */
import {
  MAX_PART_BYTES,
  partsOfPast,
  type PastEntry,
  pastOf,
} from "../content/mod.ts";
import type { ConversationLog } from "../content/mod.ts";
import type { Desk } from "../desk.ts";
import type { Entry } from "../ledger.ts";
import type { Chunk } from "./message.ts";
import type { CursorRecord, FlightRecord, GivingRecord } from "./records.ts";

/** Chunks that the other device has not confirmed: it is all that the relay ever keeps of a history. */
const WINDOW = 4;

/** Messages without end are no chunk, and neither are many short ones. */
const CHUNK_BYTES = MAX_PART_BYTES;

type Confirmed = Pick<GivingRecord, "total" | "cursors" | "at">;

/** Where to begin, when it was confirmed. */
export async function beginning(
  entry: Entry,
  { contacts }: Desk,
  log: ConversationLog,
): Promise<Confirmed> {
  const people = [...contacts.values()].map(({ record }) => record);
  const cursors: CursorRecord[] = [];
  let total = 0;
  const summaries = await log.summaries(
    entry,
    people.map(({ conversation }) => conversation),
  );
  for (const [i, { accountId, conversation }] of people.entries()) {
    const { left } = await pastOf(entry, conversation);
    if (left === 0) continue;
    total += left;
    const rank = summaries[i]?.last?.rank ?? 0;
    cursors.push({ about: accountId, rank, part: 0 });
  }
  return { at: "giving", total, cursors };
}

/** The next chunks, as far as the other device's word lets them go; each is handed to `give`. */
export async function giveMore(
  entry: Entry,
  desk: Desk,
  giving: GivingRecord,
  give: (chunk: Chunk) => Promise<void>,
): Promise<GivingRecord> {
  let record = giving;
  while (!record.ended && record.flight.length < WINDOW) {
    const { chunk, after } = await nextChunk(entry, desk, record);
    await give(chunk);
    record = after;
  }
  return record;
}

/** The other device has the chunks before `next`. */
export function withTaken(record: GivingRecord, next: number): GivingRecord {
  const flight = record.flight.filter(({ index }) => index >= next);
  return { ...record, flight, given: flight[0]?.sent ?? record.sent };
}

/** What was on its way may be lost: it is given again, from the first chunk that nobody confirmed. */
export function rewound(record: GivingRecord): GivingRecord {
  const [first] = record.flight;
  if (!first) return record;
  const cursors = new Map(record.cursors.map((one) => [one.about, one]));
  for (const { cursor } of record.flight.toReversed()) {
    if (cursor) cursors.set(cursor.about, cursor);
  }
  return {
    ...record,
    cursors: [...cursors.values()],
    next: first.index,
    sent: first.sent,
    flight: [],
    ended: false,
  };
}

async function nextChunk(
  entry: Entry,
  desk: Desk,
  record: GivingRecord,
): Promise<{ chunk: Chunk; after: GivingRecord }> {
  const cursors = record.cursors.toSorted((a, b) => b.rank - a.rank);
  while (cursors.length > 0) {
    const [cursor, ...others] = cursors;
    const { about } = cursor;
    const contact = desk.contactIn(entry, about);
    const { rows, left } = contact
      ? await pastOf(entry, contact.record.conversation, cursor.before)
      : { rows: [], left: 0 };
    if (rows.length === 0) {
      cursors.shift(); // all was given, or it was cleared, or the contact is gone
      continue;
    }
    const { parts, messages, moved } = packed(cursor, rows);
    const isWhole = moved.part === 0 && rows.at(-1)?.key === moved.before;
    const rest = isWhole && left <= rows.length ? others : [...others, moved];
    return chunkOf(record, { cursor, about, left, parts, messages, rest });
  }
  return chunkOf(record, { left: 0, parts: [], messages: 0, rest: [] });
}

function chunkOf(
  record: GivingRecord,
  { cursor, about, left, parts, messages, rest }:
    & Pick<Chunk, "about" | "left" | "parts">
    & Pick<FlightRecord, "cursor">
    & { messages: number; rest: readonly CursorRecord[] },
): { chunk: Chunk; after: GivingRecord } {
  const index = record.next;
  const sent = record.sent + messages;
  const last = rest.length === 0;
  return {
    chunk: { index, last, about, left, given: sent, parts },
    after: {
      ...record,
      cursors: rest,
      next: index + 1,
      sent,
      ended: last,
      flight: [...record.flight, { index, sent: record.sent, cursor }],
    },
  };
}

/** As many parts as go into one chunk, at least one, and where the next begins. */
function packed(
  cursor: CursorRecord,
  rows: readonly PastEntry[],
): { parts: Uint8Array[]; messages: number; moved: CursorRecord } {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let messages = 0;
  let moved = cursor;
  for (const row of rows) {
    const all = partsOfPast(row);
    for (let at = moved.part; at < all.length; at++) {
      // A tag and a length come with each.
      bytes += all[at].length + 4;
      if (parts.length > 0 && bytes > CHUNK_BYTES) {
        return { parts, messages, moved: { ...moved, part: at } };
      }
      parts.push(all[at]);
      if (at === 0) messages++;
    }
    const rank = row.entry.state.base?.rank ?? moved.rank;
    moved = { about: cursor.about, rank, before: row.key, part: 0 };
  }
  return { parts, messages, moved };
}
