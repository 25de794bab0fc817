import {
  decodeMessage,
  decodeQueue,
  decodeRendezvous,
  messageBytes,
  MESSAGES,
  passBytes,
  PASSES,
  QUEUE_BYTES,
  QUEUES,
  RENDEZVOUS,
  RENDEZVOUS_BYTES,
} from "./records.ts";
import { goneAt } from "./rendezvous.ts";
import type { Mutation, Store } from "./store.ts";
import { type Kept, StoredBytes } from "./stored_bytes.ts";

const DAY_MS = 86_400_000;

/** The record of stored bytes of a store that has none yet, from everything that lies in it. */
export async function countStoredBytes(
  store: Store,
  now: () => number,
): Promise<Mutation> {
  // Added up by the day: there can be a million messages.
  const days = new Map<number, Kept>();
  const count = (bytes: number, expires: number) => {
    const day = Math.floor(expires / DAY_MS);
    const before = days.get(day)?.bytes ?? 0;
    days.set(day, { bytes: before + bytes, expires: day * DAY_MS });
  };
  for await (const { value } of store.scan([QUEUES])) {
    count(QUEUE_BYTES, decodeQueue(value).expires);
  }
  for await (const { value } of store.scan([MESSAGES])) {
    const { envelope, expires } = decodeMessage(value);
    count(messageBytes(envelope.length), expires);
  }
  for await (const { key, value } of store.scan([RENDEZVOUS])) {
    const gone = goneAt(decodeRendezvous(value));
    count(RENDEZVOUS_BYTES, gone);
    for await (const pass of store.scan([PASSES, key[1]])) {
      count(passBytes(pass.value.length), gone);
    }
  }
  return StoredBytes.record([...days.values()], now);
}
