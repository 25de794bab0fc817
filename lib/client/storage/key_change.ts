/**
 * Moving every record from one vault key to the next, in small commits that may be cut off anywhere:
 * each record opens under exactly one of the two keys, so a second walk goes on where the first ended.
 */
import { DamagedError } from "./errors.ts";
import { BLINDED_KEY_LENGTH, type RecordCipher } from "./record_cipher.ts";
import type { Store, StoreChange, StoreEntry } from "./store.ts";

const BATCH = 200;

/** Hears how much is done, from 0 to 1. */
export type Progress = (share: number) => void;

/**
 * Writes everything that still lies under `former` anew under `newer`.
 * @throws {DamagedError} at a record that opens under neither; what was moved stays moved
 */
export async function moveRecords(
  store: Store,
  { former, newer }: { former: RecordCipher; newer: RecordCipher },
  progress: Progress,
): Promise<void> {
  // Moved records lie elsewhere in the order of keys and may be met again; those count twice at the most.
  const total = Math.max(1, await store.count());
  let moved = 0;
  let after: Uint8Array | undefined;
  while (true) {
    const entries = await store.scan(after, BATCH);
    if (entries.length === 0) break;
    after = entries[entries.length - 1].key;
    const changes = entries.flatMap((entry) => moving(entry, former, newer));
    if (changes.length > 0) await store.commit(changes);
    moved += changes.length / 2;
    progress(Math.min(1, moved / total));
  }
  progress(1);
}

function moving(
  { key, value }: StoreEntry,
  former: RecordCipher,
  newer: RecordCipher,
): StoreChange[] {
  if (key.length !== BLINDED_KEY_LENGTH || opens(newer, key, value)) return [];
  const { schema, ...record } = former.open(key, value);
  const newKey = newer.blind(record.table, record.id);
  return [
    { key, value: undefined },
    { key: newKey, value: newer.seal(newKey, schema, record) },
  ];
}

function opens(
  cipher: RecordCipher,
  key: Uint8Array,
  value: Uint8Array,
): boolean {
  try {
    cipher.open(key, value);
    return true;
  } catch (error) {
    if (error instanceof DamagedError) return false;
    throw error;
  }
}
