import { decodeMessage, MESSAGES } from "./records.ts";
import type { Store } from "./store.ts";

/** At most so many are read at once. */
const PAGE = 500;

/** A message's record as it lies in the store, under its seq. */
export type StoredMessage = { seq: number; record: Uint8Array };

/** The messages of a queue from `start` on, in order, at most `limit`. */
export async function readMessages(
  store: Store,
  queue: Uint8Array,
  start: number,
  limit: number,
): Promise<StoredMessage[]> {
  const page = await store.list([MESSAGES, queue], { start, limit });
  return page.map(({ key, value }) => ({ seq: seqOf(key), record: value }));
}

/** What of each message of a queue is kept in memory, in order. */
export async function* headsOfMessages(
  store: Store,
  queue: Uint8Array,
): AsyncIterable<
  { seq: number; id: Uint8Array; size: number; expires: number }
> {
  for (let start = 0;;) {
    const page = await readMessages(store, queue, start, PAGE);
    for (const { seq, record } of page) {
      const { expires, id, envelope } = decodeMessage(record);
      yield { seq, id, size: envelope.length, expires };
      start = seq + 1;
    }
    if (page.length < PAGE) return;
  }
}

function seqOf(key: readonly (string | number | Uint8Array)[]): number {
  const seq = key[key.length - 1];
  if (typeof seq !== "number") {
    throw new TypeError("a message in the store has no number");
  }
  return seq;
}
