/**
 * The schema of everything in the vault, and how older records become newer ones.
 *
 * A migration rewrites records one by one, in small commits. Every record says
 * under which schema it was written, so a migration that was cut off goes on
 * where it stopped, and running it twice changes nothing.
 */
import { DamagedError } from "./errors.ts";
import { toContactSettings } from "./schemas/2_contact_settings.ts";
import type { Store, StoreChange, StoreEntry } from "./store.ts";
import {
  BLINDED_KEY_LENGTH,
  type RecordCipher,
  schemaOf,
  type VaultRecord,
} from "./record_cipher.ts";

export interface Migration {
  /** The schema this one leads to, from the one before. */
  readonly to: number;
  /** The record in its new shape; the same when it does not concern it; undefined to drop it. */
  upgrade(record: VaultRecord): VaultRecord | undefined;
}

/** In order of `to`, without gaps from 2 on. Schema 1 is the first there was. */
export const MIGRATIONS: readonly Migration[] = [
  toContactSettings,
  // The header can have a lock; an older program must leave such a vault alone.
  { to: 3, upgrade: (record) => record },
];

const BATCH = 200;

/** Rewrites every record that is older than schema `to`, in small commits. */
export async function upgradeStore(
  store: Store,
  cipher: RecordCipher,
  migrations: readonly Migration[],
  to: number,
): Promise<void> {
  let after: Uint8Array | undefined;
  while (true) {
    const entries = await store.scan(after, BATCH);
    if (entries.length === 0) return;
    after = entries[entries.length - 1].key;
    const changes = upgradeEntries(entries, cipher, migrations, to);
    if (changes.length > 0) await store.commit(changes);
  }
}

/** What rewriting one batch of entries takes; records already in schema `to` stay as they are. */
function upgradeEntries(
  entries: readonly StoreEntry[],
  cipher: RecordCipher,
  migrations: readonly Migration[],
  to: number,
): StoreChange[] {
  const changes: StoreChange[] = [];
  for (const { key, value } of entries) {
    if (key.length !== BLINDED_KEY_LENGTH || schemaOf(value) === to) continue;
    const { schema, ...old } = cipher.open(key, value);
    if (schema > to) throw new DamagedError("a record is newer than the vault");
    const record = migrations.filter((step) =>
      step.to > schema && step.to <= to
    )
      .reduce<VaultRecord | undefined>(
        (now, step) => now && step.upgrade(now),
        old,
      );
    changes.push({ key, value: undefined });
    if (record) {
      const newKey = cipher.blind(record.table, record.id);
      changes.push({ key: newKey, value: cipher.seal(newKey, to, record) });
    }
  }
  return changes;
}
